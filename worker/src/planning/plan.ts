import { priceAt, type Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { NodeView } from '../chain.ts';
import type { Decline, DeclineCode } from './declines.ts';

/** A piece of a job that could be taken. */
export interface Range {
  first: number;
  /** Shards that are left from there (fresh), or exactly those of the lapsed lease. */
  count: number;
  /**
   * fresh: never claimed. seat: others compute it too, and want one more. lapsed: to be taken over. overdue: its holder missed a deadline
   * and somebody has to say so first. audit: another node has committed to it, and it was drawn to be computed again.
   */
  kind: 'fresh' | 'seat' | 'lapsed' | 'overdue' | 'audit';
  /** Node that is overdue, or that is audited. */
  holder?: number;
  /** Price of a shard where the ramp does not say it: an auditor is paid what its holder is. */
  price?: bigint;
  /** When the ramp of its price began, unix seconds. */
  from: number;
  /** First second at which this node may take it; undefined while nobody can know. */
  drawnAt: number | undefined;
}

/** What is known of a job's inside. */
export type Preparation =
  | { state: 'ready'; /** Seconds that one shard takes here. */ shardSeconds: number; memoryBytes: number }
  | { state: 'waiting' }
  | { state: 'declined'; code: DeclineCode; detail: Record<string, string | number> };

/** A job that could be claimed of. */
export interface Candidate {
  job: Hex;
  terms: Terms;
  postedBlock: number;
  ranges: readonly Range[];
  preparation: Preparation;
}

/** The node's situation. Times are block time, unix seconds. */
export interface PlanFacts {
  node: number;
  view: NodeView;
  minStake: bigint;
  /** Ids of the runtimes that were proven to work on this machine. */
  runtimes: ReadonlySet<number>;
  freeSlots: number;
  /** When the next block is expected. */
  nextTime: number;
  walletEmpty: boolean;
  pausedUntil: number;
  draining: boolean;
}

/** The operator's rules. */
export interface PlanOptions {
  /** Least price of a shard per currency (lower-case address), smallest units. Other currencies are not taken. */
  asks: Readonly<Record<string, bigint>>;
  /** Most shards of one lease. */
  maxLeaseShards: number;
  /** Compute time that one lease should fill, seconds: long enough to be worth its gas, short enough to leave work to others. */
  leaseSeconds: number;
  /** Part of a lease's time, in percent, and seconds on top, that are kept for proving and surprises. */
  reservePercent: number;
  reserveSeconds: number;
  /** Most memory that a shard may ask for. */
  memoryBytes: number;
}

/** One claim to make. */
export interface PlannedClaim {
  job: Hex;
  terms: Terms;
  kind: Range['kind'];
  first: number;
  count: number;
  /** Node that is overdue, or that is audited. */
  holder?: number;
  /** Expected price of a shard. */
  price: bigint;
}

/** What to do about a set of jobs. */
export interface Plan {
  claims: PlannedClaim[];
  declines: Decline[];
}

/** Why terms are not for this node, whatever is inside the job; undefined when they may be. */
export function screenTerms(terms: Terms, facts: PlanFacts, options: PlanOptions): Omit<Decline, 'job'> | undefined {
  const ask = options.asks[terms.currency.toLowerCase()];
  if (ask === undefined) return { code: 'currency', detail: { currency: terms.currency } };
  if (terms.maxPrice < ask) return { code: 'price', detail: { most: terms.maxPrice.toString(), ask: ask.toString() } };
  if (!facts.runtimes.has(terms.runtime) || (facts.view.runtimes & (1 << terms.runtime)) === 0) {
    return { code: 'runtime', detail: { runtime: terms.runtime } };
  }
  if (terms.node !== 0 && terms.node !== facts.node) return { code: 'reserved', detail: { node: terms.node } };
  if (terms.tier > 0 && (facts.view.tier < terms.tier || facts.nextTime > facts.view.tierUntil)) {
    return { code: 'tier', detail: { tier: terms.tier } };
  }
  return undefined;
}

/** Which jobs to claim of and how much of each, best first; and why not the others. Pure. */
export function planClaims(candidates: readonly Candidate[], facts: PlanFacts, options: PlanOptions): Plan {
  const claims: PlannedClaim[] = [];
  const declines: Decline[] = [];
  let freeSlots = facts.freeSlots;
  let freeStake = facts.view.stake - facts.view.locked - facts.view.queued;

  for (const candidate of [...candidates].sort((a, b) => compare(a, b, facts, options))) {
    const { job, terms } = candidate;
    const verdict = judge(candidate, facts, options, freeSlots, freeStake);
    if (verdict === 'notYet') continue;
    if ('code' in verdict) {
      declines.push({ job, ...verdict });
      continue;
    }
    claims.push({ job, terms, ...verdict });
    if (verdict.kind === 'overdue') continue; // Only the words that it has lapsed: nothing is promised yet.
    freeSlots = Math.max(0, freeSlots - verdict.count);
    freeStake -= terms.bond * BigInt(verdict.count);
  }
  return { claims, declines };
}

type Verdict = 'notYet' | Omit<Decline, 'job'> | Omit<PlannedClaim, 'job' | 'terms'>;

function judge(
  { terms, ranges, preparation }: Candidate,
  facts: PlanFacts,
  options: PlanOptions,
  freeSlots: number,
  freeStake: bigint,
): Verdict {
  const screened = screenTerms(terms, facts, options);
  // Work that is reserved for another node may be audited by any.
  const audits = ranges.length > 0 && ranges.every(({ kind }) => kind === 'audit');
  if (screened && !(screened.code === 'reserved' && audits)) return screened;
  if (facts.draining) return { code: 'draining', detail: {} };
  if (facts.walletEmpty) return { code: 'wallet', detail: {} };
  if (facts.pausedUntil >= facts.nextTime) return { code: 'paused', detail: { until: facts.pausedUntil } };
  if (facts.view.stake - facts.view.queued < facts.minStake) {
    return { code: 'minStake', detail: { stake: facts.view.stake.toString(), least: facts.minStake.toString() } };
  }
  if ((facts.nextTime > terms.expiry && !audits) || preparation.state === 'waiting') return 'notYet';
  if (preparation.state === 'declined') return { code: preparation.code, detail: preparation.detail };
  if (ranges.length === 0) return 'notYet';
  if (preparation.memoryBytes > options.memoryBytes) {
    return { code: 'memory', detail: { asked: preparation.memoryBytes, most: options.memoryBytes } };
  }

  const budget = (terms.exec * (100 - options.reservePercent)) / 100 - options.reserveSeconds;
  const waves = Math.floor(budget / preparation.shardSeconds);
  if (waves < 1) {
    return { code: 'deadline', detail: { exec: terms.exec, shardSeconds: Math.ceil(preparation.shardSeconds) } };
  }
  if (freeSlots < 1) return { code: 'slots', detail: {} };
  const affordable = terms.bond === 0n ? Number.MAX_SAFE_INTEGER : Number(freeStake / terms.bond);
  if (affordable < 1) return { code: 'stake', detail: { free: freeStake.toString(), bond: terms.bond.toString() } };

  const wanted = freeSlots * Math.max(1, Math.floor(options.leaseSeconds / preparation.shardSeconds));
  const most = Math.min(freeSlots * waves, affordable, options.maxLeaseShards);
  const open = ranges.filter(({ drawnAt }) => drawnAt !== undefined && drawnAt <= facts.nextTime);
  let refusal: Verdict = 'notYet';
  for (const range of open) {
    const price = range.price ?? priceAt(terms, range.from, facts.nextTime);
    const ask = options.asks[terms.currency.toLowerCase()] ?? 0n;
    if (price < ask) continue; // The ramp may still reach it.
    if (range.kind === 'fresh') {
      return {
        kind: range.kind,
        first: range.first,
        count: Math.min(range.count, terms.maxLease, wanted, most),
        price,
      };
    }
    // All or nothing: somebody else's range cannot be split.
    const { kind, first, count, holder } = range;
    if (count <= most) return { kind, first, count, price, ...(holder === undefined ? {} : { holder }) };
    refusal = { code: affordable < range.count ? 'stake' : 'slots', detail: { shards: range.count, most } };
  }
  return refusal;
}

/** Best paid in relation to what is asked first; equal pay in the order of the posts. */
function compare(a: Candidate, b: Candidate, facts: PlanFacts, options: PlanOptions): number {
  const difference = scoreOf(b, facts, options) - scoreOf(a, facts, options);
  return difference !== 0 ? difference : a.postedBlock - b.postedBlock;
}

/** Price now, per thousandth of the ask and per second of work. */
function scoreOf({ terms, ranges, preparation }: Candidate, facts: PlanFacts, options: PlanOptions): number {
  const from = ranges[0]?.from;
  if (from === undefined || preparation.state !== 'ready') return 0;
  const ask = options.asks[terms.currency.toLowerCase()] ?? 0n;
  const ratio = Number((priceAt(terms, from, facts.nextTime) * 1000n) / (ask > 0n ? ask : 1n));
  return ratio / preparation.shardSeconds;
}
