import { expect, test } from 'vitest';
import { Standstill, STILL_MS } from '../service/standstill.ts';

const at = (block: number, head: number | null, indexing = false) => ({
  ...{ indexing, block },
  head: head === null ? null : { number: head, timestamp: 0 },
});

/** The looks in which it stands still, of those at these times. */
function stands(...looks: [ms: number, status: ReturnType<typeof at>][]): boolean[] {
  let now = 0;
  const standstill = new Standstill({ now: () => now });
  return looks.map(([ms, status]) => {
    now = ms;
    return standstill.look(status);
  });
}

test('an index that is behind and does not move stands still after two minutes, not before', () => {
  expect(stands([5, at(7, 9)], [STILL_MS + 4, at(7, 10)], [STILL_MS + 5, at(7, 11)])).toEqual([false, false, true]);
});

test.each([
  ['moves', at(8, 20)],
  ['has caught up', at(7, 7)],
  ['reads the past', at(7, 9, true)],
  ['cannot know of the chain', at(7, null)],
])('one that %s in between does not', (_, between) => {
  expect(stands([0, at(7, 9)], [STILL_MS - 1, between], [STILL_MS, at(between.block, 21)])).toEqual([
    false,
    false,
    false,
  ]);
});
