import type { quoteRequestSchema, quoteSchema } from '@dpu/sdk/apiQuote';
import { assuranceOf } from '@dpu/sdk/assurance';
import { latestEnd, worstCase, type Terms } from '@dpu/sdk/terms';
import { zeroAddress, zeroHash } from 'viem';
import type { z } from 'zod';
import type { Database } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import { eligibilityOf } from './eligibility.ts';
import { readClaims, readNetwork, readNodes } from './facts.ts';
import { gasSteps } from './gas.ts';
import { pricePoints, quantile, sampleOf, samplesOfAsks, type Sample } from './price.ts';
import type { ChainView, LiveView } from './view.ts';

type Asked = z.output<typeof quoteRequestSchema>;

/** Where a quote's facts come from. */
export interface QuoteDeps {
  db: Database;
  /** Absent where the indexer hears nothing of the nodes. */
  live?: LiveView | undefined;
  /** Absent where the API has no chain. */
  chain?: ChainView | undefined;
}

/**
 * Who would take the job, when, for how much, and what it is worth. Everything is read once, so an answer is of one moment; the chain is asked for
 * three numbers at most and may be silent.
 */
export async function quoteOf(asked: Asked, { db, live, chain }: QuoteDeps): Promise<z.input<typeof quoteSchema>> {
  if (asked.minPrice > asked.maxPrice) throw new ProblemError('invalid-request', 'minPrice must not be above maxPrice');
  const [network, nodes, claims, token, gasPrice] = await Promise.all([
    readNetwork(db),
    readNodes(db),
    readClaims(db, asked.runtime, asked.currency),
    chain?.token().catch(() => undefined),
    chain?.gasPrice().catch(() => undefined),
  ]);
  const moment = { now: network.now, minStake: network.minStake, live };
  const eligibility = eligibilityOf(nodes, asked, moment);
  const { basis, samples } = sampled(
    eligibility.nodes.map(({ asks }) => asks),
    claims.map(sampleOf),
  );
  const terms = termsOf(asked, network.now, network.rules);
  const exit = await exitOf(terms, chain);
  const colluding = asked.colludingBps / 10_000;
  // Without the token nobody knows whether the protocol pays for audits: then it does not.
  const { cost, pooled, caught } = assuranceOf(terms, colluding, token ?? zeroAddress);
  const gas = gasSteps(asked, token);
  const most = (worstCase(terms) * BigInt(network.feeBps)) / 10_000n;
  return {
    ...{ block: network.block, timestamp: network.now, eligibility, basis, samples: samples.length },
    points: pricePoints(asked, samples),
    gas: { ...gas, gasPrice: gasPrice === undefined ? null : String(gasPrice) },
    exit,
    fee: { bps: network.feeBps, most: String(most) },
    assurance: { colluding, cost, pooled, caught },
  };
}

/** Prices that nodes ask now where they say some, else what earlier jobs were claimed for. */
function sampled(
  asks: readonly (string | null)[],
  history: readonly Sample[],
): { basis: 'heartbeats' | 'history' | 'none'; samples: Sample[] } {
  const delays = history.map(({ delay }) => delay).sort((a, b) => a - b);
  const usual = delays.length === 0 ? 0 : quantile(delays, 0.5);
  const slow = delays.length === 0 ? 0 : quantile(delays, 0.9);
  const now = samplesOfAsks(asks.filter((ask) => ask !== null).map(BigInt), usual);
  if (now) {
    // Nine parts in ten and one: of ten samples the fifth is the median and the ninth the p90.
    const { p50, p90 } = now;
    return {
      basis: 'heartbeats',
      samples: [...Array<Sample>(5).fill(p50), ...Array<Sample>(5).fill({ ...p90, delay: slow })],
    };
  }
  return { basis: history.length === 0 ? 'none' : 'history', samples: [...history] };
}

/** The terms that the job would be posted with; what nobody said is neutral. */
function termsOf(asked: Asked, now: number, rules: bigint): Terms {
  const { currency, minPrice, maxPrice, bond, shards, maxLease, runtime, tier, seats, direct, tolerant } = asked;
  const { auditBps, node, ramp, exec, window, openFor } = asked;
  return {
    ...{ currency, minPrice, maxPrice, bond, shards, maxLease, runtime, tier, seats, direct, tolerant, auditBps },
    ...{ node, ramp, exec, window, rules, expiry: now + openFor, start: 0, salt: 0n },
    ...{ requester: zeroAddress, spec: zeroHash, afterJob: zeroHash },
  };
}

async function exitOf(
  terms: Terms,
  chain: ChainView | undefined,
): Promise<{ at: number; source: 'contract' | 'formula' }> {
  const said = await chain?.worstCaseExit(terms).catch(() => undefined);
  return said === undefined ? { at: latestEnd(terms), source: 'formula' } : { at: said, source: 'contract' };
}
