/** Disputes in a job's history: what was challenged, who judged it, and what became of it. */
import type { Address, Hash, Hex } from 'viem';

import { VERDICTS, type Juror, type Verdict, type Vote } from './court.ts';
import { leaseOfWord, type Lease } from './lease.ts';
import type { JobLog } from './logs.ts';

/** Somebody with a side: an account, or a node whose stake pays. */
export interface HistoryParty {
  /** The zero address where a node pays. */
  account: Address;
  /** 0 for an account. */
  node: number;
}

/** One jury. */
export interface HistoryJury {
  /** Unix seconds of the challenge, or of the appeal that called it. */
  calledAt: number;
  /** In the order in which they sat down. */
  jurors: Juror[];
  /** What they said, by node. */
  votes: Map<number, Vote>;
  /** Once it is counted: what it found, how many of its jurors were paid, and when (unix seconds). */
  judged?: { found: Verdict; paid: number; at: number };
}

/** One challenged shard. */
export interface HistoryDispute {
  key: Hex;
  /** The lease as it was right after the claim: all that the court reads of it. */
  lease: Lease;
  /** The shard, and what its holder showed of it. */
  index: number;
  hash: Hex;
  units: bigint;
  challenger: HistoryParty;
  appellant?: HistoryParty;
  /** The first jury, and the second after an appeal. */
  juries: HistoryJury[];
  /** What stands; `none` before the first jury is counted. */
  verdict: Verdict;
  /** Once it is carried out. Amounts are DPU wei, named as in the event `DisputeEnded`; `at` is unix seconds. */
  ended?: { returned: bigint; forfeited: bigint; rewarded: bigint; repaid: bigint; record: number; at: number };
  transactions: { challenge: Hash; enforce?: Hash };
}

/** Takes in an event; those that belong to no dispute change nothing. Answers the dispute that it belongs to. */
export function applyToDisputes(disputes: HistoryDispute[], log: JobLog): HistoryDispute | undefined {
  if (log.eventName === 'Challenged') {
    const dispute = challenged(log);
    disputes.push(dispute);
    return dispute;
  }
  if (!('dispute' in log.args)) return undefined;
  const { dispute: key } = log.args;
  const dispute = disputes.find((one) => one.key === key);
  const jury = dispute?.juries.at(-1);
  if (dispute && jury) advance(dispute, jury, log);
  return dispute;
}

function challenged(log: JobLog & { eventName: 'Challenged' }): HistoryDispute {
  const { dispute, first, claimed, index, hash, units, challenger, byNode } = log.args;
  return {
    ...{ key: dispute, lease: leaseOfWord(first, claimed), index, hash, units },
    challenger: { account: challenger, node: byNode },
    juries: [juryAt(log.timestamp)],
    verdict: 'none',
    transactions: { challenge: log.transactionHash },
  };
}

function advance(dispute: HistoryDispute, jury: HistoryJury, log: JobLog): void {
  switch (log.eventName) {
    case 'JurorServed':
      jury.jurors.push({ node: log.args.node, commitment: log.args.commitment });
      break;
    case 'JurorSpoke':
      jury.votes.set(log.args.node, verdictAt(log.args.verdict) as Vote);
      break;
    case 'Judged':
      jury.judged = { found: verdictAt(log.args.found), paid: Number(log.args.paid), at: log.timestamp };
      dispute.verdict = verdictAt(log.args.stands);
      break;
    case 'Appealed':
      dispute.appellant = { account: log.args.appellant, node: log.args.byNode };
      dispute.juries.push(juryAt(log.timestamp));
      break;
    case 'DisputeEnded': {
      const { returned, forfeited, rewarded, repaid, record, verdict } = log.args;
      dispute.verdict = verdictAt(verdict);
      dispute.ended = { returned, forfeited, rewarded, repaid, record, at: log.timestamp };
      dispute.transactions.enforce = log.transactionHash;
    }
  }
}

function juryAt(calledAt: number): HistoryJury {
  return { calledAt, jurors: [], votes: new Map() };
}

function verdictAt(index: number): Verdict {
  return VERDICTS[index] ?? 'none';
}
