import { priceAt, type Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

import type { NodeView } from '../chain/chain.ts';
import { fitsBeside, mostBeside, type Lot } from '../resources/edf.ts';
import type { Halt } from '../resources/governor.ts';
import { howMany, lacking, minus, times, type Needs } from '../resources/needs.ts';
import type { Decline, DeclineCode } from './declines.ts';
import { isOwnProof } from './ownProof.ts';
import { askOf, gasOf, requiredPrice, type GasFacts, type Prices } from './profit.ts';

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

/** What a job that can be claimed takes of this machine. */
export interface Ready {
  state: 'ready';
  /** Seconds that one shard takes here. */
  shardSeconds: number;
  /** Units that one shard takes, by experience; else as many as it may. */
  shardUnits: number;
  /** Memory that its spec asks for, and everything that a shard takes. */
  memoryBytes: number;
  needs: Needs;
  /** Its module and inputs are in memory. */
  warm: boolean;
}

/** What is known of a job's inside. */
export type Preparation =
  Ready | { state: 'waiting' } | { state: 'declined'; code: DeclineCode; detail: Record<string, string | number> };

/** A job that could be claimed of. */
export interface Candidate {
  job: Hex;
  terms: Terms;
  postedBlock: number;
  ranges: readonly Range[];
  preparation: Preparation;
}

/** What the machine has, what of it nobody was promised, and what was promised to whom. */
export interface Room {
  capacity: Needs;
  free: Needs;
  lots: readonly Lot[];
}

/** The node's situation. Times are block time, unix seconds. */
export interface PlanFacts {
  node: number;
  view: NodeView;
  minStake: bigint;
  /** Ids of the runtimes that were proven to work on this machine. */
  runtimes: ReadonlySet<number>;
  room: Room;
  gas: GasFacts;
  /** Why the machine takes no new work now. */
  halt: Halt | undefined;
  /** Seconds until the operator's hours close; Infinity when they do not. */
  secondsLeft: number;
  /** When the next block is expected. */
  nextTime: number;
  walletEmpty: boolean;
  pausedUntil: number;
  draining: boolean;
}

/** The operator's rules. */
export interface PlanOptions extends Prices {
  /** Most shards of one lease. */
  maxLeaseShards: number;
  /** Compute time that one lease should fill, seconds: long enough to be worth its gas, short enough to leave work to others. */
  leaseSeconds: number;
  /** Part of a lease's time, in percent, and seconds on top, that are kept for proving and surprises. */
  reservePercent: number;
  reserveSeconds: number;
  /** Most memory that a shard may ask for. */
  memoryBytes: number;
  /** The contract that posts proofs of tiers, where there is one. */
  proofs?: Address | undefined;
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
  /** What it takes of the machine and until when; nothing for a lapse that is only said. */
  lot?: Lot;
}

/** What to do about a set of jobs. */
export interface Plan {
  claims: PlannedClaim[];
  declines: Decline[];
}

/** Why terms are not for this node, whatever is inside the job; undefined when they may be. */
export function screenTerms(terms: Terms, facts: PlanFacts, options: PlanOptions): Omit<Decline, 'job'> | undefined {
  if (!isOwnProof(terms, facts.node, options.proofs)) {
    const ask = options.asks[terms.currency.toLowerCase()];
    if (ask === undefined) return { code: 'currency', detail: { currency: terms.currency } };
    if (terms.maxPrice < ask)
      return { code: 'price', detail: { most: terms.maxPrice.toString(), ask: ask.toString() } };
  }
  if (!facts.runtimes.has(terms.runtime) || (facts.view.runtimes & (1 << terms.runtime)) === 0) {
    return { code: 'runtime', detail: { runtime: terms.runtime } };
  }
  if (terms.node !== 0 && terms.node !== facts.node) return { code: 'reserved', detail: { node: terms.node } };
  if (terms.tier > 0 && (facts.view.tier < terms.tier || facts.nextTime > facts.view.tierUntil)) {
    return { code: 'tier', detail: { tier: terms.tier } };
  }
  return undefined;
}

/** What of the room and the stake is left while claims are planned. */
interface Left {
  room: Room;
  stake: bigint;
}

/** Which jobs to claim of and how much of each, best first; and why not the others. Pure. */
export function planClaims(candidates: readonly Candidate[], facts: PlanFacts, options: PlanOptions): Plan {
  const claims: PlannedClaim[] = [];
  const declines: Decline[] = [];
  const left: Left = { room: facts.room, stake: facts.view.stake - facts.view.locked - facts.view.queued };

  for (const candidate of [...candidates].sort((a, b) => compare(a, b, facts, options))) {
    const { job, terms } = candidate;
    const verdict = judge(candidate, facts, options, left);
    if (verdict === 'notYet') continue;
    if ('code' in verdict) {
      declines.push({ job, ...verdict });
      continue;
    }
    claims.push({ job, terms, ...verdict });
    const { lot, count } = verdict;
    if (!lot) continue; // Only the words that it has lapsed: nothing is promised yet.
    const { capacity, free, lots } = left.room;
    left.room = { capacity, free: minus(free, times(lot.needs, count)), lots: [...lots, lot] };
    left.stake -= terms.bond * BigInt(count);
  }
  return { claims, declines };
}

type Refusal = Omit<Decline, 'job'>;
type Verdict = 'notYet' | Refusal | Omit<PlannedClaim, 'job' | 'terms'>;

function judge({ terms, ranges, preparation }: Candidate, facts: PlanFacts, options: PlanOptions, left: Left): Verdict {
  const screened = screenTerms(terms, facts, options);
  // Work that is reserved for another node may be audited by any.
  const audits = ranges.length > 0 && ranges.every(({ kind }) => kind === 'audit');
  if (screened && !(screened.code === 'reserved' && audits)) return screened;
  const still = standstill(facts);
  if (still) return still;
  if ((facts.nextTime > terms.expiry && !audits) || preparation.state === 'waiting') return 'notYet';
  if (preparation.state === 'declined') return { code: preparation.code, detail: preparation.detail };
  if (ranges.length === 0) return 'notYet';
  if (preparation.memoryBytes > options.memoryBytes) {
    return { code: 'memory', detail: { asked: preparation.memoryBytes, most: options.memoryBytes } };
  }
  const proof = isOwnProof(terms, facts.node, options.proofs);
  const ask = proof ? 0n : askOf(terms.currency, preparation.shardUnits, options);
  if (terms.maxPrice < ask) return { code: 'price', detail: { most: terms.maxPrice.toString(), ask: ask.toString() } };

  const inTime = (terms.exec * (100 - options.reservePercent)) / 100 - options.reserveSeconds;
  const budget = Math.min(inTime, facts.secondsLeft);
  // Whether this machine is fast enough for a proof is what the proof is about.
  const shardSeconds = proof ? Math.min(preparation.shardSeconds, budget) : preparation.shardSeconds;
  const waves = Math.floor(budget / shardSeconds);
  if (waves < 1) {
    const rounded = Math.ceil(shardSeconds);
    return inTime >= shardSeconds
      ? { code: 'hours', detail: { left: facts.secondsLeft, shardSeconds: rounded } }
      : { code: 'deadline', detail: { exec: terms.exec, shardSeconds: rounded } };
  }
  const { room, stake } = left;
  const atOnce = howMany(room.free, preparation.needs);
  if (atOnce < 1) return tooLittle(room, preparation.needs);
  const affordable = terms.bond === 0n ? Number.MAX_SAFE_INTEGER : Number(stake / terms.bond);
  if (affordable < 1) return { code: 'stake', detail: { free: stake.toString(), bond: terms.bond.toString() } };

  const wanted = atOnce * Math.max(1, Math.floor(options.leaseSeconds / shardSeconds));
  const most = Math.min(atOnce * waves, affordable, options.maxLeaseShards);
  const lotOf = (waiting: number): Lot => ({
    deadline: facts.nextTime + budget,
    waiting,
    running: [],
    seconds: shardSeconds,
    needs: preparation.needs,
  });
  const open = ranges.filter(({ drawnAt }) => drawnAt !== undefined && drawnAt <= facts.nextTime);
  let refusal: Verdict = 'notYet';
  for (const range of open) {
    const { kind, first, holder } = range;
    const price = range.price ?? priceAt(terms, range.from, facts.nextTime);
    const highest = range.price ?? terms.maxPrice;
    if (price < ask) continue; // The ramp may still reach it.
    // All or nothing: somebody else's range cannot be split.
    const whole = kind !== 'fresh';
    if (whole && range.count > most) {
      refusal = { code: affordable < range.count ? 'stake' : 'slots', detail: { shards: range.count, most } };
      continue;
    }
    if (kind === 'overdue') {
      return { kind, first, count: range.count, price, ...(holder === undefined ? {} : { holder }) };
    }
    const count = whole
      ? fitsBeside(room.lots, lotOf(range.count), room.capacity, facts.nextTime)
        ? range.count
        : 0
      : mostBeside(
          room.lots,
          lotOf(Math.min(range.count, terms.maxLease, wanted, most)),
          room.capacity,
          facts.nextTime,
        );
    if (count < 1) {
      refusal = { code: 'crowded', detail: { leases: room.lots.length } };
      continue;
    }
    const gas = proof ? 0n : gasOf(kind, terms, facts.gas, options);
    const required = requiredPrice(ask, gas, count);
    if (highest < required) {
      refusal = { code: 'gas', detail: { price: highest.toString(), ask: ask.toString(), gas: gas.toString(), count } };
      continue;
    }
    if (price < required) continue; // The ramp may still reach it.
    return { kind, first, count, price, lot: lotOf(count), ...(holder === undefined ? {} : { holder }) };
  }
  return refusal;
}

/** Why the node takes nothing at all at the moment. */
function standstill(facts: PlanFacts): Refusal | undefined {
  if (facts.draining) return { code: 'draining', detail: {} };
  if (facts.walletEmpty) return { code: 'wallet', detail: {} };
  if (facts.pausedUntil >= facts.nextTime) return { code: 'paused', detail: { until: facts.pausedUntil } };
  if (facts.halt) return { code: facts.halt.code, detail: facts.halt.detail };
  if (facts.view.stake - facts.view.queued < facts.minStake) {
    return { code: 'minStake', detail: { stake: facts.view.stake.toString(), least: facts.minStake.toString() } };
  }
  return undefined;
}

/** What the machine lacks for one shard: for good, or because of what it holds. */
function tooLittle({ capacity, free }: Room, needs: Needs): Refusal {
  const forGood = lacking(capacity, needs);
  const code =
    forGood && ({ slots: 'slots', cores: 'cores', memoryBytes: 'memory', vramBytes: 'vram' } as const)[forGood];
  if (forGood && code) return { code, detail: { asked: needs[forGood], most: capacity[forGood] } };
  const now = lacking(free, needs) ?? 'slots';
  if (now === 'slots') return { code: 'slots', detail: {} };
  return { code: 'busy', detail: { dimension: now, asked: needs[now], free: free[now] } };
}

/** What is ready without reading or fetching anything counts as if it paid this many times as much. */
const WARM_BONUS = 2;

/** Best paid in relation to what is asked first; equal pay in the order of the posts. */
function compare(a: Candidate, b: Candidate, facts: PlanFacts, options: PlanOptions): number {
  const difference = scoreOf(b, facts, options) - scoreOf(a, facts, options);
  return difference !== 0 ? difference : a.postedBlock - b.postedBlock;
}

/** Price now less the gas for a shard, per thousandth of the ask and per second of work. */
function scoreOf({ terms, ranges, preparation }: Candidate, facts: PlanFacts, options: PlanOptions): number {
  const [range] = ranges;
  if (range === undefined || preparation.state !== 'ready') return 0;
  if (isOwnProof(terms, facts.node, options.proofs)) return Number.MAX_VALUE; // it has a minute, and the owner waits for it
  const ask = askOf(terms.currency, preparation.shardUnits, options);
  const gas = gasOf(range.kind, terms, facts.gas, options) / BigInt(Math.max(1, Math.min(range.count, terms.maxLease)));
  const price = (range.price ?? priceAt(terms, range.from, facts.nextTime)) - gas;
  const ratio = Number((price * 1000n) / (ask > 0n ? ask : 1n));
  return (ratio / preparation.shardSeconds) * (preparation.warm ? WARM_BONUS : 1);
}
