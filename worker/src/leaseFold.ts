import { leaseOfWord, type Lease, type Result } from '@dpu/sdk/lease';
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

/**
 * The state of the newest lease at one `first` of a job with `terms`, from its events in chain order; undefined when they do not
 * begin with a claim.
 */
export function foldLease(events: readonly LeaseEvent[], terms: Pick<Terms, 'bond'>): LeaseState | undefined {
  let state: LeaseState | undefined;
  for (const event of events) {
    if (event.name === 'LeaseClaimed') {
      const lease = leaseOfWord(event.first, event.claimed);
      const bond = terms.bond * BigInt(lease.count);
      state = { job: event.job, lease, phase: 'claimed', claimedBlock: event.block, bond };
    } else if (state) {
      state = next(state, event);
    }
  }
  return state;
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
  }
}
