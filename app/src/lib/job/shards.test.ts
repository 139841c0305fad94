import { describe, expect, test } from 'vitest';

import { columnsFor, countedRuns, countStates, mosaicCells, shardRuns } from './shards.ts';

describe('shardRuns', () => {
  test('fills what no lease covers with open', () => {
    expect(
      shardRuns(10, [
        { first: 6, count: 2, phase: 'committed' },
        { first: 0, count: 4, phase: 'settled' },
      ]),
    ).toEqual([
      { first: 0, count: 4, state: 'settled' },
      { first: 4, count: 2, state: 'open' },
      { first: 6, count: 2, state: 'committed' },
      { first: 8, count: 2, state: 'open' },
    ]);
  });

  test('joins neighbours that stand alike', () => {
    const leases = [0, 2, 4].map((first) => ({ first, count: 2, phase: 'settled' as const }));
    expect(shardRuns(6, leases)).toEqual([{ first: 0, count: 6, state: 'settled' }]);
  });

  test('cuts off what lies outside the job', () => {
    expect(shardRuns(4, [{ first: 2, count: 100, phase: 'claimed' }])).toEqual([
      { first: 0, count: 2, state: 'open' },
      { first: 2, count: 2, state: 'claimed' },
    ]);
    expect(shardRuns(4, [{ first: 9, count: 1, phase: 'claimed' }])).toEqual([{ first: 0, count: 4, state: 'open' }]);
  });

  test('a job without leases is open', () => {
    expect(shardRuns(3, [])).toEqual([{ first: 0, count: 3, state: 'open' }]);
  });
});

test('countedRuns never shows more than the job has', () => {
  expect(countedRuns(8, 5, 3)).toEqual([
    { first: 0, count: 3, state: 'settled' },
    { first: 3, count: 2, state: 'claimed' },
    { first: 5, count: 3, state: 'open' },
  ]);
  expect(countedRuns(4, 9, 9)).toEqual([{ first: 0, count: 4, state: 'settled' }]);
});

describe('mosaicCells', () => {
  test('draws each shard while there is room', () => {
    const cells = mosaicCells(shardRuns(3, [{ first: 1, count: 1, phase: 'lapsed' }]), 3, 64);
    expect(cells.map(({ state }) => state)).toEqual(['open', 'lapsed', 'open']);
  });

  test('a crowded cell shows what most of its shards are', () => {
    const runs = shardRuns(100, [{ first: 0, count: 37, phase: 'settled' }]);
    const cells = mosaicCells(runs, 100, 10);
    expect(cells).toHaveLength(10);
    expect(cells.map(({ state }) => state)).toEqual([
      ...Array<string>(4).fill('settled'),
      ...Array<string>(6).fill('open'),
    ]);
  });

  test('a tie goes to the later state, and every shard is in one cell', () => {
    const cells = mosaicCells(shardRuns(5, [{ first: 0, count: 1, phase: 'claimed' }]), 5, 3);
    expect(cells).toEqual([
      { first: 0, count: 2, state: 'claimed' },
      { first: 2, count: 2, state: 'open' },
      { first: 4, count: 1, state: 'open' },
    ]);
  });
});

test('countStates counts shards, not runs', () => {
  const counts = countStates(shardRuns(10, [{ first: 3, count: 4, phase: 'revealed' }]));
  expect(counts).toEqual({
    ...{ open: 6, claimed: 0, committed: 0, revealed: 4, settled: 0 },
    ...{ lapsed: 0, faulted: 0, unresolved: 0, excused: 0 },
  });
});

test('columnsFor keeps to the shape of the box', () => {
  expect(columnsFor(64, 1)).toBe(8);
  expect(columnsFor(32, 2)).toBe(8);
  expect(columnsFor(1, 3)).toBe(1);
  expect(columnsFor(3, 100)).toBe(3);
});
