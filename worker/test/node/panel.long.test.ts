import { AWAITED } from '@dpu/sdk/awaited';
import { createMarket } from '@dpu/sdk/market';
import { jobHistory, type JobHistory } from '@dpu/sdk/history';
import { createWalletClient, http, type Hex } from 'viem';
import { foundry } from 'viem/chains';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { echoModule } from './modules.ts';
import { DPU, startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';

let network: TestNetwork;
let nodes: NodeProcess[];

beforeAll(async () => {
  network = await startNetwork({ nodes: 3 });
  nodes = await Promise.all([1, 2, 3].map((number) => prepareNode(network, number)));
  const { client, deployment, rpcUrl } = network;
  const walletClient = createWalletClient({ account: network.person(0), chain: foundry, transport: http(rpcUrl) });
  const hash = await createMarket({ publicClient: client, walletClient, deployment }).allowSeats(true);
  await client.waitForTransactionReceipt({ hash, ...AWAITED });
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
  network.until(`the end of ${id}`, async () => (await network.requester.job(id)).state === 3 || undefined, 120);
const history = (id: Hex): Promise<JobHistory> => jobHistory(network.client, network.deployment, id);
const eventsOf = (life: JobHistory, event: string): number => life.steps.filter((step) => step.event === event).length;

test.each([
  ['with a challenge window', 2, 3],
  ['without one, where the last shows its result with the end', 0, 2],
])('three nodes sit, commit, show and end a panel %s', async (_case, window, reveals) => {
  await start(...nodes);
  const { id } = await network.post({ module: echoModule(), terms: { seats: 3, window } });
  await ended(id);
  const life = await history(id);
  expect(life.leases.map(({ lease, state }) => [lease.node, state])).toEqual(
    [1, 2, 3].map((node) => [node, 'settled']),
  );
  expect(new Set(life.leases.map(({ result }) => result?.root)).size).toBe(1);
  expect(life.panels).toMatchObject([{ first: 0, outcome: 'agreed' }]);
  const shown = new Set(
    life.steps.filter(({ event }) => event === 'LeaseRevealed').map(({ transaction }) => transaction),
  );
  const end = life.panels[0]!.transaction;
  expect([...shown].filter((transaction) => transaction !== end)).toHaveLength(reveals);
});

test('a lease that was drawn is audited by another node, and both are paid', async () => {
  await start(...nodes);
  const { id } = await network.post({ module: echoModule(), terms: { auditBps: 10_000, window: 0 } });
  await ended(id);
  const life = await history(id);
  expect(life.audits).toMatchObject([{ first: 0, pooled: false }]);
  expect(life.leases.map(({ state }) => state)).toEqual(['settled', 'settled']);
  expect(life.leases.map(({ payment }) => (payment?.paid ?? 0n) + (payment?.fee ?? 0n))).toEqual([DPU, DPU]);
  expect(life.panels).toMatchObject([{ outcome: 'agreed' }]);
  expect([eventsOf(life, 'LeaseClaimed'), eventsOf(life, 'LeaseLapsed')]).toEqual([2, 0]);
});

test('holder and auditor that are killed while they sit find their way from the chain and their journals', async () => {
  await start(...nodes.slice(0, 2));
  const { id } = await network.post({ module: echoModule(2_000), terms: { auditBps: 10_000, window: 2 } });
  await network.until('the audit', async () => (await history(id)).audits.length > 0 || undefined, 90);
  for (const node of nodes.slice(0, 2)) await node.kill();
  await start(...nodes.slice(0, 2));
  await ended(id);
  const life = await history(id);
  expect(life.leases.map(({ lease, state }) => [lease.node, state])).toEqual([
    [1, 'settled'],
    [2, 'settled'],
  ]);
  expect(eventsOf(life, 'LeaseCommitted')).toBe(2);
});
