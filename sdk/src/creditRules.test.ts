import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  clampWeight,
  costOf,
  earned,
  feeValue,
  INITIAL_RULE,
  MICRO,
  nextWeight,
  ONE,
  pressureOf,
  restedWeight,
  unitValue,
  WAD,
} from './creditRules.ts';

const PRICE = (5n * WAD) / 4n;

describe('the vectors that the contract is checked against', () => {
  const text = readFileSync(new URL('../../test/vectors/credits.json', import.meta.url), 'utf8');
  const columns = JSON.parse(text) as Record<string, string[]>;
  const cases = columns['price']!.map(
    (_, index) => (name: string) => BigInt((columns[name] as string[])[index] as string),
  );

  test('are what these functions answer', () => {
    expect(cases.length).toBe(64);
    for (const of of cases) {
      const [price, count, weight] = [of('price'), of('count'), of('weight')];
      const rule = { target: of('target'), least: of('least'), most: of('most'), cap: of('cap') };
      expect(feeValue({ price, count }, of('feeBps'), of('rate'))).toBe(of('feeValue'));
      expect(unitValue(of('units'), of('perUnit'), weight)).toBe(of('unitValue'));
      expect(pressureOf(price, of('minPrice'), of('maxPrice'), rule.target)).toBe(of('pressure'));
      expect(nextWeight(weight, of('fees'), of('pressures'), rule)).toBe(of('next'));
      expect(restedWeight(weight, of('epochs'))).toBe(of('rested'));
    }
  });
});

describe('what a lease earns', () => {
  const paid = { feeBps: 300n, rate: WAD, perUnit: 10n ** 13n, weight: ONE, room: WAD };
  const work = { price: PRICE, count: 1n, units: 1_000n };

  test('is its units at the weight, at most its fee, at most what the cap leaves', () => {
    expect(earned(work, paid)).toBe(10n ** 16n);
    expect(earned(work, { ...paid, weight: 2n * ONE })).toBe(2n * 10n ** 16n);
    expect(earned({ ...work, units: 10n ** 9n }, paid)).toBe(375n * 10n ** 14n);
    expect(earned(work, { ...paid, room: 5n })).toBe(5n);
  });

  test('costs at the offer what is asked, rounded up', () => {
    expect(costOf(10n * WAD, WAD / 5n)).toBe(2n * WAD);
    expect(costOf(1n, WAD / 5n)).toBe(1n);
  });
});

describe('a weight', () => {
  const fees = INITIAL_RULE.cap / MICRO;

  test('moves by half of the way when fees weigh as much as the target', () => {
    expect(nextWeight(ONE, fees, (fees * ONE) / 2n, INITIAL_RULE)).toBe(1_062_500_000n);
    expect(nextWeight(ONE, fees, 0n, INITIAL_RULE)).toBe(937_500_000n);
  });

  test('moves by an eighth at most, and stays within its bounds', () => {
    expect(nextWeight(ONE, 100n * fees, 100n * fees * ONE, INITIAL_RULE)).toBe(1_125_000_000n);
    expect(nextWeight(4n * ONE, 100n * fees, 100n * fees * ONE, INITIAL_RULE)).toBe(4n * ONE);
    expect(nextWeight(ONE / 2n, 100n * fees, 0n, INITIAL_RULE)).toBe(500_618_812n);
    expect(nextWeight(ONE / 2n, 100n * fees, 0n, { ...INITIAL_RULE, least: (3n * ONE) / 5n })).toBe((3n * ONE) / 5n);
    expect(clampWeight(5n * ONE, INITIAL_RULE)).toBe(4n * ONE);
  });

  test('comes back an eighth of the way to one when nothing is paid', () => {
    expect(nextWeight(2n * ONE, 0n, 0n, INITIAL_RULE)).toBe(1_875_000_000n);
    expect(restedWeight(2n * ONE, 1n)).toBe(1_875_000_000n);
    expect(restedWeight(ONE / 2n, 1n)).toBe(562_500_000n);
    expect(restedWeight(4n * ONE, 0n)).toBe(4n * ONE);
    expect(restedWeight(4n * ONE, 256n)).toBe(ONE);
  });
});

describe('the pressure', () => {
  test('is how far up the ramp the price is; one price says nothing', () => {
    expect(pressureOf(15n, 10n, 20n, 7n)).toBe(ONE / 2n);
    expect(pressureOf(10n, 10n, 20n, 7n)).toBe(0n);
    expect(pressureOf(20n, 10n, 20n, 7n)).toBe(ONE);
    expect(pressureOf(10n, 10n, 10n, 7n)).toBe(7n);
  });
});
