/** From a job's logs to its history: the pure half of `history.ts`. */
import { zeroHash } from 'viem';

import { endsUndone, VERDICTS } from './court.ts';
import type { HistoryLease, HistoryPanel, HistoryStep, JobHistory } from './history.ts';
import { applyToDisputes, type HistoryDispute } from './historyDisputes.ts';
import { flagsOf, isSeat, leaseOfWord, type Result } from './lease.ts';
import type { JobLog } from './logs.ts';
import { unpackTerms } from './packedTerms.ts';
import { OUTCOMES } from './panel.ts';
import { worstCase, type Terms } from './terms.ts';

/** Folds a job's logs, in chain order, into its history; undefined when its post is not among them. Pure. */
export function buildHistory(logs: readonly JobLog[]): JobHistory | undefined {
  let fold: Fold | undefined;
  for (const log of logs) {
    if (log.eventName === 'JobPosted') fold = { job: opened(log), living: new Map(), told: new Map() };
    if (!fold) continue;
    const { job } = fold;
    job.signed ||= bringsOrder(job, log);
    job.steps.push(stepOf(log, applyToDisputes(job.disputes, log)));
    applyToLeases(fold, log);
    applyToJob(job, log);
  }
  if (!fold) return undefined;
  const { job, living } = fold;
  job.leases = [...living.values()].sort((a, b) => a.lease.first - b.lease.first || a.lease.node - b.lease.node);
  return job;
}

/** What is kept while logs are folded. */
interface Fold {
  job: JobHistory;
  /** The last holders, by range and node. */
  living: Map<string, HistoryLease>;
  /** What `PanelEnded` last told of a range. */
  told: Map<number, Result>;
}
const keyOf = (first: number, node: number): string => `${first}:${node}`;

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
    audits: [],
    disputes: [],
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

function applyToLeases(fold: Fold, log: JobLog): void {
  const { job, living, told } = fold;
  const { terms } = job;
  if (log.eventName === 'LeaseClaimed') {
    const besideOthers = replaceLost(fold, log);
    living.set(keyOf(log.args.first, log.args.node), claimed(job, log, besideOthers));
    return;
  }
  if (log.eventName === 'PanelEnded') {
    job.panels.push(endedPanel(log));
    told.set(log.args.first, log.args.result);
    return;
  }
  if (log.eventName === 'AuditOpened') {
    const { first, auditor, pooled } = log.args;
    job.audits.push({ first, auditor, pooled, openedAt: log.timestamp, transaction: log.transactionHash });
    return;
  }
  if (!('first' in log.args) || !('node' in log.args)) return;
  const key = keyOf(log.args.first, log.args.node);
  if (log.eventName === 'LeaseAccepted' && !living.has(key)) {
    // A signed order that was settled in one transaction: no claim came before, and it is the whole job.
    living.set(key, settledAtOnce(terms, log));
  }
  const held = living.get(key);
  if (held) advance(terms, held, log);
  if (held?.state === 'settled' && !held.result) shownAtTheEnd(held, told, log);
}

/** A seat that shows its result when its panel ends, and the very one that `PanelEnded` told: nothing else tells it. */
function shownAtTheEnd(held: HistoryLease, told: Fold['told'], { timestamp, transactionHash }: JobLog): void {
  const result = told.get(held.lease.first);
  if (!result) return;
  held.result = result;
  held.revealedAt = held.windowEnd = timestamp;
  held.transactions.reveal = transactionHash;
}

/**
 * Puts aside whom this claim replaces: the failed holder of the range, or its seats once all are lost; others keep theirs. Answers whether
 * others are there.
 */
function replaceLost({ job, living }: Fold, log: JobLog & { eventName: 'LeaseClaimed' }): boolean {
  const before = [...living].filter(([, { lease }]) => lease.first === log.args.first);
  const besideOthers = before.some(([, { state }]) => state !== 'lapsed');
  for (const [key, held] of before) {
    if (besideOthers && held.lease.node !== log.args.node) continue;
    living.delete(key);
    job.replaced.push(held);
  }
  return besideOthers;
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

function claimed(
  { terms, cursor, replaced }: JobHistory,
  log: JobLog & { eventName: 'LeaseClaimed' },
  besideOthers: boolean,
): HistoryLease {
  const lease = leaseOfWord(log.args.first, log.args.claimed);
  return {
    lease,
    state: 'claimed',
    at: log.timestamp,
    bond: terms.bond * BigInt(lease.count),
    // Whoever joins others on a range takes nobody's place.
    takenOver: isSeat(lease)
      ? !besideOthers && replaced.some((held) => held.lease.first === lease.first)
      : lease.first < cursor,
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
    case 'LeaseJudged':
      if (!judge(held, log)) return;
      break;
    default:
      return;
  }
  held.at = timestamp;
}

/** The last verdict about a lease. Answers whether it ended it: up to `withheld` the lease stands as it was shown. */
function judge(
  held: HistoryLease,
  { args, timestamp, transactionHash }: JobLog & { eventName: 'LeaseJudged' },
): boolean {
  const verdict = VERDICTS[args.verdict] ?? 'none';
  if (verdict === 'invalid') {
    const bonus = isSeat(held.lease) ? 0n : held.lease.bonus * GWEI;
    held.judged = verdict;
    held.state = 'lapsed';
    held.lapsedAt = timestamp;
    held.loss = { slashed: held.bond, bonus, withheld: false, convicted: true };
    held.transactions.lapse = transactionHash;
    return true;
  }
  if (!endsUndone(verdict)) return false;
  held.judged = verdict;
  held.state = 'settled';
  held.settledAt = timestamp;
  held.payment = { paid: args.paid, fee: args.fee, bonus: 0n, accepted: false };
  held.transactions.settle = transactionHash;
  return true;
}

/** `dispute`: the one that the event belongs to; most name nothing but its key. */
function stepOf(log: JobLog, dispute: HistoryDispute | undefined): HistoryStep {
  const first = 'first' in log.args ? log.args.first : dispute?.lease.first;
  return {
    event: log.eventName,
    transaction: log.transactionHash,
    block: Number(log.blockNumber),
    timestamp: log.timestamp,
    gasUsed: log.gasUsed,
    ...(first === undefined ? {} : { first }),
    ...('node' in log.args ? { node: log.args.node } : {}),
  };
}

const GWEI = 1_000_000_000n;
