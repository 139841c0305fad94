import type { Address } from 'viem';
import { describe, expect, test } from 'vitest';

import { bytes32, CURRENCY, JOB, NODE, sampleNode, sampleTerms } from '../testing/samples.ts';
import type { Terms } from '@dpu/sdk/terms';
import { roomy } from '../testing/machine.ts';
import type { Lot } from '../resources/edf.ts';
import { needsOf, type Needs } from '../resources/needs.ts';
import {
  planClaims,
  type Candidate,
  type PlanFacts,
  type PlanOptions,
  type Range,
  type Ready,
  type Room,
} from './plan.ts';

const NOW = 1_010;
const options: PlanOptions = {
  asks: { [CURRENCY]: 100n },
  unitAsks: {},
  coinPrices: {},
  maxLeaseShards: 64,
  leaseSeconds: 20,
  reservePercent: 20,
  reserveSeconds: 3,
  memoryBytes: 1_000,
};
/** A machine with that many free slots, of which nothing is promised. */
const roomOf = (slots: number, over: Partial<Needs> = {}, lots: readonly Lot[] = []): Room => ({
  capacity: roomy(slots, over),
  free: roomy(slots, over),
  lots,
});
const facts = (over: Partial<PlanFacts> = {}): PlanFacts => ({
  node: NODE,
  view: sampleNode(),
  minStake: 100n,
  runtimes: new Set([1]),
  room: roomOf(2),
  gas: { weiPerGas: 10n, of: () => 100n },
  halt: undefined,
  secondsLeft: Infinity,
  nextTime: NOW,
  walletEmpty: false,
  pausedUntil: 0,
  draining: false,
  ...over,
});
const fresh: Range = { kind: 'fresh', first: 0, count: 10, from: 1_000, drawnAt: 1_000 };
const ready: Ready = {
  state: 'ready',
  shardSeconds: 10,
  shardUnits: 1_000,
  memoryBytes: 500,
  needs: needsOf(500),
  warm: false,
};
const candidate = (over: Partial<Candidate> = {}, terms: Partial<Terms> = {}): Candidate => ({
  job: JOB,
  terms: sampleTerms(terms),
  postedBlock: 10,
  ranges: [fresh],
  preparation: ready,
  ...over,
});
const plan = (candidates: Candidate[], over: Partial<PlanFacts> = {}, with_: Partial<PlanOptions> = {}) =>
  planClaims(candidates, facts(over), { ...options, ...with_ });

test('claims what fits: two slots, twenty seconds of work each', () => {
  expect(plan([candidate()])).toEqual({
    claims: [
      {
        ...{ job: JOB, terms: sampleTerms(), kind: 'fresh', first: 0, count: 4, price: 110n },
        lot: { deadline: NOW + 45, waiting: 4, running: [], seconds: 10, needs: needsOf(500) },
      },
    ],
    declines: [],
  });
});

test.each([
  ['at most what is left', 3, { ranges: [{ ...fresh, count: 3 }] }, {}, {}, {}],
  ['at most what a lease may hold', 2, {}, { maxLease: 2 }, {}, {}],
  [
    'at most what its stake covers',
    3,
    {},
    {},
    { view: sampleNode({ stake: 500n, locked: 300n, queued: 50n }) },
    { leaseSeconds: 99 },
  ],
  ['at most what the operator allows', 1, {}, {}, {}, { maxLeaseShards: 1 }],
  ['at most what can be done in time', 8, {}, {}, {}, { leaseSeconds: 999 }],
  ['a wave of slow shards rather than nothing', 2, {}, {}, {}, { leaseSeconds: 1 }],
  [
    'at most one shard per slot when there is time for one',
    2,
    { preparation: { ...ready, shardSeconds: 45 } },
    {},
    {},
    {},
  ],
])('takes %s', (_sentence, count, over, terms, facts_, with_) => {
  expect(
    plan([candidate(over as Partial<Candidate>, terms)], facts_, with_).claims.map((claim) => claim.count),
  ).toEqual([count]);
});

test.each([
  ['currency', {}, { currency: `0x${'99'.repeat(20)}` as const }, {}],
  ['price', {}, { maxPrice: 99n, minPrice: 99n }, {}],
  ['runtime', {}, { runtime: 2 }, {}],
  ['runtime', {}, {}, { view: sampleNode({ runtimes: 4 }) }],
  ['reserved', {}, { node: NODE + 1 }, {}],
  ['tier', {}, { tier: 1 }, { view: sampleNode({ tier: 1, tierUntil: NOW - 1 }) }],
  ['stake', {}, { bond: 1_001n }, {}],
  ['minStake', {}, {}, { view: sampleNode({ stake: 199n, queued: 100n }) }],
  ['deadline', { preparation: { ...ready, shardSeconds: 46 } }, {}, {}],
  ['slots', {}, {}, { room: { ...roomOf(2), free: roomy(0) } }],
  ['hot', {}, {}, { halt: { code: 'hot' as const, detail: {} } }],
  ['hours', {}, {}, { secondsLeft: 9 }],
  ['vram', { preparation: { ...ready, needs: needsOf(500, { vramBytes: 1 }) } }, {}, {}],
  ['cores', { preparation: { ...ready, needs: needsOf(500, { cores: 1_025 }) } }, {}, {}],
  ['memory', { preparation: { ...ready, needs: needsOf(2 ** 41) } }, {}, {}],
  ['busy', {}, {}, { room: { ...roomOf(2), free: roomy(2, { memoryBytes: 500 }) } }],
  ['memory', { preparation: { ...ready, memoryBytes: 1_001 } }, {}, {}],
  ['wallet', {}, {}, { walletEmpty: true }],
  ['paused', {}, {}, { pausedUntil: NOW }],
  ['draining', {}, {}, { draining: true }],
  ['failedBefore', { preparation: { state: 'declined', code: 'failedBefore', detail: {} } }, {}, {}],
])('declines for %s', (code, over, terms, facts_) => {
  const { claims, declines } = plan([candidate(over as Partial<Candidate>, terms)], facts_);
  expect(claims).toEqual([]);
  expect(declines.map((decline) => [decline.job, decline.code])).toEqual([[JOB, code]]);
});

test.each([
  ['a job that is reserved for it', {}, { node: NODE }, {}],
  ['a tier in its last good second', {}, { tier: 1 }, { view: sampleNode({ tier: 1, tierUntil: NOW }) }],
  ['a price that has just reached its ask', {}, { minPrice: 90n, maxPrice: 190n }, {}],
  ['the second after a pause', {}, {}, { pausedUntil: NOW - 1 }],
  ['the last second of a job', {}, { expiry: NOW }, {}],
  ['a stake right at the least', {}, {}, { view: sampleNode({ stake: 200n, queued: 100n }) }],
])('takes %s', (_sentence, over, terms, facts_) => {
  expect(plan([candidate(over, terms)], facts_).claims).toHaveLength(1);
});

test.each([
  ['the draw', { ranges: [{ ...fresh, drawnAt: NOW + 1 }] }, {}, {}],
  ['the block that seeds the draw', { ranges: [{ ...fresh, drawnAt: undefined }] }, {}, {}],
  ['the ramp', {}, { minPrice: 80n, maxPrice: 180n }, {}],
  ['its files', { preparation: { state: 'waiting' } }, {}, {}],
  ['nothing any more after the expiry', {}, { expiry: NOW - 1 }, {}],
])('waits for %s without a word', (_sentence, over, terms, facts_) => {
  expect(plan([candidate(over as Partial<Candidate>, terms)], facts_)).toEqual({ claims: [], declines: [] });
});

test('spends slots and stake once', () => {
  const second = { job: bytes32(2), postedBlock: 11 };
  expect(
    plan([candidate(), candidate(second)], { room: roomOf(4) }, { leaseSeconds: 10 }).claims.map(({ count }) => count),
  ).toEqual([4]);
  const tight = plan([candidate({}, { maxLease: 1 }), candidate(second)], { view: sampleNode({ stake: 100n }) }, {});
  expect(tight.claims.map(({ count }) => count)).toEqual([1, 1]);
});

test('takes the best paid first, then the oldest', () => {
  const jobs = [
    candidate({ job: bytes32(1), postedBlock: 9 }),
    candidate({ job: bytes32(2), postedBlock: 8 }),
    candidate({ job: bytes32(3), postedBlock: 12 }, { minPrice: 300n, maxPrice: 300n }),
    candidate({ job: bytes32(4), postedBlock: 7, preparation: { ...ready, shardSeconds: 20 } }),
  ].map((one) => ({ ...one, terms: { ...one.terms, maxLease: 1 } }));
  expect(plan(jobs, { room: roomOf(9) }).claims.map(({ job }) => job)).toEqual([
    bytes32(3),
    bytes32(2),
    bytes32(1),
    bytes32(4),
  ]);
});

test('takes a lapsed range whole or not at all', () => {
  const lapsed: Range = { kind: 'lapsed', first: 4, count: 8, from: 1_000, drawnAt: NOW };
  expect(plan([candidate({ ranges: [lapsed] })]).claims).toMatchObject([{ kind: 'lapsed', first: 4, count: 8 }]);
  expect(plan([candidate({ ranges: [{ ...lapsed, count: 9 }] })]).declines).toEqual([
    { job: JOB, code: 'slots', detail: { shards: 9, most: 8 } },
  ]);
});

test('says that a range is overdue without promising anything for it', () => {
  const overdue: Range = { kind: 'overdue', first: 4, count: 2, from: 1_000, drawnAt: NOW };
  const { claims } = plan([candidate({ ranges: [overdue] }), candidate({ job: bytes32(2), postedBlock: 11 })]);
  expect(claims.map(({ kind, count }) => [kind, count])).toEqual([
    ['overdue', 2],
    ['fresh', 4],
  ]);
});

/* THE MACHINE */

/** A lease that fills both slots for that long. */
const held = (deadline: number, seconds: number): Lot => ({
  deadline,
  waiting: 2,
  running: [],
  seconds,
  needs: needsOf(500),
});

test.each([
  ['fewer where memory is short', 2, roomOf(4, { memoryBytes: 2 * needsOf(500).memoryBytes })],
  ['one where cores are', 1, roomOf(4, { cores: 1 })],
])('claims %s', (_sentence, count, room) => {
  expect(plan([candidate()], { room }, { leaseSeconds: 10 }).claims.map((claim) => claim.count)).toEqual([count]);
});

test('a lease that is held is not made late by one that is due before it', () => {
  // Free slots there are, but the earlier deadline would run first: the held one needs them from second 12 on.
  const room = (deadline: number): Room => ({ ...roomOf(2), lots: [held(deadline, 40)] });
  expect(plan([candidate()], { room: room(NOW + 200) }).claims).toMatchObject([{ count: 4 }]);
  expect(plan([candidate()], { room: room(NOW + 52) }).claims).toMatchObject([{ count: 2 }]);
  expect(plan([candidate()], { room: room(NOW + 49) }).declines).toEqual([
    { job: JOB, code: 'crowded', detail: { leases: 1 } },
  ]);
});

test('two claims of one block count each other', () => {
  const whole: Range = { ...fresh, kind: 'seat', count: 3 };
  const jobs = [candidate({ ranges: [whole] }), candidate({ job: bytes32(2), postedBlock: 11, ranges: [whole] })];
  expect(plan(jobs, { room: roomOf(3) }).claims.map(({ count }) => count)).toEqual([3]);
  expect(plan(jobs, { room: roomOf(4) }).claims.map(({ count }) => count)).toEqual([3, 3]);
});

test('claims no more than is done before its hours end', () => {
  const { claims } = plan([candidate()], { secondsLeft: 19 });
  expect(claims).toMatchObject([{ count: 2, lot: { deadline: NOW + 19 } }]);
});

/* PROFIT */

test('a unit has its price: by experience, or by all that the spec allows', () => {
  const unitAsks = { [CURRENCY]: 150_000n };
  expect(plan([candidate()], {}, { unitAsks }).claims, '150 for 1,000 units, the ramp is at 110').toEqual([]);
  const { declines } = plan([candidate({}, { maxPrice: 149n })], {}, { unitAsks });
  expect(declines).toEqual([{ job: JOB, code: 'price', detail: { most: '149', ask: '150' } }]);
  const small = { ...ready, shardUnits: 500 };
  expect(plan([candidate({ preparation: small })], {}, { unitAsks }).claims).toHaveLength(1);
});

/** Four transactions of 100 gas at 10 wei, and a coin that is worth so much: gas for a lease in smallest units. */
const gasWorth = (units: bigint) => ({ coinPrices: { [CURRENCY]: (units * 10n ** 18n) / 4_000n } });

test.each([
  ['what brings the ask after its gas', 1, 40n],
  ['nothing whose price may still rise to it', 0, 41n],
])('takes %s', (_sentence, claims, gas) => {
  const found = plan([candidate()], {}, gasWorth(gas));
  expect([found.claims.length, found.declines.length]).toEqual([claims, 0]);
});

test('declines what gas would eat at any price of its ramp', () => {
  expect(plan([candidate()], {}, gasWorth(404n)).declines).toEqual([
    { job: JOB, code: 'gas', detail: { price: '200', ask: '100', gas: '404', count: 4 } },
  ]);
  expect(plan([candidate()], {}, gasWorth(400n)).declines).toEqual([]);
});

test('what is warm goes first, unless something else pays more than twice as much', () => {
  const warm = candidate({ job: bytes32(2), postedBlock: 12, preparation: { ...ready, warm: true } }, { maxLease: 1 });
  const cold = (minPrice: bigint) =>
    candidate({ job: bytes32(1), postedBlock: 8 }, { maxLease: 1, minPrice, maxPrice: minPrice });
  const order = (price: bigint) => plan([cold(price), warm], { room: roomOf(9) }).claims.map(({ job }) => job);
  expect(order(219n)).toEqual([bytes32(2), bytes32(1)]);
  expect(order(221n)).toEqual([bytes32(1), bytes32(2)]);
});

describe('a proof of its own tier', () => {
  const PROOFS = '0x00000000000000000000000000000000000000f1';
  const wei: Partial<Terms> = { requester: PROOFS, node: NODE, minPrice: 1n, maxPrice: 1n, shards: 1, maxLease: 1 };
  const one: Partial<Candidate> = { ranges: [{ ...fresh, count: 1 }] };

  test('is done whatever it pays, in whatever currency, before all other work', () => {
    const other = candidate({ job: bytes32(7) });
    const proof = candidate(one, { ...wei, currency: '0x00000000000000000000000000000000000000c9' });
    const { claims, declines } = plan([other, proof], {}, { proofs: PROOFS });
    expect(claims.map(({ job, price, count }) => [job, price, count])).toEqual([
      [JOB, 1n, 1],
      [bytes32(7), 110n, 2],
    ]);
    expect(declines).toEqual([]);
  });

  test('is tried even where this machine is expected to be too slow', () => {
    const slow = candidate({ ...one, preparation: { ...ready, shardSeconds: 500 } }, wei);
    const { claims } = plan([slow], {}, { proofs: PROOFS });
    expect(claims.map(({ count, lot }) => [count, lot?.seconds])).toEqual([[1, 45]]);
  });

  test('is a job like any other from somebody else, or for another node', () => {
    const code = (terms: Partial<Terms>, proofs: Address | undefined) =>
      plan([candidate(one, { ...wei, ...terms })], {}, { proofs }).declines.map((decline) => decline.code);
    expect(code({}, undefined)).toEqual(['price']);
    expect(code({ requester: '0x00000000000000000000000000000000000000f2' }, PROOFS)).toEqual(['price']);
    expect(code({ node: 0 }, PROOFS)).toEqual(['price']);
  });
});
