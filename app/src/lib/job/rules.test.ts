import type { HistoryLease, HistoryStep } from '@dpu/sdk/history';
import { SOLO } from '@dpu/sdk/lease';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { describe, expect, test } from 'vitest';

import { dueSteps } from './due.ts';
import { moneyFlow } from './money.ts';
import { timeline } from './steps.ts';

const NOW = 10_000;
const OPEN_FOR = 60;
const rules = packRules({ ...RULES, revealWindow: 100, auditWindow: 50 });

function lease(over: Partial<HistoryLease> = {}, first = 0): HistoryLease {
  return {
    lease: {
      first,
      count: 4,
      node: 1,
      price: 10n,
      bonus: 0n,
      deadline: NOW,
      flags: 0,
      commitment: '0x',
      committedBlock: 0,
    },
    state: 'claimed',
    at: NOW - 500,
    bond: 40n,
    takenOver: false,
    transactions: {},
    ...over,
  };
}

const job = (over: object = {}) =>
  ({
    state: 'open',
    terms: { shards: 8, expiry: NOW, rules },
    leases: [],
    panels: [],
    audits: [],
    cursor: 0,
    postedAt: NOW - 60,
    ...over,
  }) as never;

describe('dueSteps', () => {
  test('a claimed lease lapses one second after its deadline', () => {
    const held = lease();
    expect(dueSteps(job({ leases: [held], cursor: 4 }), OPEN_FOR, NOW).lapse).toEqual([]);
    expect(dueSteps(job({ leases: [held], cursor: 4 }), OPEN_FOR, NOW + 1).lapse).toEqual([held]);
  });

  test('a committed lease lapses when audit and reveal windows have passed', () => {
    const held = lease({ state: 'committed', committedAt: NOW - 150 });
    expect(dueSteps(job({ leases: [held] }), OPEN_FOR, NOW).lapse).toEqual([]);
    expect(dueSteps(job({ leases: [held] }), OPEN_FOR, NOW + 1).lapse).toEqual([held]);
  });

  test('a revealed lease can be accepted at once and settled after its window', () => {
    const held = lease({ state: 'revealed', windowEnd: NOW });
    const during = dueSteps(job({ leases: [held] }), OPEN_FOR, NOW);
    expect([during.accept, during.settle]).toEqual([[held], []]);
    expect(dueSteps(job({ leases: [held] }), OPEN_FOR, NOW + 1).settle).toEqual([held]);
  });

  test('a job can be cancelled from the first good second on, while something is left to claim', () => {
    expect(dueSteps(job(), OPEN_FOR, NOW - 1)).toMatchObject({ cancel: false, cancelFrom: NOW });
    const ready = dueSteps(job(), OPEN_FOR, NOW);
    expect(ready.cancel).toBe(true);
    expect(ready.cancelFrom).toBeUndefined();
    expect(dueSteps(job({ cursor: 8 }), OPEN_FOR, NOW).cancel).toBe(false);
    expect(dueSteps(job({ cursor: 8, leases: [lease({ state: 'lapsed' })] }), OPEN_FOR, NOW).cancel).toBe(true);
  });

  test('a job under one lease cannot be cancelled', () => {
    const solo = { ...lease(), lease: { ...lease().lease, count: 8, flags: SOLO } };
    expect(dueSteps(job({ cursor: 4, leases: [solo] }), OPEN_FOR, NOW).cancel).toBe(false);
  });

  test('a job closes when it expired and no lease lives; a cancelled one ends by itself', () => {
    expect(dueSteps(job(), OPEN_FOR, NOW).close).toBe(false);
    expect(dueSteps(job(), OPEN_FOR, NOW + 1).close).toBe(true);
    expect(dueSteps(job({ leases: [lease()] }), OPEN_FOR, NOW + 1).close).toBe(false);
    expect(dueSteps(job({ state: 'cancelled' }), OPEN_FOR, NOW + 1).close).toBe(false);
    expect(dueSteps(job({ state: 'complete' }), OPEN_FOR, NOW + 1).close).toBe(false);
  });
});

test('moneyFlow adds up to the escrow', () => {
  const payment = { paid: 97n, fee: 3n, bonus: 0n, record: 1, accepted: false };
  const loss = { slashed: 8n, bonus: 2n, record: 1, withheld: false };
  const flow = moneyFlow({
    escrow: 1_000n,
    refunded: 50n,
    leases: [lease({ state: 'settled', payment }), lease({ state: 'claimed' }, 4)],
    replaced: [lease({ state: 'lapsed', loss })],
    audits: [],
  });
  expect(flow).toEqual({ escrowed: 1_000n, paid: 97n, fee: 3n, refunded: 50n, left: 850n, slashed: 8n, bonded: 40n });
  expect(flow.paid + flow.fee + flow.refunded + flow.left).toBe(flow.escrowed);
});

test('timeline joins the steps of one transaction and puts the newest first', () => {
  const step = (event: HistoryStep['event'], transaction: `0x${string}`, first?: number): HistoryStep => ({
    event,
    transaction,
    block: 5,
    timestamp: NOW,
    gasUsed: 21n,
    ...(first !== undefined && { first, node: 7 }),
  });
  const entries = timeline([
    step('JobPosted', '0xa'),
    step('LeaseSettled', '0xb', 0),
    step('LeaseSettled', '0xb', 4),
    step('JobCompleted', '0xb'),
  ]);
  expect(entries.map(({ transaction }) => transaction)).toEqual(['0xb', '0xa']);
  expect(entries[0]?.events.map(({ label, count, nodes, firsts }) => ({ label, count, nodes, firsts }))).toEqual([
    { label: 'Settled', count: 2, nodes: [7], firsts: [0, 4] },
    { label: 'Completed', count: 1, nodes: [], firsts: [] },
  ]);
});
