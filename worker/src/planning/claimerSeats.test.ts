import { SEAT } from '@dpu/sdk/lease';
import { printOf, rangeKey } from '@dpu/sdk/bench';
import { AUDIT_SEATS } from '@dpu/sdk/panel';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { zeroHash } from 'viem';
import { expect, test } from 'vitest';
import type { KnownLease } from '../chain/chainBook.ts';
import { bytes32, JOB, NODE, sampleLease, sampleNode, sampleTerms } from '../testing/samples.ts';
import { claimerIn, type World, TREASURY } from '../testing/claimerWorld.ts';

const foreign = (over: Parameters<typeof sampleLease>[0] = {}): KnownLease =>
  sampleLease({ ...over, lease: { node: NODE + 1, deadline: 1_020, ...over.lease } });

test('takes over what has lapsed, at a price that begins anew', async () => {
  const { tick, sent } = claimerIn({ view: { cursor: 10 }, leases: [foreign({ phase: 'lapsed' })] });
  await tick(50);
  await tick(51);
  expect(sent).toEqual([{ functionName: 'takeOver', args: [0, NODE] }]);
});

test('never takes its own lapsed lease over', async () => {
  const { tick, sent } = claimerIn({ view: { cursor: 10 }, leases: [sampleLease({ phase: 'lapsed' })] });
  await tick(50);
  await tick(51);
  expect(sent).toEqual([]);
});

test('says that a lease is overdue when it would take it, after a while that differs by node', async () => {
  const { tick, asked } = claimerIn({ view: { cursor: 10 }, leases: [foreign()] });
  // Node 7 waits five seconds and another four.
  await tick(28, 1_028);
  await tick(29, 1_029);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual([]);
  await tick(30, 1_030);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual(['lapse 0']);
});

test('waits for the job before, and opens when that was complete', async () => {
  const parent = bytes32(0xaa);
  const { tick, sent, asked, world } = claimerIn({ terms: { afterJob: parent } });
  await tick(10);
  expect(asked).toEqual(['job 267', 'job 170']);
  await tick(11);
  expect(asked).toEqual(['job 267', 'job 170', 'job 170']);
  world.parent = { state: 'complete', at: 1_012 };
  await tick(12);
  expect(asked.at(-1)).toBe('prepare');
  await tick(13);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
});

const taken = { terms: { seats: 3 }, view: { cursor: 10 } };
const seat = (over: Partial<KnownLease['lease']> = {}, phase: KnownLease['phase'] = 'claimed'): KnownLease =>
  sampleLease({ phase, terms: sampleTerms({ seats: 3 }), lease: { node: 9, flags: SEAT, ...over } });

test('joins others on a range when it is drawn, once', async () => {
  const { tick, sent } = claimerIn({ ...taken, leases: [seat()] });
  for (const block of [13, 14, 15]) await tick(block);
  expect(sent).toEqual([{ functionName: 'sit', args: [0, 2, NODE, zeroHash] }]);
});

test('joins before it begins what nobody has begun', async () => {
  const { tick, sent } = claimerIn({ terms: { seats: 3 }, view: { cursor: 2 }, leases: [seat()] });
  await tick(13);
  await tick(14);
  expect(sent.map(({ functionName }) => functionName)).toEqual(['sit']);
});

test.each([
  ['every seat is taken', [seat(), seat({ node: 8 }), seat({ node: 6 })], {}],
  ['it sits there already', [seat(), seat({ node: NODE }, 'committed')], {}],
  ['it has failed there', [seat(), seat({ node: NODE }, 'lapsed')], {}],
  ['the chain knows of a seat more', [seat()], { sitting: 3 }],
  ['joining is over', [seat()], { openedAt: 894 }],
  ['it is an audit', [seat()], { asked: AUDIT_SEATS }],
])('joins nobody when %s', async (_reason, leases, panel) => {
  const { tick, sent } = claimerIn({ ...taken, leases, panel });
  await tick(13);
  await tick(14);
  expect(sent).toEqual([]);
});

test('does not ask for a seat where its print has sat', async () => {
  const bench = BigInt(printOf(rangeKey(JOB, 0, false), NODE)) << 168n;
  const { tick, sent } = claimerIn({ ...taken, leases: [seat()], bench });
  await tick(13);
  await tick(14);
  expect(sent).toEqual([]);
});

test('sits down first on what nobody has begun, and on what all have lost', async () => {
  const fresh = claimerIn({ terms: { seats: 3 } });
  for (const block of [11, 12]) await fresh.tick(block);
  expect(fresh.sent).toEqual([{ functionName: 'sit', args: [0, 4, NODE, zeroHash] }]);
  const lost = claimerIn({ ...taken, leases: [seat({}, 'lapsed')] });
  for (const block of [41, 42]) await lost.tick(block, 1_000 + block);
  expect(lost.sent).toEqual([{ functionName: 'sit', args: [0, 2, NODE, zeroHash] }]);
});

test('joins in the last good second', async () => {
  const { tick, sent } = claimerIn({ ...taken, leases: [seat()], panel: { openedAt: 895 } });
  await tick(13);
  await tick(14);
  expect(sent.map(({ functionName }) => functionName)).toEqual(['sit']);
});

test('says that a seat is overdue, but not that one is which has committed', async () => {
  const others = [seat({ node: 8, committedBlock: 14 }, 'committed'), seat({ deadline: 1_020 })];
  const { tick, asked } = claimerIn({ ...taken, leases: others, panel: { sitting: 3 } });
  await tick(28, 1_029);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual([]);
  await tick(29, 1_030);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual(['lapse 0 of 9']);
});

/** Node 9 committed in block 20, at second 20 of the fake chain, whose audits last until second 1,820. */
const audited = (over: Partial<KnownLease> = {}): KnownLease =>
  sampleLease({ phase: 'committed', ...over, lease: { node: 9, price: 150n, committedBlock: 20 } });
const bought = {
  terms: { auditBps: 10_000 },
  view: { state: 'leased' as const, cursor: 10 },
  node: { record: 10_000, since: 5 },
};
const seconds = (block: number): [number, number] => [block, block];
const AUDIT = { functionName: 'audit', args: [expect.objectContaining({ commitment: zeroHash }), NODE] };

test('audits what another node has committed to, once the next block has drawn it', async () => {
  const { tick, sent } = claimerIn({ ...bought, leases: [audited()] });
  await tick(...seconds(20));
  expect(sent).toEqual([]);
  for (const block of [21, 22, 23]) await tick(...seconds(block));
  expect(sent).toEqual([AUDIT]);
});

test('audits until the second before the holder may show its result, also after the job has expired', async () => {
  const due = claimerIn({ ...bought, terms: { ...bought.terms, expiry: 1_000 }, leases: [audited()] });
  await due.tick(...seconds(1_817));
  await due.tick(...seconds(1_818));
  expect(due.sent).toEqual([AUDIT]);
  const late = claimerIn({ ...bought, leases: [audited()] });
  for (const block of [1_819, 1_820]) await late.tick(...seconds(block));
  expect(late.sent).toEqual([]);
});

test('audits from the middle of its window on what no draw lets it into', async () => {
  const young = { ...bought, node: { ...bought.node, since: 20 } };
  const { tick, sent } = claimerIn({ ...young, leases: [audited()] });
  for (const block of [21, 22, 917, 918]) await tick(...seconds(block));
  expect(sent).toEqual([]);
  await tick(...seconds(919));
  expect(sent).toEqual([AUDIT]);
});

test('audits also what was reserved for another node, and does nothing else there', async () => {
  const terms = { ...bought.terms, node: 9 };
  const { tick, sent, declines } = claimerIn({ ...bought, terms, leases: [audited()] });
  for (const block of [21, 22]) await tick(...seconds(block));
  expect(sent).toEqual([AUDIT]);
  const free = claimerIn({ terms });
  for (const block of [21, 22]) await free.tick(...seconds(block));
  expect([free.sent, declines.all(), free.declines.all().map(({ code }) => code)]).toEqual([[], [], ['reserved']]);
});

test.each<[string, Partial<World>, Partial<KnownLease>]>([
  ['it holds the lease itself', {}, { lease: { ...audited().lease, node: NODE } }],
  ['both nodes have one owner', { holder: { owner: sampleNode().owner } }, {}],
  ['its owner is the requester', { node: { record: 10_000, owner: sampleTerms().requester } }, {}],
  ['an auditor sits there already', {}, { seated: true }],
  ['the result is public', {}, { phase: 'revealed' }],
  ['nobody bought an audit', { terms: {} }, {}],
  ['the holder was paid less than this node asks', { asks: 151n }, {}],
])('audits nothing when %s', async (_reason, over, lease) => {
  const { tick, sent } = claimerIn({ ...bought, ...over, leases: [{ ...audited(), ...lease }] });
  for (const block of [21, 22, 23]) await tick(...seconds(block));
  expect(sent.filter(({ functionName }) => functionName === 'audit')).toEqual([]);
});

/** The seed is out of reach, so the roll is zero: the protocol pays. */
const pooled = { ...bought, terms: { rules: packRules({ ...RULES, auditRates: 0b0100 }) } };
const far: [number, number] = [20 + 8_193, 1_000];

test.each<[string, Partial<World>, number]>([
  ['when it can pay for every shard', { pool: 300n }, 1],
  ['not when it cannot', { pool: 299n }, 0],
  ['not for work that is reserved', { pool: 300n, terms: { ...pooled.terms, node: 9 } }, 0],
  ['not in another currency', { pool: 300n, token: TREASURY }, 0],
])('audits at the cost of the protocol %s', async (_case, over, times) => {
  const { tick, sent } = claimerIn({ ...pooled, ...over, leases: [audited()] });
  await tick(...far);
  await tick(far[0] + 1, far[1] + 1);
  expect(sent).toHaveLength(times);
});
