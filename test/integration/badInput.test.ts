import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { encodeSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { orderTypedData, marketDomain, type Terms } from '@dpu/sdk/terms';
import { parseEther, stringToHex, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { freePort } from '../../script/network/ports.ts';
import { badModules, endlessModule, honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf, readMarket } from '../lib/books.ts';
import { marketOf, mined, now, pass } from '../lib/market.ts';
import { declineOf, statusOf } from '../lib/nodeRun.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, postWasm, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

let network: Network;
let node: LocalNode;
/** Jobs of the running test. */
let jobs: TestJob[] = [];

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-bad-input',
    runtimes: ['wasm'],
    nodes: 1,
    without: ['app', 'indexer'],
    blockSeconds: 1,
  });
  node = network.nodes[0] as LocalNode;
  await fundRequester(network, 500n * DPU);
}, 600_000);
afterAll(() => network?.stop());

afterEach(async () => {
  for (const job of jobs) await finish(network, job);
  jobs = [];
  await expectEvenBooks(network);
  expect(node.process.done, 'the node goes on').toBe(false);
}, 120_000);

function remember<T extends TestJob>(job: T): T {
  jobs.push(job);
  return job;
}

const domain = () => marketDomain(network.deployment.chainId, network.deployment.market);

/** Stores bytes as if they were a spec. */
async function storeBytes(bytes: Uint8Array): Promise<Hex> {
  const digest: Hex = `0x${createHash('sha256').update(bytes).digest('hex')}`;
  await network.storage.putBlock(digestToCid(digest, 'dag-cbor'), bytes);
  return digest;
}

/** What the requester has back of a job that nobody finished. */
async function expectMoneyBack(job: TestJob, before: bigint): Promise<void> {
  const history = await finish(network, job);
  expect(history.state).toBe('closed');
  expect(history.refunded).toBe(history.escrow);
  const { token } = network.deployment;
  expect(await readMarket(network).balanceOf(token, people.requester.address), 'the balance').toBe(before);
}

const balance = () => readMarket(network).balanceOf(network.deployment.token, people.requester.address);

describe('terms that can never be fulfilled are refused before any money moves', () => {
  test.each<[string, Partial<Terms>, string]>([
    ['no shards', { shards: 0 }, 'shards'],
    ['an unknown runtime', { runtime: 31 }, 'runtime'],
    ['a runtime id that does not exist', { runtime: 200 }, 'runtime'],
    ['a bond below the least', { bond: 4n * DPU - 1n }, 'bond'],
    ['a node that does not exist', { node: 2 }, 'node'],
    ['no spec', { spec: `0x${'00'.repeat(32)}` }, 'spec'],
    ['an expiry in the past', { expiry: 1 }, 'expiry'],
  ])('%s', async (_what, over, field) => {
    const before = await balance();
    const { id, terms } = await testTerms(network, `0x${'11'.repeat(32)}`, over);
    await expect(marketOf(network, people.requester).post(terms)).rejects.toMatchObject({
      errorName: 'TermsInvalid',
      args: [id, stringToHex(field, { size: 32 })],
    });
    expect(await balance()).toBe(before);
  });
});

describe('a job that cannot be understood is declined, never claimed, and its money comes back', () => {
  test.each<[string, () => Promise<Hex>, string, RegExp]>([
    ['a spec that is not CBOR', () => storeBytes(Uint8Array.of(0xa1, 0x61)), 'specInvalid', /./],
    ['a spec without any field', () => storeBytes(Uint8Array.of(0xa0)), 'specInvalid', /version/],
    ['a spec for an unknown runtime', () => storeBytes(specFor('java')), 'specInvalid', /runtime/],
    ['a spec of another number of shards', () => storeSpec(network, honestModule(), { shards: 2 }), 'specInvalid', /2/],
    ['a spec that nobody has', async () => `0x${'ab'.repeat(32)}`, 'specUnavailable', /./],
    ['a module that nobody has', () => storeBytes(specFor('wasm')), 'inputsUnavailable', /./],
  ])('%s', async (_what, store, code, problem) => {
    const before = await balance();
    const job = remember(await postTerms(network, await testTerms(network, await store())));

    const decline = await until(network, 'the decline', () => declineOf(node, job.id));
    expect(decline.code).toBe(code);
    expect(decline.detail['problem']).toMatch(problem);
    await expectMoneyBack(job, before);
    expect((await historyOf(network, job.id)).leases).toEqual([]);
  });

  /** A spec whose module was never stored. `runtime` has as many letters as wasm, for it is put into the block's bytes. */
  function specFor(runtime: string): Uint8Array {
    const { bytes } = encodeSpec({
      version: 1,
      name: 'Nothing',
      runtime: 'wasm',
      module: 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
      args: [],
      inputs: [],
      shards: 1,
      output: { name: 'out.bin', mediaType: 'application/octet-stream' },
      limits: { memoryBytes: 65_536, units: 1, outputBytes: 1, seconds: 1 },
      comparator: { kind: 'exact' },
    });
    return Uint8Array.from(Buffer.from(Buffer.from(bytes).toString('latin1').replace('wasm', runtime), 'latin1'));
  }
});

describe('a module that fails as soon as it is started costs nobody a bond', () => {
  test.each(Object.entries(badModules))('one that %s', async (_what, module) => {
    const before = await balance();
    const stake = (await readMarket(network).node(node.id)).stake;
    const job = remember(await postWasm(network, module));

    const decline = await until(network, 'the decline', () => declineOf(node, job.id));
    expect(decline.code).toBe('fails');
    expect(decline.detail).toMatchObject({
      reason: expect.stringMatching(/module-rejected|out-of-memory|output-limit/),
    });
    await expectMoneyBack(job, before);
    expect((await historyOf(network, job.id)).leases).toEqual([]);
    expect((await readMarket(network).node(node.id)).stake, 'the stake').toBe(stake);
  });

  test('an endless loop with a small cap', async () => {
    const limits = { memoryBytes: 1_048_576, units: 10, outputBytes: 10, seconds: 5 };
    const job = remember(await postWasm(network, endlessModule(), { spec: { limits } }));
    const decline = await until(network, 'the decline', () => declineOf(node, job.id));
    expect(decline).toMatchObject({ code: 'fails', detail: { reason: 'out-of-units' } });
  });
});

test('an endless loop that hides behind a large cap costs a node what a missed deadline costs, once', async () => {
  const before = await balance();
  const market = readMarket(network);
  const { stake, record } = await market.node(node.id);
  const limits = { memoryBytes: 1_048_576, units: 300, outputBytes: 10, seconds: 10 };
  const job = remember(await postWasm(network, endlessModule(), { spec: { limits } }));
  await until(network, 'the lease to be given up', async () => {
    const status = await statusOf(node);
    return status?.leases.some((lease) => lease.job === job.id && lease.step === 'lost');
  });
  expect((await statusOf(node))?.problems).toEqual([`The lease of shard 0 of job ${job.id} is lost.`]);
  await pass(network, 31);

  const { loss } = await until(network, 'the lapse, by the node itself', async () =>
    (await historyOf(network, job.id)).leases.find(({ state }) => state === 'lapsed'),
  );
  const slashed = (job.terms.bond * 2_000n) / 10_000n;
  expect(loss).toMatchObject({ slashed, withheld: false, record: record - Math.floor(record / 8) });
  await expectMoneyBack(job, before);
  const history = await historyOf(network, job.id);
  expect([history.leases.length, history.replaced.length], 'leases of the job').toEqual([1, 0]);
  expect((await market.node(node.id)).stake).toBe(stake - slashed);
  await until(network, 'the node to be well', async () => (await statusOf(node))?.healthy);
});

describe('a signature that is not the requester’s', () => {
  const operator = () => marketOf(network, people.operator(1));

  test('does not bring an order on chain', async () => {
    const before = await balance();
    const digest = await storeSpec(network, honestModule());
    const { id, terms } = await testTerms(network, digest, { node: node.id });
    const forged = await people.browser.signTypedData(orderTypedData(terms, domain()));
    await expect(operator().claimOrder(terms, forged, node.id, 1)).rejects.toMatchObject({
      errorName: 'SignatureInvalid',
      args: [id, terms.requester],
    });

    const dearer = { ...terms, maxPrice: terms.maxPrice + 1n, bond: terms.bond + 4n };
    const signature = await people.requester.signTypedData(orderTypedData(terms, domain()));
    await expect(operator().claimOrder(dearer, signature, node.id, 1)).rejects.toMatchObject({
      errorName: 'SignatureInvalid',
    });
    expect(await balance()).toBe(before);
  });

  test('nor does one that the requester has taken back', async () => {
    const { terms } = await testTerms(network, await storeSpec(network, honestModule()), { node: node.id });
    const signature = await people.requester.signTypedData(orderTypedData(terms, domain()));
    await mined(network, await marketOf(network, people.requester).cancel(terms));
    await expect(operator().claimOrder(terms, signature, node.id, 1)).rejects.toMatchObject({
      errorName: 'JobInState',
    });
  });
});

describe('an operator without coin', () => {
  const operator = people.operator(1).address;
  const setBalance = (value: bigint) => network.local.testClient.setBalance({ address: operator, value });

  test('is told so, and the node goes on by itself when it was given some', async () => {
    await setBalance(1n);
    const job = remember(await postWasm(network, honestModule(), { terms: { expiry: (await now(network)) + 600 } }));
    const status = await until(network, 'the complaint', async () => {
      const found = await statusOf(node);
      return found && !found.healthy ? found : undefined;
    });
    expect(status.problems).toEqual([
      `The operator's wallet ${operator} cannot pay for gas. Send it some of the chain's coin; the node goes on by itself.`,
    ]);
    const health = await fetch(`${node.statusUrl}/health`);
    expect(health.status).toBe(503);

    await setBalance(parseEther('10'));
    await until(network, 'the end of the job', async () => (await historyOf(network, job.id)).state === 'complete');
    expect((await statusOf(node))?.healthy).toBe(true);
  });

  test('also when what it wanted to claim has expired in the meantime', async () => {
    await setBalance(1n);
    const missed = remember(await postWasm(network, honestModule()));
    await until(network, 'the complaint', async () => (await statusOf(node))?.healthy === false);
    await pass(network, missed.terms.expiry - (await now(network)) + 1);
    await until(network, 'the claim to be given up', async () => (await statusOf(node))?.pendingTransactions === 0);

    await setBalance(parseEther('10'));
    const job = remember(await postWasm(network, honestModule()));
    await until(network, 'the end of the job', async () => (await historyOf(network, job.id)).state === 'complete');
    expect((await statusOf(node))?.problems).toEqual([]);
  });
});

test('a network whose port is taken uses the next one', async () => {
  const taken = await freePort(24_900);
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
  try {
    expect(await freePort(taken)).toBe(await freePort(taken + 1));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
