import type { JobSummary, Stats } from '@dpu/sdk/apiSchemas';
import { runtimeName } from '@dpu/sdk/terms';
import { formatUnits } from 'viem';

import type { NodeConfig } from '../config.ts';

/** What the indexer says of the network. */
export interface Market {
  stats: Pick<Stats, 'paid' | 'unitsSettled'>;
  /** The newest jobs. */
  jobs: readonly Pick<JobSummary, 'runtime' | 'currency' | 'minPrice' | 'maxPrice' | 'settled' | 'shards'>[];
}

type Currencies = NodeConfig['network']['currencies'];

/** An amount with its symbol; where the currency is not known, its address. */
export function money(currency: string, amount: bigint, currencies: Currencies): string {
  const known = currencies.find(({ address }) => address.toLowerCase() === currency.toLowerCase());
  return known ? `${formatUnits(amount, known.decimals)} ${known.symbol}` : `${amount} of ${currency}`;
}

const median = (values: readonly bigint[]): bigint =>
  values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[values.length >> 1] ?? 0n;

/** Seconds of an hour's work of one core that the node fills at best; people think in hours. */
const HOUR_SECONDS = 3_600;

/**
 * What this machine could earn, in plain words, and plainly when nobody can tell. `working`: its runtimes. `paces`: seconds per unit that this
 * node has measured, by runtime. Promises nothing: prices move, and others compete.
 */
export function earningLines(
  market: Market | undefined,
  working: readonly string[],
  paces: Readonly<Record<string, number>>,
  currencies: Currencies,
): string[] {
  if (!market) return ['What it can earn is not known: the indexer of the network does not answer.'];
  const lines: string[] = [];
  for (const runtime of working) {
    const jobs = market.jobs.filter((job) => runtimeName(job.runtime) === runtime);
    if (jobs.length === 0) {
      lines.push(`${runtime}: none of the last ${market.jobs.length} jobs was for it, so its price is not known.`);
      continue;
    }
    for (const [currency, all] of Map.groupBy(jobs, (job) => job.currency)) {
      const low = money(currency, median(all.map((job) => BigInt(job.minPrice))), currencies);
      const high = money(currency, median(all.map((job) => BigInt(job.maxPrice))), currencies);
      const done = all.reduce((sum, { settled }) => sum + settled, 0);
      const asked = all.reduce((sum, { shards }) => sum + shards, 0);
      lines.push(
        `${runtime}: ${all.length} of the last jobs paid between ${low} and ${high} a shard; ${done} of ${asked} shards are paid.`,
      );
    }
  }
  const units = BigInt(market.stats.unitsSettled);
  if (units === 0n)
    return [...lines, 'Nothing has been paid on this network yet, so what an hour brings is not known.'];
  for (const { currency, amount } of market.stats.paid) {
    const perMillion = (BigInt(amount) * 1_000_000n) / units;
    lines.push(
      `A million units (about a quarter of an hour on one core) brought ${money(currency, perMillion, currencies)} so far.`,
    );
    for (const [runtime, seconds] of Object.entries(paces)) {
      const perHour = (perMillion * BigInt(Math.floor(HOUR_SECONDS / seconds))) / 1_000_000n;
      lines.push(
        `At the pace measured here an hour of ${runtime} on one slot would bring ${money(currency, perHour, currencies)}, if there is work.`,
      );
    }
  }
  return lines;
}
