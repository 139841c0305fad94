import type { Activity, ActivityType } from '@dpu/sdk/api';

/** What happened, in words. Parts that can be looked up are named so that a page can link them. */
export interface Telling {
  /** Begins a sentence; the job, node and account stand in the event. */
  text: string;
  tone: 'neutral' | 'accent' | 'info' | 'warn' | 'danger';
  /** What its amount is, as a sentence with a place for it. */
  amount?: `{amount} ${string}`;
}

const TELLINGS: Readonly<Record<ActivityType, Telling>> = {
  jobPosted: { text: 'Job posted', tone: 'info', amount: '{amount} in escrow' },
  jobCancelled: { text: 'Job cancelled', tone: 'warn', amount: '{amount} refunded' },
  jobCompleted: { text: 'Job completed', tone: 'accent', amount: '{amount} refunded' },
  jobClosed: { text: 'Job closed', tone: 'neutral', amount: '{amount} refunded' },
  leaseClaimed: { text: 'Shards claimed', tone: 'info', amount: '{amount} bond locked' },
  leaseCommitted: { text: 'Result committed', tone: 'info' },
  seatCommitted: { text: 'Seat taken, result committed', tone: 'info' },
  leaseRevealed: { text: 'Result revealed', tone: 'warn' },
  leaseSettled: { text: 'Shards settled', tone: 'accent', amount: '{amount} paid' },
  leaseAccepted: { text: 'Shards accepted', tone: 'accent', amount: '{amount} paid' },
  leaseLapsed: { text: 'Lease lapsed', tone: 'danger', amount: '{amount} slashed' },
  bonusSwept: { text: 'Bonus swept', tone: 'neutral', amount: '{amount} to the treasury' },
  nodeSet: { text: 'Node updated', tone: 'neutral' },
  nodeTierSet: { text: 'Tier proven', tone: 'neutral' },
  staked: { text: 'Staked', tone: 'accent', amount: '{amount} added' },
  unstakeQueued: { text: 'Unstaking queued', tone: 'neutral', amount: '{amount} leaving' },
  unstakeCancelled: { text: 'Unstaking cancelled', tone: 'neutral', amount: '{amount} kept' },
  unstaked: { text: 'Unstaked', tone: 'neutral', amount: '{amount} left' },
  nodeSlashed: { text: 'Node slashed', tone: 'danger', amount: '{amount} lost' },
  stakeDelegated: { text: 'Votes delegated', tone: 'neutral' },
  deposited: { text: 'Deposited', tone: 'neutral', amount: '{amount} in' },
  withdrawn: { text: 'Withdrawn', tone: 'neutral', amount: '{amount} out' },
  feesCollected: { text: 'Fees collected', tone: 'neutral', amount: '{amount} to the treasury' },
  currencyAllowed: { text: 'Currency list changed', tone: 'neutral' },
  runtimeAllowed: { text: 'Runtime list changed', tone: 'neutral' },
  paramsAdded: { text: 'Parameters changed', tone: 'neutral' },
  treasurySet: { text: 'Treasury changed', tone: 'neutral' },
  guardianSet: { text: 'Guardian appointed', tone: 'neutral' },
  minStakeSet: { text: 'Least stake changed', tone: 'neutral' },
  unbondingSet: { text: 'Unbonding time changed', tone: 'neutral' },
  seatsAllowed: { text: 'Seats per range changed', tone: 'neutral' },
  panelEnded: { text: 'Seats compared', tone: 'accent' },
  auditOpened: { text: 'Audit begun', tone: 'info', amount: '{amount} from the treasury' },
  creditsSet: { text: 'Credits contract changed', tone: 'neutral' },
  proverSet: { text: 'Prover of tiers changed', tone: 'neutral' },
  challenged: { text: 'Shard challenged', tone: 'warn', amount: '{amount} set aside' },
  jurorServed: { text: 'Juror bound its vote', tone: 'info', amount: '{amount} for serving' },
  jurorSpoke: { text: 'Juror showed its vote', tone: 'info' },
  judged: { text: 'Jury decided', tone: 'accent' },
  appealed: { text: 'Verdict appealed', tone: 'warn', amount: '{amount} for a second jury' },
  disputeEnded: { text: 'Dispute ended', tone: 'neutral', amount: '{amount} reward' },
  leaseJudged: { text: 'Lease judged', tone: 'accent', amount: '{amount} paid' },
  seatFaulted: { text: 'Seat lost', tone: 'danger', amount: '{amount} slashed' },
  paused: { text: 'New posts and claims paused', tone: 'warn' },
};

/** An event in words. */
export function tell({ type }: Pick<Activity, 'type'>): Telling {
  return TELLINGS[type];
}
