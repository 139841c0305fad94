import { createMarket } from '@dpu/sdk/market';
import type { Page } from 'playwright-core';
import { parseEther, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { honestModule } from '../../lib/badModules.ts';
import { fundRequester } from '../../lib/books.ts';
import { DPU, postTerms, storeSpec, testTerms } from '../../lib/wasmJob.ts';
import { openPage } from '../browser.ts';
import { installWallet, type TestWallet } from '../testWallet.ts';
import { startLyingProxy, type LyingProxy } from './proxy.ts';
import { connect, expectFits, now, passTo, sent, type Stage } from './stage.ts';

/** Longer than a page waits for anything. */
const FOREVER_MS = 600_000;
/** What a page may take to show what the chain knows, on a busy machine; less than an answer that never comes. */
const SOON = { timeout: 50_000 };

/** A visit whose indexer is behind the proxy. */
interface Doubtful {
  page: Page;
  wallet: TestWallet;
  done(): Promise<void>;
}

/** Between the dApp and its indexer stands something that delays, freezes, fails and lies. */
export function lyingFlows(stage: () => Stage): void {
  let proxy: LyingProxy;
  let job: Hex;
  beforeAll(async () => {
    const { network } = stage();
    proxy = await startLyingProxy(network.deployment.indexerUrl);
    await fundRequester(network, 10n * DPU);
    // A bond that no node has keeps it open, so its requester may cancel it at any time.
    const spec = await storeSpec(network, honestModule(), { name: 'A job to be lied about' });
    const wish = { bond: parseEther('900000'), expiry: (await now(stage())) + 86_400 };
    ({ id: job } = await postTerms(network, await testTerms(network, spec, wish)));
  });
  afterEach(() => void (proxy.mischief = {}));
  afterAll(() => proxy?.stop());

  /** Opens `path` as the job's requester, on a phone: notices must fit there too. */
  async function arrive(path: string): Promise<Doubtful> {
    const { network, browser, url } = stage();
    const { local } = network;
    const { page, context } = await openPage(browser, { viewport: 'phone' });
    const wallet = await installWallet(page, {
      ...{ account: people.requester, chain: local.chain, rpcUrl: local.rpcUrl },
    });
    await page.route('**/config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...config, indexerUrl: proxy.url } });
    });
    await page.goto(`${url}${path}`);
    await connect(page);
    const done = async (): Promise<void> => {
      await expectFits(page);
      await context.close();
    };
    return { page, wallet, done };
  }

  const change = (path: string, over: object) => (asked: string, answer: unknown) =>
    new URL(asked, proxy.url).pathname === path && answer !== null && typeof answer === 'object'
      ? { ...answer, ...over }
      : answer;

  test('a slow indexer does not hold up what the chain knows', async () => {
    proxy.mischief = { delayMs: FOREVER_MS };
    const { page, done } = await arrive(`/jobs/${job}`);
    await page.getByRole('heading', { name: 'A job to be lied about' }).waitFor(SOON);
    await page.getByRole('button', { name: 'Cancel the job' }).waitFor(SOON);
    await page.getByText('The indexer does not answer.').waitFor(SOON);
    await done();
  });

  test('a broken indexer is said to be one, and the post page works without its forecast', async () => {
    proxy.mischief = { status: 500 };
    const { page, done } = await arrive('/post');
    await page.getByText('The indexer does not answer.').waitFor(SOON);
    await page.getByText('What you set aside').or(page.getByText('At most')).first().waitFor(SOON);
    expect(await page.getByRole('button', { name: 'Sign and post' }).isEnabled(), 'the chain takes the post').toBe(
      true,
    );
    await done();
  });

  test('a frozen indexer is said to be behind, and a job that it does not know is shown', async () => {
    const { url, network } = stage();
    const { page, done } = await arrive('/jobs');
    await page.getByText('A job to be lied about').first().waitFor(SOON);
    proxy.mischief = { frozen: true };
    const spec = await storeSpec(network, honestModule(), { name: 'A job that it never saw' });
    const wish = { bond: parseEther('900000'), expiry: (await now(stage())) + 86_400 };
    const { id } = await postTerms(network, await testTerms(network, spec, wish));
    await passTo(stage(), (await now(stage())) + 600);
    await page.getByText(/^The indexer is 1\d min( \d+ s)? behind the chain\.$/).waitFor(SOON);
    await page.goto(`${url}/jobs/${id}`);
    await page.getByRole('heading', { name: 'A job that it never saw' }).waitFor(SOON);
    await done();
  });

  test('a wrong price is told in plain words, and nothing can be signed until the person decides for the chain', async () => {
    const { network } = stage();
    const path = `/v1/jobs/${job}`;
    proxy.mischief = { lie: change(path, { maxPrice: String(7n * DPU), state: 'complete', postedBlock: 1_000_000 }) };
    const { page, wallet, done } = await arrive(path.replace('/v1', ''));
    await page.getByText('The indexer and the chain tell different things about this job.').waitFor(SOON);
    await page.getByText('The highest price of a shard: the indexer says 7 DPU, the chain 1 DPU.').waitFor();
    await page.getByText('Its state: the indexer says complete, the chain open.').waitFor();
    const cancel = page.getByRole('button', { name: 'Cancel the job' });
    await cancel.waitFor();
    expect(await cancel.isDisabled(), 'while the two disagree').toBe(true);
    await page.getByRole('button', { name: 'Go on by the chain alone' }).click();
    await cancel.click();
    await page.getByText('Cancelled', { exact: true }).first().waitFor(SOON);
    expect(sent(wallet)).toEqual(['eth_sendTransaction']);
    const { state } = await createMarket({
      publicClient: network.local.publicClient,
      deployment: network.deployment,
    }).job(job);
    expect(state, 'no longer open').not.toBe(1);
    await done();
  });

  test('a forecast that contradicts the terms is left out', async () => {
    proxy.mischief = {
      lie: (path, answer) =>
        path === '/v1/quote' ? { ...(answer as object), points: [lyingPoint('1')], basis: 'history' } : answer,
    };
    const { page, done } = await arrive('/post');
    await page.getByText('The indexer’s forecast contradicts your terms', { exact: false }).waitFor(SOON);
    await done();
  });

  test('a node’s record, stake and owner come from the chain, and the lie is told', async () => {
    const owner = people.requester.address.toLowerCase();
    proxy.mischief = { lie: change('/v1/nodes/1', { owner, record: 10_000, stake: '1' }) };
    const { page, done } = await arrive('/nodes/1');
    await page.getByText('The indexer and the chain tell different things about this node.').waitFor(SOON);
    await page.getByText(/^The owner: the indexer says 0x/i).waitFor();
    await page.getByText(/^The stake: the indexer says <0\.0001 DPU, the chain 100,0/i).waitFor();
    expect(await page.getByRole('heading', { name: 'Your node' }).count(), 'the owner’s part').toBe(0);
    await done();
  });

  test('a job is never sealed for a key that is not the node’s', async () => {
    const { page, wallet, done } = await arrive('/post');
    const stranger = `0x${'7e'.repeat(32)}`;
    proxy.mischief = {
      lie: (path, answer) =>
        path.startsWith('/v1/nodes?')
          ? {
              ...(answer as object),
              items: (answer as { items: object[] }).items.map((one) => ({ ...one, key: stranger })),
            }
          : answer,
    };
    await page.getByText('Only nodes I choose').click();
    await page.getByRole('button', { name: 'Make my key' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Recovery file' }).click({ timeout: 60_000 });
    await download;
    await page.getByLabel('I have both, and not in the same place').check();
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByLabel('Node 1').check();
    await page.getByRole('button', { name: 'Sign and post' }).click();
    await page.getByText('The indexer tells another key of node 1 than the chain has', { exact: false }).waitFor(SOON);
    expect(sent(wallet), 'nothing was signed').toEqual([]);
    await done();
  });
}

/** A forecast at a highest price that nobody asked about. */
function lyingPoint(maxPrice: string): object {
  return {
    ...{ point: 'asked', maxPrice, escrow: maxPrice, taken: 1 },
    ...{ startsIn: { p50: 1, p90: 1 }, price: { p50: maxPrice, p90: maxPrice } },
  };
}
