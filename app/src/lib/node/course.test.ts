import { expect, test } from 'vitest';

import { courseOf, keptOf, paidIn } from './course.ts';

const DAY = 86_400;
const NOW = 20 * DAY + 500;
const lease = (over: object) => ({
  claimedAt: 0,
  settledAt: null,
  lapsedAt: null,
  job: 'a' as never,
  paid: 0n,
  ...over,
});
const currencyOf = (job: string): string | undefined => ({ a: 'DPU', b: 'USD' })[job];

test('each day has what ended in it, from its first second to its last', () => {
  const work = [
    lease({ settledAt: 20 * DAY, paid: 5n }),
    lease({ settledAt: 20 * DAY - 1, paid: 7n }),
    lease({ settledAt: NOW, paid: 2n, job: 'b' as never }),
    lease({ settledAt: NOW, paid: 9n, job: 'unknown' as never }),
    lease({ lapsedAt: 19 * DAY }),
    lease({ settledAt: 19 * DAY - 1, paid: 100n }),
    lease({}),
  ];
  expect(courseOf(work, currencyOf, { now: NOW, days: 2 })).toEqual([
    { start: 19 * DAY, settled: 1, lapsed: 1, paid: { DPU: 7n } },
    { start: 20 * DAY, settled: 3, lapsed: 0, paid: { DPU: 5n, USD: 2n } },
  ]);
});

test('what was kept is counted among what has ended', () => {
  expect(keptOf([lease({})])).toBeUndefined();
  expect(keptOf([lease({ settledAt: 1 }), lease({ lapsedAt: 2 }), lease({ lapsedAt: 1, settledAt: 2 })])).toEqual({
    ...{ kept: 2, of: 3 },
  });
});

test('sums name the currency first in which it was paid on most days', () => {
  const course = courseOf(
    [
      lease({ settledAt: NOW, paid: 2n, job: 'b' as never }),
      lease({ settledAt: NOW - DAY, paid: 3n }),
      lease({ settledAt: NOW, paid: 4n }),
    ],
    currencyOf,
    { now: NOW, days: 3 },
  );
  expect(paidIn(course)).toEqual([
    ['DPU', 7n],
    ['USD', 2n],
  ]);
});
