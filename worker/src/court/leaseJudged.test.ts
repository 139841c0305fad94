import { claimedWord, SEAT } from '@dpu/sdk/lease';
import { expect, test } from 'vitest';

import { ChainBook } from '../chain/chainBook.ts';
import { Journal } from '../sending/journal.ts';
import { foldRange } from '../chain/leaseFold.ts';
import type { LeaseEvent, MarketEvent } from '../chain/marketEvents.ts';
import { nextStep, type StepFacts } from '../leases/steps.ts';
import { bytes32, JOB, NODE, RESULT, sampleHead, sampleLease, sampleTerms } from '../testing/samples.ts';

const { lease } = sampleLease({ lease: { bonus: 3n } });
const place = { job: JOB, logIndex: 0, first: 0, node: NODE };
const revealed: LeaseEvent[] = [
  { ...place, block: 12, name: 'LeaseClaimed', claimed: claimedWord(lease) },
  { ...place, block: 13, name: 'LeaseCommitted', commitment: bytes32(1), time: 1_050 },
  { ...place, block: 14, name: 'LeaseRevealed', result: RESULT, transaction: bytes32(2), time: 1_060 },
];
const challenged: LeaseEvent = { ...place, block: 15, name: 'LeaseChallenged' };
const judged = (verdict: 'valid' | 'withheld' | 'invalid' | 'specFault' | 'undecided', paid = 0n): LeaseEvent => ({
  ...{ ...place, block: 16, name: 'LeaseJudged', verdict, paid, fee: paid / 10n },
});
const fold = (...events: LeaseEvent[]) => foldRange([...revealed, ...events], { bond: 40n })!;

const facts: StepFacts = {
  ...{ head: sampleHead(100, 9_000), nextTime: 9_001, promised: undefined, running: false, failed: false },
  ...{ reveal: undefined, boundBlock: 13, agreeAt: undefined, lastWord: 'no', revealConfirmations: 1 },
};
const step = (...events: LeaseEvent[]) => nextStep({ ...fold(...events).leases[0]!, terms: sampleTerms() }, facts);

test('a disputed lease is not settled, and is after the verdict', () => {
  expect(step()).toBe('settle');
  expect(step(challenged)).toBe('wait');
  expect(step(challenged, judged('valid'))).toBe('settle');
  expect(step(challenged, judged('withheld'))).toBe('settle');
  expect(step(challenged, judged('invalid'))).toBe('wait');
});

test('a wrong lease is lost, and its range is free with the bonus that it had', () => {
  const { standing, leases } = fold(challenged, judged('invalid'));
  expect(standing).toBe('lapsed');
  expect(leases[0]).toMatchObject({ phase: 'lapsed', judged: 'invalid', slashed: 80n, waitingBonus: 3_000_000_000n });
});

test.each(['specFault', 'undecided'] as const)('a lease that is %s ends with part of its price', (verdict) => {
  const { standing, leases } = fold(challenged, judged(verdict, 50n));
  expect(standing).toBe('ended');
  expect(leases[0]).toMatchObject({ phase: 'settled', judged: verdict, paid: 50n, fee: 5n, endBlock: 16 });
});

test('a panel is closed by its end alone, and open again when the range is begun anew', () => {
  const ended: LeaseEvent = { ...place, block: 17, name: 'PanelEnded', agreed: false, result: RESULT };
  expect(fold(challenged, judged('invalid')).closed).toBe(false);
  expect(fold(challenged, judged('invalid'), ended).closed).toBe(true);
  expect(fold(challenged, judged('invalid'), ended, { ...revealed[0]!, block: 18 } as LeaseEvent).closed).toBe(false);
});

test('a node knows which of its seats wait for the end of a panel that a jury has been at', () => {
  const seat = sampleLease({ lease: { flags: SEAT } }).lease;
  const events = [{ ...revealed[0]!, claimed: claimedWord(seat) } as LeaseEvent, ...revealed.slice(1), challenged];
  const book = new ChainBook(new Journal({ file: ':memory:' }));
  const advance = (block: number, ...more: MarketEvent[]): void =>
    book.advance(more, { number: block, hash: bytes32(block) }, NODE);
  advance(15, { name: 'JobPosted', block: 10, logIndex: 0, job: JOB, terms: sampleTerms({ seats: 3 }) }, ...events);
  expect(book.ownJudged(NODE)).toEqual([]);
  advance(16, judged('invalid'));
  expect(book.ownJudged(NODE)).toMatchObject([{ lease: { node: NODE, first: 0 }, judged: 'invalid' }]);
  advance(17, { ...place, block: 17, name: 'PanelEnded', agreed: false, result: RESULT });
  expect(book.ownJudged(NODE)).toEqual([]);
});
