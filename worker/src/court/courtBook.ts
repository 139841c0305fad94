import type { Testimony } from '@dpu/sdk/court';
import type { Lease } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import type { Journal } from '../sending/journal.ts';
import { fromText, toText } from '../chain/marketEvents.ts';
import type { CourtEvent } from './courtEvents.ts';
import { foldDispute, lockedIn, takenBy, type DisputeState } from './disputeFold.ts';

/** A dispute with the terms of its job. */
export interface KnownDispute extends DisputeState {
  terms: Terms;
}

/** What a check of a shard found. `unknown`: it could not be told. */
export type CheckFinding = 'same' | 'differs' | 'unknown';

/** What a check is about. */
export interface CheckKey {
  job: Hex;
  lease: Pick<Lease, 'first' | 'deadline' | 'node'>;
  shard: number;
}

/** Keeps the events of disputes beside those of leases, under the same cursor. A later one of the same place replaces it. */
export function writeCourtEvent(journal: Journal, event: CourtEvent): void {
  journal.run(
    'INSERT OR REPLACE INTO court VALUES (?, ?, ?, ?)',
    event.block,
    event.logIndex,
    event.dispute,
    toText(event),
  );
}

/** Forgets the events of disputes after block `number`. */
export function rewindCourt(journal: Journal, number: number): void {
  journal.run('DELETE FROM court WHERE block > ?', number);
}

/**
 * What the court said, as far as it was scanned, and what this node is bound to there: its testimonies, on the disk before their
 * commitments are sent, and the checks that it made.
 */
export class CourtBook {
  readonly #journal: Journal;
  readonly #book: Pick<ChainBook, 'terms'>;

  constructor(journal: Journal, book: Pick<ChainBook, 'terms'>) {
    this.#journal = journal;
    this.#book = book;
  }

  /** Every dispute that is not over, oldest first. */
  open(): KnownDispute[] {
    return this.#keys('WHERE dispute NOT IN (SELECT dispute FROM court WHERE event LIKE \'%"name":"DisputeEnded"%\')');
  }

  /** The dispute under `key`. */
  dispute(key: Hex): KnownDispute | undefined {
    const events = this.#journal
      .all<{ event: string }>('SELECT event FROM court WHERE dispute = ? ORDER BY block, log_index', key)
      .map(({ event }) => fromText<CourtEvent>(event));
    const state = foldDispute(events);
    const terms = state && this.#book.terms(state.job);
    return terms && { ...state, terms };
  }

  /** Disputes about the claim that `lease` is, over or not. */
  about({ job, lease }: Pick<KnownLease, 'job' | 'lease'>): KnownDispute[] {
    return this.#keys('WHERE event LIKE ?', `%"name":"Challenged"%"job":"${job}"%`).filter(
      (known) =>
        known.lease.first === lease.first && known.lease.node === lease.node && known.lease.deadline === lease.deadline,
    );
  }

  /** Stake of `node` that disputes have locked beside the bonds of its `living` leases, DPU wei; below zero by what they took of those. */
  lockedBeside(node: number, living: readonly KnownLease[]): bigint {
    const locked = this.open().reduce((sum, dispute) => sum + lockedIn(dispute, dispute.terms, node), 0n);
    const taken = living
      .filter(({ phase }) => phase === 'revealed')
      .flatMap((lease) => this.about(lease))
      .reduce((sum, dispute) => sum + takenBy(dispute, dispute.terms), 0n);
    return locked - taken;
  }

  /** What this node has to say in a round. */
  testimony(dispute: Hex, round: number): Testimony | undefined {
    const row = this.#journal.get<{ testimony: string }>(
      'SELECT testimony FROM testimonies WHERE dispute = ? AND round = ?',
      dispute,
      round,
    );
    return row && fromText<Testimony>(row.testimony);
  }

  /** Keeps what this node has to say. The first one stays: a second commitment would be a lie. */
  promise(dispute: Hex, round: number, testimony: Testimony): void {
    this.#journal.run('INSERT OR IGNORE INTO testimonies VALUES (?, ?, ?)', dispute, round, toText(testimony));
  }

  /** What a check found; undefined when it was not made. */
  checked({ job, lease, shard }: CheckKey): CheckFinding | undefined {
    return this.#journal.get<{ finding: CheckFinding }>(
      'SELECT finding FROM checks WHERE job = ? AND first = ? AND node = ? AND deadline = ? AND shard = ?',
      job,
      lease.first,
      lease.node,
      lease.deadline,
      shard,
    )?.finding;
  }

  /** Keeps what a check found. */
  addCheck({ job, lease, shard }: CheckKey, finding: CheckFinding): void {
    this.#journal.run(
      'INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?, ?, ?)',
      job,
      lease.first,
      lease.node,
      lease.deadline,
      shard,
      finding,
    );
  }

  /** Leases that were revealed in a block after `block`. */
  revealedSince(block: number): { job: Hex; first: number; node: number }[] {
    return this.#journal.all(
      'SELECT DISTINCT job, first, node FROM events WHERE block > ? AND event LIKE \'%"name":"LeaseRevealed"%\'',
      block,
    );
  }

  #keys(where: string, ...values: string[]): KnownDispute[] {
    return this.#journal
      .all<{ dispute: Hex }>(
        `SELECT dispute FROM court ${where} GROUP BY dispute ORDER BY MIN(block), MIN(log_index)`,
        ...values,
      )
      .flatMap(({ dispute }) => this.dispute(dispute) ?? []);
  }
}
