import { marketAbi } from '@dpu/sdk/abi';
import { decodeFunctionData, type Hash, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf, readMarket } from '../lib/books.ts';
import { marketOf, now } from '../lib/market.ts';
import { until } from '../lib/until.ts';
import { DPU, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

const SHARDS = 3;
const PAID = 3n * DPU - (3n * DPU * 300n) / 10_000n;

let network: Network;
let node: LocalNode;
let jobs: TestJob[] = [];

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-crash',
    runtimes: ['wasm'],
    nodes: 1,
    without: ['app', 'indexer'],
    blockSeconds: 1,
  });
  node = network.nodes[0] as LocalNode;
  await fundRequester(network, 100n * DPU);
}, 600_000);
afterAll(() => network?.stop());
afterEach(async () => {
  for (const job of jobs) await finish(network, job);
  jobs = [];
  await expectEvenBooks(network);
}, 120_000);

const standStill = () => network.local.testClient.setIntervalMining({ interval: 0 });
const goOn = () => network.local.testClient.setIntervalMining({ interval: 1 });
const mine = () => network.local.testClient.mine({ blocks: 1 });

/** The call that waits in the pool from `person`, if any. */
async function pooled(person: { address: string }): Promise<{ hash: Hash; call: string } | undefined> {
  const { pending } = await network.local.testClient.getTxpoolContent();
  const own = Object.entries(pending).find(([address]) => address.toLowerCase() === person.address.toLowerCase());
  const [transaction] = own ? Object.values(own[1]) : [];
  if (!transaction) return undefined;
  const { functionName } = decodeFunctionData({ abi: marketAbi, data: transaction.input });
  return { hash: transaction.hash, call: functionName };
}

/** Lets the chain go on block by block until the node's `call` waits in the pool, and leaves it there. */
async function untilSent(call: string): Promise<Hash> {
  let polls = 0;
  return until(network, `the node's ${call}`, async () => {
    const waiting = await pooled(people.operator(1));
    if (waiting?.call === call) return waiting.hash;
    polls += 1;
    // An empty block now and then: the draw and the windows wait for time to pass.
    if (waiting || polls % 10 === 0) await mine();
    return undefined;
  });
}

/** Posts a job on a chain that stands still. */
async function post(): Promise<TestJob> {
  // Short enough for one lease to hold the whole job.
  const limits = { memoryBytes: 1_048_576, units: 100, outputBytes: 100, seconds: 2 };
  const digest = await storeSpec(network, honestModule(), { shards: SHARDS, limits });
  const job = await testTerms(network, digest, { shards: SHARDS, exec: 600, expiry: (await now(network)) + 600 });
  await standStill();
  await marketOf(network, people.requester).post(job.terms);
  await mine();
  jobs.push(job);
  return job;
}

async function kill(): Promise<void> {
  node.process.kill('SIGKILL');
  await node.process.exited;
}

async function leaseState(id: Hex): Promise<string | undefined> {
  return (await historyOf(network, id)).leases[0]?.state;
}

test.each<[phase: string, call: string, lost: boolean, state: string]>([
  ['claimed a lease', 'claim', false, 'claimed'],
  ['computed a lease, its commit never having left the pool', 'commit', true, 'claimed'],
  ['committed a lease', 'commit', false, 'committed'],
  ['shown a lease’s result', 'reveal', false, 'revealed'],
])('a node that is killed when it has just %s goes on from there', async (_phase, call, lost, state) => {
  const market = readMarket(network);
  const owner = people.owner(1).address;
  const { stake } = await market.node(node.id);
  const before = await market.balanceOf(network.deployment.token, owner);
  const job = await post();
  const hash = await untilSent(call);

  await kill();
  if (lost) await network.local.testClient.dropTransaction({ hash });
  await mine();
  expect(await leaseState(job.id), 'the phase in which nobody is there').toBe(state);
  await network.restartNode(node);
  await goOn();

  await until(network, 'the end of the job', async () => (await historyOf(network, job.id)).state === 'complete');
  const { steps, leases, replaced } = await historyOf(network, job.id);
  expect(steps.map(({ event }) => event).toSorted()).toEqual([
    'JobCompleted',
    'JobPosted',
    'LeaseClaimed',
    'LeaseCommitted',
    'LeaseRevealed',
    'LeaseSettled',
  ]);
  expect([leases.length, replaced.length]).toEqual([1, 0]);
  expect((await market.balanceOf(network.deployment.token, owner)) - before, 'what the owner was paid').toBe(PAID);
  expect((await market.node(node.id)).stake, 'the stake').toBe(stake);
});
