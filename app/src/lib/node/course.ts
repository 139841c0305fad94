/** A node's work over time, from the leases that the indexer lists. Pure. */
import type { ApiLease, ApiSeat } from '@dpu/sdk/api';

type Work = Pick<ApiLease | ApiSeat, 'claimedAt' | 'settledAt' | 'lapsedAt' | 'job' | 'paid'>;

/** One day of a node. */
export interface Day {
  /** Its first second, UTC. */
  start: number;
  settled: number;
  lapsed: number;
  /** Paid, by currency, smallest unit. */
  paid: Readonly<Record<string, bigint>>;
}

const DAY = 86_400;

/** The last `days` days, today's as the last, with what ended in each. */
export function courseOf(
  work: readonly Work[],
  currencyOf: (job: string) => string | undefined,
  { now, days }: { now: number; days: number },
): Day[] {
  const today = now - (now % DAY);
  const course = Array.from({ length: days }, (_, at) => ({
    ...{ start: today - (days - 1 - at) * DAY, settled: 0, lapsed: 0 },
    paid: {} as Record<string, bigint>,
  }));
  const dayOf = (second: number) => course.find(({ start }) => second >= start && second < start + DAY);
  for (const { settledAt, lapsedAt, job, paid } of work) {
    const settled = settledAt === null ? undefined : dayOf(settledAt);
    if (settled) {
      settled.settled += 1;
      const currency = currencyOf(job);
      if (currency && paid > 0n) settled.paid[currency] = (settled.paid[currency] ?? 0n) + paid;
    }
    const lapsed = lapsedAt === null || settledAt !== null ? undefined : dayOf(lapsedAt);
    if (lapsed) lapsed.lapsed += 1;
  }
  return course;
}

/** How many of the leases that have ended were delivered in time: the uptime that costs money. Undefined before the first. */
export function keptOf(work: readonly Work[]): { kept: number; of: number } | undefined {
  const ended = work.filter(({ settledAt, lapsedAt }) => settledAt !== null || lapsedAt !== null);
  if (ended.length === 0) return undefined;
  return { kept: ended.filter(({ settledAt }) => settledAt !== null).length, of: ended.length };
}

/** All that was paid in these days, by currency, the currency with most payments first. */
export function paidIn(course: readonly Day[]): [currency: string, sum: bigint][] {
  const sums: Record<string, { sum: bigint; days: number }> = {};
  for (const { paid } of course) {
    for (const [currency, amount] of Object.entries(paid)) {
      const known = (sums[currency] ??= { sum: 0n, days: 0 });
      known.sum += amount;
      known.days += 1;
    }
  }
  return Object.entries(sums)
    .sort(([, a], [, b]) => b.days - a.days)
    .map(([currency, { sum }]) => [currency, sum]);
}
