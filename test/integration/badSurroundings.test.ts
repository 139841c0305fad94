import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEther } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { freePort, PORTS } from '../../script/network/ports.ts';
import { honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf } from '../lib/books.ts';
import { runNode, statusOf, type NodeRun, type NodeWish } from '../lib/nodeRun.ts';
import { startTcpProxy, type TcpProxy } from '../lib/tcpProxy.ts';
import { until } from '../lib/until.ts';
import { DPU, postWasm, type TestJob } from '../lib/wasmJob.ts';

let network: Network;
let other: LocalNode;
let proxy: TcpProxy;
let jobs: TestJob[] = [];
let runs: NodeRun[] = [];

/** Node 1 is ours to start, badly; node 2 is one of the network. */
beforeAll(async () => {
  network = await startNetwork({
    name: 'test-bad-surroundings',
    runtimes: ['wasm'],
    nodes: 2,
    without: ['app', 'indexer'],
    blockSeconds: 1,
  });
  const [mine, theirs] = network.nodes as [LocalNode, LocalNode];
  other = theirs;
  mine.process.kill('SIGINT');
  await mine.process.exited;
  proxy = await startTcpProxy({ target: Number(new URL(network.local.rpcUrl).port), seed: 7 });
  await fundRequester(network, 100n * DPU);
}, 600_000);
afterAll(async () => {
  await proxy?.close();
  await network?.stop();
});

afterEach(async () => {
  proxy.mend();
  proxy.tear(0);
  await Promise.all(runs.map((run) => run.stop()));
  for (const job of jobs) await finish(network, job);
  jobs = [];
  runs = [];
  await expectEvenBooks(network);
}, 120_000);

/** Starts node 1 with other settings. */
async function start(env: Record<string, string>, seat: Partial<NodeWish> = {}): Promise<NodeRun> {
  const gatewayPort = await freePort(PORTS.nodeGateway + 40);
  const statusPort = await freePort(PORTS.nodeStatus + 40);
  const run = runNode(network, { index: 1, gatewayPort, statusPort, ...seat, env });
  runs.push(run);
  return run;
}

const portOf = (url: string): number => Number(new URL(url).port);
const isUp = async (run: NodeRun): Promise<boolean> => (await statusOf(run)) !== undefined;

async function post(rounds: number): Promise<TestJob> {
  const job = await postWasm(network, honestModule(rounds), { terms: { node: 1 } });
  jobs.push(job);
  return job;
}

test('a node for another chain ends with status 1 and a sentence', async () => {
  const file = join(network.folder, 'other-chain.json');
  const deployment = JSON.parse(readFileSync(join(network.folder, 'deployment.json'), 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...deployment, chainId: 1 }));
  const run = await start({ WORKER_DEPLOYMENT: file, WORKER_DATA_DIR: join(network.folder, 'other-chain') });
  expect(await run.exited).toBe(1);
  expect(run.output).toContain(
    'The RPC serves chain 31337, this node works on chain 1. Correct rpcUrl or the deployment file.',
  );
});

test('a node whose operator has no coin does not start', async () => {
  const { address } = people.operator(1);
  await network.local.testClient.setBalance({ address, value: 1n });
  const run = await start({});
  expect(await run.exited).toBe(1);
  expect(run.output).toContain(`The operator's wallet ${address} is empty: it has 1 wei, one lease needs about`);
  await network.local.testClient.setBalance({ address, value: parseEther('10') });
});

test('a node whose gateway’s port is taken ends with status 1 and a sentence', async () => {
  const gatewayPort = portOf(other.gatewayUrl);
  const run = await start({}, { gatewayPort });
  expect(await run.exited).toBe(1);
  expect(run.output).toContain(`The gateway cannot listen on 127.0.0.1:${gatewayPort}: `);
  expect(run.output).toContain('Choose another gatewayPort.');
});

test('a node whose status port is taken ends with status 1 and a sentence', async () => {
  const statusPort = portOf(other.statusUrl);
  const run = await start({}, { statusPort });
  expect(await run.exited).toBe(1);
  expect(run.output).toContain(`The status server cannot listen on port ${statusPort}: `);
});

test('a node that starts before its RPC waits for it', async () => {
  proxy.cut();
  const run = await start({ WORKER_RPC_URL: proxy.url });
  await until(network, 'the complaint', () => run.output.includes('RPC does not answer'));
  expect(await isUp(run)).toBe(false);
  proxy.mend();
  await until(network, 'the node', () => isUp(run));
  expect((await statusOf(run))?.problems).toEqual([]);
});

test('an RPC that goes away in the middle of a lease delays it and loses nothing', async () => {
  const run = await start({ WORKER_RPC_URL: proxy.url, WORKER_RPC_TIMEOUT_MS: '2000' });
  await until(network, 'the node', () => isUp(run));
  const job = await post(0);
  await until(network, 'the claim', async () => (await historyOf(network, job.id)).leases.length === 1);
  proxy.cut();
  const down = await until(network, 'the complaint', async () => {
    const status = await statusOf(run);
    return status?.connected === false ? status : undefined;
  });
  expect(down.problems).toEqual(['The RPC does not answer.']);
  const from = await network.local.publicClient.getBlockNumber();
  await until(network, 'five blocks', async () => (await network.local.publicClient.getBlockNumber()) >= from + 5n);

  // Back, but every third connection tears.
  proxy.tear(0.3);
  proxy.mend();
  await until(network, 'the end of the job', async () => (await historyOf(network, job.id)).state === 'complete');
  const { leases, replaced, steps } = await historyOf(network, job.id);
  expect(leases.map(({ state, takenOver }) => [state, takenOver])).toEqual([['settled', false]]);
  expect(replaced).toEqual([]);
  expect(steps.filter(({ event }) => event === 'LeaseCommitted').length, 'commits').toBe(1);
});
