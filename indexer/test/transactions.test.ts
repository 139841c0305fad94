import { PGlite } from '@electric-sql/pglite';
import { getTableName, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as schema from '../ponder.schema.ts';
import { giveTransactions, type QueryBuilder } from '../src/api/transactions.ts';
import { definitions } from './lib/pglite.ts';

type Db = ReturnType<typeof drizzle<typeof schema>>;
type Transaction = Db & { wrap<T>(...given: unknown[]): Promise<T>; $client: PGlite };

const { holding } = schema;
const name = getTableName(holding);
const row = (amount: bigint) => ({
  ...{ token: '0x03' as const, account: '0x01' as const, amount },
  ...{ changedBlock: 1, changedTransaction: '0x02' as const },
});

describe('a transaction of Ponder on PGlite', () => {
  const shutdown = { isKilled: false };
  let client: PGlite;
  let builder: Db & QueryBuilder;
  let reader: Db;
  const write = (work: (tx: Transaction) => Promise<unknown>) =>
    builder.transaction({ label: 'a block' } as never, work as never);
  const seen = async () => (await reader.select().from(holding)).map(({ amount }) => amount);

  beforeAll(async () => {
    client = new PGlite();
    await client.exec(definitions());
    // Ponder's own: what it does with PGlite is what this is about.
    const { createQB } = (await import(new URL('./database/queryBuilder.js', import.meta.resolve('ponder')).href)) as {
      createQB: (db: unknown, deps: unknown) => Db & QueryBuilder;
    };
    const open = () => drizzle(client, { schema, casing: 'snake_case' });
    const logger = { warn: () => {}, trace: () => {} };
    const method = { observe: () => {}, inc: () => {} };
    const metrics = { ponder_database_method_duration: method, ponder_database_method_error_total: method };
    builder = createQB(open(), { common: { shutdown, logger, metrics }, isAdmin: false });
    reader = open();
    giveTransactions({ driver: { instance: client }, userQB: builder }, schema);
  }, 60_000);
  afterAll(() => client.close());

  test('is seen by others when it is over, not before', async () => {
    let first: Promise<bigint[]> | undefined;
    await write(async (tx) => {
      await tx.insert(holding).values(row(1n));
      first = seen();
      // Time enough for a read that would not wait.
      await new Promise((resolve) => setImmediate(resolve));
      await tx.wrap({ label: 'the other half' }, (db: Db) => db.update(holding).set({ amount: 2n }));
    });
    expect(await first).toEqual([2n]);
  });

  test('leaves nothing behind when it fails', async () => {
    const broken = write(async (tx) => {
      await tx.wrap((db: Db) => db.update(holding).set({ amount: 7n }));
      await tx.wrap((db: Db) => db.insert(holding).values(row(8n)));
    });
    await expect(broken).rejects.toThrow(/duplicate key/);
    expect(await seen()).toEqual([2n]);
  });

  test('has transactions within it, as Ponder makes them when it takes blocks back', async () => {
    await write(async (tx) => {
      const within = { label: 'triggers' } as never;
      await tx.transaction(within, (async (inner: Transaction) => {
        await inner.wrap((db: Db) => db.update(holding).set({ amount: 3n }));
      }) as never);
      const broken = tx.transaction(within, (async (inner: Transaction) => {
        await inner.wrap({ label: 'wrong' }, (db: Db) => db.insert(holding).values(row(8n)));
      }) as never);
      await expect(broken).rejects.toThrow(/duplicate key/);
      await tx.wrap((db: Db) => db.update(holding).set({ amount: sql`${holding.amount} - 1` }));
    });
    expect(await seen()).toEqual([2n]);
  });

  test('ends when Ponder shuts down in the middle of it', async () => {
    const work = write(async (tx) => {
      await tx.wrap((db: Db) => db.update(holding).set({ amount: 9n }));
      shutdown.isKilled = true;
      await tx.wrap((db: Db) => db.update(holding).set({ amount: 10n }));
    });
    await expect(work).rejects.toThrow(expect.objectContaining({ name: 'ShutdownError' }));
    shutdown.isKilled = false;
    expect(await seen()).toEqual([2n]);
  });

  test('takes tables away that would hide ours', async () => {
    await write(async (tx) => {
      // As Ponder writes more than twenty changed rows.
      await tx.execute(sql.raw(`create temp table if not exists "${name}" as select * from "${name}" with no data`));
      await tx.$client.query(`insert into pg_temp."${name}" select * from public."${name}"`);
      await tx.execute(sql.raw(`truncate table pg_temp."${name}"`));
      await tx.execute(sql.raw('create temp table if not exists live_query_tables (table_name text primary key)'));
    });
    expect((await client.query(`select amount from "${name}"`)).rows).toEqual([{ amount: '2' }]);
    const left = await client.query('select count(*)::int as left from pg_temp.live_query_tables');
    expect(left.rows, "Ponder's own stays").toEqual([{ left: 0 }]);
  });

  test('is not taken for granted', () => {
    const other = { $dialect: 'pglite', transaction: () => Promise.resolve(), wrap: () => Promise.resolve() };
    expect(() => giveTransactions({ driver: { instance: client }, userQB: other }, schema)).toThrow(
      'Ponder keeps its query builder elsewhere on PGlite',
    );
    expect(() => giveTransactions({ driver: {} }, schema), 'PostgreSQL has them').not.toThrow();
  });
});
