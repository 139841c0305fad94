/** A requester finds a lie, challenges it in the dApp, and watches a jury of real nodes convict. Minutes long, so it runs by name. */
import { createHash } from 'node:crypto';
import { commitmentOf, type Result } from '@dpu/sdk/lease';
import { encodeManifest, rootOf, unitsOf, type ManifestShard } from '@dpu/sdk/manifest';
import { readRules } from '@dpu/sdk/rules';
import type { Browser } from 'playwright-core';
import { parseEther, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { build } from '../../script/build.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import {
  enlist,
  heldBy,
  historyOf,
  mined,
  SALT,
  tried,
  until as untilSaid,
  type Liar,
} from '../../script/scenarios/liar.ts';
import { hurryTo } from '../../script/scenarios/story.ts';
import { startBrowser } from '../browser/browser.ts';
import { expectFits, visit } from '../browser/flows/stage.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester } from '../lib/books.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

/** Five jurors, and one to spare: two nodes with the same print cannot sit together. */
const NODES = 6;
/** Seconds in which the lie may be challenged: plenty for a person on a busy machine. */
const WINDOW = 600;
const MINUTES = 60_000;

let network: Network;
let browser: Browser;
let liar: Liar;

beforeAll(async () => {
  await build(() => {});
  // Nodes that check by chance would be faster than the person.
  const settings = (): Record<string, string> => ({ WORKER_CHECK_RATE: '0' });
  // A job's page and the court are the chain's: they need no indexer.
  network = await startNetwork({
    name: 'court-room',
    runtimes: ['wasm'],
    nodes: NODES,
    settings,
    without: ['indexer'],
  });
  liar = await enlist(network, parseEther('2000'));
  await fundRequester(network, 100n * DPU);
  browser = await startBrowser();
}, 10 * MINUTES);

afterAll(async () => {
  await browser?.close();
  await network?.stop();
}, MINUTES);

test(
  'a person challenges a shard that was made up, a jury convicts the node, and the bond is gone',
  async () => {
    const job = await postForLiar();
    await lie(job);
    const { stake } = await liar.market.node(liar.node);

    const stage = { network, browser, url: network.appUrl ?? '' };
    const visited = await visit(stage, `/jobs/${job.id}`, people.browser, 'phone');
    const { page } = visited;
    await page.getByRole('listbox').getByRole('option').first().click();
    await page.getByRole('button', { name: /^Challenge, / }).click();
    await page.getByText('If the jury finds it right you lose what you set aside.').waitFor();
    await page.getByRole('button', { name: 'Challenge this shard' }).click();
    await page.getByRole('link', { name: 'Before the court' }).first().click();
    await page.waitForURL(/\/court\/0x[0-9a-f]{64}$/);
    await page.getByText('First jury').first().waitFor();

    const dispute = await until(
      network,
      'the verdict',
      async () => {
        const [found] = (await historyOf(network, job.id)).disputes;
        return found?.juries[0]?.judged ? found : undefined;
      },
      400,
    );
    expect(dispute.verdict).toBe('invalid');
    await page.getByText('Wrong', { exact: true }).first().waitFor();
    await hurryTo(network, (dispute.juries[0]?.judged?.at ?? 0) + readRules(job.terms.rules).revealWindow + 1);
    await until(network, 'the end of the dispute', async () => {
      const carry = page.getByRole('button', { name: 'Carry the verdict out' });
      if (await carry.isEnabled({ timeout: 100 }).catch(() => false)) await carry.click().catch(() => undefined);
      return (await historyOf(network, job.id)).disputes[0]?.ended;
    });
    await page.getByRole('heading', { name: 'How it ended' }).waitFor();
    await page.getByText('The result is wrong. The node loses its bond', { exact: false }).waitFor();
    expect(stake - (await liar.market.node(liar.node)).stake, 'what the liar has lost').toBe(job.terms.bond);
    await expectFits(page);
    await visited.context.close();
  },
  8 * MINUTES,
);

/** A job of one shard that only the liar may take. */
async function postForLiar(): Promise<TestJob> {
  const spec = await storeSpec(network, honestModule(), { name: 'Something to be made up' });
  const { timestamp } = await network.local.publicClient.getBlock();
  const wish = { node: liar.node, window: WINDOW, exec: 120, bond: 40n * DPU, expiry: Number(timestamp) + 3_600 };
  return postTerms(network, await testTerms(network, spec, wish));
}

/** Takes the shard and shows something that was never computed: published, proven, and wrong. */
async function lie({ id, terms }: TestJob): Promise<void> {
  const { node, market } = liar;
  const never = new AbortController().signal;
  const { lease } = await untilSaid(never, async () => {
    await tried(network, market.claim(terms, node, 1));
    return heldBy(network, liar, id, 0);
  });
  const output = new TextEncoder().encode('made up');
  const { cid } = await network.storage.addFile(output);
  const hash: Hex = `0x${createHash('sha256').update(output).digest('hex')}`;
  const shards: ManifestShard[] = [{ shard: 0, hash, cid, size: output.length, units: 1n }];
  const manifest = encodeManifest({ version: 1, job: id, first: 0, node, shards });
  await network.storage.putBlock(manifest.cid, manifest.bytes);
  const result: Result = { root: rootOf({ shards }), units: unitsOf({ shards }), manifest: manifest.digest };
  await mined(network, await market.commit(id, lease, commitmentOf({ id, first: 0, node, result, salt: SALT })));
  await untilSaid(never, async () => {
    const held = await heldBy(network, liar, id, 0);
    if (held?.state === 'revealed') return held;
    if (held?.state === 'committed') await tried(network, market.reveal(terms, held.lease, result, SALT));
    return undefined;
  });
}
