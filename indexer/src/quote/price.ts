/** When a job starts and what it pays, from what others asked or were paid. */
import type { pricePointSchema } from '@dpu/sdk/apiQuote';
import { worstCase } from '@dpu/sdk/terms';
import type { z } from 'zod';

/** A price at which a shard is taken, and how long after the price was reached. */
export interface Sample {
  price: bigint;
  /** Seconds. */
  delay: number;
}

/** A first claim of an earlier job. */
export interface Claim {
  price: bigint;
  minPrice: bigint;
  maxPrice: bigint;
  ramp: number;
  /** When it could be claimed, and when it was. */
  openedAt: number;
  claimedAt: number;
}

/** Seconds after which the price of a shard has climbed to `price`; the contract rounds prices down, so this rounds up. */
export function reachedAfter(
  { minPrice, maxPrice, ramp }: Pick<Claim, 'minPrice' | 'maxPrice' | 'ramp'>,
  price: bigint,
): number {
  if (price <= minPrice || ramp === 0) return 0;
  const span = maxPrice - minPrice;
  return Number(((price - minPrice) * BigInt(ramp) + span - 1n) / span);
}

/** What a claim says about its node: the price that it took, and what passed beyond the climb to it (draw, looking, mining). */
export function sampleOf(claim: Claim): Sample {
  return {
    price: claim.price,
    delay: Math.max(0, claim.claimedAt - claim.openedAt - reachedAfter(claim, claim.price)),
  };
}

/**
 * What is to be expected when nodes ask these prices. About two nodes are drawn at first for each seat and the cheaper takes the job, so its price is the
 * lower of two draws from the asks: its quantile q is the asks' quantile 1 − √(1 − q).
 */
export function samplesOfAsks(asks: readonly bigint[], delay: number): { p50: Sample; p90: Sample } | undefined {
  if (asks.length === 0) return undefined;
  const sorted = [...asks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const at = (q: number) => ({ price: quantile(sorted, 1 - Math.sqrt(1 - q)), delay });
  return { p50: at(0.5), p90: at(0.9) };
}

/** The value at share `q` of a sorted list: the smallest below or at which lie at least that many (nearest rank). */
export function quantile<Value>(sorted: readonly Value[], q: number): Value {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

interface Shape {
  minPrice: bigint;
  maxPrice: bigint;
  ramp: number;
  shards: number;
  seats: number;
  auditBps: number;
}

const POINTS = { half: [1n, 2n], asked: [1n, 1n], double: [2n, 1n] } as const;

type Point = z.input<typeof pricePointSchema>;

/**
 * What is to be expected at half, at once and at twice the highest price. A sample takes the job at the second at which the ramp reaches its
 * price, after its own delay; one whose price is above the highest never does. p90 is null where less than nine in ten take it, and both
 * are where less than half do.
 */
export function pricePoints(shape: Shape, samples: readonly Sample[]): Point[] {
  return Object.entries(POINTS).map(([point, [times, part]]) => {
    const maxPrice = (shape.maxPrice * times) / part;
    const terms = { ...shape, maxPrice, minPrice: shape.minPrice < maxPrice ? shape.minPrice : maxPrice };
    const taking = samples
      .filter(({ price }) => price <= maxPrice)
      .map(({ price, delay }) => ({
        price: price > terms.minPrice ? price : terms.minPrice,
        startsIn: reachedAfter(terms, price) + delay,
      }));
    const at = <Value extends number | bigint>(values: Value[], q: number): Value | null => {
      // Those who never take it are the dear end of the sample.
      if (Math.ceil(q * samples.length) > values.length) return null;
      return (
        values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[Math.max(0, Math.ceil(q * samples.length) - 1)] ?? null
      );
    };
    const text = (value: bigint | null) => (value === null ? null : String(value));
    const starts = taking.map(({ startsIn }) => startsIn);
    const prices = taking.map(({ price }) => price);
    const [start, price] = [at(starts, 0.5), at(prices, 0.5)];
    return {
      point: point as Point['point'],
      maxPrice: String(maxPrice),
      escrow: String(worstCase(terms)),
      taken: samples.length === 0 ? 0 : taking.length / samples.length,
      startsIn: start === null ? null : { p50: start, p90: at(starts, 0.9) },
      price: price === null ? null : { p50: String(price), p90: text(at(prices, 0.9)) },
    };
  });
}
