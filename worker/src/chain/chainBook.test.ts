import { claimedWord, SEAT, type Lease, type Result } from '@dpu/sdk/lease';
import { zeroHash } from 'viem';
import { expect, test } from 'vitest';

import { bytes32, CURRENCY, JOB, NODE, RESULT, sampleLease, sampleTerms } from '../testing/samples.ts';
import { BLOCKS_KEPT, ChainBook } from './chainBook.ts';
import { Journal } from '../sending/journal.ts';
import type { MarketEvent } from './marketEvents.ts';

const OTHER = 9;

const posted = (block: number, job = JOB, over = {}): MarketEvent => ({
  block,
  logIndex: 0,
  job,
  name: 'JobPosted',
  terms: sampleTerms(over),
});
const claimed = (block: number, first: number, node: number, over: Partial<Lease> = {}): MarketEvent => ({
  block,
  logIndex: 1,
  job: JOB,
  name: 'LeaseClaimed',
  first,
  node,
  claimed: claimedWord({ ...sampleLease().lease, first, node, ...over }),
});
const committed = (block: number, first: number, node: number, time?: number): MarketEvent => ({
  block,
  logIndex: 2,
  job: JOB,
  name: 'LeaseCommitted',
  first,
  node,
  commitment: bytes32(0xc),
  ...(time === undefined ? {} : { time }),
});
const revealed = (block: number, first: number, node: number): MarketEvent => ({
  block,
  logIndex: 3,
  job: JOB,
  name: 'LeaseRevealed',
  first,
  node,
  result: RESULT,
  transaction: bytes32(block),
  time: 1_060,
});
const settled = (block: number, first: number, node: number): MarketEvent => ({
  block,
  logIndex: 4,
  job: JOB,
  name: 'LeaseSettled',
  first,
  node,
  paid: 194n,
  fee: 6n,
});
const accepted = (block: number, first: number, node: number, result: Result): MarketEvent => ({
  block,
  logIndex: 7,
  job: JOB,
  name: 'LeaseAccepted',
  first,
  node,
  paid: 194n,
  fee: 6n,
  result,
});
const lapsed = (block: number, first: number, node: number): MarketEvent => ({
  block,
  logIndex: 5,
  job: JOB,
  name: 'LeaseLapsed',
  first,
  node,
  slashed: 16n,
  bonus: 3_000_000_000n,
  withheld: false,
});
const closed = (block: number): MarketEvent => ({ block, logIndex: 6, job: JOB, name: 'JobCompleted' });

function setup() {
  const book = new ChainBook(new Journal({ file: ':memory:' }));
  const at = (block: number, ...events: MarketEvent[]): void =>
    book.advance(events, { number: block, hash: bytes32(block) }, NODE);
  return { book, at };
}

test('terms come back as they were posted', () => {
  const { book, at } = setup();
  at(10, posted(10));
  expect(book.terms(JOB)).toEqual(sampleTerms());
  expect(book.openJobs()).toEqual([{ id: JOB, terms: sampleTerms(), postedBlock: 10 }]);
});

test('a lease carries what calldata needs, phase by phase', () => {
  const { book, at } = setup();
  const lease = {
    first: 0,
    count: 2,
    node: NODE,
    price: 100n,
    bonus: 2n,
    deadline: 1_100,
    flags: 0,
    commitment: zeroHash,
    committedBlock: 0,
  };
  const base = { job: JOB, terms: sampleTerms(), seated: false, claimedBlock: 12, bond: 80n };
  at(10, posted(10));
  at(12, claimed(12, 0, NODE, { bonus: 2n }));
  expect(book.lease(JOB, 0, NODE)).toEqual({ ...base, phase: 'claimed', lease });
  at(14, committed(14, 0, NODE, 1_050));
  const bound = { ...lease, commitment: bytes32(0xc), committedBlock: 14 };
  expect(book.lease(JOB, 0, NODE)).toEqual({ ...base, phase: 'committed', lease: bound, committedAt: 1_050 });
  at(15, revealed(15, 0, NODE));
  const times = { committedAt: 1_050, revealedAt: 1_060, revealedBlock: 15 };
  const shown = { ...base, ...times, lease: bound, result: RESULT };
  expect(book.lease(JOB, 0, NODE)).toEqual({ ...shown, phase: 'revealed' });
  expect(book.ownLiving(NODE)).toHaveLength(1);
  at(20, settled(20, 0, NODE));
  expect(book.lease(JOB, 0, NODE)).toEqual({ ...shown, phase: 'settled', paid: 194n, fee: 6n, endBlock: 20 });
  expect(book.ownLiving(NODE)).toEqual([]);
  expect(book.earnings(NODE)).toEqual([{ currency: CURRENCY, paid: 194n, leases: 1 }]);
});

test('a reorg takes back exactly what came after the ancestor', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(12, claimed(12, 0, NODE));
  at(14, committed(14, 0, NODE), posted(14, bytes32(2)));
  book.rewind(13);
  expect(book.lease(JOB, 0, NODE)?.phase).toBe('claimed');
  expect(book.cursor()).toEqual({ number: 12, hash: bytes32(12) });
  expect(book.terms(bytes32(2))).toBeUndefined();
  book.rewind(11);
  expect(book.lease(JOB, 0, NODE)).toBeUndefined();
  expect(book.openJobs()).toHaveLength(1);
});

test('a range that another node took over is not ours any more', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(12, claimed(12, 0, NODE));
  at(13, lapsed(13, 0, NODE));
  expect(book.lease(JOB, 0, NODE)).toMatchObject({
    phase: 'lapsed',
    slashed: 16n,
    waitingBonus: 3_000_000_000n,
    endBlock: 13,
  });
  at(14, claimed(14, 0, OTHER, { deadline: 1_200 }));
  expect(book.ownLiving(NODE)).toEqual([]);
  expect(book.ownEnded(NODE, 9)).toEqual([]);
  expect(book.lease(JOB, 0, NODE)).toMatchObject({
    phase: 'claimed',
    claimedBlock: 14,
    lease: { node: OTHER, deadline: 1_200 },
  });
});

test('the same range can be ours twice', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(12, claimed(12, 0, NODE));
  at(13, lapsed(13, 0, NODE));
  at(14, claimed(14, 0, OTHER));
  at(15, lapsed(15, 0, OTHER));
  at(16, claimed(16, 0, NODE, { deadline: 1_300 }));
  expect(book.ownLiving(NODE).map(({ lease }) => lease.deadline)).toEqual([1_300]);
});

test('a job that was cancelled or has ended is not open', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(11, { block: 11, logIndex: 0, job: JOB, name: 'JobCancelled' });
  expect(book.openJobs()).toEqual([]);
  at(12, claimed(12, 0, NODE));
  expect(book.ownUnendedJobs().map(({ id }) => id)).toEqual([JOB]);
  at(13, closed(13));
  expect(book.ownUnendedJobs()).toEqual([]);
});

test('settled results are those of every holder, also of an order that was settled at once', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(12, claimed(12, 2, NODE), { ...claimed(12, 4, OTHER), logIndex: 2 }, { ...claimed(12, 6, OTHER), logIndex: 3 });
  at(13, revealed(13, 2, NODE), { ...revealed(13, 4, OTHER), logIndex: 4 }, { ...revealed(13, 6, OTHER), logIndex: 5 });
  expect(book.settledResults(JOB)).toEqual([]);
  const agreed = { ...RESULT, units: 6n };
  at(14, settled(14, 2, NODE), accepted(14, 0, OTHER, RESULT), { ...accepted(14, 4, OTHER, agreed), logIndex: 8 });
  expect(book.settledResults(JOB)).toEqual([
    { first: 0, node: OTHER, result: RESULT },
    { first: 2, node: NODE, result: RESULT },
    { first: 4, node: OTHER, result: agreed },
  ]);
  expect(book.lease(JOB, 4, NODE)).toMatchObject({ phase: 'settled', result: agreed });
});

test('only what is needed to find a common ancestor is kept of the blocks', () => {
  const { book, at } = setup();
  for (const block of [1, 2, 3, BLOCKS_KEPT + 2]) at(block);
  expect(book.scanned().map(({ number }) => number)).toEqual([BLOCKS_KEPT + 2, 3]);
});

test('jobs of others are forgotten once they have expired long ago; ours are not', () => {
  const { book, at } = setup();
  const foreign = bytes32(2);
  at(10, posted(10), posted(10, foreign), claimed(12, 0, NODE));
  at(13, { ...closed(13), job: foreign }, closed(14));
  book.forget(5_000);
  expect(book.terms(foreign)).toBeDefined();
  book.forget(5_001);
  expect(book.terms(foreign)).toBeUndefined();
  expect(book.terms(JOB)).toBeDefined();
  expect(book.lease(JOB, 0, NODE)?.phase).toBe('claimed');
});

const SEATS = { seats: 3 };
const seat = (block: number, node: number, deadline = 1_100): MarketEvent => ({
  ...claimed(block, 0, node, { flags: SEAT, deadline }),
  logIndex: 10 + node,
});
const faulted = (block: number, node: number, withheld: boolean): MarketEvent => ({
  ...{ block, logIndex: 30 + node, job: JOB, name: 'SeatFaulted', first: 0, node },
  slashed: 80n,
  withheld,
});
const of = (event: MarketEvent, logIndex: number): MarketEvent => ({ ...event, logIndex });

test('seats of one range never mix, whoever commits and reveals in whichever order', () => {
  const { book, at } = setup();
  at(10, posted(10, JOB, SEATS));
  at(12, seat(12, OTHER), seat(12, NODE), seat(12, 5));
  at(13, of(committed(13, 0, OTHER), 1));
  expect(book.lease(JOB, 0, NODE)).toMatchObject({ phase: 'claimed', lease: { node: NODE, committedBlock: 0 } });
  expect(book.lease(JOB, 0, OTHER)).toMatchObject({ phase: 'committed', lease: { node: OTHER, committedBlock: 13 } });
  expect(book.lease(JOB, 0, 4)).toBeUndefined();
  at(14, of(committed(14, 0, NODE, 1_050), 1), of(committed(14, 0, 5), 2));
  const wrong = { ...RESULT, root: bytes32(0xbad) };
  at(15, of(revealed(15, 0, NODE), 1), of(revealed(15, 0, 5), 2), {
    ...(of(revealed(15, 0, OTHER), 3) as Extract<MarketEvent, { name: 'LeaseRevealed' }>),
    result: wrong,
  });
  expect(book.ownLiving(NODE).map(({ lease, phase }) => [lease.node, phase])).toEqual([[NODE, 'revealed']]);
  expect(book.range(JOB, 0)?.standing).toBe('held');
  expect(book.settledResults(JOB)).toEqual([]);

  at(20, of(settled(20, 0, NODE), 1), of(settled(20, 0, 5), 2), faulted(20, OTHER, false));
  expect(book.range(JOB, 0)?.standing).toBe('ended');
  expect(book.leasesOf(JOB).map(({ lease, phase }) => [lease.node, phase])).toEqual([
    [5, 'settled'],
    [NODE, 'settled'],
    [OTHER, 'lapsed'],
  ]);
  expect(book.lease(JOB, 0, OTHER)).toMatchObject({ slashed: 80n, waitingBonus: 0n, endBlock: 20, result: wrong });
  expect(book.ownLiving(NODE)).toEqual([]);
  expect(book.earnings(NODE)).toMatchObject([{ paid: 194n, leases: 1 }]);
  // The liar showed its result last, but was not paid for it.
  expect(book.settledResults(JOB)).toEqual([{ first: 0, node: 5, result: RESULT }]);
});

test('a range is free when all its seats are lost, and held again by whoever takes it over', () => {
  const { book, at } = setup();
  at(10, posted(10, JOB, SEATS));
  at(12, seat(12, OTHER), seat(12, 5));
  at(13, of(committed(13, 0, 5), 1));
  at(20, lapsed(20, 0, OTHER));
  expect(book.range(JOB, 0)?.standing).toBe('held');
  at(30, faulted(30, 5, true));
  expect(book.range(JOB, 0)?.standing).toBe('lapsed');
  at(31, seat(31, NODE, 1_300));
  expect(book.range(JOB, 0)?.standing).toBe('held');
  expect(book.ownLiving(NODE).map(({ lease }) => lease.deadline)).toEqual([1_300]);
});

const ended = (block: number, agreed: boolean, result = RESULT): MarketEvent => ({
  ...{ block, logIndex: 20, job: JOB, name: 'PanelEnded', first: 0 },
  agreed,
  result,
});

test('seats stand in the order of their commits until their panel ends', () => {
  const { book, at } = setup();
  at(10, posted(10, JOB, SEATS));
  at(12, seat(12, OTHER), seat(12, NODE), seat(12, 5));
  at(13, of(committed(13, 0, OTHER), 1), of(committed(13, 0, 5), 2));
  at(14, of(committed(14, 0, NODE), 1));
  expect(book.range(JOB, 0)?.bench).toEqual([OTHER, 5, NODE]);
  for (const node of [OTHER, 5, NODE]) at(20 + node, faulted(20 + node, node, true));
  at(40, seat(40, 4));
  expect(book.range(JOB, 0)).toMatchObject({ standing: 'held', bench: [], leases: [{ lease: { node: 4 } }] });
});

test('what the end of a panel tells is the result of the seat that showed nothing before', () => {
  const { book, at } = setup();
  at(10, posted(10, JOB, SEATS));
  at(12, seat(12, OTHER), seat(12, NODE));
  at(13, of(committed(13, 0, OTHER), 1), of(committed(13, 0, NODE), 2));
  const theirs = { ...RESULT, manifest: bytes32(0xb2) };
  at(15, {
    ...(of(revealed(15, 0, OTHER), 3) as Extract<MarketEvent, { name: 'LeaseRevealed' }>),
    result: theirs,
  });
  at(16, ended(16, true), of(settled(16, 0, OTHER), 21), of(settled(16, 0, NODE), 22));
  expect(book.leasesOf(JOB).map(({ lease, result }) => [lease.node, result])).toEqual([
    [NODE, RESULT],
    [OTHER, theirs],
  ]);
  expect(book.settledResults(JOB)).toEqual([{ first: 0, node: NODE, result: RESULT }]);
});

test('nothing that nobody agreed on is a result of the job', () => {
  const { book, at } = setup();
  at(10, posted(10, JOB, SEATS));
  at(12, seat(12, OTHER), seat(12, NODE));
  at(13, of(committed(13, 0, OTHER), 1), of(committed(13, 0, NODE), 2));
  at(16, ended(16, false), of(settled(16, 0, OTHER), 21), of(settled(16, 0, NODE), 22));
  expect(book.range(JOB, 0)?.standing).toBe('ended');
  expect(book.settledResults(JOB)).toEqual([]);
});

test('a lease whose audit has begun sits beside its auditor, the first on the bench', () => {
  const { book, at } = setup();
  at(10, posted(10));
  at(12, claimed(12, 0, NODE));
  at(13, committed(13, 0, NODE, 1_050));
  expect(book.lease(JOB, 0, NODE)).toMatchObject({ phase: 'committed', seated: false });
  at(15, { ...{ block: 15, logIndex: 1, job: JOB, name: 'AuditOpened', first: 0 }, auditor: 5, pooled: false });
  at(15, seat(15, 5));
  at(16, committed(16, 0, 5));
  expect(book.range(JOB, 0)?.bench).toEqual([NODE, 5]);
  expect(book.lease(JOB, 0, NODE)).toMatchObject({ phase: 'committed', seated: true, lease: { flags: 0 } });
  expect(book.lease(JOB, 0, 5)).toMatchObject({ phase: 'committed', seated: true, lease: { flags: SEAT } });
  expect(book.ownLiving(NODE).map(({ lease }) => lease.node)).toEqual([NODE]);
  at(20, faulted(20, NODE, true), faulted(20, 5, true), ended(20, false));
  at(21, claimed(21, 0, OTHER));
  expect(book.range(JOB, 0)).toMatchObject({ standing: 'held', leases: [{ lease: { node: OTHER }, seated: false }] });
});
