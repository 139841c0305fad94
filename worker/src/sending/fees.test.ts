import { expect, test } from 'vitest';

import { bumpedFees, firstFees, type FeePolicy } from './fees.ts';

const GWEI = 10n ** 9n;
const policy: FeePolicy = { tip: GWEI, cap: 100n * GWEI, urgentCap: 1_000n * GWEI };

test('a first offer leaves room for the base fee to double', () => {
  expect(firstFees(policy, 10n * GWEI, false)).toEqual({ maxFee: 21n * GWEI, tip: GWEI });
});

test('a first offer stays under the cap of its kind', () => {
  expect(firstFees(policy, 400n * GWEI, false)).toEqual({ maxFee: 100n * GWEI, tip: GWEI });
  expect(firstFees(policy, 400n * GWEI, true)).toEqual({ maxFee: 801n * GWEI, tip: GWEI });
  expect(firstFees({ ...policy, cap: 5n }, GWEI, false)).toEqual({ maxFee: 5n, tip: 5n });
});

test('a replacement raises both fees by an eighth, rounded up', () => {
  expect(bumpedFees({ ...policy, tip: 1n }, 0n, false, { maxFee: 8n, tip: 1n })).toEqual({ maxFee: 9n, tip: 2n });
  expect(bumpedFees(policy, GWEI, false, { maxFee: 40n * GWEI, tip: 8n * GWEI })).toEqual({
    maxFee: 45n * GWEI,
    tip: 9n * GWEI,
  });
});

test('a replacement follows a base fee that has risen', () => {
  expect(bumpedFees(policy, 30n * GWEI, false, { maxFee: 10n * GWEI, tip: GWEI })).toEqual({
    maxFee: 61_125_000_000n,
    tip: 1_125_000_000n,
  });
});

test('there is no replacement above the cap, but one right at it', () => {
  expect(bumpedFees(policy, 0n, false, { maxFee: (100n * GWEI * 8n) / 9n, tip: GWEI })).toMatchObject({
    maxFee: expect.any(BigInt) as bigint,
  });
  expect(bumpedFees(policy, 0n, false, { maxFee: 89n * GWEI, tip: GWEI })).toBeUndefined();
  expect(bumpedFees(policy, 0n, true, { maxFee: 89n * GWEI, tip: GWEI })?.maxFee).toBe(100_125_000_000n);
});
