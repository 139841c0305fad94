import { appealUntil, endsUndone, jurySeats, packTestimony, serveUntil, silenceOf, speakUntil } from '@dpu/sdk/court';
import { marketCalls } from '@dpu/sdk/calls';

import type { Head } from '../chain/chain.ts';
import type { ChainBook } from '../chain/chainBook.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { CourtBook, KnownDispute } from './courtBook.ts';
import { roundOf } from './disputeFold.ts';

/** Blocks between those who could push a dispute on: one is enough, and each further one would pay for a refusal. */
const TURN_BLOCKS = 2;

/** What the clerk works with. */
export interface ClerkDeps {
  book: ChainBook;
  court: CourtBook;
  facts: Pick<ChainFacts, 'block'>;
  proposer: Proposer;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  log: Log;
}

/** When a step of a dispute is due, and whose turn it is. Block time, unix seconds. */
export interface Due {
  step: 'judge' | 'enforce';
  /** First second at which the contract takes it. */
  from: number;
}

/**
 * What a dispute needs from anybody: its votes counted once all are shown or nobody may speak any more, its verdict carried out once it
 * cannot be appealed. Undefined while jurors may still sit down or speak. `began`: second at which the round began, `spoke` of the newest
 * vote, `judged` of the judgement; `heldUntil`: last second at which the lease may be challenged.
 */
export function dueOf(
  dispute: KnownDispute,
  times: { began: number; spoke: number; judged: number | undefined; heldUntil: number },
): Due | undefined {
  const { terms, verdict } = dispute;
  const { round, number } = roundOf(dispute);
  if (times.judged !== undefined) {
    const until = appealUntil(terms, { round: number, at: times.judged });
    // A verdict that ends the lease waits until nobody can challenge any more; with other disputes open it need not, but may.
    const from = Math.max(until + 1, endsUndone(verdict) ? times.heldUntil + 1 : 0, times.judged);
    return { step: 'enforce', from };
  }
  const all = round.jurors.every(({ node }) => round.votes.has(node));
  const full = round.jurors.length === jurySeats(number).seats;
  if (full && all) return { step: 'judge', from: times.spoke };
  const closes = all ? serveUntil(terms, { at: times.began }) : speakUntil(terms, { at: times.began });
  return { step: 'judge', from: closes + 1 };
}

/** Nodes with a duty in a dispute, in the order of their turns: for a verdict who gains by it first, for a count the jurors. */
export function turnsOf(dispute: KnownDispute, step: Due['step']): number[] {
  const { challenger, appellant, lease } = dispute;
  const parties = [challenger.node, lease.node, appellant?.node ?? 0].filter((node) => node !== 0);
  const jurors = dispute.rounds.flatMap(({ jurors: sat }) => sat.map(({ node }) => node));
  const order = step === 'enforce' ? [...parties, ...jurors] : [...jurors.toReversed(), ...parties];
  return [...new Set(order)];
}

/** Pushes the disputes that this node has a part in to their end, when it is its turn. */
export class Clerk {
  readonly #node: number;
  readonly #deps: ClerkDeps;

  constructor({ node }: { node: number }, deps: ClerkDeps) {
    this.#node = node;
    this.#deps = deps;
  }

  /** Disputes that this node has a duty in. */
  get duties(): number {
    return this.#deps.court.open().filter((dispute) => turnsOf(dispute, 'enforce').includes(this.#node)).length;
  }

  /** Does what is due in the next block. */
  async tick(head: Head): Promise<void> {
    for (const dispute of this.#deps.court.open()) {
      const due = await this.#due(dispute, head);
      if (!due) continue;
      const turn = turnsOf(dispute, due.step).indexOf(this.#node);
      if (turn < 0) continue;
      const blockSeconds = Math.max(1, this.#deps.nextTime() - head.timestamp);
      if (this.#deps.nextTime() < due.from + turn * TURN_BLOCKS * blockSeconds) continue;
      await (due.step === 'judge' ? this.#judge(dispute) : this.#enforce(dispute));
    }
  }

  async #due(dispute: KnownDispute, head: Head): Promise<Due | undefined> {
    const { facts, book } = this.#deps;
    const { round } = roundOf(dispute);
    const time = async (block: number): Promise<number | undefined> => (await facts.block(block, head))?.timestamp;
    const began = await time(round.block);
    const spoke = round.spokenBlock === 0 ? began : await time(round.spokenBlock);
    const judged = round.judged && (await time(round.judged.block));
    const held = book.lease(dispute.job, dispute.lease.first, dispute.lease.node);
    const revealed = held?.revealedBlock === undefined ? undefined : await time(held.revealedBlock);
    // An answer from another fork; the next head knows better.
    if (began === undefined || spoke === undefined || (round.judged && judged === undefined)) return undefined;
    return dueOf(dispute, { began, spoke, judged, heldUntil: (revealed ?? 0) + dispute.terms.window });
  }

  async #judge(dispute: KnownDispute): Promise<void> {
    const { terms, lease, index, key, job } = dispute;
    const { round, number } = roundOf(dispute);
    const said = round.jurors.map((juror) => packTestimony(silenceOf(juror)));
    const data = marketCalls.judge(terms, lease, index, said);
    await this.#propose({ name: `judge:${key}:${number}`, kind: 'judge', data }, 'Count of a jury sent', {
      job,
      shard: index,
    });
  }

  async #enforce(dispute: KnownDispute): Promise<void> {
    const { terms, lease, index, key, job, verdict } = dispute;
    const result = this.#deps.book.lease(job, lease.first, lease.node)?.result;
    if (!result) return;
    const data = marketCalls.enforce(terms, lease, result, index);
    await this.#propose({ name: `enforce:${key}`, kind: 'enforce', data }, 'Verdict sent', {
      job,
      shard: index,
      verdict,
    });
  }

  async #propose(
    proposal: Parameters<Proposer['propose']>[0],
    sentence: string,
    facts: Record<string, unknown>,
  ): Promise<void> {
    const { proposer, book, log } = this.#deps;
    const proposed = await proposer.propose(proposal, book.cursor()?.number ?? 0);
    if (proposed.outcome === 'sent') log.info(sentence, facts);
    if (proposed.outcome === 'refused') {
      log.debug('This step of a dispute is not due', {
        ...facts,
        step: proposal.kind,
        revert: proposed.revert.message,
      });
    }
  }
}
