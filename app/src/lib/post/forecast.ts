import { quoteSchema, type Exclusion, type Quote, type QuoteRequest } from '@dpu/sdk/apiQuote';
import type { Terms } from '@dpu/sdk/terms';

import { ask, type Asker } from '../told/ask.ts';

/** The longest that a quote may be asked for, seconds. */
const YEAR = 365 * 86_400;

/** Half of all cases, and nine of ten; null where fewer take the job at all. */
export interface Spread<Value> {
  p50: Value;
  p90: Value | null;
}

/** What is to be expected at one highest price. Money in the job's currency's smallest unit, times in seconds. */
export interface Point {
  point: 'half' | 'asked' | 'double';
  /** Highest price of a shard. */
  maxPrice: bigint;
  /** Part of what the forecast is made of that takes the job at all, 0 … 1. */
  taken: number;
  /** From the post to the first claim. */
  startsIn: Spread<number> | null;
  /** Of a shard, then. */
  price: Spread<bigint> | null;
}

/** When a job begins and for how much, as an indexer expects it. It promises nothing. */
export interface Forecast {
  /** `heartbeats`: what nodes ask now; `history`: what earlier jobs were claimed for. */
  basis: 'heartbeats' | 'history';
  samples: number;
  points: readonly Point[];
}

/** A quote as an estimate takes it. */
export interface Told {
  eligible: number;
  obstacles: Partial<Record<Exclusion, number>>;
  /** Undefined when nothing like it was ever claimed, and no node says what it asks. */
  forecast: Forecast | undefined;
}

/** The indexer's forecast contradicts the terms that it was given: it cannot be true. */
export class ForecastRefuted extends Error {
  override readonly name = 'ForecastRefuted';
}

/** What a quote is asked about the first of the jobs: who does those after it is decided when it is done. */
export function quoteRequestOf(
  terms: Terms,
  { readers, now }: { readers: readonly number[] | undefined; now: number },
): QuoteRequest {
  const { runtime, currency, minPrice, maxPrice, bond, shards, maxLease, seats, tier, direct, tolerant } = terms;
  return {
    ...{ runtime, currency, shards, maxLease, tier, direct, tolerant, exec: terms.exec, window: terms.window },
    ...{ minPrice: String(minPrice), maxPrice: String(maxPrice), bond: String(bond) },
    ...{ seats: seats === 3 || seats === 5 ? seats : 1, auditBps: terms.auditBps, node: terms.node },
    ...{ ramp: terms.ramp, openFor: Math.min(YEAR, Math.max(1, terms.expiry - Math.max(now, terms.start))) },
    ...(readers && { allow: readers.length > 0 ? [...readers] : undefined, private: true }),
  };
}

/** Reads a quote. @throws ForecastRefuted when it does not fit the terms */
export function readQuote(quote: Quote, { minPrice, maxPrice }: Pick<Terms, 'minPrice' | 'maxPrice'>): Told {
  const asked = quote.points.find(({ point }) => point === 'asked');
  if (quote.points.length > 0 && asked?.maxPrice !== maxPrice)
    throw new ForecastRefuted('The forecast is about another highest price.');
  for (const { price, maxPrice: most, startsIn } of quote.points) {
    const values = price ? [price.p50, price.p90 ?? price.p50] : [];
    const least = minPrice < most ? minPrice : most;
    if (values.some((value) => value < least || value > most))
      throw new ForecastRefuted('The forecast expects a price outside the ramp.');
    if (startsIn?.p90 != null && startsIn.p90 < startsIn.p50)
      throw new ForecastRefuted('The forecast expects most jobs to begin before half of them have.');
  }
  const { eligible, excludedBy } = quote.eligibility;
  const obstacles = Object.fromEntries(Object.entries(excludedBy).filter(([, count]) => count > 0));
  const { basis, samples, points } = quote;
  return { eligible, obstacles, forecast: basis === 'none' ? undefined : { basis, samples, points } };
}

/** Asks the indexer for a quote of the first job. @throws ApiError, ForecastRefuted */
export async function askForecast(
  asker: Asker,
  { terms, readers }: { terms: readonly Terms[]; readers?: readonly number[] | undefined },
  now: number,
): Promise<Told> {
  const [first] = terms;
  if (!first) throw new Error('There is no job to ask about.');
  const body = quoteRequestOf(first, { readers, now });
  return readQuote(await ask(asker, '/v1/quote', quoteSchema, { body }), first);
}
