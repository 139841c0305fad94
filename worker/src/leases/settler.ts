import { saidOf, shownOf, withheldOf, type Said } from '@dpu/sdk/bench';
import { isSeat, type Result } from '@dpu/sdk/lease';

import type { Head } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { committedSeats } from './panels.ts';
import { marketCalls } from '@dpu/sdk/calls';
import { leaseKeyOf, leaseName } from '../work/executor.ts';
import type { Log } from '../log.ts';
import type { Promised, PromiseBook } from './promiseBook.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { Timings } from '../timings.ts';

/** How leases and jobs are ended. */
export interface SettlerOptions {
  /** Most leases in one transaction. */
  batch: number;
  /** Close expired jobs that this node worked for. */
  closeJobs: boolean;
}

/** What the settler works with. */
export interface SettlerDeps {
  book: ChainBook;
  promises: PromiseBook;
  proposer: Proposer;
  log: Log;
  timings: Timings;
  clockMs: () => number;
}

/** The exits: being paid, saying that a deadline was missed, closing what is over. */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #deps: SettlerDeps;
  /** The batch in which a lease is on its way. */
  readonly #pending = new Map<string, string>();

  constructor(options: SettlerOptions, deps: SettlerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Has leases paid whose window has passed, those of a job together. */
  async settle(due: readonly KnownLease[], seenMs: number): Promise<void> {
    for (const leases of Map.groupBy(due, ({ job }) => job).values()) {
      for (let at = 0; at < leases.length; at += this.#options.batch) {
        await this.#settleBatch(leases.slice(at, at + this.#options.batch), seenMs);
      }
    }
  }

  /** Says that a lease missed a deadline. Answers whether it is on its way. */
  async lapse(lease: KnownLease): Promise<boolean> {
    const { proposer, log, book } = this.#deps;
    const seat = isSeat(lease.lease) ? `:${lease.lease.node}` : ''; // Seats of a range may share their deadline.
    const name = `lapse:${leaseName(leaseKeyOf(lease))}${seat}`;
    const proposed = await proposer.propose(
      { name, kind: 'lapse', data: marketCalls.lapse(lease.terms, lease.lease) },
      book.cursor()?.number ?? 0,
    );
    const facts = { job: lease.job, first: lease.lease.first, holder: lease.lease.node };
    if (proposed.outcome === 'sent') log.info('Lapse sent', facts);
    if (proposed.outcome === 'refused') log.debug('Lapse is not due', { ...facts, revert: proposed.revert.message });
    return proposed.outcome !== 'refused';
  }

  /**
   * Ends the panel that `seat` belongs to: pays whom most agree with, and takes the bonds of the others. `closes`: last second at which what
   * nobody has seen yet may be shown with it, block time; it is due in a block of second `nextTime`.
   */
  async agree(seat: KnownLease, closes: number, nextTime: number, seenMs: number): Promise<void> {
    const { proposer, log, timings, clockMs, book, promises } = this.#deps;
    const { job, terms } = seat;
    const { first } = seat.lease;
    const seats = committedSeats(book, seat);
    // What it shows there for the first time is as urgent as a reveal.
    const shows = seat.phase === 'committed' && nextTime <= closes;
    const said = seats.map((one) => {
      const own = one.lease.node === seat.lease.node ? promises.promised(leaseKeyOf(one)) : undefined;
      return saying(one, shows ? own : undefined);
    });
    const data = marketCalls.agree(terms, first, said);
    const proposed = await proposer.propose(
      {
        name: `agree:${leaseName(leaseKeyOf(seat))}`,
        data,
        ...(shows ? { kind: 'reveal', deadline: closes } : { kind: 'agree' }),
      },
      book.cursor()?.number ?? 0,
    );
    const facts = { job, first, seats: seats.length };
    if (proposed.outcome === 'sent') {
      const ms = clockMs() - seenMs;
      timings.add('agree', ms);
      log.info('Agree sent', { ...facts, ms: Math.round(ms * 10) / 10 });
    } else if (proposed.outcome === 'refused') {
      log.debug('Agree is not due', { ...facts, revert: proposed.revert.message });
    }
  }

  /** Closes expired jobs that we worked for, so that their requesters have the rest back. */
  async close(head: Head): Promise<void> {
    if (!this.#options.closeJobs) return;
    const { book, proposer, log } = this.#deps;
    for (const { id, terms } of book.ownUnendedJobs()) {
      const busy = book.leasesOf(id).some(({ phase }) => phase !== 'settled' && phase !== 'lapsed');
      if (head.timestamp <= terms.expiry || busy) continue;
      const proposed = await proposer.propose(
        { name: `close:${id}`, kind: 'close', data: marketCalls.close(terms) },
        book.cursor()?.number ?? 0,
      );
      if (proposed.outcome === 'sent') log.info('Close sent', { job: id });
    }
  }

  async #settleBatch(batch: readonly KnownLease[], seenMs: number): Promise<void> {
    const { proposer, log, timings, clockMs, book } = this.#deps;
    const [first] = batch;
    if (!first) return;
    const scanned = book.cursor()?.number ?? 0;
    // A lease that is on its way stays out, so that a batch that grew between two heads pays for nothing twice.
    const fresh = batch.filter((lease) => !this.#isPending(lease, scanned));
    if (fresh.length === 0) return;
    const results = fresh.flatMap(({ result }): Result[] => (result ? [result] : []));
    const data = marketCalls.settle(
      first.terms,
      fresh.map(({ lease }) => lease),
      results,
    );
    const proposed = await proposer.propose({ name: settleName(fresh), kind: 'settle', data }, scanned);
    const facts = { job: first.job, leases: fresh.length };
    if (proposed.outcome === 'sent') {
      for (const lease of fresh) this.#pending.set(leaseName(leaseKeyOf(lease)), settleName(fresh));
      const ms = clockMs() - seenMs;
      timings.add('settle', ms);
      log.info('Settle sent', { ...facts, ms: Math.round(ms * 10) / 10 });
    } else if (proposed.outcome === 'refused') {
      log.debug('Settle is not due', { ...facts, revert: proposed.revert.message });
      // One that is not due must not hold up the others.
      if (fresh.length > 1) for (const lease of fresh) await this.#settleBatch([lease], seenMs);
    }
  }

  #isPending(lease: KnownLease, scanned: number): boolean {
    const key = leaseName(leaseKeyOf(lease));
    const batch = this.#pending.get(key);
    if (batch === undefined) return false;
    if (this.#deps.proposer.isPending(batch, scanned)) return true;
    this.#pending.delete(key);
    return false;
  }
}

/** A batch is named by its leases: the same ones again are the same intent. */
function settleName(batch: readonly KnownLease[]): string {
  const firsts = batch.map(({ lease }) => `${lease.first}.${lease.deadline}`).join('+');
  return `settle:${batch[0]?.job ?? ''}:${firsts}`;
}

/** What `seat` says when its panel ends; `own`: what this node promised for it, and shows there if nobody has seen it yet. */
function saying({ lease, phase, result }: KnownLease, own: Promised | undefined): Said {
  if (phase === 'revealed' && result) return shownOf(lease, result);
  return own ? saidOf(lease, own.result, own.salt) : withheldOf(lease);
}
