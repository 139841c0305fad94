import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { jobHistory } from '@dpu/sdk/history';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { echoModule } from './modules.ts';
import { DPU, startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';
import { startRpcProxy, type Fault, type RpcProxy } from './rpcProxy.ts';

let network: TestNetwork;
let proxy: RpcProxy;
let node: NodeProcess;

beforeAll(async () => {
  network = await startNetwork();
  proxy = await startRpcProxy(network.rpcUrl);
  node = await prepareNode(network, 1, { WORKER_RPC_URL: proxy.url });
});
afterEach(async () => {
  proxy.heal();
  await node.stop();
});
afterAll(async () => {
  await proxy.close();
  await network.stop();
});

/** Starts the node and waits until it has told the chain, once for all, where it serves: that transaction counts for no job. */
async function start(): Promise<void> {
  node.start();
  await node.said('Node works');
  await network.until('the endpoint', async () => (await network.requester.node(1)).endpoint !== '');
}
const operatorNonce = (): Promise<number> => network.client.getTransactionCount({ address: network.person(6).address });

/** The job was paid, every step happened once, nothing was lost, and no transaction was spent on anything else. */
async function expectPaidOnce(id: Hex, nonceBefore: number): Promise<void> {
  await network.until('the end of the job', async () => (await network.requester.job(id)).state === 3);
  const life = await jobHistory(network.client, network.deployment, id);
  expect(life.steps.map(({ event }) => event)).toEqual([
    'JobPosted',
    'LeaseClaimed',
    'LeaseCommitted',
    'LeaseRevealed',
    'JobCompleted',
    'LeaseSettled',
  ]);
  const { stake, locked } = await network.requester.node(1);
  expect([stake, locked]).toEqual([10_000n * DPU, 0n]);
  expect((await operatorNonce()) - nonceBefore).toBe(4);
}

test.each<[string, Fault]>([
  ['claim', 'swallow'],
  ['claim', 'deafen'],
  ['commit', 'swallow'],
  ['commit', 'deafen'],
  ['reveal', 'swallow'],
  ['reveal', 'deafen'],
  ['settle', 'swallow'],
  ['settle', 'deafen'],
])(
  'a node that is killed at its %s, of which nobody has heard (%s), is paid once after its restart',
  async (name, fault) => {
    await start();
    const nonce = await operatorNonce();
    const met = proxy.fault(name, fault);
    const { id } = await network.post({ module: echoModule(), shards: 2 });
    await met;
    await node.kill();
    proxy.heal();
    await start();
    await expectPaidOnce(id, nonce);
  },
);

test('a node that is killed while it computes goes on with the shards that are missing', async () => {
  await start();
  const nonce = await operatorNonce();
  const { id } = await network.post({ module: echoModule(1_500), shards: 4, terms: { exec: 120 } });
  await network.until('the claim', async () => (await network.requester.lease(id, 0)).phase === 1);
  await network.until('the first shards', async () => (await node.status()).slots.running > 0);
  await node.kill();
  await start();
  await expectPaidOnce(id, nonce);
});

test('a node that loses its journal after the commit computes again and reveals the same', async () => {
  await start();
  const nonce = await operatorNonce();
  const met = proxy.fault('reveal', 'swallow');
  const { id } = await network.post({ module: echoModule(), shards: 2 });
  await met;
  await node.kill();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(node.dataDir, `journal.sqlite${suffix}`), { force: true });
  proxy.heal();
  await start();
  await expectPaidOnce(id, nonce);
});

test.each([1, 3])('a reorg of %i blocks after the commit costs nothing', async (depth) => {
  await start();
  const { id } = await network.post({ module: echoModule(), shards: 2, terms: { window: 6 } });
  await network.until('the commit', async () => (await network.requester.lease(id, 0)).phase >= 2);
  await network.client.request({ method: 'anvil_reorg', params: [depth, []] } as never);
  await network.until('the end of the job', async () => (await network.requester.job(id)).state === 3);
  const { stake, locked } = await network.requester.node(1);
  expect([stake, locked]).toEqual([10_000n * DPU, 0n]);
});

test('an RPC that is gone for a while, at the start and in the middle, costs nothing', async () => {
  proxy.down = true;
  node.start();
  await node.said('RPC does not answer');
  proxy.down = false;
  await node.said('Node works');
  const nonce = await operatorNonce();
  const { id } = await network.post({ module: echoModule(), shards: 2 });
  await node.said('Claim sent');
  proxy.down = true;
  await network.until('some blocks', async () => {
    const { number } = await network.client.getBlock();
    started ??= number;
    return number > started + 4n;
  });
  proxy.down = false;
  await expectPaidOnce(id, nonce);
});
let started: bigint | undefined;
