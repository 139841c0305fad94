import type { NodeSummary } from '@dpu/sdk/api';
import { TERMS } from '@dpu/sdk/testing';
import { expect, test } from 'vitest';

import { pricesOf, weigh } from './estimate.ts';

const E18 = 10n ** 18n;
const node = (id: number, over: Partial<NodeSummary> = {}): NodeSummary => ({
  ...{ id, owner: `0x${'0'.repeat(39)}${id}`, operator: `0x${'a'.repeat(39)}${id}`, stake: 100n * E18, locked: 0n },
  ...{ queued: 0n, unstakeAt: null, record: 5_000, runtimes: [1], tier: 0, tierUntil: 0, key: null, endpoint: '' },
  ...{ since: 0, registeredAt: 0, leases: { living: 0, settled: 0, lapsed: 0 }, shardsSettled: 0, unitsSettled: 0n },
  ...{ slashed: 0n, ...over },
});

test('counts who could take the job, and names for each other node the first thing in its way', () => {
  const nodes = [
    node(1),
    node(2, { leases: { living: 2, settled: 0, lapsed: 0 } }),
    node(3, { runtimes: [2] }),
    node(4, { stake: 12n * E18, locked: 1n }),
    node(5, { stake: 12n * E18 }),
    node(6),
  ];
  expect(weigh(nodes, [TERMS], { account: node(6).owner, readers: undefined })).toEqual({
    eligible: 3,
    idle: 2,
    obstacles: { runtime: 1, freeStake: 1, own: 1 },
  });
});

test('of a private job only its readers count, and tiers are asked for before stake', () => {
  const nodes = [node(1), node(2), node(3, { tier: 1, stake: 0n })];
  expect(weigh(nodes, [TERMS], { account: undefined, readers: [2] })).toEqual({
    eligible: 1,
    idle: 1,
    obstacles: { key: 2 },
  });
  expect(weigh(nodes, [{ ...TERMS, tier: 1 }], { account: undefined, readers: undefined })).toEqual({
    eligible: 0,
    idle: 0,
    obstacles: { tier: 2, freeStake: 1 },
  });
});

test('the price at three points counts every shard, seat and job of the chain', () => {
  const [one, two] = [TERMS, { ...TERMS, shards: 1, seats: 3 }];
  expect(pricesOf([one, two])).toEqual({ least: 11n * E18, middle: 22n * E18, most: 33n * E18 });
});
