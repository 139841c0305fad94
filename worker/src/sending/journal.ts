import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

import { JournalError, messageOf } from '../errors.ts';

/** Raised with every change of the tables below; a journal of another version is refused, never guessed at. */
export const JOURNAL_VERSION = 2;

/*
 * events, court and blocks say what the chain said, so that a reorg is a deletion and everything else is derived from what is left.
 * promises, testimonies, checks, shards, intents and attempts say what this node did or is about to do; the chain cannot give them back.
 */
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
  CREATE TABLE jobs (id TEXT PRIMARY KEY, terms TEXT NOT NULL, block INTEGER NOT NULL) STRICT;
  CREATE TABLE events (
    block INTEGER NOT NULL, log_index INTEGER NOT NULL, job TEXT NOT NULL, first INTEGER, node INTEGER,
    own INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (block, log_index)
  ) STRICT;
  CREATE INDEX events_of_lease ON events (job, first);
  CREATE TABLE court (
    block INTEGER NOT NULL, log_index INTEGER NOT NULL, dispute TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (block, log_index)
  ) STRICT;
  CREATE INDEX court_of_dispute ON court (dispute);
  CREATE TABLE testimonies (
    dispute TEXT NOT NULL, round INTEGER NOT NULL, testimony TEXT NOT NULL, PRIMARY KEY (dispute, round)
  ) STRICT;
  CREATE TABLE checks (
    job TEXT NOT NULL, first INTEGER NOT NULL, node INTEGER NOT NULL, deadline INTEGER NOT NULL, shard INTEGER NOT NULL,
    finding TEXT NOT NULL, PRIMARY KEY (job, first, node, deadline, shard)
  ) STRICT;
  CREATE TABLE promises (
    job TEXT NOT NULL, first INTEGER NOT NULL, deadline INTEGER NOT NULL,
    root TEXT NOT NULL, units TEXT NOT NULL, manifest TEXT NOT NULL, salt TEXT NOT NULL,
    PRIMARY KEY (job, first, deadline)
  ) STRICT;
  CREATE TABLE shards (
    job TEXT NOT NULL, shard INTEGER NOT NULL, hash TEXT NOT NULL, cid TEXT NOT NULL, size INTEGER NOT NULL,
    units INTEGER NOT NULL, log TEXT NOT NULL, PRIMARY KEY (job, shard)
  ) STRICT;
  CREATE TABLE failures (job TEXT PRIMARY KEY, reason TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE TABLE speeds (module TEXT PRIMARY KEY, seconds REAL NOT NULL, samples INTEGER NOT NULL) STRICT;
  CREATE TABLE intents (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL, gas TEXT NOT NULL,
    priority INTEGER NOT NULL, deadline INTEGER, urgent INTEGER NOT NULL, shards INTEGER NOT NULL,
    status TEXT NOT NULL, final INTEGER NOT NULL, nonce INTEGER, hash TEXT, block INTEGER, block_hash TEXT, created INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX intents_live ON intents (final, status);
  CREATE TABLE attempts (
    hash TEXT PRIMARY KEY, key TEXT NOT NULL, nonce INTEGER NOT NULL, raw TEXT NOT NULL, max_fee TEXT NOT NULL,
    tip TEXT NOT NULL, cancels INTEGER NOT NULL, block INTEGER NOT NULL, seq INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX attempts_of_intent ON attempts (key);
`;

/** What a journal belongs to: a promise made to one contract by one node is nothing to another. */
export interface JournalIdentity {
  chainId: number;
  market: string;
  operator: string;
}

/**
 * The node's durable memory: one SQLite file that is on the disk when a call returns (WAL, synchronous=FULL), and that one process
 * at a time may hold.
 */
export class Journal {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  #depth = 0;

  /** Opens or creates the journal at `file` (`:memory:` for tests). @throws JournalError when it cannot be trusted. */
  constructor({ file }: { file: string }) {
    try {
      if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(file, { timeout: 0 });
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      const check = this.#db.prepare('PRAGMA quick_check').get() as { quick_check: string };
      if (check.quick_check !== 'ok') throw new Error(check.quick_check);
      this.#migrate(file);
    } catch (error) {
      if (error instanceof JournalError) throw error;
      const locked = /locked|busy/i.test(messageOf(error));
      throw new JournalError(
        locked
          ? `The journal ${file} is in use: another node runs on it. Stop that one, or give this one a data folder of its own.`
          : `The journal ${file} cannot be read (${messageOf(error)}). It holds salts of running leases: restore it from a backup. ` +
              'Moving it away starts an empty one, which recomputes results but cannot reveal a commitment of a runtime that is not exact.',
        { file },
        error,
      );
    }
  }

  /** Ties a new journal to its chain, contract and key. @throws JournalError when it already belongs to others. */
  bind(identity: JournalIdentity): void {
    for (const [key, value] of Object.entries(identity)) {
      const found = this.meta(key);
      const wanted = String(value).toLowerCase();
      if (found === undefined) this.setMeta(key, wanted);
      else if (found !== wanted) {
        throw new JournalError(
          `The journal belongs to ${key} ${found}, this node is configured for ${wanted}. Use another data folder, or correct the configuration.`,
          { key, found, wanted },
        );
      }
    }
  }

  /** Adds a table that programs of the same version may do without, by a `CREATE TABLE IF NOT EXISTS`: what it holds can be lost. */
  extend(sql: string): void {
    this.#db.exec(sql);
  }

  /** A remembered fact. */
  meta(key: string): string | undefined {
    return this.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  }

  /** Remembers a fact. */
  setMeta(key: string, value: string): void {
    this.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value);
  }

  /** Runs `work` so that all of it or nothing of it is on the disk. Nested calls join the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Changes rows; answers how many. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** The first row of a query. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** All rows of a query. */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #migrate(file: string): void {
    const { user_version: version } = this.#db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version === JOURNAL_VERSION) return;
    if (version !== 0) {
      throw new JournalError(
        `The journal ${file} has version ${version}, this program writes ${JOURNAL_VERSION}. Finish its leases with the program that wrote it, then use a new data folder.`,
        { file, version },
      );
    }
    this.transaction(() => {
      this.#db.exec(SCHEMA);
      this.#db.exec(`PRAGMA user_version = ${JOURNAL_VERSION}`);
    });
  }
}
