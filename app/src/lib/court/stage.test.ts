import type { HistoryDispute } from '@dpu/sdk/historyDisputes';
import { TERMS } from '@dpu/sdk/testing';
import { zeroHash } from 'viem';
import { expect, test } from 'vitest';

import { chairsOf, isChallengeable, stageOf } from './stage.ts';

/** exec 300, revealWindow 600: served until 1_900, spoken until 2_500. */
const AT = 1_000;
const jurors = (count: number) => Array.from({ length: count }, (_, at) => ({ node: 20 + at, commitment: zeroHash }));
const jury = (served: number, spoken: number, judged?: { found: 'invalid' | 'undecided'; at: number }) => ({
  calledAt: AT,
  jurors: jurors(served),
  votes: new Map(jurors(spoken).map(({ node }) => [node, 'invalid' as const])),
  ...(judged && { judged: { ...judged, paid: 4 } }),
});
const stage = (
  juries: HistoryDispute['juries'],
  now: number,
  verdict: HistoryDispute['verdict'] = 'none',
  windowEnd = 0,
) => stageOf({ juries, verdict }, TERMS, now, windowEnd);

test.each([
  [jury(2, 0), 1_900, 'serving', 1_900],
  [jury(2, 0), 1_901, 'speaking', 2_500],
  [jury(5, 3), 1_100, 'speaking', 2_500],
  [jury(5, 3), 2_500, 'speaking', 2_500],
  [jury(5, 3), 2_501, 'countable', undefined],
  [jury(5, 5), 1_100, 'countable', undefined],
])('a jury that sits and speaks, case %#', (one, now, name, until) => {
  expect(stage([one], now)).toMatchObject({ name, ...(until && { until }) });
});

test.each([
  [2_599, 'appealable'],
  [2_600, 'enforceable'],
])('a verdict of second 2_000 at %d', (now, name) => {
  expect(stage([jury(5, 5, { found: 'invalid', at: 2_000 })], now, 'invalid').name).toBe(name);
});

test('the second verdict is final at once', () => {
  const juries = [jury(5, 5, { found: 'invalid', at: 2_000 }), jury(11, 11, { found: 'invalid', at: 3_000 })];
  expect(stage(juries, 3_000, 'invalid').name).toBe('enforceable');
});

test.each([
  [9_000, 'waiting'],
  [9_001, 'enforceable'],
])('a verdict that ends the lease undone waits for its window, at %d', (now, name) => {
  expect(stage([jury(5, 5, { found: 'undecided', at: 2_000 })], now, 'undecided', 9_000).name).toBe(name);
});

test('chairs that nobody took are free', () => {
  expect(chairsOf(jury(2, 1), 1).map(({ node, vote }) => [node, vote])).toEqual([
    [20, 'invalid'],
    [21, 'none'],
    [undefined, 'none'],
    [undefined, 'none'],
    [undefined, 'none'],
  ]);
  expect(chairsOf(jury(0, 0), 2)).toHaveLength(11);
});

test('without a window, or with a bond too small to pay a juror, nothing is challenged', () => {
  expect(isChallengeable(TERMS)).toBe(true);
  expect(isChallengeable({ ...TERMS, window: 0 })).toBe(false);
  expect(isChallengeable({ ...TERMS, bond: 7n })).toBe(false);
});
