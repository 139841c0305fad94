import type { HistoryLease } from '@dpu/sdk/history';
import { SEAT } from '@dpu/sdk/lease';
import { keccak256, toHex, zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';

import { dueSteps } from './due.ts';
import { moneyFlow } from './money.ts';
import { aloneIn, panelsOf, rangesOf, resultLeases } from './panels.ts';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';

const NOW = 1_000;
const resultOf = (name: string) => ({
  root: keccak256(toHex(name)),
  units: 1n,
  manifest: keccak256(toHex(`m${name}`)),
});
const RIGHT = resultOf('right');
const LOSS = { slashed: 9n, bonus: 0n, record: 1, withheld: false };

function seat(node: number, over: Partial<HistoryLease> = {}, first = 0): HistoryLease {
  const money = { price: 10n, bonus: 0n, deadline: NOW };
  const lease = { first, count: 2, node, ...money, flags: SEAT, commitment: zeroHash, committedBlock: 0 };
  const times = { at: NOW - 50, claimedAt: NOW - 50 };
  return { lease, state: 'claimed', bond: 1n, takenOver: false, transactions: {}, ...times, ...over };
}
const job = (leases: HistoryLease[], panels: object[] = [], over: object = {}) =>
  ({
    terms: { seats: 3, shards: 4, expiry: NOW + 500, rules: packRules(RULES) },
    ...{ leases, panels, audits: [], disputes: [], ...over },
  }) as never;
const ended = (outcome: string, endedAt = NOW) => ({
  ...{ first: 0, outcome, endedAt, transaction: '0x' },
  ...(outcome === 'agreed' && { result: RIGHT }),
});
const alone = (node: number, over: Partial<HistoryLease> = {}, first = 0): HistoryLease => {
  const held = seat(node, over, first);
  return { ...held, lease: { ...held.lease, flags: 0 } };
};
const paid = (node: number, result = RIGHT) => seat(node, { state: 'settled', result });

describe('panelsOf', () => {
  test('a job with one seat has none', () => {
    expect(panelsOf(job([alone(1)], [], { terms: { seats: 1 } }))).toEqual([]);
  });

  test('while nodes sit it stands where the slowest does, until results are shown', () => {
    const states = (...given: HistoryLease['state'][]) =>
      panelsOf(job(given.map((state, node) => seat(node + 1, { state }))))[0]!.state;
    expect(states('claimed', 'committed')).toBe('claimed');
    expect(states('committed', 'committed')).toBe('committed');
    expect(states('committed', 'revealed')).toBe('revealed');
    expect(states('lapsed', 'committed')).toBe('committed');
  });

  test('agreed: who shows the same agrees, who differs was slashed', () => {
    const lost = seat(3, { state: 'lapsed', result: resultOf('wrong'), loss: { ...LOSS, outvoted: true } });
    const [panel] = panelsOf(job([paid(1), paid(2), lost], [ended('agreed')]));
    expect(panel).toMatchObject({ outcome: 'agreed', state: 'settled', taken: 3, asked: 3, result: RIGHT });
    expect(panel!.seats.map(({ phase, verdict }) => [phase, verdict])).toEqual([
      ['settled', 'agrees'],
      ['settled', 'agrees'],
      ['faulted', 'differs'],
    ]);
    expect(panel!.winner!.lease.node).toBe(1);
  });

  test('unresolved: paid half is not settled', () => {
    const [panel] = panelsOf(job([paid(1), paid(2, resultOf('other'))], [ended('unresolved')]));
    expect(panel).toMatchObject({ outcome: 'unresolved', state: 'unresolved', winner: undefined });
    expect(panel!.seats.map(({ phase }) => phase)).toEqual(['unresolved', 'unresolved']);
  });

  test('a range that all have left is lapsed, whatever ended an earlier opening', () => {
    const gone = seat(1, { state: 'lapsed', loss: LOSS });
    expect(panelsOf(job([gone]))[0]).toMatchObject({ outcome: 'lapsed', state: 'lapsed', taken: 0 });
    expect(panelsOf(job([gone], [ended('silent', NOW - 60)]))[0]).toMatchObject({ outcome: 'lapsed' });
    const silent = seat(1, { state: 'lapsed', loss: { ...LOSS, withheld: true } });
    const [panel] = panelsOf(job([silent], [ended('silent')]));
    expect(panel).toMatchObject({ outcome: 'silent', seats: [{ phase: 'faulted' }] });
  });
});

test('a mosaic draws each range once, and one result stands for it', () => {
  const history = job([paid(1), paid(2), seat(1, {}, 2), seat(2, {}, 2)], [ended('agreed')]);
  expect(rangesOf(history)).toEqual([
    { first: 0, count: 2, phase: 'settled' },
    { first: 2, count: 2, phase: 'claimed' },
  ]);
  expect(resultLeases(history).map(({ lease }) => [lease.first, lease.node])).toEqual([[0, 1]]);
});

describe('steps that time allows', () => {
  const due = (leases: HistoryLease[], panels: object[] = []) =>
    dueSteps(job(leases, panels, { state: 'open', cursor: 4, postedAt: 0 }), 0, NOW + 100_000);

  test('a seat may lapse while it should commit, and is never settled, accepted or lapsed afterwards', () => {
    const late = seat(1);
    const committed = seat(2, { state: 'committed', committedAt: NOW });
    const revealed = seat(3, { state: 'revealed', windowEnd: NOW, result: RIGHT });
    expect(due([late, committed, revealed])).toMatchObject({ lapse: [late], settle: [], accept: [] });
  });

  test('a lapsed seat beside others leaves nothing to claim; a range that all have left does', () => {
    const gone = seat(1, { state: 'lapsed', loss: LOSS });
    expect(due([gone, seat(2)]).cancel).toBe(false);
    expect(due([gone]).cancel).toBe(true);
  });
});

describe('an audit', () => {
  const terms = { seats: 1, shards: 4, expiry: NOW + 500, rules: packRules(RULES) };
  const audits = [{ first: 0, auditor: 2, pooled: true, openedAt: NOW - 40, transaction: '0x' }];
  const audited = (leases: HistoryLease[], panels: object[] = []) =>
    job(leases, panels, {
      terms,
      audits,
      state: 'open',
      cursor: 4,
      postedAt: 0,
      replaced: [],
      escrow: 80n,
      refunded: 0n,
    });
  const holder = alone(1, { state: 'committed', committedAt: NOW });

  test('makes a panel of two of its range; the others stay leases', () => {
    const history = audited([holder, seat(2), alone(3, {}, 2)]);
    const [panel, ...others] = panelsOf(history);
    expect(others).toEqual([]);
    expect(panel).toMatchObject({ first: 0, asked: 2, taken: 2, state: 'claimed', audit: audits[0] });
    expect(aloneIn(history, [panel!]).map(({ lease }) => lease.node)).toEqual([3]);
    expect(rangesOf(history)).toEqual([
      { first: 0, count: 2, phase: 'claimed' },
      { first: 2, count: 2, phase: 'claimed' },
    ]);
  });

  test('is settled when both agree, with one result; what the protocol pays is not the job’s money', () => {
    const payment = { paid: 19n, fee: 1n, bonus: 0n, accepted: false };
    const both = [alone(1, { state: 'settled', result: RIGHT, payment }), { ...paid(2), payment }];
    const history = audited(both, [ended('agreed')]);
    expect(resultLeases(history).map(({ lease }) => lease.node)).toEqual([1]);
    expect(moneyFlow(history)).toMatchObject({ paid: 19n, fee: 1n, left: 60n });
  });

  test('keeps its holder from being lapsed, settled or accepted alone', () => {
    const shown = alone(1, { state: 'revealed', windowEnd: NOW, result: RIGHT });
    const later = NOW + 100_000;
    expect(dueSteps(audited([holder, seat(2)]), 0, later)).toMatchObject({
      lapse: [{ lease: { node: 2 } }],
      settle: [],
    });
    expect(dueSteps(audited([shown, seat(2)]), 0, later)).toMatchObject({ settle: [], accept: [] });
    expect(dueSteps(audited([holder]), 0, later).lapse).toEqual([holder]);
  });
});
