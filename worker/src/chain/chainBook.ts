import type { Result } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

import { rewindCourt, writeCourtEvent } from '../court/courtBook.ts';
import type { CourtEvent } from '../court/courtEvents.ts';
import type { Journal } from '../sending/journal.ts';
import { foldRange, isLiving, settledResult, type LeaseState, type RangeStanding } from './leaseFold.ts';
import { fromText, toText, type LeaseEvent, type MarketEvent } from './marketEvents.ts';

/** How many scanned block hashes are kept to find the common ancestor after a reorg. */
export const BLOCKS_KEPT = 512;

/** A job that was posted and has neither ended nor been cancelled. */
export interface KnownJob {
  id: Hex;
  terms: Terms;
  postedBlock: number;
}

/** A lease with the terms of its job. */
export interface KnownLease extends LeaseState {
  terms: Terms;
}

/** A range with all who hold it. */
export interface KnownRange {
  standing: RangeStanding;
  /** Its newest lease, or its seats by node. */
  leases: KnownLease[];
  /** Nodes that sit and have committed, in the order of their commits. */
  bench: number[];
  /** Its panel has ended. */
  closed: boolean;
}

/** What a network was seen to pay this node, per currency. */
export interface Earnings {
  currency: string;
  /** Smallest units. */
  paid: bigint;
  leases: number;
}

/**
 * What the chain said, as far as it was scanned: durable, and cut back to the common ancestor by a reorg. Everything that the node
 * believes about jobs and leases is folded from here.
 */
export class ChainBook {
  readonly #journal: Journal;
  /** Folded ranges, dropped whenever their events change. */
  readonly #ranges = new Map<string, KnownRange | undefined>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The newest scanned block; undefined before the first scan. */
  cursor(): { number: number; hash: Hex } | undefined {
    return this.#journal.get<{ number: number; hash: Hex }>(
      'SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1',
    );
  }

  /** Scanned blocks, newest first. */
  scanned(): { number: number; hash: Hex }[] {
    return this.#journal.all('SELECT number, hash FROM blocks ORDER BY number DESC');
  }

  /** Takes in the events up to a block, and those of the court, all or nothing. `node` is ours: its events are marked. */
  advance(
    events: readonly MarketEvent[],
    to: { number: number; hash: Hex },
    node: number,
    court: readonly CourtEvent[] = [],
  ): void {
    this.#journal.transaction(() => {
      for (const event of court) writeCourtEvent(this.#journal, event);
      for (const event of events) this.#add(event, node);
      this.#journal.run('INSERT OR REPLACE INTO blocks VALUES (?, ?)', to.number, to.hash);
      this.#journal.run('DELETE FROM blocks WHERE number <= ?', to.number - BLOCKS_KEPT);
    });
  }

  /** Forgets everything after block `number`. */
  rewind(number: number): void {
    this.#journal.transaction(() => {
      this.#journal.run('DELETE FROM blocks WHERE number > ?', number);
      this.#journal.run('DELETE FROM events WHERE block > ?', number);
      this.#journal.run('DELETE FROM jobs WHERE block > ?', number);
      rewindCourt(this.#journal, number);
    });
    this.#ranges.clear();
  }

  /** Terms of a job that was seen. */
  terms(job: Hex): Terms | undefined {
    const row = this.#journal.get<{ terms: string }>('SELECT terms FROM jobs WHERE id = ?', job);
    return row && fromText<Terms>(row.terms);
  }

  /** Jobs that have neither ended nor been cancelled, oldest first. Expiry is for the reader to judge. */
  openJobs(): KnownJob[] {
    return this.#journal
      .all<{ id: Hex; terms: string; block: number }>(
        `SELECT id, terms, block FROM jobs WHERE NOT EXISTS (SELECT 1 FROM events WHERE job = id AND first IS NULL) ORDER BY block`,
      )
      .map(({ id, terms, block }) => ({ id, terms: fromText<Terms>(terms), postedBlock: block }));
  }

  /** Jobs that we held leases of and that were not seen to end. */
  ownUnendedJobs(): KnownJob[] {
    return this.#journal
      .all<{ id: Hex; terms: string; block: number }>(
        `SELECT id, terms, block FROM jobs WHERE EXISTS (SELECT 1 FROM events WHERE job = id AND own = 1)
         AND NOT EXISTS (SELECT 1 FROM events WHERE job = id AND first IS NULL AND (event LIKE '%"JobCompleted"%' OR event LIKE '%"JobClosed"%'))`,
      )
      .map(({ id, terms, block }) => ({ id, terms: fromText<Terms>(terms), postedBlock: block }));
  }

  /** Jobs of `requester` for `node` alone that were seen, ended ones too, oldest first. */
  jobsFor(requester: Address, node: number): KnownJob[] {
    return this.#journal
      .all<{ id: Hex; terms: string; block: number }>(
        `SELECT id, terms, block FROM jobs
         WHERE lower(json_extract(terms, '$.requester')) = ? AND json_extract(terms, '$.node') = ? ORDER BY block`,
        requester.toLowerCase(),
        node,
      )
      .map(({ id, terms, block }) => ({ id, terms: fromText<Terms>(terms), postedBlock: block }));
  }

  /** The range at `first`. */
  range(job: Hex, first: number): KnownRange | undefined {
    const key = `${job}:${first}`;
    if (this.#ranges.has(key)) return this.#ranges.get(key);
    const events = this.#eventsOf(job, first);
    const terms = events.length > 0 ? this.terms(job) : undefined;
    const folded = terms && foldRange(events, terms);
    const known = folded && { ...folded, leases: folded.leases.map((lease) => ({ ...lease, terms })) };
    this.#ranges.set(key, known);
    return known;
  }

  /** The newest lease at `first`; where several nodes sit, the seat of `node`. */
  lease(job: Hex, first: number, node: number): KnownLease | undefined {
    const leases = this.range(job, first)?.leases ?? [];
    const [only] = leases;
    return only && !only.seated ? only : leases.find(({ lease }) => lease.node === node);
  }

  /** Ranges of a job that were claimed, by first shard. */
  rangesOf(job: Hex): KnownRange[] {
    return this.#firstsOf(job).flatMap((first) => this.range(job, first) ?? []);
  }

  /** Newest leases and seats of a job, by first shard. */
  leasesOf(job: Hex): KnownLease[] {
    return this.rangesOf(job).flatMap(({ leases }) => leases);
  }

  /** Settled results of a job, by first shard: its whole output once it is complete. */
  settledResults(job: Hex): { first: number; node: number; result: Result }[] {
    return this.#firstsOf(job).flatMap((first) => {
      const settled = settledResult(this.#eventsOf(job, first));
      return settled ? { first, ...settled } : [];
    });
  }

  /** Our leases that are still alive, by claim. */
  ownLiving(node: number): KnownLease[] {
    return this.#ownKeys()
      .flatMap(({ job, first }) => this.lease(job, first, node) ?? [])
      .filter(({ lease, phase }) => lease.node === node && isLiving({ phase }))
      .sort((a, b) => a.claimedBlock - b.claimedBlock || a.lease.first - b.lease.first);
  }

  /** Our seats that juries have dealt with and whose panels have not ended. */
  ownJudged(node: number): KnownLease[] {
    return this.#ownKeys().flatMap(({ job, first }) => {
      const range = this.range(job, first);
      if (!range || range.closed) return [];
      return range.leases.filter(({ lease, seated, judged }) => lease.node === node && seated && judged !== undefined);
    });
  }

  /** Our leases that ended, newest first. */
  ownEnded(node: number, limit: number): KnownLease[] {
    return this.#ownKeys()
      .flatMap(({ job, first }) => this.lease(job, first, node) ?? [])
      .filter(({ lease, phase }) => lease.node === node && (phase === 'settled' || phase === 'lapsed'))
      .sort((a, b) => (b.endBlock ?? 0) - (a.endBlock ?? 0))
      .slice(0, limit);
  }

  /** What our leases earned, per currency. */
  earnings(node: number): Earnings[] {
    const sums = new Map<string, Earnings>();
    for (const { phase, paid, terms } of this.ownEnded(node, Number.MAX_SAFE_INTEGER)) {
      if (phase !== 'settled') continue;
      const sum = sums.get(terms.currency) ?? { currency: terms.currency, paid: 0n, leases: 0 };
      sums.set(terms.currency, { ...sum, paid: sum.paid + (paid ?? 0n), leases: sum.leases + 1 });
    }
    return [...sums.values()];
  }

  /** Drops jobs that expired before second `time` and that we had no part in, with all that happened to them. */
  forget(time: number): void {
    const dropped = this.#journal.run(
      `DELETE FROM jobs WHERE json_extract(terms, '$.expiry') < ?
       AND NOT EXISTS (SELECT 1 FROM events WHERE job = id AND own = 1)`,
      time,
    );
    if (dropped === 0) return;
    this.#journal.run('DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = job)');
    this.#ranges.clear();
  }

  /** First shards of the ranges of a job that something happened to. */
  #firstsOf(job: Hex): number[] {
    return this.#journal
      .all<{ first: number }>(
        'SELECT DISTINCT first FROM events WHERE job = ? AND first IS NOT NULL ORDER BY first',
        job,
      )
      .map(({ first }) => first);
  }

  #eventsOf(job: Hex, first: number): LeaseEvent[] {
    return this.#journal
      .all<{ event: string }>(
        'SELECT event FROM events WHERE job = ? AND first = ? ORDER BY block, log_index',
        job,
        first,
      )
      .map(({ event }) => fromText<LeaseEvent>(event));
  }

  #ownKeys(): { job: Hex; first: number }[] {
    return this.#journal.all('SELECT DISTINCT job, first FROM events WHERE own = 1');
  }

  #add(event: MarketEvent, node: number): void {
    if (event.name === 'JobPosted') {
      this.#journal.run('INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)', event.job, toText(event.terms), event.block);
      return;
    }
    const first = 'first' in event ? event.first : null;
    const holder = 'node' in event ? event.node : null;
    this.#journal.run(
      'INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)',
      event.block,
      event.logIndex,
      event.job,
      first,
      holder,
      Number(holder === node),
      toText(event),
    );
    if (first !== null) this.#ranges.delete(`${event.job}:${first}`);
  }
}
