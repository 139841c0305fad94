import { auditDraw } from '@dpu/sdk/assurance';
import { boundOf } from '@dpu/sdk/bench';
import { committedSeats, type HistoryLease, type JobHistory } from '@dpu/sdk/history';
import { commitmentOf, type Result } from '@dpu/sdk/lease';
import { believedLeases, downloadJob } from '@dpu/sdk/results';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf, readMarket } from '../lib/books.ts';
import { marketOf, mined } from '../lib/market.ts';
import { until } from '../lib/until.ts';
import { DPU, postWasm, type TestJob } from '../lib/wasmJob.ts';

const FEE = (gross: bigint): bigint => (gross * 300n) / 10_000n;
/** Every lease is drawn, and the requester pays. */
const AUDITED = { auditBps: 10_000 };

let network: Network;
let job: TestJob | undefined;
/** What the nodes printed. */
const said: string[] = [];

const owners = [1, 2, 3].map((node) => people.owner(node).address);
const holdings = (): Promise<bigint[]> =>
  Promise.all(owners.map((owner) => readMarket(network).balanceOf(network.deployment.token, owner)));
const stakes = (): Promise<bigint[]> =>
  Promise.all(network.nodes.map(async ({ id }) => (await readMarket(network).node(id)).stake));

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-audit',
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
  if (job) await finish(network, job);
  job = undefined;
  await expectEvenBooks(network);
}, 120_000);

/** Waits until `check` finds something in the job's history; on failure the nodes' own words say what held it up. */
async function when<T>(what: string, { id }: TestJob, check: (history: JobHistory) => T | undefined): Promise<T> {
  return until(network, what, async () => check(await historyOf(network, id))).catch((cause: unknown) =>
    Promise.reject(new Error(said.slice(-80).join('\n'), { cause })),
  );
}

test('what one node has committed to another computes again; both agree, and both are paid', async () => {
  const before = await holdings();
  job = await postWasm(network, honestModule(), { terms: { ...AUDITED, window: 0 } });
  const history = await when('the end', job, (life) => (life.state === 'complete' ? life : undefined));

  expect(history.escrow, 'an auditor is in the worst case').toBe(2n * DPU);
  expect(history.audits).toMatchObject([{ first: 0, pooled: false }]);
  const { auditor } = history.audits[0]!;
  const holder = history.leases.find(({ lease }) => lease.node !== auditor)!;
  expect(history.leases.map(({ state }) => state)).toEqual(['settled', 'settled']);
  expect(new Set(history.leases.map(({ result }) => result?.root)).size).toBe(1);
  expect(history.panels).toMatchObject([{ first: 0, outcome: 'agreed', result: { root: holder.result?.root } }]);

  // The chain drew it as this package says, by the block after the commit.
  const { hash } = await network.local.publicClient.getBlock({ blockNumber: BigInt(holder.lease.committedBlock + 1) });
  expect(auditDraw(job.terms, job.id, 0, hash)).toEqual({ drawn: true, pooled: false });

  const [first, last] = history.leases.map(({ lease }) => network.nodes.findIndex(({ id }) => id === lease.node));
  const earned = (await holdings()).map((balance, index) => balance - (before[index] ?? 0n));
  expect(earned).toEqual([0, 1, 2].map((node) => (node === first || node === last ? DPU - FEE(DPU) : 0n)));
  const outputs: number[] = [];
  for await (const { shard } of downloadJob(history, network.storage)) outputs.push(shard);
  expect(outputs).toEqual([0]);
});

/** Stops node 3, whose lease the test takes by hand. */
async function liar(): Promise<LocalNode> {
  const node = network.nodes[2] as LocalNode;
  node.process.kill('SIGINT');
  await node.process.exited;
  return node;
}

test('a holder that lies and an auditor that does not agree on nothing: half for each, and the result is nobody’s', async () => {
  const { id: node } = await liar();
  const [balances, staked] = [await holdings(), await stakes()];
  const market = marketOf(network, people.operator(3));
  // Only the liar may hold it; any node may look after it.
  job = await postWasm(network, honestModule(), { terms: { ...AUDITED, node } });
  const { id, terms } = job;
  await until(network, 'the block after the post', async () => (await market.drawn(terms, 0, node)).now);
  await mined(network, await market.claim(terms, node, 1));
  const held = (await historyOf(network, id)).leases[0] as HistoryLease;
  const lie: Result = { root: `0x${'11'.repeat(32)}`, units: 1n, manifest: `0x${'22'.repeat(32)}` };
  const salt = `0x${'33'.repeat(32)}` as const;
  await mined(network, await market.commit(id, held.lease, commitmentOf({ id, first: 0, node, result: lie, salt })));

  const seats = await when('the auditor’s commit', job, (life) => {
    const bound = committedSeats(life, 0);
    return bound.length === 2 ? bound : undefined;
  });
  expect(seats[0]?.lease.node).toBe(node);
  const { node: auditor } = seats[1]!.lease;
  await when('the auditor’s result', job, (life) =>
    life.leases.find(({ lease, state }) => lease.node === auditor && state === 'revealed'),
  );
  const bound = seats.map(({ lease }) => boundOf(lease));
  await mined(network, await market.revealSeat(terms, 0, bound, 0n, lie, salt));
  const history = await when('the end of the audit', job, (life) => (life.panels.length > 0 ? life : undefined));

  expect(history.panels).toMatchObject([{ first: 0, outcome: 'unresolved' }]);
  expect(believedLeases(history)).toEqual([]);
  const half = DPU / 2n;
  expect(history.leases.map(({ state, payment }) => [state, payment?.paid])).toEqual([
    ['settled', half - FEE(half)],
    ['settled', half - FEE(half)],
  ]);
  expect(history.audits).toMatchObject([{ auditor, pooled: false }]);
  const checked = network.nodes.findIndex(({ id }) => id === auditor);
  const earned = (await holdings()).map((balance, index) => balance - (balances[index] ?? 0n));
  expect(earned).toEqual([0, 1, 2].map((index) => (index === checked || index === 2 ? half - FEE(half) : 0n)));
  expect(await stakes(), 'who was right is not known, so nobody is slashed').toEqual(staked);
  expect(history.refunded).toBe(DPU);
});
