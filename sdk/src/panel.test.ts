import { encodePacked, keccak256, toHex, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { buildHistory } from './history.ts';
import { claimedWord, flagsOf, SEAT, SOLO, type Lease } from './lease.ts';
import type { JobLog } from './logs.ts';
import { packTerms } from './packedTerms.ts';
import {
  AUDIT_SEATS,
  BONUS,
  joinUntil,
  panelCloses,
  panelOpens,
  panelWord,
  POOL,
  readPanel,
  type Panel,
} from './panel.ts';
import { proposeTerms } from './posting.ts';
import { believedLeases } from './results.ts';
import { LEASE, RESULT, RULES, TERMS } from './testing.ts';
import { worstCase } from './terms.ts';

const PANEL: Panel = {
  flags: SOLO,
  openedAt: 1_700_000_000,
  postBlock: 77,
  postedAt: 1_699_999_000,
  rampFrom: 1_699_999_001,
  movedAt: 1_700_000_050,
  count: 8,
  sitting: 3,
  committed: 2,
  asked: 3,
  convicted: 1,
  marks: BONUS | POOL,
};
const SEATED = { ...TERMS, seats: 3 };

test('a panel word is packed as the contract packs it', () => {
  const { openedAt, postBlock, postedAt, rampFrom, movedAt, count } = PANEL;
  const packed = encodePacked(
    ['uint8', 'uint40', 'uint40', 'uint40', 'uint40', 'uint40', 'uint16', 'uint8', 'uint8', 'uint16'],
    [0x85, openedAt, postBlock, postedAt, rampFrom, movedAt, count, 0x32, 0x31, 5],
  );
  expect(panelWord(PANEL)).toBe(BigInt(packed));
  expect(readPanel(BigInt(packed))).toEqual(PANEL);
  expect(readPanel(claimedWord(LEASE))).toBeUndefined();
  expect(readPanel(0n)).toBeUndefined();
});

test('nodes join for twice the time that a seat has', () => {
  expect(joinUntil(SEATED, PANEL)).toBe(PANEL.openedAt + 600);
});

test('seats are shown once all have committed, or once joining is over and whoever sits has committed', () => {
  const over = PANEL.openedAt + 601;
  expect(panelOpens(SEATED, { ...PANEL, committed: 3 }, PANEL.movedAt)).toBe(PANEL.movedAt);
  expect(panelOpens(SEATED, PANEL, over)).toBeUndefined();
  expect(panelOpens(SEATED, { ...PANEL, sitting: 2 }, over - 1)).toBeUndefined();
  expect(panelOpens(SEATED, { ...PANEL, sitting: 2 }, over)).toBe(over);
  expect(panelOpens(SEATED, { ...PANEL, sitting: 2, movedAt: over + 9 }, over + 9)).toBe(over + 9);
  expect(panelCloses(SEATED, over)).toBe(over + RULES.revealWindow);
});

test('the seats of an audit are shown once both have committed, and the holder alone once its auditor has failed', () => {
  const audit = { ...PANEL, asked: AUDIT_SEATS, sitting: 2, committed: 1 };
  const late = PANEL.openedAt + 10_000;
  expect(panelOpens(TERMS, audit, late)).toBeUndefined();
  expect(panelOpens(TERMS, { ...audit, sitting: 1 }, late)).toBeUndefined();
  expect(panelOpens(TERMS, { ...audit, committed: 2 }, late)).toBe(PANEL.movedAt);
  expect(panelOpens(TERMS, { ...audit, asked: 1, sitting: 1 }, late)).toBe(PANEL.movedAt);
});

test('a job with several seats escrows each, audits none and binds each node by its part of half the multiple', () => {
  const facts = { rules: TERMS.rules, token: TERMS.currency, now: 1_000 };
  const { requester, currency, spec, shards, minPrice, maxPrice } = TERMS;
  const choices = { requester, currency, spec, shards, minPrice, maxPrice, direct: true, auditBps: 500 };
  const one = proposeTerms(choices, facts);
  const three = proposeTerms({ ...choices, seats: 3 }, facts);
  expect([one.seats, one.direct, one.auditBps, one.bond]).toEqual([1, true, 0, 4n * maxPrice]);
  const audited = proposeTerms({ ...choices, direct: false }, facts);
  expect([audited.auditBps, worstCase(audited)]).toEqual([500, 2n * worstCase(one)]);
  expect([three.seats, three.direct, three.auditBps, three.bond]).toEqual([3, false, 0, (2n * maxPrice) / 3n]);
  expect(proposeTerms({ ...choices, maxPrice: minPrice + 1n, seats: 5 }, facts).bond).toBe((2n * minPrice) / 5n + 1n);
  expect(worstCase(three)).toBe(3n * worstCase(one));
});

/* HISTORY */

const ID = keccak256(toHex('job'));
const hash = (n: number): Hex => keccak256(toHex(n));

function log<Name extends JobLog['eventName']>(
  block: number,
  eventName: Name,
  args: Omit<Extract<JobLog, { eventName: Name }>['args'], 'id'>,
): JobLog {
  const place = { blockNumber: BigInt(block), transactionHash: hash(block), logIndex: 0, timestamp: 1_000 + block };
  return { eventName, args: { id: ID, ...args }, ...place, gasUsed: 1n } as unknown as JobLog;
}

const posted = log(1, 'JobPosted', { requester: TERMS.requester, terms: packTerms(SEATED) });
const seat = (block: number, node: number): JobLog => {
  const lease: Lease = { ...LEASE, first: 0, count: 8, node, deadline: 1_300 + block, flags: flagsOf(SEATED, 8) };
  return log(block, 'LeaseClaimed', { first: 0, node, claimed: claimedWord(lease) });
};
const other = { ...RESULT, root: hash(99) };
const commit = (block: number, node: number): JobLog =>
  log(block, 'LeaseCommitted', { first: 0, node, commitment: hash(block) });
const reveal = (block: number, node: number, result = RESULT): JobLog =>
  log(block, 'LeaseRevealed', { first: 0, node, result });
const lapse = (block: number, node: number): JobLog =>
  log(block, 'LeaseLapsed', { first: 0, node, slashed: 7n, bonus: 3n, record: 4_375, withheld: false });
const settle = (block: number, node: number): JobLog =>
  log(block, 'LeaseSettled', { first: 0, node, paid: 5n, fee: 1n, record: 5_078 });
const ended = (block: number, outcome: number, result = RESULT): JobLog =>
  log(block, 'PanelEnded', { first: 0, outcome, result });

test('seats of one range are told apart, and the quorum gives the range its result', () => {
  const fault = log(10, 'SeatFaulted', { first: 0, node: 5, slashed: 64n, record: 2_500, withheld: false });
  const history = buildHistory([
    posted,
    ...[seat(2, 4), seat(3, 6), seat(3, 5)],
    ...[commit(4, 5), commit(5, 4), commit(6, 6)],
    ...[reveal(7, 4), reveal(8, 5, other), reveal(9, 6)],
    ended(10, 0),
    ...[settle(10, 4), fault, settle(10, 6)],
  ])!;
  expect(history.escrow).toBe(3n * worstCase(TERMS));
  expect(history.leases.map(({ lease, state, takenOver }) => [lease.node, state, takenOver])).toEqual([
    [4, 'settled', false],
    [5, 'lapsed', false],
    [6, 'settled', false],
  ]);
  expect(history.leases[1]).toMatchObject({
    lease: { flags: SOLO | SEAT, commitment: hash(4), committedBlock: 4 },
    result: other,
    loss: { slashed: 64n, bonus: 0n, record: 2_500, withheld: false, outvoted: true },
  });
  expect(history.panels).toEqual([
    { first: 0, outcome: 'agreed', result: RESULT, endedAt: 1_010, transaction: hash(10) },
  ]);
  expect(history.replaced).toEqual([]);
  expect(believedLeases(history).map(({ lease }) => lease.node)).toEqual([4]);
});

test('nothing is believed of a range on which nobody agreed', () => {
  const third = { ...RESULT, root: hash(98) };
  const history = buildHistory([
    posted,
    ...[seat(2, 4), seat(2, 5), seat(2, 6), commit(3, 4), commit(3, 5), commit(3, 6)],
    ...[reveal(4, 4), reveal(4, 5, other), reveal(4, 6, third)],
    ended(5, 1),
    ...[settle(5, 4), settle(5, 5), settle(5, 6)],
  ])!;
  expect(history.panels).toEqual([{ first: 0, outcome: 'unresolved', endedAt: 1_005, transaction: hash(5) }]);
  expect(believedLeases(history)).toEqual([]);
});

test('a lapsed seat leaves the others alone, and a range whose seats are all lost is taken over', () => {
  const before = [posted, seat(2, 4), seat(2, 5), lapse(3, 5), seat(4, 6)];
  const first = buildHistory(before)!;
  expect(first.leases.map(({ lease, state }) => [lease.node, state])).toEqual([
    [4, 'claimed'],
    [5, 'lapsed'],
    [6, 'claimed'],
  ]);
  const { leases, replaced } = buildHistory([...before, lapse(5, 4), lapse(6, 6), seat(7, 5)])!;
  expect(leases.map(({ lease, takenOver }) => [lease.node, takenOver])).toEqual([[5, true]]);
  expect(replaced.map(({ lease }) => lease.node)).toEqual([4, 5, 6]);
});

test('the result that the end of a panel tells is the one of the seat that did not show it before', () => {
  const told = { ...RESULT, manifest: hash(97) };
  const { leases, panels } = buildHistory([
    posted,
    ...[seat(2, 4), seat(2, 5), seat(2, 6), commit(3, 4), commit(3, 5), commit(3, 6)],
    ended(4, 0, told),
    ...[reveal(4, 4), settle(4, 4), settle(4, 5), reveal(4, 6, other)],
    log(4, 'SeatFaulted', { first: 0, node: 6, slashed: 64n, record: 2_500, withheld: false }),
  ])!;
  expect(leases.map(({ result }) => result)).toEqual([RESULT, told, other]);
  expect(leases[1]).toMatchObject({ revealedAt: 1_004, windowEnd: 1_004, transactions: { reveal: hash(4) } });
  expect(believedLeases({ leases, panels }).map(({ lease }) => lease.node)).toEqual([5]);
});

/* AUDITS */

const postedAlone = log(1, 'JobPosted', { requester: TERMS.requester, terms: packTerms({ ...TERMS, auditBps: 500 }) });
const claim = (block: number, node: number, flags = SOLO): JobLog => {
  const lease: Lease = { ...LEASE, first: 0, count: 8, node, deadline: 1_300 + block, flags };
  return log(block, 'LeaseClaimed', { first: 0, node, claimed: claimedWord(lease) });
};
const audit = [
  ...[postedAlone, claim(2, 4), commit(3, 4)],
  log(5, 'AuditOpened', { first: 0, auditor: 6, pooled: true }),
  ...[claim(5, 6, SOLO | SEAT), commit(6, 6)],
];

test('an audited lease stands beside its auditor, and both are believed when they agree', () => {
  const history = buildHistory([...audit, ended(7, 0), settle(7, 4), reveal(7, 6, { ...RESULT, manifest: hash(9) })])!;
  expect(history.audits).toEqual([{ first: 0, auditor: 6, pooled: true, openedAt: 1_005, transaction: hash(5) }]);
  expect(history.leases.map(({ lease, state, takenOver }) => [lease.node, state, takenOver])).toEqual([
    [4, 'settled', false],
    [6, 'revealed', false],
  ]);
  expect(history.leases[0]?.result).toEqual(RESULT);
  expect(believedLeases(history).map(({ lease }) => lease.node)).toEqual([4]);
  expect(believedLeases(buildHistory(audit)!)).toEqual([]);
});

test('a range whose audit nobody answered is taken over by one node again', () => {
  const withheld = (node: number): JobLog =>
    log(8, 'SeatFaulted', { first: 0, node, slashed: 64n, record: 2_500, withheld: true });
  const nothing = { root: zeroHash, units: 0n, manifest: zeroHash };
  const history = buildHistory([...audit, withheld(4), withheld(6), ended(8, 2, nothing), claim(9, 5)])!;
  expect(history.leases.map(({ lease, takenOver }) => [lease.node, takenOver])).toEqual([[5, true]]);
  expect(history.replaced.map(({ lease }) => lease.node)).toEqual([4, 6]);
  expect(believedLeases(history).map(({ lease }) => lease.node)).toEqual([5]);
});
