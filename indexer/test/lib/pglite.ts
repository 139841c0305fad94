import { PGlite } from '@electric-sql/pglite';
import { getTableColumns, is, type Table } from 'drizzle-orm';
import { getTableConfig, isPgEnum, PgTable } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import * as schema from '../../ponder.schema.ts';
import type { Database } from '../../src/api/app.ts';
import type { MemoryDatabase } from '../../src/verify/memory.ts';
import { primaryKey } from '../../src/verify/memory.ts';
import { eventId } from './world.ts';

const tables = Object.values(schema).filter((value) => is(value, PgTable)) as unknown as Table[];
const enums = (Object.values(schema) as unknown[]).filter(isPgEnum);

const quote = (name: string) => `"${name}"`;

/** The tables as SQL. Ponder makes them itself when it runs; here only the API does. */
export function definitions(): string {
  const types = enums.map(
    (type) =>
      `CREATE TYPE ${quote(type.enumName)} AS ENUM (${type.enumValues.map((value) => `'${value}'`).join(', ')});`,
  );
  const creates = tables.map((table) => {
    const { name } = getTableConfig(table as PgTable);
    const columns = getTableColumns(table);
    const lines = Object.values(columns).map((column) => {
      const type = column.getSQLType();
      return `${quote(snake(column.name))} ${type}${column.notNull ? ' NOT NULL' : ''}`;
    });
    const key = primaryKey(table).map((column) => quote(snake(columns[column]!.name)));
    return `CREATE TABLE ${quote(name)} (${lines.join(', ')}, PRIMARY KEY (${key.join(', ')}));`;
  });
  const checkpoints = `CREATE TABLE _ponder_checkpoint
      (chain_name text PRIMARY KEY, latest_checkpoint text, finalized_checkpoint text, chain_id bigint);
    CREATE TABLE _ponder_meta (key text PRIMARY KEY, value jsonb);
    INSERT INTO _ponder_meta VALUES ('app', '{"is_ready": 1}');`;
  return [...types, ...creates, checkpoints].join('\n');
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A real database in memory that the API can be asked on. */
export interface TestDatabase {
  db: Database;
  client: PGlite;
  /** Replaces all rows by those of `memory`. */
  load(memory: MemoryDatabase): Promise<void>;
  /** Says that the index has come to block `latest`. */
  reach(latest: number): Promise<void>;
  close(): Promise<void>;
}

export async function openDatabase(): Promise<TestDatabase> {
  const client = new PGlite();
  await client.exec(definitions());
  const db = drizzle(client, { schema, casing: 'snake_case' });
  return {
    db: db as unknown as Database,
    client,
    load: async (memory) => {
      for (const table of tables as unknown as PgTable[]) {
        await db.delete(table);
        const rows = memory.rows(table);
        if (rows.length > 0) await db.insert(table).values(rows);
      }
    },
    reach: async (latest) => {
      await client.exec(`DELETE FROM _ponder_checkpoint;
        INSERT INTO _ponder_checkpoint VALUES ('dpu', '${eventId(latest)}', '${eventId(Math.max(0, latest - 30))}', 31337);`);
    },
    close: () => client.close(),
  };
}
