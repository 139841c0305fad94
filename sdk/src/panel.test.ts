import { encodePacked, keccak256, toHex, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { buildHistory } from './history.ts';
import { claimedWord, flagsOf, SEAT, SOLO, type Lease } from './lease.ts';
import type { JobLog } from './logs.ts';
import { packTerms } from './packedTerms.ts';
import { joinUntil, panelCloses, panelOpens, panelWord, readPanel, type Panel } from './panel.ts';
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
  lapses: 1,
};
const SEATED = { ...TERMS, seats: 3 };

test('a panel word is packed as the contract packs it', () => {
  const { openedAt, postBlock, postedAt, rampFrom, movedAt, count, sitting, committed, lapses } = PANEL;
  const packed = encodePacked(
    ['uint8', 'uint40', 'uint40', 'uint40', 'uint40', 'uint40', 'uint16', 'uint8', 'uint8', 'uint8', 'uint8'],
    [0x85, openedAt, postBlock, postedAt, rampFrom, movedAt, count, sitting, committed, lapses, 0],
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

test('a job with several seats escrows each, audits none and binds each node by its part of half the multiple', () => {
  const facts = { rules: TERMS.rules, token: TERMS.currency, now: 1_000 };
  const { requester, currency, spec, shards, minPrice, maxPrice } = TERMS;
  const choices = { requester, currency, spec, shards, minPrice, maxPrice, direct: true, auditBps: 500 };
  const one = proposeTerms(choices, facts);
  const three = proposeTerms({ ...choices, seats: 3 }, facts);
  expect([one.seats, one.direct, one.auditBps, one.bond]).toEqual([1, true, 500, 4n * maxPrice]);
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
