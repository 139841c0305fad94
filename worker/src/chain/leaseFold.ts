import { isSeat, leaseOfWord, type Lease, type Result } from '@dpu/sdk/lease';
import { endsUndone, type Verdict } from '@dpu/sdk/court';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import { stepsOf, type LeaseEvent, type LeaseStep } from './marketEvents.ts';

/** A lease names its bonus in gwei. */
const GWEI = 10n ** 9n;

/** Where a lease stands, as the chain's events tell it. */
export type LeasePhase = 'claimed' | 'committed' | 'revealed' | 'settled' | 'lapsed';

/** One lease, folded from its events. Times are block time, unix seconds. */
export interface LeaseState {
  job: Hex;
  /** As calldata needs it now: the commitment and its block are filled in once there is one. */
  lease: Lease;
  phase: LeasePhase;
  /** It computes its range beside others: one of several seats, or a lease and its audit. The range's word is a panel's. */
  seated: boolean;
  claimedBlock: number;
  /** DPU wei locked for it. */
  bond: bigint;
  /** When it was committed and revealed; only known of our own leases. */
  committedAt?: number;
  revealedAt?: number;
  /** Block in which it was revealed. */
  revealedBlock?: number;
  /** What was shown. */
  result?: Result;
  /** Smallest units of the job's currency. */
  paid?: bigint;
  fee?: bigint;
  /** DPU wei lost. */
  slashed?: bigint;
  /** DPU wei that waits for whoever takes a lapsed lease over. */
  waitingBonus?: bigint;
  /** Some of its shards are before juries: nothing else can happen to it until they are done. */
  disputed?: boolean;
  /** What a jury found that ended it; its panel goes on without it. */
  judged?: Verdict;
  /** Block of the event that ended it. */
  endBlock?: number;
}

/** What became of a range: `held` while a lease or a seat of it lives, `lapsed` when it is free to be taken over. */
export type RangeStanding = 'held' | 'lapsed' | 'ended';

/** A range, folded from its events. */
export interface RangeState {
  standing: RangeStanding;
  /** Its newest lease; or every node's newest seat, by node. */
  leases: LeaseState[];
  /** Nodes that sit and have committed, in the order of their commits: the contract binds them all in this order. */
  bench: number[];
  /** Its panel has ended. Until then seats wait for that, also those that juries have dealt with. */
  closed: boolean;
}

/** What became of a range's work: the result that was paid as the range's own, and who made it. */
export interface SettledResult {
  node: number;
  result: Result;
}

/** Whether a lease or a seat has not ended. */
export function isLiving({ phase }: Pick<LeaseState, 'phase'>): boolean {
  return phase !== 'settled' && phase !== 'lapsed';
}

/**
 * The state of the range at one `first` of a job with `terms`, from its events in chain order; undefined when they do not begin with
 * a claim. Seats of one range are told apart by their nodes; who begins a range anew replaces all who lost it before.
 */
export function foldRange(events: readonly LeaseEvent[], terms: Pick<Terms, 'bond'>): RangeState | undefined {
  const holders = new Map<number, LeaseState>();
  let bench: number[] = [];
  let told: Result | undefined;
  let closed = false;
  for (const event of events.flatMap(stepsOf)) {
    if (event.name === 'LeaseClaimed') {
      closed = false;
      const lease = leaseOfWord(event.first, event.claimed);
      const seated = isSeat(lease);
      if (!seated || ![...holders.values()].some(isLiving)) {
        holders.clear();
        bench = [];
      }
      const bond = terms.bond * BigInt(lease.count);
      holders.set(event.node, { job: event.job, lease, phase: 'claimed', seated, claimedBlock: event.block, bond });
    } else if (event.name === 'AuditOpened') {
      // Its holder has committed and sits beside the auditor from now on.
      for (const held of holders.values()) held.seated = true;
      bench = [...holders.keys()];
    } else if (event.name === 'PanelEnded') {
      told = event.result;
      closed = true;
    } else {
      const held = holders.get(event.node);
      if (!held) continue;
      if (event.name === 'LeaseCommitted' && held.seated) bench.push(event.node);
      holders.set(event.node, next(held, event, told));
    }
  }
  if (holders.size === 0) return undefined;
  const leases = [...holders.values()].sort((a, b) => a.lease.node - b.lease.node);
  // Whoever showed something was paid for it, unless others outvoted it: so a range is free when all have lost it.
  const lost = leases.every(({ phase }) => phase === 'lapsed');
  return { standing: leases.some(isLiving) ? 'held' : lost ? 'lapsed' : 'ended', leases, bench, closed };
}

/** The result that was paid as the range's own, from its events in chain order; of a panel the one that its agreement names. */
export function settledResult(events: readonly LeaseEvent[]): SettledResult | undefined {
  const shown = new Map<number, Result>();
  let ended: { result: Result | undefined } | undefined;
  let settled: SettledResult | undefined;
  for (const event of events.flatMap(stepsOf)) {
    if (event.name === 'LeaseClaimed') ended = undefined;
    else if (event.name === 'LeaseRevealed') shown.set(event.node, event.result);
    else if (event.name === 'PanelEnded') ended = { result: event.agreed ? event.result : undefined };
    // An acceptance may say something else than what was shown before.
    else if (event.name === 'LeaseAccepted') settled = { node: event.node, result: event.result };
    else if (event.name === 'LeaseSettled') {
      const own = shown.get(event.node) ?? ended?.result;
      if (own && (!ended || ended.result?.manifest === own.manifest)) settled = { node: event.node, result: own };
    }
  }
  return settled;
}

/** `told`: what the end of its panel told, which is what a seat shows there that nothing else tells of. */
function next(
  state: LeaseState,
  event: Exclude<LeaseStep, { name: 'LeaseClaimed' | 'AuditOpened' | 'PanelEnded' }>,
  told: Result | undefined,
): LeaseState {
  switch (event.name) {
    case 'LeaseCommitted':
      return {
        ...state,
        phase: 'committed',
        ...(event.time === undefined ? {} : { committedAt: event.time }),
        lease: { ...state.lease, commitment: event.commitment, committedBlock: event.block },
      };
    case 'LeaseRevealed':
      return {
        ...state,
        phase: 'revealed',
        result: event.result,
        revealedBlock: event.block,
        ...(event.time === undefined ? {} : { revealedAt: event.time }),
      };
    case 'LeaseSettled':
      return {
        ...state,
        phase: 'settled',
        ...(state.result || !told ? {} : { result: told }),
        paid: event.paid,
        fee: event.fee,
        endBlock: event.block,
      };
    case 'LeaseAccepted':
      return {
        ...state,
        phase: 'settled',
        result: event.result,
        paid: event.paid,
        fee: event.fee,
        endBlock: event.block,
      };
    case 'LeaseChallenged':
      return { ...state, disputed: true };
    case 'LeaseJudged':
      return judged({ ...state, disputed: false }, event);
    case 'LeaseLapsed':
      return { ...state, phase: 'lapsed', slashed: event.slashed, waitingBonus: event.bonus, endBlock: event.block };
    case 'SeatFaulted':
      return { ...state, phase: 'lapsed', slashed: event.slashed, waitingBonus: 0n, endBlock: event.block };
  }
}

/**
 * What becomes of a lease with the last verdict about it: up to `withheld` it stands as it was shown; `invalid`, it is lost like one that
 * lapsed, with the bonus that it had; otherwise it ended with part of its price.
 */
function judged(state: LeaseState, event: Extract<LeaseEvent, { name: 'LeaseJudged' }>): LeaseState {
  const { verdict, paid, fee, block } = event;
  if (verdict === 'invalid') {
    const waitingBonus = state.seated ? 0n : state.lease.bonus * GWEI;
    return { ...state, judged: verdict, phase: 'lapsed', slashed: state.bond, waitingBonus, endBlock: block };
  }
  if (!endsUndone(verdict)) return state;
  return { ...state, judged: verdict, phase: 'settled', paid, fee, endBlock: block };
}
