import { boundOf, chainOf, chainOver } from '@dpu/sdk/bench';
import { asClaimed, claimedWord, committedWord, readWord, standsFor } from '@dpu/sdk/lease';

import type { Chain, Head } from './chain.ts';
import type { ChainBook, KnownLease } from './chainBook.ts';
import type { CourtBook } from '../court/courtBook.ts';
import { leaseKeyOf, leaseName } from '../work/executor.ts';
import type { Log } from '../log.ts';
import { committedSeats } from '../leases/panels.ts';
import type { Scan } from './scan.ts';

/** How the journal is compared with the chain. */
export interface ReconcilerOptions {
  node: number;
  /** How far back events are read again when the chain holds a bond that the journal knows nothing of, in blocks. */
  rescanBlocks: number;
}

/** What the reconciler works with. */
export interface ReconcilerDeps {
  chain: Chain;
  book: ChainBook;
  scan: Scan;
  court: Pick<CourtBook, 'lockedBeside'>;
  log: Log;
}

/**
 * Compares what the journal says of our leases with the contract's own words, on start and every now and then. Events are how the node
 * knows; this is how it finds out that an RPC left some out.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #deps: ReconcilerDeps;
  #suspects = new Set<string>();

  constructor(options: ReconcilerOptions, deps: ReconcilerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Compares once, right after the events up to `head` were read. A difference that is seen twice is no race between two answers: then
   * the events are read again. Answers how many leases differed.
   */
  async reconcile(head: Head): Promise<number> {
    const { chain, book, scan, log } = this.#deps;
    const living = book.ownLiving(this.#options.node);
    const differing: { name: string; from: number }[] = [];
    for (const lease of living) {
      if (!(await this.#agrees(lease))) differing.push({ name: nameOf(lease), from: lease.claimedBlock });
    }
    const { locked } = await chain.node(this.#options.node);
    const court = this.#deps.court.lockedBeside(this.#options.node, living);
    const known = living.reduce((sum, { bond }) => sum + bond, court);
    if (locked !== known) {
      differing.push({
        name: `locked:${locked}:${known}`,
        from: Math.max(0, head.number - this.#options.rescanBlocks),
      });
    }

    const sure = differing.filter(({ name }) => this.#suspects.has(name));
    this.#suspects = new Set(differing.map(({ name }) => name));
    if (sure.length > 0) {
      const from = Math.min(...sure.map((difference) => difference.from));
      log.warn('Journal and chain differ, reading events again', { differing: sure.map(({ name }) => name), from });
      this.#suspects.clear();
      scan.rescan(from);
      await scan.advance(head);
    }
    return differing.length;
  }

  /** A seat that has committed has no word of its own: what binds it is the bench, together with all others. */
  async #agrees(lease: KnownLease): Promise<boolean> {
    const { chain, book } = this.#deps;
    const { job } = lease;
    const { first, node } = lease.lease;
    if (!lease.seated) return agrees(lease, await chain.leaseWord(job, first));
    if (lease.phase !== 'committed') return agrees(lease, await chain.seatWord(job, first, node));
    const bound = committedSeats(book, lease).map((seat) => boundOf(seat.lease));
    return chainOf(await chain.bench(job, first)) === chainOver(bound);
  }
}

/** Whether the contract's word is that of the lease as the journal knows it. */
export function agrees(lease: KnownLease, word: bigint): boolean {
  const { phase, at } = readWord(word);
  if (phase !== (lease.disputed ? 'disputed' : lease.phase)) return false;
  if (phase === 'claimed') return word === claimedWord(lease.lease);
  if (phase === 'committed') return word === committedWord(lease.lease, at);
  return lease.result !== undefined && standsFor(word, asClaimed(lease.lease), lease.result);
}

const nameOf = (lease: KnownLease): string => `${leaseName(leaseKeyOf(lease))}:${lease.phase}`;
