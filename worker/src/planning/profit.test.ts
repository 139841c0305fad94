import { expect, test } from 'vitest';

import type { IntentKind } from '../sending/outbox.ts';
import { CURRENCY } from '../testing/samples.ts';
import { askOf, gasOf, requiredPrice, stepsOf } from './profit.ts';

const none = { asks: {}, unitAsks: {}, coinPrices: {} };

test('the ask of a shard is the larger of the two, rounded up', () => {
  const prices = { ...none, asks: { [CURRENCY]: 10n }, unitAsks: { [CURRENCY]: 3_000n } };
  expect(askOf(CURRENCY, 3_334, prices)).toBe(11n);
  expect(askOf(CURRENCY, 3_333, prices)).toBe(10n);
  expect(askOf(CURRENCY, 1, { ...prices, asks: {} })).toBe(1n);
  expect(askOf(CURRENCY, 1, none)).toBe(0n);
});

test.each([
  ['fresh', { seats: 1, direct: false }, ['claim', 'commit', 'reveal', 'settle']],
  ['fresh', { seats: 1, direct: true }, ['claim', 'submit', 'settle']],
  ['lapsed', { seats: 1, direct: false }, ['takeOver', 'commit', 'reveal', 'settle']],
  ['seat', { seats: 3, direct: false }, ['sit', 'commit', 'reveal', 'agree']],
  ['audit', { seats: 1, direct: false }, ['audit', 'reveal', 'agree']],
  ['overdue', { seats: 1, direct: false }, []],
] as const)('a lease that is %s with %o takes %j', (kind, terms, steps) => {
  expect(stepsOf(kind, terms)).toEqual(steps);
});

test('gas counts in currencies that have a rate, rounded up', () => {
  const gas = { weiPerGas: 2n * 10n ** 9n, of: (kind: IntentKind) => (kind === 'claim' ? 100_000n : 50_000n) };
  const terms = { seats: 1, direct: false, currency: CURRENCY } as const;
  // 250,000 gas at 2 gwei are 0.0005 coins; a coin is 3,000 units of six decimals.
  expect(gasOf('fresh', terms, gas, { coinPrices: { [CURRENCY]: 3_000_000_000n } })).toBe(1_500_000n);
  expect(gasOf('fresh', terms, gas, { coinPrices: { [CURRENCY]: 1n } })).toBe(1n);
  expect(gasOf('fresh', terms, gas, { coinPrices: {} })).toBe(0n);
  expect([requiredPrice(10n, 7n, 4), requiredPrice(10n, 8n, 4)]).toEqual([12n, 12n]);
});
