import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { UNKNOWN, type Condition } from './condition.ts';

/** The part of a `pg.Pool` that is used. */
export interface Pool {
  query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
}

/** What several processes on one database work with. */
export interface SharedDeps {
  pool: Pool;
  log: Log;
  /** Unix milliseconds. */
  now: () => number;
}

/** From telling to telling, and from reading to reading. */
const EVERY_MS = 1_000;
/** A word older than this is not believed: whoever watches has stopped. */
const OLD_MS = 15_000;

const SETUP = `create schema if not exists dpu_watch;
  create table if not exists dpu_watch.condition (schema text primary key, at bigint not null, condition jsonb not null)`;

/** Where the tables really are: a schema of views stands for the one that it shows. */
const BEHIND = `select coalesce((select table_schema from information_schema.view_table_usage
  where view_schema = $1 and view_name = '_ponder_checkpoint' limit 1), $1) as schema`;

/**
 * The condition of an index for every process on its database: the one that indexes watches and writes it down, the ones that only serve read it.
 * `schema` is that of the process, which may be one of views.
 */
export class SharedCondition {
  readonly #schema: string;
  readonly #deps: SharedDeps;
  readonly #stop = new AbortController();
  #read: { at: number; condition: Condition } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(schema: string, deps: SharedDeps) {
    this.#schema = schema;
    this.#deps = deps;
  }

  /** Tells the others again and again. */
  tell(condition: () => Condition): void {
    let isSetUp = false;
    this.#repeat(async () => {
      if (!isSetUp) await this.#deps.pool.query(SETUP);
      isSetUp = true;
      const upsert = `insert into dpu_watch.condition values ($1, $2, $3)
        on conflict (schema) do update set at = excluded.at, condition = excluded.condition`;
      await this.#deps.pool.query(upsert, [this.#schema, this.#deps.now(), JSON.stringify(condition())]);
    });
  }

  /** Reads what the one that indexes tells. */
  follow(): void {
    this.#repeat(async () => {
      const { pool } = this.#deps;
      const [behind] = (await pool.query(BEHIND, [this.#schema])).rows;
      const { rows } = await pool.query('select at, condition from dpu_watch.condition where schema = $1', [
        behind!['schema'],
      ]);
      const [row] = rows;
      this.#read = row && { at: Number(row['at']), condition: row['condition'] as Condition };
    });
  }

  /** What was read last. When it is old, nothing is known of the rows but that they were stale if they were. */
  get condition(): Condition {
    if (!this.#read) return UNKNOWN;
    const { at, condition } = this.#read;
    return this.#deps.now() - at > OLD_MS
      ? { ...condition, trusted: condition.trusted === false ? false : null }
      : condition;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#deps.pool.end();
  }

  #repeat(task: () => Promise<void>): void {
    const { signal } = this.#stop;
    let isWell = true;
    this.#running = (async () => {
      while (!signal.aborted) {
        try {
          await task();
          isWell = true;
        } catch (error) {
          if (isWell) this.#deps.log.warn('The condition of the index could not be shared', { error });
          isWell = false;
        }
        await pause(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    })();
  }
}
