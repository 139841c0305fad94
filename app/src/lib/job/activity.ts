import type { Activity, ActivityType } from '@dpu/sdk/api';

/** What happened, in words. Parts that can be looked up are named so that a page can link them. */
export interface Telling {
  /** Begins a sentence; the job, node and account stand in the event. */
  text: string;
  tone: 'neutral' | 'accent' | 'info' | 'warn' | 'danger';
  /** What the event's amount is, when it has one. */
  amount?: string;
}

const TELLINGS: Readonly<Record<ActivityType, Telling>> = {
  jobPosted: { text: 'Job posted', tone: 'info', amount: 'in escrow' },
  jobCancelled: { text: 'Job cancelled', tone: 'warn', amount: 'refunded' },
  jobCompleted: { text: 'Job completed', tone: 'accent', amount: 'refunded' },
  jobClosed: { text: 'Job closed', tone: 'neutral', amount: 'refunded' },
  leaseClaimed: { text: 'Shards claimed', tone: 'info', amount: 'bond locked' },
  leaseCommitted: { text: 'Result committed', tone: 'info' },
  seatCommitted: { text: 'Seat taken, result committed', tone: 'info' },
  leaseRevealed: { text: 'Result revealed', tone: 'warn' },
  leaseSettled: { text: 'Shards settled', tone: 'accent', amount: 'paid' },
  leaseAccepted: { text: 'Shards accepted', tone: 'accent', amount: 'paid' },
  leaseLapsed: { text: 'Lease lapsed', tone: 'danger', amount: 'slashed' },
  bonusSwept: { text: 'Bonus swept', tone: 'neutral', amount: 'to the treasury' },
  nodeSet: { text: 'Node updated', tone: 'neutral' },
  nodeTierSet: { text: 'Tier proven', tone: 'neutral' },
  staked: { text: 'Staked', tone: 'accent', amount: 'added' },
  unstakeQueued: { text: 'Unstaking queued', tone: 'neutral', amount: 'leaving' },
  unstakeCancelled: { text: 'Unstaking cancelled', tone: 'neutral', amount: 'kept' },
  unstaked: { text: 'Unstaked', tone: 'neutral', amount: 'left' },
  nodeSlashed: { text: 'Node slashed', tone: 'danger', amount: 'lost' },
  stakeDelegated: { text: 'Votes delegated', tone: 'neutral' },
  deposited: { text: 'Deposited', tone: 'neutral', amount: 'in' },
  withdrawn: { text: 'Withdrawn', tone: 'neutral', amount: 'out' },
  feesCollected: { text: 'Fees collected', tone: 'neutral', amount: 'to the treasury' },
  currencyAllowed: { text: 'Currency list changed', tone: 'neutral' },
  runtimeAllowed: { text: 'Runtime list changed', tone: 'neutral' },
  paramsAdded: { text: 'Parameters changed', tone: 'neutral' },
  treasurySet: { text: 'Treasury changed', tone: 'neutral' },
  guardianSet: { text: 'Guardian appointed', tone: 'neutral' },
  minStakeSet: { text: 'Least stake changed', tone: 'neutral' },
  unbondingSet: { text: 'Unbonding time changed', tone: 'neutral' },
  seatsAllowed: { text: 'Seats per range changed', tone: 'neutral' },
  panelEnded: { text: 'Seats compared', tone: 'accent' },
  auditOpened: { text: 'Audit begun', tone: 'info', amount: 'from the treasury' },
  creditsSet: { text: 'Credits contract changed', tone: 'neutral' },
  proverSet: { text: 'Prover of tiers changed', tone: 'neutral' },
  challenged: { text: 'Shard challenged', tone: 'warn', amount: 'at stake' },
  jurorServed: { text: 'Juror bound its vote', tone: 'info', amount: 'for serving' },
  jurorSpoke: { text: 'Juror showed its vote', tone: 'info' },
  judged: { text: 'Jury decided', tone: 'accent' },
  appealed: { text: 'Verdict appealed', tone: 'warn', amount: 'for a second jury' },
  disputeEnded: { text: 'Dispute ended', tone: 'neutral', amount: 'reward' },
  leaseJudged: { text: 'Lease judged', tone: 'accent', amount: 'paid' },
  seatFaulted: { text: 'Seat lost', tone: 'danger', amount: 'slashed' },
  paused: { text: 'New posts and claims paused', tone: 'warn' },
};

/** An event in words. */
export function tell({ type }: Pick<Activity, 'type'>): Telling {
  return TELLINGS[type];
}
