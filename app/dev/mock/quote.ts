/** What the pretended indexer forecasts, and how it explains a node's earnings. */
import type { QuoteRequest } from '@dpu/sdk/apiQuote';
import type { JobHistory } from '@dpu/sdk/history';

import { block, NODES, nodeFacts, now, rules } from './network.ts';

/** A forecast that fits the terms. */
export function quoteAnswer({ minPrice, maxPrice, runtime, ramp, bond }: QuoteRequest): unknown {
  const [least, most] = [BigInt(minPrice), BigInt(maxPrice)];
  const ids = Array.from({ length: NODES }, (_, at) => at + 1);
  const excluded = ids
    .map((id) => ({ node: id, fits: nodeFacts(id).runtimes.includes(runtime), free: freeOf(id) >= BigInt(bond) }))
    .map(({ node, fits, free }) => ({ node, reasons: [...(fits ? [] : ['runtime']), ...(free ? [] : ['freeStake'])] }))
    .filter(({ reasons }) => reasons.length > 0);
  const count = (reason: string): number => excluded.filter(({ reasons }) => reasons.includes(reason)).length;
  const none = { allowlist: 0, tier: 0, minStake: 0, key: 0, offline: 0, busy: 0, price: 0 };
  const point = (name: string, highest: bigint, [soon, late]: [number, number | null]): unknown => {
    const at = (part: bigint): string => String(least + ((highest - least) * part) / 10n);
    const reached = highest >= least;
    return {
      ...{ point: name, maxPrice: String(highest), escrow: String(highest * 100n), taken: late === null ? 0.8 : 1 },
      startsIn: reached ? { p50: soon, p90: late } : null,
      price: reached ? { p50: at(3n), p90: late === null ? null : at(7n) } : null,
    };
  };
  const wait = Math.max(4, Math.floor(ramp / 3));
  return {
    ...{ block: block(), timestamp: now(), basis: 'history', samples: 184 },
    eligibility: {
      ...{ eligible: NODES - excluded.length, live: false, nodes: [], excluded },
      excludedBy: { ...none, runtime: count('runtime'), freeStake: count('freeStake') },
    },
    points: [
      point('half', most / 2n, [wait * 2, null]),
      point('asked', most, [wait, wait * 3]),
      point('double', most * 2n, [Math.ceil(wait / 2), wait * 2]),
    ],
    gas: { source: 'pretended', steps: [], requester: 180_000, gasPrice: '1000000000' },
    exit: { at: now() + 7_200, source: 'formula' },
    fee: { bps: rules.feeBps, most: String((most * 3n) / 100n) },
    assurance: { colluding: 0.2, cost: 1.02, pooled: 0, caught: 0.9 },
  };
}

const freeOf = (id: number): bigint => {
  const { stake, locked, queued } = nodeFacts(id);
  return stake - locked - queued;
};

/** Why node `id` was paid what it was, and why it has none of the jobs that are open. */
export function whyAnswer(id: number, histories: readonly JobHistory[]): unknown {
  const payments = histories.flatMap((history) =>
    history.leases.flatMap(({ lease, payment, settledAt, transactions }) => {
      if (lease.node !== id || !payment || settledAt === undefined) return [];
      const full = lease.price * BigInt(lease.count);
      return {
        ...{ job: history.id, first: lease.first, currency: history.terms.currency, timestamp: settledAt },
        ...{ paid: String(payment.paid), fee: String(payment.fee), exact: true },
        reason: payment.accepted ? 'accepted by the requester' : 'settled after its challenge window',
        formula: 'gross = price × count; fee = ⌊gross · feeBps / 10000⌋; paid = gross − fee',
        numbers: {
          ...{ price: String(lease.price), count: lease.count, feeBps: rules.feeBps },
          ...{ full: String(full), gross: String(full) },
        },
        source: { block: block(), transaction: transactions.settle ?? history.id, finality: 'finalized' },
      };
    }),
  );
  const jobs = histories
    .filter(({ state, leases }) => state === 'open' && leases.length === 0)
    .map((history) => ({
      ...{ job: history.id, free: history.terms.shards, eligible: true },
      sentences: ['Nothing keeps the node from it: it is drawn with the others, by its stake and its record.'],
    }));
  return { node: id, jobs, payments: payments.slice(0, 20) };
}
