import { describe, expect, test } from 'vitest';

import { mayShow, missesAfter, type ShowFacts } from './policy.ts';

const facts = (over: Partial<ShowFacts> = {}): ShowFacts => ({
  ...{ receipts: 0, wanted: 2, asking: true, since: 1_000, closes: 1_200, now: 1_000, waitSeconds: 20 },
  ...over,
});

describe('when a result is shown', () => {
  test.each([
    ['as soon as it has its receipts', { receipts: 2 }, 'copied'],
    ['not with one of two while others are asked', { receipts: 1 }, 'wait'],
    ['when nobody is left to ask', { asking: false }, 'nobodyLeft'],
    ['not in the last second of its patience', { now: 1_019 }, 'wait'],
    ['when its patience is over', { now: 1_020 }, 'waitedLongEnough'],
    ['not before a quarter of a short time', { closes: 1_040, now: 1_009 }, 'wait'],
    ['after a quarter of a short time', { closes: 1_040, now: 1_010 }, 'waitedLongEnough'],
    ['at once when it is due in its last second', { since: 1_200, now: 1_200 }, 'waitedLongEnough'],
    ['at once where no other copies are wanted', { wanted: 0 }, 'copied'],
  ] as const)('%s', (_name, over, verdict) => {
    expect(mayShow(facts(over))).toBe(verdict);
  });

  test('in every second of every window long before it closes', () => {
    for (let closes = 1_000; closes < 1_300; closes += 1) {
      const shown = Math.max(0, Math.floor((closes - 1_000) / 2)) + 1_000;
      expect(mayShow(facts({ closes, now: shown })), `closes at ${closes}`).not.toBe('wait');
    }
  });
});

test('silence is forgiven after one good answer; what is gone is not waited for', () => {
  expect([missesAfter('silent', 0), missesAfter('silent', 2), missesAfter('good', 2)]).toEqual([1, 3, 0]);
  expect(missesAfter('bad', 0)).toBe(Number.POSITIVE_INFINITY);
});
