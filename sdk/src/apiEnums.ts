/**
 * The closed lists of the indexer: its database has them as enums, its API as zod enums (`apiSchemas.ts`). Words are the contract's; the
 * order is the database's and is for good: a new word comes last.
 */

/**
 * `open`: nobody has claimed yet. `running`: at least one shard was claimed. `complete`: every shard was settled.
 * `cancelled`: no new claims, leases that run go on. `closed`: ended without being complete.
 */
export const JOB_STATES = ['open', 'running', 'complete', 'cancelled', 'closed'] as const;
/** `excused`: a jury could not judge it, or found that the job cannot be done. */
export const LEASE_PHASES = ['claimed', 'committed', 'revealed', 'settled', 'lapsed', 'excused'] as const;
/** `faulted`: it lost its bond, by another result than the quorum's or by none. `unresolved`: paid half, because no quorum agreed. */
export const SEAT_PHASES = [...LEASE_PHASES, 'faulted', 'unresolved'] as const;
/** Several seats, as the terms ask; or a single lease that was drawn, and its auditor. */
export const PANEL_KINDS = ['seats', 'audit'] as const;
/** `lapsed`: the last seat missed its deadline. After that and after `silent` (nobody showed anything) the range is free again. */
export const PANEL_OUTCOMES = ['agreed', 'unresolved', 'silent', 'lapsed'] as const;
/** Where a dispute stands. */
export const DISPUTE_STATES = ['serving', 'judged', 'ended'] as const;
/** What happened to a stake. */
export const STAKE_KINDS = ['staked', 'queued', 'cancelled', 'unstaked', 'slashed'] as const;
/** Why money moved; what each does to a balance is in the indexer's `money.ts`. */
export const PAYMENT_KINDS = [
  'deposit',
  'withdrawal',
  'escrow',
  'refund',
  'paid',
  'fee',
  'collected',
  'bonus',
  'slash',
  'burn',
  'treasury',
  'pledge',
  'release',
  'jury',
  'reward',
  'repaid',
  'forfeit',
  'sweep',
  'audit',
  'auditRefund',
] as const;
/** The Market's events by their own names, first letter lower. */
export const ACTIVITY_TYPES = [
  'jobPosted',
  'jobCancelled',
  'jobCompleted',
  'jobClosed',
  'leaseClaimed',
  'leaseCommitted',
  'seatCommitted',
  'leaseRevealed',
  'leaseSettled',
  'leaseAccepted',
  'leaseLapsed',
  'bonusSwept',
  'nodeSet',
  'nodeTierSet',
  'staked',
  'unstakeQueued',
  'unstakeCancelled',
  'unstaked',
  'nodeSlashed',
  'stakeDelegated',
  'deposited',
  'withdrawn',
  'feesCollected',
  'currencyAllowed',
  'runtimeAllowed',
  'paramsAdded',
  'treasurySet',
  'guardianSet',
  'paused',
  'minStakeSet',
  'unbondingSet',
  'seatsAllowed',
  'panelEnded',
  'seatFaulted',
  'auditOpened',
  'creditsSet',
  'proverSet',
  'challenged',
  'jurorServed',
  'jurorSpoke',
  'judged',
  'appealed',
  'disputeEnded',
  'leaseJudged',
] as const;
/** What events say of a proposal; whether it is pending, active, won or lost is a question of the clock and the quorum. */
export const PROPOSAL_STATES = ['proposed', 'queued', 'executed', 'canceled'] as const;
/** How a vote was cast, in the governor's order. */
export const VOTE_SUPPORTS = ['against', 'for', 'abstain'] as const;
/** What became of a batch of calls in the timelock. */
export const OPERATION_STATES = ['scheduled', 'executed', 'cancelled'] as const;
/** The contracts that have settings. */
export const SETTING_CONTRACTS = ['market', 'governor', 'timelock', 'credits', 'proofs'] as const;
/** Lengths over which statistics are summed. */
export const PERIOD_UNITS = ['hour', 'day'] as const;
/** How sure it is that a block stays: see `sourceSchema`. */
export const FINALITIES = ['latest', 'safe', 'finalized'] as const;
