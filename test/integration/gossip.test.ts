import { readLog } from '@dpu/sdk/readLog';
import type { Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { followJob } from '../../script/network/followJob.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate } from '../../script/network/postJob.ts';
import { until } from '../lib/until.ts';

interface Beat {
  node: number;
  head: number;
  saidAt: number;
  runtimes: string[];
  slots: { capacity: number };
}
interface Shard {
  shard: number;
  state: string;
  entries: number;
  head: Hex;
  lines: { line: [number, string, string] }[];
}

let network: Network;
let job: Hex;

beforeAll(async () => {
  network = await startNetwork({ name: 'test-gossip', runtimes: ['wasm'], nodes: 3, without: ['app', 'indexer'] });
}, 600_000);
afterAll(() => network?.stop());

const read = async <T>(url: string): Promise<T | undefined> => {
  const answer = await fetch(url).catch(() => undefined);
  return answer?.ok ? ((await answer.json()) as T) : undefined;
};
const beats = async (url: string): Promise<Beat[]> =>
  (await read<{ items: Beat[] }>(`${url}/v1/live/heartbeats`))?.items.sort((a, b) => a.node - b.node) ?? [];
const shards = async (url: string): Promise<Shard[]> =>
  (await read<{ shards: Shard[] }>(`${url}/v1/live/jobs/${job}/progress`))?.shards ?? [];
const everywhere = (): string[] => [
  network.deployment.gatewayUrl,
  ...network.nodes.map(({ gatewayUrl }) => gatewayUrl),
];

test('every node and the gateway hear every node', async () => {
  const ids = network.nodes.map(({ id }) => id);
  for (const url of everywhere()) {
    await until(network, `heartbeats at ${url}`, async () => (await beats(url)).length === ids.length);
    expect((await beats(url)).map(({ node }) => node)).toEqual(ids);
  }
  expect((await beats(everywhere()[0]!))[0]).toMatchObject({
    slots: { capacity: 1 },
    runtimes: expect.arrayContaining(['wasm']),
  });
});

test('progress is heard while a job runs, and its log is read and verified after it ended', async () => {
  const options = { width: 32, height: 32, tileWidth: 16, tileHeight: 16, samples: 1, bounces: 3, seed: 1 };
  const posted = await postTemplate(network, network.storage, {
    template: 'render',
    options,
    requester: people.requester,
  });
  job = posted.ids[0] as Hex;
  const history = await followJob(network, job);
  for (const url of everywhere()) {
    await until(network, `progress at ${url}`, async () => {
      const known = await shards(url);
      return known.length === 4 && known.every(({ state }) => state === 'done');
    });
  }
  const live = await shards(network.deployment.gatewayUrl);
  for (const { shard, head, entries, lines } of live) {
    const log = await readLog(history, shard, network.storage);
    expect(log.complete).toBe(true);
    expect(log.entries.length).toBeGreaterThan(1);
    expect({ head: log.head, entries: log.entries.length }).toEqual({ head, entries });
    expect(lines.at(-1)?.line.slice(1)).toEqual(['end', 'done']);
  }
});

test('whichever process dies, what was said is still to be had, and it hears all of it again after its restart', async () => {
  const before = await shards(network.deployment.gatewayUrl);
  for (const node of network.nodes) {
    node.process.kill('SIGKILL');
    await node.process.exited;
    const others = everywhere().filter((url) => url !== node.gatewayUrl);
    for (const url of others) {
      expect((await beats(url)).map(({ node: id }) => id)).toEqual(network.nodes.map(({ id }) => id));
      expect(await shards(url)).toEqual(before);
    }
    await network.restartNode(node);
    await until(network, `node ${node.id} hears what was said`, async () => {
      const heard = await beats(node.gatewayUrl);
      return heard.length === 3 && (await shards(node.gatewayUrl)).length === before.length;
    });
    expect(await shards(node.gatewayUrl)).toEqual(before);
  }
}, 300_000);
