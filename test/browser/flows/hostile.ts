import { dpuTokenAbi, marketAbi } from '@dpu/sdk/abi';
import { addParamsProposal, encodePropose, governanceOf, proposalId } from '@dpu/sdk/governance';
import { createMarket } from '@dpu/sdk/market';
import { readRules } from '@dpu/sdk/rules';
import { RUNTIMES } from '@dpu/sdk/terms';
import type { Page } from 'playwright-core';
import { encodeFunctionData, erc20Abi, parseEther, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { call, send, walletOf } from '../../../script/network/equip.ts';
import { people } from '../../../script/network/people.ts';
import { honestModule } from '../../lib/badModules.ts';
import { fundRequester } from '../../lib/books.ts';
import { until } from '../../lib/until.ts';
import { DPU, postTerms, storeSpec, testTerms } from '../../lib/wasmJob.ts';
import { openPage } from '../browser.ts';
import { expectFits, give, now, passTo, type Stage } from './stage.ts';

/** What must never run, never be a link, never turn a line around, and never make a page wider. */
const RUN = '<script>window.stolen=1</script><img src=x onerror="window.stolen=1">';
const LINK = '[x](javascript:window.stolen=1) javascript:window.stolen=1';
const TURNED = 'fdp.\u202Egnp.exe\u2066';
const BOMB = 'W'.repeat(10_000);
const EVERYTHING = `${RUN} ${LINK} ${TURNED} \u0000 👩‍🚀🏴‍☠️ ${BOMB}`;
/** A job's name has at most 120 characters, a token's symbol 16. */
const NAME = `${'<script>stolen=1</script><img src=x onerror=stolen=1>'} ${TURNED}\u0000 👩‍🚀 ${'W'.repeat(40)}`;
const SYMBOL = '<b>\u202EWWWWWWWW';
const STAKE = parseEther('2000');
const VOTES = parseEther('12000000');

/** What stands on the chain, made by somebody who means harm. */
interface Trap {
  job: Hex;
  node: number;
  proposal: bigint;
}

/** Everything that a stranger can write somewhere is text on every page, and fits a phone. */
export function hostileFlows(stage: () => Stage): void {
  test('nothing that strangers write runs, turns a line around, or breaks the layout of a phone', async () => {
    const trap = await layOut(stage());
    const { browser, url } = stage();
    const { page, context, problems } = await openPage(browser, { viewport: 'phone' });
    await poison(page, trap);
    const pages: [path: string, seen: string | RegExp][] = [
      [`/jobs/${trap.job}`, /<script>stolen=1<\/script>/],
      ['/jobs', /<script>stolen=1<\/script>/],
      [`/nodes/${trap.node}`, /javascript:window\.stolen=1/],
      ['/nodes', `Node ${trap.node}`],
      [`/governance/0x${trap.proposal.toString(16)}`, /<script>window\.stolen=1<\/script>/],
      ['/governance', /<script>window\.stolen=1<\/script>/],
      ['/post', /<b>WWWWWWWW/],
      ['/', 'Happening now'],
      ['/court', 'Court'],
    ];
    for (const [path, seen] of pages) {
      await page.goto(`${url}${path}`);
      await page.getByText(seen).first().waitFor({ state: 'attached' });
      if (path.includes(trap.job)) await page.getByRole('log').getByText('<script>window.stolen').waitFor();
      await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
      await expectFits(page);
      await expectTame(page);
    }
    expect(problems, 'nothing tried to run').toEqual([]);
    await context.close();
  });
}

/** Looks for everything that text could have become. */
async function expectTame(page: Page): Promise<void> {
  const found = await page.evaluate(() => ({
    stolen: 'stolen' in globalThis,
    links: [...document.links].filter(({ href }) => href.startsWith('javascript:')).length,
    handlers: document.querySelectorAll('[onerror], [onload], [onmouseover]').length,
    // eslint-disable-next-line no-control-regex -- these must not be there
    turned: /[\u0000\u202A-\u202E\u2066-\u2069]/.test(document.body.innerText + document.title),
  }));
  expect(found, page.url()).toEqual({ stolen: false, links: 0, handlers: 0, turned: false });
}

/** Brings a job, a node and a proposal on chain whose words mean harm. */
async function layOut(stage: Stage): Promise<Trap> {
  const { network } = stage;
  const { local, deployment } = network;
  const { liar } = people;
  const endpoint = `javascript:window.stolen=1//${RUN}${TURNED}${'W'.repeat(100)}`;
  await local.testClient.setBalance({ address: liar.address, value: parseEther('10') });
  await give(stage.network, liar.address, STAKE);
  const args = [liar.address, 1 << RUNTIMES.wasm, zeroHash, endpoint];
  await call(local, liar, { address: deployment.market, abi: marketAbi, functionName: 'register', args });
  const walletClient = walletOf(local, liar);
  const market = createMarket({ publicClient: local.publicClient, walletClient, deployment });
  const node = await market.nodeOf(liar.address);
  await call(local, liar, {
    address: deployment.token,
    abi: erc20Abi,
    functionName: 'approve',
    args: [deployment.market, STAKE],
  });
  await call(local, liar, { address: deployment.market, abi: marketAbi, functionName: 'stake', args: [node, STAKE] });

  // For this node alone, which takes it and never does it: it is being computed for as long as the test looks.
  await fundRequester(network, 10n * DPU);
  const spec = await storeSpec(network, honestModule(), { name: NAME, args: [RUN, TURNED, BOMB.slice(0, 3_000)] });
  const wish = { node, exec: 3_600, expiry: (await now(stage)) + 86_400 };
  const job = await testTerms(network, spec, wish);
  await postTerms(network, job);
  await until(network, 'the claim', async () => {
    const hash = await market.claim(job.terms, node, 1).catch(() => undefined);
    return hash && (await local.publicClient.waitForTransactionReceipt({ hash })).status === 'success';
  });

  await give(stage.network, liar.address, VOTES);
  const delegate = encodeFunctionData({ abi: dpuTokenAbi, functionName: 'delegate', args: [liar.address] });
  await send(local, liar, { to: deployment.token, data: delegate });
  await passTo(stage, (await now(stage)) + 2);
  const params = await market.params(readRules((await market.config()).rules).version);
  const text = `${RUN} ${TURNED}\n\n${EVERYTHING}`;
  const proposal = addParamsProposal(deployment.market, { ...params, feeBps: 299 }, text, liar.address);
  await send(local, liar, { to: governanceOf(deployment).governor, data: encodePropose(proposal) });
  return { job: job.id, node, proposal: proposalId(proposal) };
}

/** Tokens with hostile symbols, nodes that say hostile things while they work, and an indexer whose refusals are hostile. */
async function poison(page: Page, { job, node }: Trap): Promise<void> {
  await page.route('**/config.json', async (route) => {
    const config = (await (await route.fetch()).json()) as { currencies: { symbol: string }[] };
    const currencies = config.currencies.map((one, at) => (at === 0 ? one : { ...one, symbol: SYMBOL }));
    await route.fulfill({ json: { ...config, currencies } });
  });
  const line = { number: 1, line: [0, 'info', EVERYTHING] };
  const shard = { node, shard: 0, state: 'running', permille: 400, ms: 4_000, saidAt: Date.now(), lines: [line] };
  await page.route(`**/v1/live/jobs/${job}/progress`, (route) => route.fulfill({ json: { shards: [shard] } }));
  const heartbeat = {
    ...{ node, saidAt: Date.now(), healthy: false, problems: [RUN, 'W'.repeat(200)], celsius: null, draining: false },
    ...{ slots: { capacity: 1, running: 0, free: 1 }, software: TURNED },
  };
  await page.route('**/v1/live/heartbeats', (route) => route.fulfill({ json: { items: [heartbeat] } }));
}
