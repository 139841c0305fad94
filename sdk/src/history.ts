/**
 * A job's whole life, rebuilt from the Market's logs alone: no indexer, no contract reads. What comes out carries everything
 * that calldata needs, so whoever has an RPC endpoint can push any job to its next state.
 */
import type { Verdict } from './court.ts';
import type { Address, Hash, Hex } from 'viem';

import type { Deployment } from './deployment.ts';
import type { HistoryDispute } from './historyDisputes.ts';
import { buildHistory } from './historyFold.ts';
import type { Lease, Result } from './lease.ts';
import { readJobLogs, readPostLogs, type ChainReader, type JobLog, type LogOptions } from './logs.ts';
import { unpackTerms } from './packedTerms.ts';
import type { Outcome } from './panel.ts';
import { worstCase, type Terms } from './terms.ts';

export { buildHistory } from './historyFold.ts';

/** How far a lease came. Unlike on chain, a settled lease is remembered. */
export type LeaseState = 'claimed' | 'committed' | 'revealed' | 'settled' | 'lapsed';

/** One event of the job, with what its transaction cost. Several steps may share a transaction. */
export interface HistoryStep {
  /** The event's name, e.g. `LeaseCommitted`. */
  event: JobLog['eventName'];
  transaction: Hash;
  block: number;
  /** Unix seconds. */
  timestamp: number;
  /** Gas of the whole transaction; undefined when the caller asked to leave it out. */
  gasUsed: bigint | undefined;
  /** The lease it is about, by its first shard. */
  first?: number;
  /** Who acted or is acted upon: a lease's holder, of `JurorServed` and `JurorSpoke` the juror. */
  node?: number;
}

/** What a node's owner was paid, amounts in the job's currency, the bonus in DPU wei. */
export interface Payment {
  paid: bigint;
  fee: bigint;
  bonus: bigint;
  /** The node's new record, basis points; absent after an acceptance, which leaves it as it was. */
  record?: number;
  /** Paid by the requester's signed acceptance. */
  accepted: boolean;
}

/** What a node lost, in DPU wei. */
export interface Loss {
  slashed: bigint;
  /** DPU wei that wait for whoever takes over. */
  bonus: bigint;
  /** The node's new record, basis points; absent where a jury took it down, which is told of by the dispute. */
  record?: number;
  /** It had committed and did not reveal. */
  withheld: boolean;
  /** It showed another result than the quorum of its panel. */
  outvoted?: boolean;
  /** A jury found it wrong. */
  convicted?: boolean;
}

/** How the seats of a range ended. */
export interface HistoryPanel {
  /** First shard of the range. */
  first: number;
  outcome: Outcome;
  /** What the quorum agreed on; only when it did. */
  result?: Result;
  /** Unix seconds. */
  endedAt: number;
  transaction: Hash;
}

/** A lease that was drawn, and that another node computes again. */
export interface HistoryAudit {
  /** First shard of the range. */
  first: number;
  /** The node that sat down beside the holder. */
  auditor: number;
  /** The protocol pays it; otherwise the job's escrow does. */
  pooled: boolean;
  /** Unix seconds. */
  openedAt: number;
  transaction: Hash;
}

/** One holder's time with a range of shards. */
export interface HistoryLease {
  /** What calldata needs, as of now: with commitment and block once committed. */
  lease: Lease;
  state: LeaseState;
  /** Unix seconds of the last change; what `leaseWordOf` takes. */
  at: number;
  /** DPU wei locked at the claim. */
  bond: bigint;
  takenOver: boolean;
  /** Unix seconds; each absent until it happened. */
  claimedAt?: number;
  committedAt?: number;
  revealedAt?: number;
  /** Last second at which a revealed lease cannot be settled yet. */
  windowEnd?: number;
  settledAt?: number;
  lapsedAt?: number;
  /** Once it is public. */
  result?: Result;
  payment?: Payment;
  loss?: Loss;
  /** What juries found that ended it. Its panel, if it has one, goes on without it. */
  judged?: Verdict;
  transactions: { claim?: Hash; commit?: Hash; reveal?: Hash; settle?: Hash; lapse?: Hash };
}

/** A job's whole life. */
export interface JobHistory {
  id: Hex;
  terms: Terms;
  /** Brought on chain by a node as a signed order: it was claimed or paid in the transaction that posted it. */
  signed: boolean;
  /** Set aside at the post, in the currency's smallest unit. */
  escrow: bigint;
  state: 'open' | 'cancelled' | 'complete' | 'closed';
  postedAt: number;
  postedBlock: number;
  closedAt?: number;
  /** Paid back to the requester so far. */
  refunded: bigint;
  /** Next shard that was never claimed. */
  cursor: number;
  /** The last holder of each range, by first shard; where several nodes sit (seats, an audit) all of them, by first shard and node. */
  leases: HistoryLease[];
  /** Ranges with several nodes that have ended, in the order in which they did; one that was silent may end again. */
  panels: HistoryPanel[];
  /** Audits, in the order in which they began. */
  audits: HistoryAudit[];
  /** Shards that were challenged, in the order in which they were. */
  disputes: HistoryDispute[];
  /** Lapsed holders whose range was taken over, oldest first. */
  replaced: HistoryLease[];
  /** Every event in order. */
  steps: HistoryStep[];
}

/** Thrown when no log speaks of a job's post. */
export class JobNotFound extends Error {
  readonly id: Hex;
  readonly retryable = false;
  /** What to do next, as `explain` says it. */
  readonly action =
    'Check the id, the network and the address of the Market; a job that was posted just now appears with the next block.';

  constructor(id: Hex, fromBlock: number, toBlock: number) {
    super(`No job ${id} was posted on this Market between blocks ${fromBlock} and ${toBlock}.`);
    this.name = 'JobNotFound';
    this.id = id;
  }
}

/**
 * Rebuilds job `id` from the Market's logs.
 * @throws JobNotFound when it was never posted.
 */
export async function jobHistory(
  client: ChainReader,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
  id: Hex,
  options: LogOptions = {},
): Promise<JobHistory> {
  const { logs, fromBlock, toBlock } = await readJobLogs(client, deployment, id, options);
  return buildHistory(logs) ?? fail(new JobNotFound(id, fromBlock, toBlock));
}

/** A job as its post shows it. */
export interface FoundJob {
  id: Hex;
  requester: Address;
  terms: Terms;
  /** Set aside at the post, in the currency's smallest unit. */
  escrow: bigint;
  block: number;
  transaction: Hash;
}

/**
 * The seats on the range at `first` that are bound to a result and not paid yet, or that a jury has dealt with, in the order of their
 * commits: those that the contract asks for when the panel ends.
 */
export function committedSeats({ leases, steps }: Pick<JobHistory, 'leases' | 'steps'>, first: number): HistoryLease[] {
  const order = steps.filter(({ event, first: at }) => event === 'LeaseCommitted' && at === first);
  const place = (held: HistoryLease): number => order.findLastIndex(({ node }) => node === held.lease.node);
  return leases
    .filter(
      ({ lease, state, judged }) => lease.first === first && (state === 'committed' || state === 'revealed' || judged),
    )
    .sort((a, b) => place(a) - place(b));
}

/** Which jobs to find. */
export interface JobFilter extends LogOptions {
  requester?: Address;
}

/** Jobs posted on the Market, newest first. */
export async function findJobs(
  client: ChainReader,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
  filter: JobFilter = {},
): Promise<FoundJob[]> {
  const posts = await readPostLogs(client, deployment, filter);
  return posts
    .map(({ args, blockNumber, transactionHash }) => {
      const terms = unpackTerms(args.terms);
      const { id, requester } = args;
      return {
        id,
        requester,
        terms,
        escrow: worstCase(terms),
        block: Number(blockNumber),
        transaction: transactionHash,
      };
    })
    .reverse();
}

function fail(error: Error): never {
  throw error;
}
