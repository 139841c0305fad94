import { getTableName, type Table } from 'drizzle-orm';
import { blockOf } from '../api/finality.ts';
import { hashesSql, rowSql, sumSql, type Sum } from './digest.ts';

/** How far the index says it has come. */
export interface Progress {
  /** The backfill is over. */
  isReady: boolean;
  chainId: number;
  /** Its newest block, and the one below which it repairs nothing. */
  block: number;
  timestamp: number;
  finalized: number;
}

/** The index in one moment. */
export interface Look extends Progress {
  /** The newest event in its rows, and the hash of its block; undefined before the first. */
  newest: { event: string; blockHash: string } | undefined;
  sums: Map<string, Sum>;
}

/** What is asked of the index's own database. */
export interface IndexReader {
  /** Undefined while there is nothing yet. */
  progress(): Promise<Progress | undefined>;
  look(tables: readonly Table[]): Promise<Look | undefined>;
  /** Hashes by key of every row of a table. */
  hashes(table: Table): Promise<Map<string, string>>;
  /** One row's columns as text. */
  row(table: Table, key: string): Promise<Record<string, unknown> | undefined>;
  /** The newest block at or below `block` of which Ponder keeps the hash. */
  kept(chainId: number, block: number): Promise<{ number: number; hash: string } | undefined>;
}

type Rows = Record<string, string | number | null>[];
type Ask = (sql: string, values?: readonly unknown[]) => Promise<Rows>;

/** Ponder's database driver: a pool whose connections only read, or PGlite itself. Neither is public; their shape is checked here. */
export interface Driver {
  readonly?: {
    connect(): Promise<{
      query(sql: string, values?: unknown[]): Promise<{ rows: Rows }>;
      release(broken?: boolean): void;
    }>;
  };
  instance?: {
    transaction<T>(
      work: (tx: { query(sql: string, values?: unknown[]): Promise<{ rows: Rows }> }) => Promise<T>,
    ): Promise<T | undefined>;
  };
}

/** A statement of a look may take so long: reading whole tables is slow on purpose, and seldom. */
const LOOK_MS = 60_000;

/** Reads the index through Ponder's own connections, each look in one snapshot. */
export function indexReader(driver: Driver): IndexReader {
  async function snapshot<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    if (driver.instance) {
      const ask = (tx: { query(sql: string, values?: unknown[]): Promise<{ rows: Rows }> }): Ask => {
        return async (sql, values) => (await tx.query(sql, [...(values ?? [])])).rows;
      };
      // PGlite answers with nothing only when the work ended the transaction itself.
      return (await driver.instance.transaction((tx) => work(ask(tx))))!;
    }
    if (!driver.readonly) throw new Error('Ponder has neither a pool for reading nor PGlite: its version was changed?');
    const client = await driver.readonly.connect();
    let isBroken = true;
    try {
      await client.query('begin isolation level repeatable read read only');
      await client.query(`set local statement_timeout = ${LOOK_MS}`);
      const result = await work(async (sql, values) => (await client.query(sql, [...(values ?? [])])).rows);
      await client.query('commit');
      isBroken = false;
      return result;
    } finally {
      client.release(isBroken);
    }
  }

  async function progressOf(ask: Ask): Promise<Progress | undefined> {
    const [[meta], [at]] = [
      await ask(`select value->>'is_ready' as ready from _ponder_meta where key = 'app'`),
      await ask(
        'select chain_id::text as chain, latest_checkpoint as latest, finalized_checkpoint as final from _ponder_checkpoint limit 1',
      ),
    ];
    if (!meta || !at) return undefined;
    const latest = String(at['latest']);
    return {
      isReady: meta['ready'] === '1',
      chainId: Number(at['chain']),
      block: blockOf(latest),
      timestamp: Number(latest.slice(0, 10)),
      finalized: blockOf(String(at['final'])),
    };
  }

  return {
    progress: () => snapshot(progressOf),
    look: (tables) =>
      snapshot(async (ask) => {
        const progress = await progressOf(ask);
        if (!progress) return undefined;
        const [newest] = await ask('select event, block_hash as hash from stats limit 1');
        const sums = new Map<string, Sum>();
        for (const table of tables) {
          const [row] = await ask(sumSql(table));
          sums.set(getTableName(table), { rows: Number(row!['rows']), sum: BigInt(String(row!['sum'])) });
        }
        return {
          ...progress,
          newest: newest && { event: String(newest['event']), blockHash: String(newest['hash']) },
          sums,
        };
      }),
    hashes: (table) =>
      snapshot(
        async (ask) => new Map((await ask(hashesSql(table))).map(({ key, hash }) => [String(key), String(hash)])),
      ),
    row: (table, key) => snapshot(async (ask) => (await ask(rowSql(table), [key]))[0]),
    kept: (chainId, block) =>
      snapshot(async (ask) => {
        const from = 'select number::text as number, hash from ponder_sync.blocks';
        const [row] = await ask(`${from} where chain_id = $1 and number <= $2 order by number desc limit 1`, [
          chainId,
          block,
        ]);
        return row && { number: Number(row['number']), hash: String(row['hash']) };
      }),
  };
}
