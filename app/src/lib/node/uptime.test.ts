import { expect, test } from 'vitest';

import { barsOf, shareOf } from './uptime.ts';

const DAY = 86_400;
const NOW = 100 * DAY + 5;

test('thirty bars end with today, and what nobody listened to stays open', () => {
  const bars = barsOf(
    [
      { at: 70 * DAY, listened: 288, heard: 288 },
      { at: 71 * DAY, listened: 288, heard: 288 },
      { at: 99 * DAY, listened: 0, heard: 0 },
      { at: 100 * DAY, listened: 4, heard: 1 },
    ],
    NOW,
  );
  expect(bars).toHaveLength(30);
  expect(bars[0]).toEqual({ at: 71 * DAY, share: 1 });
  expect(bars[1]).toEqual({ at: 72 * DAY, share: undefined });
  expect(bars.slice(-2)).toEqual([
    { at: 99 * DAY, share: undefined },
    { at: 100 * DAY, share: 0.25 },
  ]);
});

test('the share is of all that was listened to, not of days', () => {
  expect(
    shareOf([
      { at: 0, listened: 288, heard: 288 },
      { at: DAY, listened: 12, heard: 0 },
    ]),
  ).toBe(0.96);
  expect(shareOf([{ at: 0, listened: 0, heard: 0 }])).toBeUndefined();
  expect(shareOf([])).toBeUndefined();
});
