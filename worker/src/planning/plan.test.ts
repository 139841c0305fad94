import { expect, test } from 'vitest';

import { bytes32, CURRENCY, JOB, NODE, sampleNode, sampleTerms } from '../testing/samples.ts';
import type { Terms } from '@dpu/sdk/terms';
import { planClaims, type Candidate, type PlanFacts, type PlanOptions, type Range } from './plan.ts';

const NOW = 1_010;
const options: PlanOptions = {
  asks: { [CURRENCY]: 100n },
  maxLeaseShards: 64,
  leaseSeconds: 20,
  reservePercent: 20,
  reserveSeconds: 3,
  memoryBytes: 1_000,
};
const facts = (over: Partial<PlanFacts> = {}): PlanFacts => ({
  node: NODE,
  view: sampleNode(),
  minStake: 100n,
  runtimes: new Set([1]),
  freeSlots: 2,
  nextTime: NOW,
  walletEmpty: false,
  pausedUntil: 0,
  draining: false,
  ...over,
});
const fresh: Range = { kind: 'fresh', first: 0, count: 10, from: 1_000, drawnAt: 1_000 };
const ready = { state: 'ready', shardSeconds: 10, memoryBytes: 500 } as const;
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
    claims: [{ job: JOB, terms: sampleTerms(), kind: 'fresh', first: 0, count: 4, price: 110n }],
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
  ['slots', {}, {}, { freeSlots: 0 }],
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
    plan([candidate(), candidate(second)], { freeSlots: 4 }, { leaseSeconds: 10 }).claims.map(({ count }) => count),
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
  expect(plan(jobs, { freeSlots: 9 }).claims.map(({ job }) => job)).toEqual([
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
