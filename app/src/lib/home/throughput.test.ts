import { expect, test } from 'vitest';

import { throughput } from './throughput.ts';

const at = (timestamp: number, type = 'leaseSettled') => ({ timestamp, type });

test('counts one type in slices that reach to the oldest event', () => {
  const slices = throughput([at(100), at(104), at(119), at(119, 'jobPosted')], 'leaseSettled', 119, 4);
  expect(slices).toEqual([
    { from: 100, seconds: 5, count: 2 },
    { from: 105, seconds: 5, count: 0 },
    { from: 110, seconds: 5, count: 0 },
    { from: 115, seconds: 5, count: 1 },
  ]);
});

test('takes longer slices when the network is quiet', () => {
  const slices = throughput([at(1_900), at(4_500)], 'leaseSettled', 4_599, 4);
  expect(slices.map(({ seconds, count }) => [seconds, count])).toEqual([
    [900, 1],
    [900, 0],
    [900, 0],
    [900, 1],
  ]);
});

test('without events there is nothing to count', () => {
  expect(throughput([], 'leaseSettled', 50, 2).map(({ count }) => count)).toEqual([0, 0]);
});
