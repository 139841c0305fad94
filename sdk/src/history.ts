/**
 * A job's whole life, rebuilt from the Market's logs alone: no indexer, no contract reads. What comes out carries everything
 * that calldata needs, so whoever has an RPC endpoint can push any job to its next state.
 */
import { zeroHash, type Address, type Hash, type Hex } from 'viem';

import type { Deployment } from './deployment.ts';
import { flagsOf, isSeat, leaseOfWord, type Lease, type Result } from './lease.ts';
import { readJobLogs, readPostLogs, type ChainReader, type JobLog, type LogOptions } from './logs.ts';
import { unpackTerms } from './packedTerms.ts';
import { OUTCOMES, type Outcome } from './panel.ts';
import { worstCase, type Terms } from './terms.ts';

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
  record: number;
  /** It had committed and did not reveal. */
  withheld: boolean;
  /** It showed another result than the quorum of its panel. */
  outvoted?: boolean;
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
  /** The last holder of each range, by first shard; with several seats all of them, by first shard and node. */
  leases: HistoryLease[];
  /** Ranges with several seats that have ended, in the order in which they did; one that was silent may end again. */
  panels: HistoryPanel[];
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

/** Folds a job's logs, in chain order, into its history; undefined when its post is not among them. Pure. */
export function buildHistory(logs: readonly JobLog[]): JobHistory | undefined {
  let job: JobHistory | undefined;
  const living: Living = new Map();
  for (const log of logs) {
    if (log.eventName === 'JobPosted') job = opened(log);
    if (!job) continue;
    job.signed ||= bringsOrder(job, log);
    job.steps.push(stepOf(log));
    applyToLeases(job, living, log);
    applyToJob(job, log);
  }
  if (job)
    job.leases = [...living.values()].sort((a, b) => a.lease.first - b.lease.first || a.lease.node - b.lease.node);
  return job;
}

/** The last holders, by range; seats of one range by their nodes as well. */
type Living = Map<string, HistoryLease>;
const keyOf = (terms: Terms, first: number, node: number): string =>
  terms.seats === 1 ? `${first}` : `${first}:${node}`;

function opened(log: JobLog & { eventName: 'JobPosted' }): JobHistory {
  const terms = unpackTerms(log.args.terms);
  return {
    id: log.args.id,
    terms,
    signed: false,
    escrow: worstCase(terms),
    state: 'open',
    postedAt: log.timestamp,
    postedBlock: Number(log.blockNumber),
    refunded: 0n,
    cursor: 0,
    leases: [],
    panels: [],
    replaced: [],
    steps: [],
  };
}

function bringsOrder({ steps }: JobHistory, { eventName, transactionHash }: JobLog): boolean {
  const takes = eventName === 'LeaseClaimed' || eventName === 'LeaseAccepted';
  return takes && steps[0]?.transaction === transactionHash;
}

/** After `applyToLeases`, which compares a claim with the cursor before it. */
function applyToJob(job: JobHistory, log: JobLog): void {
  if (log.eventName === 'JobCancelled') {
    job.state = 'cancelled';
    job.refunded += log.args.refunded;
  } else if (log.eventName === 'JobCompleted' || log.eventName === 'JobClosed') {
    job.state = log.eventName === 'JobCompleted' ? 'complete' : 'closed';
    job.refunded += log.args.refunded;
    job.closedAt = log.timestamp;
  } else if (log.eventName === 'LeaseClaimed') {
    const { first, count } = leaseOfWord(log.args.first, log.args.claimed);
    job.cursor = Math.max(job.cursor, first + count);
  }
}

function applyToLeases(job: JobHistory, living: Living, log: JobLog): void {
  const { terms } = job;
  if (log.eventName === 'LeaseClaimed') {
    replaceLost(job, living, log);
    living.set(keyOf(terms, log.args.first, log.args.node), claimed(job, log));
    return;
  }
  if (log.eventName === 'PanelEnded') {
    job.panels.push(endedPanel(log));
    return;
  }
  if (!('first' in log.args) || !('node' in log.args)) return;
  const key = keyOf(terms, log.args.first, log.args.node);
  if (log.eventName === 'LeaseAccepted' && !living.has(key)) {
    // A signed order that was settled in one transaction: no claim came before, and it is the whole job.
    living.set(key, settledAtOnce(terms, log));
  }
  const held = living.get(key);
  if (held) advance(terms, held, log);
}

/** Puts aside whom this claim replaces: the failed holder of the range, or its seats once all are lost; others keep theirs. */
function replaceLost(job: JobHistory, living: Living, log: JobLog & { eventName: 'LeaseClaimed' }): void {
  const before = [...living].filter(([, { lease }]) => lease.first === log.args.first);
  const besideOthers = before.some(([, { lease, state }]) => isSeat(lease) && state !== 'lapsed');
  for (const [key, held] of before) {
    if (besideOthers && held.lease.node !== log.args.node) continue;
    living.delete(key);
    job.replaced.push(held);
  }
}

function endedPanel({ args, timestamp, transactionHash }: JobLog & { eventName: 'PanelEnded' }): HistoryPanel {
  const outcome = OUTCOMES[args.outcome] ?? 'unresolved';
  return {
    first: args.first,
    outcome,
    ...(outcome === 'agreed' ? { result: args.result } : {}),
    endedAt: timestamp,
    transaction: transactionHash,
  };
}

function claimed({ terms, cursor, replaced }: JobHistory, log: JobLog & { eventName: 'LeaseClaimed' }): HistoryLease {
  const lease = leaseOfWord(log.args.first, log.args.claimed);
  return {
    lease,
    state: 'claimed',
    at: log.timestamp,
    bond: terms.bond * BigInt(lease.count),
    // Whoever joins others on a range takes nobody's place.
    takenOver: isSeat(lease) ? replaced.some((held) => held.lease.first === lease.first) : lease.first < cursor,
    claimedAt: log.timestamp,
    transactions: { claim: log.transactionHash },
  };
}

function settledAtOnce(terms: Terms, log: JobLog & { eventName: 'LeaseAccepted' }): HistoryLease {
  const { first, node, paid, fee } = log.args;
  const count = terms.shards;
  return {
    lease: {
      first,
      count,
      node,
      price: (paid + fee) / BigInt(count),
      bonus: 0n,
      deadline: 0,
      flags: flagsOf(terms, count),
      commitment: zeroHash,
      committedBlock: 0,
    },
    state: 'settled',
    at: log.timestamp,
    bond: 0n,
    takenOver: false,
    transactions: {},
  };
}

/** Moves a lease to the phase that `log` announces. */
function advance(terms: Terms, held: HistoryLease, log: JobLog): void {
  const { timestamp, transactionHash } = log;
  switch (log.eventName) {
    case 'LeaseCommitted':
      held.lease = { ...held.lease, commitment: log.args.commitment, committedBlock: Number(log.blockNumber) };
      held.state = 'committed';
      held.committedAt = timestamp;
      held.transactions.commit = transactionHash;
      break;
    case 'LeaseRevealed':
      held.state = 'revealed';
      held.result = log.args.result;
      held.revealedAt = timestamp;
      held.windowEnd = timestamp + terms.window;
      held.transactions.reveal = transactionHash;
      break;
    case 'LeaseSettled':
    case 'LeaseAccepted': {
      const { paid, fee } = log.args;
      const accepted = log.eventName === 'LeaseAccepted';
      held.state = 'settled';
      if (accepted) held.result = log.args.result;
      held.settledAt = timestamp;
      held.payment = {
        paid,
        fee,
        bonus: held.lease.bonus * GWEI,
        ...(accepted ? {} : { record: log.args.record }),
        accepted,
      };
      held.transactions.settle = transactionHash;
      break;
    }
    case 'LeaseLapsed': {
      const { slashed, bonus, record, withheld } = log.args;
      held.state = 'lapsed';
      held.lapsedAt = timestamp;
      held.loss = { slashed, bonus, record, withheld };
      held.transactions.lapse = transactionHash;
      break;
    }
    case 'SeatFaulted': {
      const { slashed, record, withheld } = log.args;
      held.state = 'lapsed';
      held.lapsedAt = timestamp;
      held.loss = { slashed, bonus: 0n, record, withheld, outvoted: !withheld };
      held.transactions.lapse = transactionHash;
      break;
    }
    default:
      return;
  }
  held.at = timestamp;
}

function stepOf(log: JobLog): HistoryStep {
  return {
    event: log.eventName,
    transaction: log.transactionHash,
    block: Number(log.blockNumber),
    timestamp: log.timestamp,
    gasUsed: log.gasUsed,
    ...('first' in log.args ? { first: log.args.first } : {}),
    ...('node' in log.args ? { node: log.args.node } : {}),
  };
}

const GWEI = 1_000_000_000n;

function fail(error: Error): never {
  throw error;
}
