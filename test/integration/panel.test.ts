import { marketAbi } from '@dpu/sdk/abi';
import { boundOf, chainOf, chainOver, printOf, rangeKey } from '@dpu/sdk/bench';
import { committedSeats, type HistoryLease } from '@dpu/sdk/history';
import { commitmentOf, flagsOf, leaseWordOf, type Result } from '@dpu/sdk/lease';
import { readPanel, type Panel } from '@dpu/sdk/panel';
import { downloadJob } from '@dpu/sdk/results';
import { zeroHash, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import type { Head } from '../../worker/src/chain/chain.ts';
import { drawnAt } from '../../worker/src/planning/draw.ts';
import { viemChain } from '../../worker/src/chain/viemChain.ts';
import { honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf, readMarket } from '../lib/books.ts';
import { marketOf, mined, now, pass } from '../lib/market.ts';
import { until } from '../lib/until.ts';
import { DPU, postWasm, type TestJob } from '../lib/wasmJob.ts';

const SEATS = 3;
const SHARDS = 4;
const FEE = (gross: bigint): bigint => (gross * 300n) / 10_000n;
/** 2 · price / seats, rounded up: the least that the contract takes. */
const BOND = (2n * DPU) / 3n + 1n;
const ROOT = /^0x[0-9a-f]{64}$/;

let network: Network;
let jobs: TestJob[] = [];
let stopped = false;
/** What the nodes printed. */
const said: string[] = [];

const owners = [1, 2, 3].map((node) => people.owner(node).address);
const holdings = (): Promise<bigint[]> =>
  Promise.all(owners.map((owner) => readMarket(network).balanceOf(network.deployment.token, owner)));
const stakes = (): Promise<bigint[]> =>
  Promise.all(network.nodes.map(async ({ id }) => (await readMarket(network).node(id)).stake));

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-panel',
    runtimes: ['wasm'],
    nodes: 3,
    without: ['app', 'indexer'],
    blockSeconds: 1,
    onLine: (name, line) => {
      if (name.startsWith('node')) said.push(`${name} ${line}`);
    },
  });
  await fundRequester(network, 100n * DPU);
}, 600_000);
afterAll(() => network?.stop());
afterEach(async () => {
  for (const job of jobs) await finish(network, job);
  jobs = [];
  await expectEvenBooks(network);
}, 120_000);

/** Two nodes share a print on a range once in 255 times, and then the later may not sit there: no job for who waits for all three. */
function allMaySit(id: Hex): boolean {
  const keys = [id, ...Array.from({ length: SHARDS }, (_, first) => rangeKey(id, first, false))];
  return keys.every((key) => new Set(network.nodes.map((node) => printOf(key, node.id))).size === SEATS);
}

/** Posts a job whose every shard is computed by three nodes, for one DPU each. */
async function postSeats(shards: number, maxLease: number): Promise<TestJob> {
  const terms = { seats: SEATS, bond: BOND, maxLease, shards };
  const job = await postWasm(network, honestModule(), { terms, spec: { shards }, suits: allMaySit });
  jobs.push(job);
  return job;
}

/** Waits until the job is complete; on failure the nodes' own words say what held it up. */
async function completed({ id }: TestJob) {
  const done = until(network, `the end of job ${id}`, async () => {
    const history = await historyOf(network, id);
    return history.state === 'complete' ? history : undefined;
  });
  return done.catch((cause: unknown) => Promise.reject(new Error(said.slice(-80).join('\n'), { cause })));
}

test('three nodes compute every shard, agree, and are all paid', async () => {
  const before = await holdings();
  const job = await postSeats(SHARDS, 2);
  const history = await completed(job);

  const ranges = [...Map.groupBy(history.leases, ({ lease }) => lease.first).values()];
  expect(ranges.length).toBeGreaterThan(1);
  for (const seats of ranges) {
    expect(seats.map(({ lease, state }) => [lease.node, state])).toEqual(
      network.nodes.map(({ id }) => [id, 'settled']),
    );
    expect(new Set(seats.map(({ result }) => result?.root)).size).toBe(1);
  }
  expect(history.panels.map(({ outcome }) => outcome)).toEqual(ranges.map(() => 'agreed'));
  expect(history.replaced).toEqual([]);
  expect(history.escrow).toBe(BigInt(SHARDS * SEATS) * DPU);
  const gross = BigInt(SHARDS) * DPU;
  expect((await holdings()).map((balance, index) => balance - (before[index] ?? 0n))).toEqual(
    owners.map(() => gross - FEE(gross)),
  );
  const outputs: number[] = [];
  for await (const { shard, bytes } of downloadJob(history, network.storage)) {
    outputs.push(shard);
    expect(bytes).toEqual(new Uint8Array(64));
  }
  expect(outputs).toEqual([0, 1, 2, 3]);
});

/** Stops node 3, whose seat the tests take by hand from here on. */
async function liarsSeat(): Promise<LocalNode> {
  const node = network.nodes[2] as LocalNode;
  if (!stopped) node.process.kill('SIGINT');
  stopped = true;
  await node.process.exited;
  return node;
}

/** Waits until others sit and `node` is drawn, as it computed it itself, and joins them. */
async function joinByHand({ id, terms }: TestJob, node: LocalNode): Promise<HistoryLease> {
  const market = marketOf(network, people.operator(3));
  const chain = viemChain({ rpcUrl: network.local.rpcUrl, market: network.deployment.market, timeoutMs: 5_000 });
  await until(network, 'a seat beside others', async () => (await historyOf(network, id)).leases.length > 0);
  const panel = readPanel(await chain.leaseWord(id, 0)) as Panel;
  const { from } = await chain.drawn(terms, 0, node.id);
  const facts = { job: id, first: 0, from: panel.rampFrom, node: node.id, postedAt: panel.postedAt };
  const stake = { nodeView: await chain.node(node.id), runtimeStake: await chain.runtimeStake(terms.runtime) };
  const seed = ((await chain.block(panel.postBlock + 1)) as Head).hash;
  expect(drawnAt(terms, { ...facts, ...stake, seed })).toBe(from);
  await until(network, 'the draw', async () => (await chain.drawn(terms, 0, node.id)).now);
  await mined(network, await market.sit(terms, 0, 1, node.id, zeroHash));
  return handSeat(id, node);
}

async function handSeat(id: Hex, node: LocalNode): Promise<HistoryLease> {
  return (await historyOf(network, id)).leases.find(({ lease }) => lease.node === node.id) as HistoryLease;
}

test('a node that lies is outvoted and loses its bond, and the job completes with the right result', async () => {
  const liar = await liarsSeat();
  const [balances, staked] = [await holdings(), await stakes()];
  const job = await postSeats(1, 1);
  const market = marketOf(network, people.operator(3));
  const { id, terms } = job;

  const seat = await joinByHand(job, liar);
  expect(seat.lease.flags).toBe(flagsOf(terms, 1));
  expect(await market.seatWord(id, 0, liar.id)).toBe(leaseWordOf(seat.lease, seat.at));
  // Both of one block: the others go on meanwhile.
  const view = { address: market.address, abi: marketAbi, args: [id, 0] as const };
  const blockNumber = await network.local.publicClient.getBlockNumber();
  const at = { ...view, blockNumber };
  const word = await network.local.publicClient.readContract({ ...at, functionName: 'leaseWord' });
  expect(readPanel(word)).toEqual(await network.local.publicClient.readContract({ ...at, functionName: 'panel' }));

  const lie: Result = { root: `0x${'11'.repeat(32)}`, units: 1n, manifest: `0x${'22'.repeat(32)}` };
  const salt = `0x${'33'.repeat(32)}` as const;
  const commitment = commitmentOf({ id, first: 0, node: liar.id, result: lie, salt });
  await mined(network, await market.commitSeat(id, seat.lease, commitment));
  await until(network, 'all commits', async () => (await market.panel(id, 0)).committed === SEATS);
  const seats = committedSeats(await historyOf(network, id), 0);
  const bound = seats.map(({ lease }) => boundOf(lease));
  const bench = await market.bench(id, 0);
  expect(chainOf(bench)).toBe(chainOver(bound));
  const prints = [0, 1, 2].map((place) => Number((bench >> BigInt(168 + 8 * place)) & 0xffn));
  expect(prints.toSorted()).toEqual(seats.map(({ lease }) => printOf(rangeKey(id, 0, true), lease.node)).toSorted());
  const index = BigInt(seats.findIndex(({ lease }) => lease.node === liar.id));
  await mined(network, await market.revealSeat(terms, 0, bound, index, lie, salt));

  const history = await completed(job);
  expect(history.panels).toMatchObject([
    { first: 0, outcome: 'agreed', result: { root: expect.stringMatching(ROOT) } },
  ]);
  expect(history.panels[0]?.result?.root).not.toBe(lie.root);
  expect(history.leases.map(({ lease, state, loss }) => [lease.node, state, loss?.outvoted])).toEqual([
    [network.nodes[0]?.id, 'settled', undefined],
    [network.nodes[1]?.id, 'settled', undefined],
    [liar.id, 'lapsed', true],
  ]);
  expect((await stakes()).map((stake, index) => (staked[index] ?? 0n) - stake)).toEqual([0n, 0n, BOND]);
  expect((await holdings()).map((balance, index) => balance - (balances[index] ?? 0n))).toEqual([
    DPU - FEE(DPU),
    DPU - FEE(DPU),
    0n,
  ]);
  expect(history.refunded, 'what the liar would have had').toBe(DPU);
});

test('a node that joins and stays silent is lapsed, and the two others end the panel without it', async () => {
  const mute = await liarsSeat();
  const [balances, staked] = [await holdings(), await stakes()];
  const job = await postSeats(1, 1);
  const { id, terms } = job;
  const seat = await joinByHand(job, mute);
  const market = readMarket(network);
  await until(network, 'the commits of the others', async () => (await market.panel(id, 0)).committed === 2);
  const { openedAt } = await market.panel(id, 0);

  await pass(network, Math.max(0, seat.lease.deadline + 20 - (await now(network))));
  await until(network, 'the lapse', async () => (await market.panel(id, 0)).sitting === 2);
  await pass(network, Math.max(0, openedAt + 2 * terms.exec - (await now(network))));

  const history = await completed(job);
  expect(history.leases.map(({ lease, state, loss }) => [lease.node, state, loss?.withheld])).toEqual([
    [network.nodes[0]?.id, 'settled', undefined],
    [network.nodes[1]?.id, 'settled', undefined],
    [mute.id, 'lapsed', false],
  ]);
  expect((await stakes()).map((stake, index) => (staked[index] ?? 0n) - stake)).toEqual([0n, 0n, BOND / 5n]);
  expect((await holdings()).map((balance, index) => balance - (balances[index] ?? 0n))).toEqual([
    DPU - FEE(DPU),
    DPU - FEE(DPU),
    0n,
  ]);
});
