import { readRules } from '@dpu/sdk/rules';
import { expect, test } from 'vitest';

import { CHALLENGER, courtEvents as say, HOLDER, JURORS } from '../testing/courtSamples.ts';
import { NODE, sampleTerms } from '../testing/samples.ts';
import { dueOf, turnsOf } from './clerk.ts';
import type { KnownDispute } from './courtBook.ts';
import type { CourtEvent } from './courtEvents.ts';
import { foldDispute } from './disputeFold.ts';

const terms = sampleTerms({ exec: 60, window: 3_600 });
const { revealWindow } = readRules(terms.rules);
const times = { began: 1_000, spoke: 1_040, judged: undefined, heldUntil: 5_000 };
const disputeOf = (...events: CourtEvent[]): KnownDispute => ({
  ...foldDispute([say.challenged(), ...events])!,
  terms,
});
const served = JURORS.map((node, at) => say.served(node, 31 + at));
const spoke = JURORS.map((node, at) => say.spoke(node, 40 + at, 'invalid'));

test.each<[string, KnownDispute, number]>([
  ['nobody came', disputeOf(), 1_000 + 60 + revealWindow + 1],
  ['a full jury has spoken', disputeOf(...served, ...spoke), 1_040],
  ['a smaller one has spoken', disputeOf(...served.slice(1), ...spoke.slice(1)), 1_000 + 60 + revealWindow + 1],
  ['one is silent', disputeOf(...served, ...spoke.slice(1)), 1_000 + 60 + 2 * revealWindow + 1],
])('a round is counted when %s', (_what, dispute, from) => {
  expect(dueOf(dispute, times)).toEqual({ step: 'judge', from });
});

test.each<[string, CourtEvent[], number]>([
  ['of the first jury once nobody can appeal', [say.judged(50, 'invalid', 5)], 1_100 + revealWindow],
  [
    'of the second jury at once',
    [say.judged(50, 'invalid', 5), say.appealed(51), say.judged(60, 'invalid', 8, 2)],
    1_100,
  ],
])('a verdict is carried out: that %s', (_what, events, from) => {
  expect(dueOf(disputeOf(...events), { ...times, judged: 1_100 })).toEqual({ step: 'enforce', from });
});

test('a verdict that ends the lease undone waits for its window', () => {
  const dispute = { ...disputeOf(say.judged(50, 'invalid', 5)), verdict: 'undecided' as const };
  expect(dueOf(dispute, { ...times, judged: 1_100 })).toEqual({ step: 'enforce', from: 5_001 });
  expect(dueOf(dispute, { ...times, judged: 1_100, heldUntil: 1_200 })?.from).toBe(1_100 + revealWindow);
});

test('jurors count, the last to sit first; who gains by a verdict carries it out', () => {
  const dispute = disputeOf(...served, say.appealed(52));
  expect(turnsOf(dispute, 'judge')).toEqual([14, 13, 12, 11, NODE, CHALLENGER, HOLDER]);
  expect(turnsOf(dispute, 'enforce')).toEqual([CHALLENGER, HOLDER, ...JURORS]);
});
