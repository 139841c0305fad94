import type { Result } from '@dpu/sdk/lease';
import type { Hex } from 'viem';

import type { Journal } from '../sending/journal.ts';

/** A result of ours and the salt that hides it: on the disk before anything about it is sent, kept for good. */
export interface Promised {
  result: Result;
  salt: Hex;
}

/** One finished shard whose output is stored. */
export interface DoneShard {
  shard: number;
  /** sha2-256 of the output. */
  hash: Hex;
  cid: string;
  /** Bytes. */
  size: number;
  units: number;
  log: string;
}

/** A lease as a promise names it: the same range may be held twice, with another deadline. */
export interface LeaseKey {
  job: Hex;
  first: number;
  deadline: number;
}

/** Weight of the newest measurement in the running average of a module's speed. */
const NEWEST = 0.3;

/** What this node computed and learnt. The chain cannot give it back. */
export class PromiseBook {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The result and salt of a lease. */
  promised({ job, first, deadline }: LeaseKey): Promised | undefined {
    const row = this.#journal.get<{ root: Hex; units: string; manifest: Hex; salt: Hex }>(
      'SELECT root, units, manifest, salt FROM promises WHERE job = ? AND first = ? AND deadline = ?',
      job,
      first,
      deadline,
    );
    return row && { result: { root: row.root, units: BigInt(row.units), manifest: row.manifest }, salt: row.salt };
  }

  /** Keeps a result with its salt. The first one stays: a second commitment for a lease would be a lie. */
  promise({ job, first, deadline }: LeaseKey, { result, salt }: Promised): void {
    this.#journal.run(
      'INSERT OR IGNORE INTO promises VALUES (?, ?, ?, ?, ?, ?, ?)',
      job,
      first,
      deadline,
      result.root,
      result.units.toString(),
      result.manifest,
      salt,
    );
  }

  /** Finished shards of a job in `first … first + count − 1`. */
  shards(job: Hex, first: number, count: number): DoneShard[] {
    return this.#journal.all<DoneShard>(
      'SELECT shard, hash, cid, size, units, log FROM shards WHERE job = ? AND shard >= ? AND shard < ? ORDER BY shard',
      job,
      first,
      first + count,
    );
  }

  /** Keeps a finished shard, so that a crash does not compute it again. */
  addShard(job: Hex, { shard, hash, cid, size, units, log }: DoneShard): void {
    this.#journal.run(
      'INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?, ?, ?, ?)',
      job,
      shard,
      hash,
      cid,
      size,
      units,
      log,
    );
  }

  /** Drops the shards of a lease whose result is promised: they are in its manifest now. */
  dropShards(job: Hex, first: number, count: number): void {
    this.#journal.run('DELETE FROM shards WHERE job = ? AND shard >= ? AND shard < ?', job, first, first + count);
  }

  /** Remembers that a job cannot be done here; nothing more of it is claimed before block time `until`. */
  fail(job: Hex, reason: string, until: number): void {
    this.#journal.run('INSERT OR REPLACE INTO failures VALUES (?, ?, ?)', job, reason, until);
  }

  /** Why a job is not to be touched at block time `now`; undefined when it may be. */
  failure(job: Hex, now: number): string | undefined {
    return this.#journal.get<{ reason: string }>('SELECT reason FROM failures WHERE job = ? AND until > ?', job, now)
      ?.reason;
  }

  /** Takes in how long one shard of a module took, in seconds. */
  learn(module: string, seconds: number): void {
    const known = this.seconds(module);
    const average = known === undefined ? seconds : known * (1 - NEWEST) + seconds * NEWEST;
    this.#journal.run(
      `INSERT INTO speeds VALUES (?, ?, 1)
       ON CONFLICT (module) DO UPDATE SET seconds = excluded.seconds, samples = samples + 1`,
      module,
      average,
    );
  }

  /** Seconds that one shard of a module takes here, by experience; undefined without any. */
  seconds(module: string): number | undefined {
    return this.#journal.get<{ seconds: number }>('SELECT seconds FROM speeds WHERE module = ?', module)?.seconds;
  }
}
