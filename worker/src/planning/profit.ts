import type { Terms } from '@dpu/sdk/terms';
import type { Address } from 'viem';

import type { IntentKind } from '../sending/outbox.ts';
import type { Range } from './plan.ts';

/** What the operator asks for. Currencies are lower-case addresses, amounts their smallest units. */
export interface Prices {
  /** Least price of a shard. Currencies that are not named are not taken. */
  asks: Readonly<Record<string, bigint>>;
  /** Least price of a million units, about a quarter of an hour on one core. */
  unitAsks: Readonly<Record<string, bigint>>;
  /** What one whole coin of the chain is worth. Where it is not named, gas is the operator's own affair. */
  coinPrices: Readonly<Record<string, bigint>>;
}

/** What gas costs now. */
export interface GasFacts {
  /** Wei per gas: the base fee of the newest block and the tip. */
  weiPerGas: bigint;
  /** Gas of a transaction of a kind. */
  of: (kind: IntentKind) => bigint;
}

const MILLION = 1_000_000n;
const WEI_PER_COIN = 10n ** 18n;

const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** Least price of one shard of `units`. Rounds up, for the operator. */
export function askOf(currency: Address, units: number, { asks, unitAsks }: Prices): bigint {
  const name = currency.toLowerCase();
  const ask = asks[name] ?? 0n;
  const byUnits = ceilDiv((unitAsks[name] ?? 0n) * BigInt(Math.ceil(units)), MILLION);
  return ask > byUnits ? ask : byUnits;
}

/** The transactions that a lease needs from here on until it is paid. */
export function stepsOf(kind: Range['kind'], terms: Pick<Terms, 'seats' | 'direct'>): IntentKind[] {
  if (kind === 'overdue') return [];
  if (kind === 'audit') return ['audit', 'reveal', 'agree'];
  if (terms.seats > 1) return ['sit', 'commit', 'reveal', 'agree'];
  const take = kind === 'lapsed' ? 'takeOver' : 'claim';
  return terms.direct ? [take, 'submit', 'settle'] : [take, 'commit', 'reveal', 'settle'];
}

/** What these transactions cost at today's fee, in the job's currency; nothing where the operator names no rate. */
export function gasOf(
  kind: Range['kind'],
  terms: Pick<Terms, 'seats' | 'direct' | 'currency'>,
  { weiPerGas, of }: GasFacts,
  { coinPrices }: Pick<Prices, 'coinPrices'>,
): bigint {
  const rate = coinPrices[terms.currency.toLowerCase()];
  if (rate === undefined) return 0n;
  const gas = stepsOf(kind, terms).reduce((sum, step) => sum + of(step), 0n);
  return ceilDiv(gas * weiPerGas * rate, WEI_PER_COIN);
}

/** The price of a shard at which a lease of `count` shards brings the ask after its gas. */
export function requiredPrice(ask: bigint, gas: bigint, count: number): bigint {
  return ask + ceilDiv(gas, BigInt(count));
}
