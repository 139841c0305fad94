/**
 * The arithmetic of compute credits, as `src-contracts/credits/CreditRules.sol` has it: the same divisions in the same order, so the
 * answers are equal to the last digit (`test/vectors/credits.json`). Shares are in billionths, amounts in wei. See `docs/credits.md`.
 */

/** One, as weights, pressures and the target count it. */
export const ONE = 1_000_000_000n;
/** One, as rates and the offer count it. */
export const WAD = 10n ** 18n;
/** What an epoch's fees are summed in: millionths of a credit. */
export const MICRO = 10n ** 12n;
/** A weight moves by at most an eighth of itself, and an eighth of its distance from one comes back, in an epoch. */
export const STEP = 8n;
/** Most of a fee in DPU that credits may give back, rate × offer. */
export const MAX_RETURN = WAD / 5n;

const BPS = 10_000n;

/** What the weight rule is set to. */
export interface WeightRule {
  /** Pressure at which a weight stays at one, billionths. */
  target: bigint;
  least: bigint;
  most: bigint;
  /** Credits (wei) that an epoch may mint for work; fees of as much at the target count in every epoch. */
  cap: bigint;
}

/** What one lease was paid for. */
export interface Work {
  /** Price of one shard, in the job's currency. */
  price: bigint;
  /** Number of shards. */
  count: bigint;
  /** Compute units of all its shards. */
  units: bigint;
}

/** `CreditParameters` at deployment. */
export const INITIAL_RULE: WeightRule = { target: ONE / 4n, least: ONE / 2n, most: 4n * ONE, cap: 10_000n * WAD };

/** What a lease paid the protocol, as credits: the most that it can earn. `rate`: credits for 1e18 smallest units. */
export function feeValue({ price, count }: Pick<Work, 'price' | 'count'>, feeBps: bigint, rate: bigint): bigint {
  return (((price * count * feeBps) / BPS) * rate) / WAD;
}

/** What units are worth at a weight. `perUnit`: credits (wei) of a unit at weight one. */
export function unitValue(units: bigint, perUnit: bigint, weight: bigint): bigint {
  return (units * perUnit * weight) / ONE;
}

/** What a lease earns while the epoch's cap has `room`. */
export function earned(
  work: Work,
  { feeBps, rate, perUnit, weight, room }: Record<'feeBps' | 'rate' | 'perUnit' | 'weight' | 'room', bigint>,
): bigint {
  return min(min(unitValue(work.units, perUnit, weight), feeValue(work, feeBps, rate)), room);
}

/** How far up the ramp a lease was claimed, billionths. One price says nothing, so it counts as the target. */
export function pressureOf(price: bigint, minPrice: bigint, maxPrice: bigint, target: bigint): bigint {
  if (minPrice === maxPrice) return target;
  if (price <= minPrice) return 0n;
  if (price >= maxPrice) return ONE;
  return ((price - minPrice) * ONE) / (maxPrice - minPrice);
}

/** The weight after an epoch with `fees` (millionths of a credit) and `pressures` (the same times billionths). */
export function nextWeight(weight: bigint, fees: bigint, pressures: bigint, rule: WeightRule): bigint {
  const { target } = rule;
  const cap = rule.cap / MICRO;
  const u = (pressures + cap * target) / (fees + cap);
  let up = 0n;
  let down = 0n;
  if (u > target) up = (weight * (u - target)) / (STEP * target);
  else down = (weight * (target - u)) / (STEP * target);
  if (weight > ONE) down += (weight - ONE) / STEP;
  else up += (ONE - weight) / STEP;
  const step = weight / STEP;
  const moved = up > down ? weight + min(up - down, step) : weight - min(down - up, step);
  return clampWeight(moved, rule);
}

/** The weight after `epochs` without fees: each leaves seven eighths of the distance from one. */
export function restedWeight(weight: bigint, epochs: bigint): bigint {
  let left = epochs > 255n ? 0n : WAD;
  let base = (WAD * 7n) / 8n;
  for (let n = epochs > 255n ? 0n : epochs; n !== 0n; n >>= 1n) {
    if (n & 1n) left = (left * base) / WAD;
    base = (base * base) / WAD;
  }
  return weight > ONE ? ONE + ((weight - ONE) * left) / WAD : ONE - ((ONE - weight) * left) / WAD;
}

/** A weight within the bounds of the rule. */
export function clampWeight(weight: bigint, { least, most }: Pick<WeightRule, 'least' | 'most'>): bigint {
  if (weight < least) return least;
  return weight > most ? most : weight;
}

/** What `amount` credits cost at the standing offer (DPU wei per credit), rounded up as the contract does. */
export function costOf(amount: bigint, offer: bigint): bigint {
  return (amount * offer + WAD - 1n) / WAD;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
