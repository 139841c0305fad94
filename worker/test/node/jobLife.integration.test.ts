import { jobHistory, type JobHistory } from '@dpu/sdk/history';
import { downloadJob } from '@dpu/sdk/results';
import { RUNTIMES } from '@dpu/sdk/terms';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { drawnAt } from '../../src/planning/draw.ts';
import { viemChain } from '../../src/chain/viemChain.ts';
import { echoModule, failingModule, joinModule } from './modules.ts';
import { DPU, startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';

let network: TestNetwork;
let nodes: NodeProcess[];

beforeAll(async () => {
  network = await startNetwork({ nodes: 2 });
  nodes = [await prepareNode(network, 1), await prepareNode(network, 2)];
});
afterEach(async () => {
  for (const node of nodes) await node.stop();
});
afterAll(() => network.stop());

async function start(...some: NodeProcess[]): Promise<void> {
  for (const node of some) node.start();
  for (const node of some) await node.said('Node works');
}
const ended = (id: Hex): Promise<true> =>
  network.until(`the end of ${id}`, async () => (await network.requester.job(id)).state === 3 || undefined);
const history = (id: Hex): Promise<JobHistory> => jobHistory(network.client, network.deployment, id);
/** What the network's gateway has of a job, checked against the chain, as text. */
async function outputs(life: JobHistory): Promise<string[]> {
  const found: string[] = [];
  for await (const { bytes } of downloadJob(life, network.storage)) found.push(Buffer.from(bytes).toString());
  return found;
}
const text = (shard: number, shards: number, ...args: string[]): string =>
  ['module', shard, shards, ...args].map((arg) => `${arg}\0`).join('');

test('a job is claimed, computed, proven and paid, and its result is on the network’s gateway', async () => {
  const [node] = nodes as [NodeProcess];
  await start(node);
  const before = await network.requester.balanceOf(network.deployment.token, network.ownerAddress(1));
  const { id } = await network.post({ module: echoModule(), shards: 3, args: ['hello'] });
  await ended(id);

  const life = await history(id);
  expect(life.steps.map(({ event }) => event)).toEqual([
    'JobPosted',
    'LeaseClaimed',
    'LeaseCommitted',
    'LeaseRevealed',
    'JobCompleted',
    'LeaseSettled',
  ]);
  // Claimed in the second block after the post, which is the first that the draw allows.
  expect(life.steps[1]!.block - life.steps[0]!.block).toBeLessThanOrEqual(3);
  await node.said('Result copied to the gateway');
  expect(await outputs(life)).toEqual([0, 1, 2].map((shard) => text(shard, 3, 'hello')));
  const after = await network.requester.balanceOf(network.deployment.token, network.ownerAddress(1));
  expect(after - before).toBe((3n * DPU * 97n) / 100n);
  const status = await node.status();
  expect(status).toMatchObject({
    healthy: true,
    leases: [],
    totals: { settled: 1, lapsed: 0 },
    pendingTransactions: 0,
  });
  expect(Object.keys(status.timings).sort()).toEqual(['claim', 'commit', 'reveal', 'settle']);
});

test('a direct job is submitted, and a job of several leases is shared by two nodes', async () => {
  await start(...nodes);
  const direct = await network.post({ module: echoModule(), terms: { direct: true, window: 0 } });
  const shared = await network.post({ module: echoModule(200), shards: 8, terms: { maxLease: 2 } });
  await ended(direct.id);
  await ended(shared.id);
  expect((await history(direct.id)).steps.map(({ event }) => event)).toEqual([
    'JobPosted',
    'LeaseClaimed',
    'LeaseRevealed',
    'JobCompleted',
    'LeaseSettled',
  ]);
  const { leases } = await history(shared.id);
  expect(leases.map(({ lease, state }) => [lease.first, lease.count, state])).toEqual([
    [0, 2, 'settled'],
    [2, 2, 'settled'],
    [4, 2, 'settled'],
    [6, 2, 'settled'],
  ]);
  expect(new Set(leases.map(({ lease }) => lease.node)).size).toBe(2);
});

test('a job after another one gets its results as files', async () => {
  await start(...nodes);
  const parts = await network.post({ module: echoModule(), shards: 2, args: ['part'], terms: { maxLease: 1 } });
  const join = await network.post({
    module: joinModule(),
    spec: { after: { name: 'parts' } },
    terms: { afterJob: parts.id },
  });
  await ended(join.id);
  expect(await outputs(await history(join.id))).toEqual([text(0, 2, 'part') + text(1, 2, 'part')]);
});

test('a lease that was drawn for an audit is revealed after the audit’s window, and paid', async () => {
  await start(nodes[0]!);
  const { id } = await network.post({ module: echoModule(), terms: { auditBps: 10_000 } });
  await ended(id);
  const [lease] = (await history(id)).leases;
  expect(lease!.revealedAt! - lease!.committedAt!).toBeGreaterThanOrEqual(5);
  expect(lease!.revealedAt! - lease!.committedAt!).toBeLessThanOrEqual(7);
});

test('what a node that died has claimed is taken over, with the bonus', async () => {
  const [first, second] = nodes as [NodeProcess, NodeProcess];
  await start(first);
  const { id } = await network.post({ module: echoModule(1_000), shards: 1, terms: { exec: 12, bond: 10n * DPU } });
  await first.said('Claim sent');
  await network.until('the claim', async () => (await network.requester.lease(id, 0)).phase === 1);
  await first.kill();
  await start(second);
  await network.until('the end', async () => (await network.requester.job(id)).state === 3, 90);
  const life = await history(id);
  expect(life.replaced.map(({ lease, state, loss }) => [lease.node, state, loss?.slashed])).toEqual([
    [1, 'lapsed', 2n * DPU],
  ]);
  expect(life.leases.map(({ lease, state, payment }) => [lease.node, state, payment?.bonus])).toEqual([
    [2, 'settled', (8n * DPU) / 10n],
  ]);
});

test('a job that fails by its own fault costs one lease and is not touched again', async () => {
  const [node] = nodes as [NodeProcess];
  await start(node);
  const { id } = await network.post({ module: failingModule(), shards: 4, terms: { maxLease: 1, exec: 12 } });
  await node.said('Lease cannot be computed, part of its bond will be lost');
  await network.until('the lapse', async () => (await network.requester.lease(id, 0)).phase === 4);
  expect((await history(id)).steps.map(({ event }) => event)).toEqual(['JobPosted', 'LeaseClaimed', 'LeaseLapsed']);
  const { declines } = await node.status();
  expect(declines[0]).toMatchObject({
    job: id,
    code: 'failedBefore',
    detail: { reason: 'exit-code: The module ended with exit code 1.' },
  });
});

test('the draw that a node computes is the contract’s', async () => {
  const chain = viemChain({ rpcUrl: network.rpcUrl, market: network.deployment.market, timeoutMs: 5_000 });
  const { id, terms } = await network.post({ module: echoModule(), shards: 64 });
  const view = await chain.job(id);
  await network.until('the seed', async () => (await chain.latest()).number >= view.atBlock + 2);
  const seed = (await chain.block(view.atBlock + 1))!.hash;
  const runtimeStake = await chain.runtimeStake(RUNTIMES.wasm);
  for (const node of [1, 2]) {
    const nodeView = await chain.node(node);
    for (let first = 0; first < 32; first += 1) {
      const facts = { job: id, first, node, nodeView, postedAt: view.at, runtimeStake, from: view.at, seed };
      expect(drawnAt(terms, facts), `node ${node}, shard ${first}`).toBe((await chain.drawn(terms, first, node)).from);
    }
  }
  await network.requester.cancel(terms);
});
