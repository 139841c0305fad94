import { disputeCost, jurySeats, type Juror, type Verdict, type Vote } from '@dpu/sdk/court';
import { leaseOfWord, type Lease } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

import type { CourtEvent } from './courtEvents.ts';

/** Somebody with a side: an account, or a node whose stake pays. */
export interface Party {
  account: Address;
  /** 0 for an account. */
  node: number;
}

/** One jury and what it did. */
export interface Round {
  /** Block in which it was called; the one after it draws the jurors. */
  block: number;
  /** In the order in which they sat down. */
  jurors: Juror[];
  /** Votes that were shown, by node. */
  votes: Map<number, Vote>;
  /** Block of the newest vote. */
  spokenBlock: number;
  /** Undefined while it is not counted. */
  judged: { block: number; found: Verdict; paid: number } | undefined;
}

/** A dispute, folded from its events. */
export interface DisputeState {
  key: Hex;
  job: Hex;
  /** The lease as it was right after the claim: all that the court reads of it. */
  lease: Lease;
  /** The shard, and what its holder showed of it. */
  index: number;
  hash: Hex;
  units: bigint;
  challenger: Party;
  appellant: Party | undefined;
  rounds: Round[];
  /** What stands; `none` before the first jury. */
  verdict: Verdict;
  /** The verdict is carried out; what was taken of the lease's bond for the challenger and an appellant, DPU wei. */
  ended: { verdict: Verdict; rewarded: bigint; repaid: bigint } | undefined;
}

/** The state of a dispute from its events in chain order; undefined when they do not begin with its challenge. */
export function foldDispute(events: readonly CourtEvent[]): DisputeState | undefined {
  let state: DisputeState | undefined;
  for (const event of events) {
    if (event.name === 'Challenged') {
      state = {
        key: event.dispute,
        job: event.job,
        lease: leaseOfWord(event.first, event.claimed),
        ...{ index: event.index, hash: event.hash, units: event.units },
        challenger: { account: event.challenger, node: event.byNode },
        appellant: undefined,
        rounds: [roundAt(event.block)],
        verdict: 'none',
        ended: undefined,
      };
      continue;
    }
    const round = state?.rounds.at(-1);
    if (!state || !round) continue;
    switch (event.name) {
      case 'JurorServed':
        round.jurors.push({ node: event.node, commitment: event.commitment });
        break;
      case 'JurorSpoke':
        round.votes.set(event.node, event.verdict);
        round.spokenBlock = event.block;
        break;
      case 'Judged':
        round.judged = { block: event.block, found: event.found, paid: event.paid };
        state.verdict = event.stands;
        break;
      case 'Appealed':
        state.appellant = { account: event.appellant, node: event.byNode };
        state.rounds.push(roundAt(event.block));
        break;
      case 'DisputeEnded':
        state.verdict = event.verdict;
        state.ended = { verdict: event.verdict, rewarded: event.rewarded, repaid: event.repaid };
    }
  }
  return state;
}

/** The round that runs, or ran last, with its number. */
export function roundOf({ rounds }: DisputeState): { round: Round; number: number } {
  const round = rounds.at(-1);
  if (!round) throw new RangeError('A dispute has at least one round.');
  return { round, number: rounds.length };
}

/** Stake of `node` that the dispute has locked, DPU wei: what it pledged as a party and juries did not spend, and its bonds as a juror. */
export function lockedIn(dispute: DisputeState, terms: Pick<Terms, 'bond'>, node: number): bigint {
  if (dispute.ended) return 0n;
  const { juror, challenging } = disputeCost(terms);
  const [first, second] = dispute.rounds;
  let locked = 0n;
  if (dispute.challenger.node === node) locked += challenging - juror * BigInt(first?.judged?.paid ?? 0);
  if (dispute.appellant?.node === node) {
    locked += juror * BigInt(jurySeats(2).seats - (second?.judged?.paid ?? 0));
  }
  const { round } = roundOf(dispute);
  if (!round.judged && round.jurors.some((one) => one.node === node)) locked += juror;
  return locked;
}

/** What the dispute has taken of the bond of its lease while that still stands, DPU wei. */
export function takenBy({ ended }: DisputeState, { bond }: Pick<Terms, 'bond'>): bigint {
  if (ended?.verdict === 'withheld') return ended.rewarded + ended.repaid;
  return ended?.verdict === 'invalid' ? bond : 0n;
}

function roundAt(block: number): Round {
  return { block, jurors: [], votes: new Map(), spokenBlock: 0, judged: undefined };
}
