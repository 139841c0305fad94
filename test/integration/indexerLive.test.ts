import { heartbeatAnswerSchema, jobDeclinesSchema, uptimeSchema, type JobDeclines } from '@dpu/sdk/apiSaid';
import { isDeclineOf, signedDeclineSchema } from '@dpu/sdk/declines';
import { marketDomain } from '@dpu/sdk/terms';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester, readMarket } from '../lib/books.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, postWasm, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

let network: Network;
let node: LocalNode;
let left: TestJob;

beforeAll(async () => {
  network = await startNetwork({ name: 'test-indexer-live', runtimes: ['wasm'], nodes: 1, without: ['app'] });
  node = network.nodes[0]!;
  await fundRequester(network, 100n * DPU);
}, 600_000);
afterAll(() => network?.stop());

const read = async (path: string): Promise<unknown> => {
  const answer = await fetch(`${network.deployment.indexerUrl}${path}`).catch(() => undefined);
  return answer?.ok ? await answer.json() : undefined;
};
const heartbeat = async () =>
  heartbeatAnswerSchema.safeParse(await read(`/v1/nodes/${node.id}/heartbeat`)).data?.heartbeat ?? undefined;
const declines = async (): Promise<JobDeclines | undefined> =>
  jobDeclinesSchema.safeParse(await read(`/v1/jobs/${left.id}/declines`)).data;

test('a node’s heartbeat is read from the indexer', async () => {
  expect(await until(network, 'the heartbeat', heartbeat)).toMatchObject({
    node: node.id,
    healthy: true,
    slots: { capacity: 1 },
    runtimes: ['wasm'],
  });
  expect(await read('/v1/live/heartbeats')).toMatchObject({ items: [{ node: node.id }] });
  // Its first five minutes run still, and count for nothing yet; but its first day has begun.
  expect(uptimeSchema.parse(await read(`/v1/nodes/${node.id}/uptime`))).toMatchObject({
    ...{ node: node.id, listening: true },
    days: [{ at: expect.any(Number) as number }],
  });
  expect(await read('/v1/peer'), 'nodes ask it before they let the indexer in').toMatchObject({ statement: null });
  // gossip may outrun the chain's projection, so the count is waited for
  const counted = await until(network, 'the chain’s answer', async () => {
    const stats = (await read('/v1/stats')) as { nodes: number } | undefined;
    return stats !== undefined && stats.nodes > 0 && stats;
  });
  expect(counted).toMatchObject({ nodes: 1 });
});

test('why a job is left alone is counted at the indexer, with a signature that holds elsewhere', async () => {
  const digest = await storeSpec(network, honestModule(), { shards: 2 });
  left = await postTerms(network, await testTerms(network, digest, { expiry: (await chainTime()) + 3_600 }));
  const answer = await until(network, 'the decline', async () => {
    const known = await declines();
    return known?.items[0]?.signature ? known : undefined;
  });
  expect(answer).toMatchObject({
    listening: true,
    codes: [{ code: 'specInvalid', sentence: 'The job’s spec breaks the rules.', count: 1, nodes: [node.id] }],
  });
  const [{ code, at, signature }] = answer.items as [JobDeclines['items'][number]];
  const { deployment } = network;
  const signed = signedDeclineSchema.parse({ node: node.id, job: left.id, code, at, signature });
  const { operator } = await readMarket(network).node(node.id);
  expect(await isDeclineOf(signed, operator, marketDomain(deployment.chainId, deployment.market))).toBe(true);
});

test('progress and log lines of a job are read from the indexer', async () => {
  const job = await postWasm(network, honestModule());
  const done = await until(network, 'progress', async () => {
    const known = (await read(`/v1/live/jobs/${job.id}/progress`)) as { shards: { state: string }[] } | undefined;
    return known?.shards[0]?.state === 'done' ? known.shards : undefined;
  });
  expect(done).toMatchObject([{ node: node.id, shard: 0, permille: 1_000 }]);
});

test('what nodes said is there after a kill of the indexer, even when the node is gone', async () => {
  const before = await declines();
  node.process.kill('SIGKILL');
  await node.process.exited;
  const last = await heartbeat();
  await network.restartIndexer();
  expect(await declines()).toEqual(before);
  expect(await heartbeat()).toEqual(last);
  const live = await until(network, 'the network', () => read(`/v1/live/declines?job=${left.id}`));
  expect(live).toMatchObject({ items: [{ node: node.id, code: 'specInvalid' }] });
});

async function chainTime(): Promise<number> {
  return Number((await network.local.publicClient.getBlock()).timestamp);
}
