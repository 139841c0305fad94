/** Where accounts are kept: tables of their own, beside the chain's. One SQL for PostgreSQL and the embedded PGlite. */
import { mkdirSync } from 'node:fs';

import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

import { MIGRATIONS } from './migrations.ts';

/** What SQL takes; arrays are written as text by whoever stores them. */
export type Value = string | number | boolean | null;

/** Runs one statement. Whole numbers of 64 bits come back as numbers, `numeric` as text. */
export interface Sql {
  query<Row = Record<string, unknown>>(text: string, values?: readonly Value[]): Promise<Row[]>;
}

/** The tables, opened. */
export interface Store extends Sql {
  /** All or nothing. Use the given `Sql` inside: the embedded database has one connection, so the store itself would wait for ever. */
  transaction<Result>(run: (sql: Sql) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const SCHEMA = 'dpu_account';
/** OID of `int8`. Everything in these columns is a time or a count, far below 2^53. */
const INT8 = 20;
/** Any number will do, as long as all instances use the same: they must not migrate at once. */
const MIGRATION_LOCK = 20_261_122;

/** A database that a newer version of this program has migrated. */
export class StoreTooNew extends Error {
  override readonly name = 'StoreTooNew';

  constructor(version: number) {
    super(
      `the accounts' tables are of version ${version}, and this program knows ${MIGRATIONS.length}: start the newer program`,
    );
  }
}

/** Opens the schema `dpu_account` in a PostgreSQL database, which several instances may share. @throws StoreTooNew */
export async function openPostgres(url: string): Promise<Store> {
  const types = {
    getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
      oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: url,
    types,
    max: 10,
    options: `-c search_path=${SCHEMA}`,
    application_name: 'dpu accounts',
  });
  // An idle connection that breaks is replaced; without a listener the process would end.
  pool.on('error', (error) => console.warn('A connection of the accounts broke', { error }));
  const on = (client: pg.Pool | pg.PoolClient): Sql => ({
    query: async <Row>(text: string, values: readonly Value[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
  });
  const store: Store = {
    ...on(pool),
    async transaction(run) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const result = await run(on(client));
        await client.query('COMMIT');
        client.release();
        return result;
      } catch (error) {
        // A connection that cannot even roll back is thrown away.
        await client.query('ROLLBACK').then(
          () => client.release(),
          (broken: Error) => client.release(broken),
        );
        throw error;
      }
    },
    close: () => pool.end(),
  };
  return migrated(store);
}

/** Opens the tables in a folder of their own, for one process; `memory://` keeps them nowhere. @throws StoreTooNew */
export async function openEmbedded(folder: string): Promise<Store> {
  if (!folder.startsWith('memory://')) mkdirSync(folder, { recursive: true });
  const database = await PGlite.create(folder, { parsers: { [INT8]: Number } });
  const on = (client: Pick<PGlite, 'query'>): Sql => ({
    query: async <Row>(text: string, values: readonly Value[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
  });
  await database.exec(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}; SET search_path TO ${SCHEMA}`);
  return migrated({
    ...on(database),
    transaction: (run) => database.transaction((client) => run(on(client as unknown as PGlite))) as never,
    close: () => database.close(),
  });
}

async function migrated(store: Store): Promise<Store> {
  try {
    await store.transaction(async (sql) => {
      await sql.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await sql.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
      await sql.query('CREATE TABLE IF NOT EXISTS migration (version integer PRIMARY KEY)');
      const [row] = await sql.query<{ version: number | null }>('SELECT max(version) AS version FROM migration');
      const version = row?.version ?? 0;
      if (version > MIGRATIONS.length) throw new StoreTooNew(version);
      for (const [index, statements] of MIGRATIONS.entries()) {
        if (index < version) continue;
        for (const statement of statements) await sql.query(statement);
        await sql.query('INSERT INTO migration (version) VALUES ($1)', [index + 1]);
      }
    });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A setting that the first instance writes and all others read. */
export async function setOnce(sql: Sql, name: string, value: string): Promise<string> {
  await sql.query('INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [name, value]);
  const [row] = await sql.query<{ value: string }>('SELECT value FROM setting WHERE name = $1', [name]);
  return row!.value;
}
