import { rankNodes } from '@dpu/sdk/storage/rendezvous';
import { expect, test } from 'vitest';

import { sampleNode } from '../testing/samples.ts';
import { NodeRegistry, type Peer } from './registry.ts';

const ROOT = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

function setup(nodes: number, over: Record<number, { stake?: bigint; endpoint?: string }> = {}) {
  const asked: number[] = [];
  let nowMs = 0;
  const registry = new NodeRegistry(
    { node: 1, freshMs: 1_000 },
    {
      chain: {
        nodeCount: async () => nodes,
        nodeOf: async () => 2,
        node: async (id) => {
          asked.push(id);
          return sampleNode({ endpoint: `http://node-${id}/`, ...over[id] });
        },
      },
      clockMs: () => nowMs,
    },
  );
  const all = async (without?: Set<number>): Promise<Peer[]> => {
    const peers: Peer[] = [];
    for await (const peer of registry.candidates(ROOT, without)) peers.push(peer);
    return peers;
  };
  return { registry, asked, all, wait: (ms: number) => (nowMs += ms) };
}
const order = (ids: number[]): number[] =>
  rankNodes(
    ROOT,
    ids.map((id) => ({ id })),
  ).map(({ id }) => id);

test('candidates come in rendezvous order, without this node and those that have it', async () => {
  const { all } = setup(6);
  expect((await all()).map(({ node }) => node)).toEqual(order([2, 3, 4, 5, 6]));
  expect((await all(new Set([3, 4]))).map(({ node }) => node)).toEqual(order([2, 5, 6]));
});

test('nodes without stake, without a gateway, or behind a gateway that was named already are passed over', async () => {
  const [first] = order([2, 3, 4, 5]) as [number];
  const rest = order([2, 3, 4, 5]).slice(1);
  const { all } = setup(5, {
    [rest[0]!]: { stake: 0n },
    [rest[1]!]: { endpoint: 'ftp://somewhere' },
    [rest[2]!]: { endpoint: `http://node-${first}` },
  });
  expect(await all()).toEqual([{ node: first, operator: sampleNode().operator, endpoint: `http://node-${first}` }]);
});

test('only the records that are needed are read, and read again when they may have changed', async () => {
  const { registry, asked, wait } = setup(10_000);
  expect(await registry.holdersOf(ROOT, 3)).toHaveLength(3);
  expect(asked).toHaveLength(3);
  wait(999);
  await registry.holdersOf(ROOT, 3);
  expect(asked).toHaveLength(3);
  wait(1);
  await registry.holdersOf(ROOT, 3);
  expect(asked).toHaveLength(6);
});
