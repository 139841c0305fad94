import { isSeat, leaseOfWord, type Lease, type Result } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { LeaseEvent } from './marketEvents.ts';

/** Where a lease stands, as the chain's events tell it. */
export type LeasePhase = 'claimed' | 'committed' | 'revealed' | 'settled' | 'lapsed';

/** One lease, folded from its events. Times are block time, unix seconds. */
export interface LeaseState {
  job: Hex;
  /** As calldata needs it now: the commitment and its block are filled in once there is one. */
  lease: Lease;
  phase: LeasePhase;
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
}

/** Whether a lease or a seat has not ended. */
export function isLiving({ phase }: Pick<LeaseState, 'phase'>): boolean {
  return phase !== 'settled' && phase !== 'lapsed';
}

/**
 * The state of the range at one `first` of a job with `terms`, from its events in chain order; undefined when they do not begin with
 * a claim. Seats of one range are told apart by their nodes; a lease that is alone replaces the one before it.
 */
export function foldRange(events: readonly LeaseEvent[], terms: Pick<Terms, 'bond'>): RangeState | undefined {
  const holders = new Map<number, LeaseState>();
  for (const event of events) {
    if (event.name === 'LeaseClaimed') {
      const lease = leaseOfWord(event.first, event.claimed);
      if (!isSeat(lease)) holders.clear();
      const bond = terms.bond * BigInt(lease.count);
      holders.set(event.node, { job: event.job, lease, phase: 'claimed', claimedBlock: event.block, bond });
    } else {
      const held = holders.get(event.node);
      if (held) holders.set(event.node, next(held, event));
    }
  }
  if (holders.size === 0) return undefined;
  const leases = [...holders.values()].sort((a, b) => a.lease.node - b.lease.node);
  // Whoever showed something was paid for it, unless others outvoted it: so a range is free when all have lost it.
  const lost = leases.every(({ phase }) => phase === 'lapsed');
  return { standing: leases.some(isLiving) ? 'held' : lost ? 'lapsed' : 'ended', leases };
}

function next(state: LeaseState, event: Exclude<LeaseEvent, { name: 'LeaseClaimed' }>): LeaseState {
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
      return { ...state, phase: 'settled', paid: event.paid, fee: event.fee, endBlock: event.block };
    case 'LeaseAccepted':
      return {
        ...state,
        phase: 'settled',
        result: event.result,
        paid: event.paid,
        fee: event.fee,
        endBlock: event.block,
      };
    case 'LeaseLapsed':
      return { ...state, phase: 'lapsed', slashed: event.slashed, waitingBonus: event.bonus, endBlock: event.block };
    case 'SeatFaulted':
      return { ...state, phase: 'lapsed', slashed: event.slashed, waitingBonus: 0n, endBlock: event.block };
  }
}
