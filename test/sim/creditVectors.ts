import {
  feeValue,
  nextWeight,
  ONE,
  pressureOf,
  restedWeight,
  unitValue,
  WAD,
  type WeightRule,
} from '@dpu/sdk/creditRules';
import { seeded, whole } from './random.ts';

const CASES = 64;
/** Everything that one case gives to the contract, then what it must answer. */
const COLUMNS = [
  ...[
    'price',
    'count',
    'feeBps',
    'rate',
    'units',
    'perUnit',
    'weight',
    'minPrice',
    'maxPrice',
    'target',
    'least',
    'most',
  ],
  ...['cap', 'fees', 'pressures', 'epochs', 'feeValue', 'unitValue', 'pressure', 'next', 'rested'],
] as const;

/** Inputs over the whole range that the contract's bounds allow, with the answers of the sdk: one array per column. */
export function creditVectors(): Record<(typeof COLUMNS)[number], string[]> {
  const random = seeded(42);
  const below = (most: bigint): bigint => whole(random, most);
  const table = Object.fromEntries(COLUMNS.map((name) => [name, [] as string[]])) as ReturnType<typeof creditVectors>;
  for (let index = 0; index < CASES; index += 1) {
    const least = ONE / 2n + below(ONE / 2n + 1n);
    const most = ONE + below(3n * ONE + 1n);
    const target = ONE / 4n + below(ONE / 4n + 1n);
    const rule: WeightRule = { target, least, most, cap: WAD + below(999_999n * WAD) };
    const minPrice = below(1n << 95n);
    const maxPrice = index % 8 === 0 ? minPrice : minPrice + below(1n << 95n);
    const price = below(1n << 96n);
    const count = below(1n << 16n);
    const feeBps = below(1_001n);
    const rate = below(index % 2 === 0 ? WAD + 1n : 10n ** 30n);
    const units = below(1n << 64n);
    const perUnit = below(WAD / 100n + 1n);
    const weight = ONE / 2n + below((7n * ONE) / 2n + 1n);
    const fees = index % 5 === 0 ? 0n : below(1n << (index % 3 === 0 ? 48n : 30n));
    const pressures = fees * below(ONE + 1n);
    const epochs = below(index % 4 === 0 ? 1_000n : 40n);
    const row: Record<(typeof COLUMNS)[number], bigint> = {
      ...{ price, count, feeBps, rate, units, perUnit, weight, minPrice, maxPrice, target, least, most },
      ...{ cap: rule.cap, fees, pressures, epochs },
      feeValue: feeValue({ price, count }, feeBps, rate),
      unitValue: unitValue(units, perUnit, weight),
      pressure: pressureOf(price, minPrice, maxPrice, target),
      next: nextWeight(weight, fees, pressures, rule),
      rested: restedWeight(weight, epochs),
    };
    for (const name of COLUMNS) table[name].push(row[name].toString());
  }
  return table;
}
