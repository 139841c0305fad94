import { getTableColumns, getTableName, type Table } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { drizzle } from 'drizzle-orm/pglite';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { markOf } from '../src/verify/condition.ts';
import { hashOf, type Sum } from '../src/verify/digest.ts';
import { TABLES } from '../src/verify/dump.ts';
import { indexReader } from '../src/verify/indexReader.ts';
import { keyOf, primaryKey } from '../src/verify/memory.ts';
import { ChainMoved, type Moment } from '../src/verify/shadow.ts';
import type { ShadowPort } from '../src/verify/shadowPort.ts';
import { Watch, WATCH, type Header } from '../src/verify/watch.ts';
import { everyRow } from './lib/everyTable.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';

type Row = Record<string, unknown>;

const ROWS = 3;
const rows = everyRow(ROWS);
const statsRow = rows.get(TABLES.find((table) => getTableName(table) === 'stats')!)![ROWS - 1]!;
let database: TestDatabase;

beforeAll(async () => {
  database = await openDatabase();
  // One statistics row, as in life.
  for (const [table, all] of rows) if (getTableName(table) === 'stats') rows.set(table, all.slice(ROWS - 1));
  const db = drizzle(database.client, { casing: 'snake_case' });
  for (const [table, all] of rows) await db.insert(table as PgTable).values(all);
  await database.reach(100);
  await run(`create schema ponder_sync; create table ponder_sync.blocks (chain_id bigint, number bigint, hash text);
    insert into ponder_sync.blocks values (31337, 60, '0x60'), (31337, 80, '0x80')`);
}, 60_000);
afterAll(() => database.close());

/** A replay that says what `rows` are, and can be made to say otherwise. */
function shadowOf(over: { newest?: Moment['newest']; at?: () => void } = {}): ShadowPort {
  const hashes = (table: Table) =>
    new Map(rows.get(table)!.map((row) => [keyOf(table, row), String(hashOf(table, row))]));
  return {
    at: async (block) => {
      over.at?.();
      const newest = over.newest ?? { event: String(statsRow['event']), blockHash: String(statsRow['blockHash']) };
      const sums = new Map<string, Sum>(
        [...rows].map(([table, all]) => {
          const sum = all.reduce((total, row) => total + hashOf(table, row), 0n);
          return [getTableName(table), { rows: all.length, sum }];
        }),
      );
      return { block, hash: '0x01', newest, sums };
    },
    differing: async (table, told) =>
      [...new Set([...hashes(table).keys(), ...told.keys()])].filter((key) => hashes(table).get(key) !== told.get(key)),
    row: async (table, key) => rows.get(table)!.find((row) => keyOf(table, row) === key),
    contradictions: async () => [],
    close: async () => {},
  };
}

let logged: [level: string, message: string, facts: unknown][];
let now: number;
beforeEach(() => {
  [logged, now] = [[], 1_000_000];
});

/** A watch on the real database; its clock moves by a second at every question. */
function watchOf(
  shadow: ShadowPort,
  over: { header?: (number?: number) => Promise<Header | undefined>; rowsPerPass?: number } = {},
): Watch {
  const says = (level: string) => (message: string, facts?: unknown) => void logged.push([level, message, facts]);
  return new Watch(
    { ...WATCH, confirmMs: 0, patienceMs: 5_000, ...(over.rowsPerPass && { rowsPerPass: over.rowsPerPass }) },
    {
      index: indexReader({ instance: database.client }),
      shadow: () => shadow,
      header: over.header ?? (async (number = 103) => ({ number, hash: `0x${number}`, timestamp: 1_700_000_200 })),
      log: { info: says('info'), warn: says('warn'), error: says('error') },
      now: () => (now += 1_000),
    },
  );
}

const sqlName = (table: Table, column: string) =>
  `"${toSnakeCase(getTableColumns(table)[column as never]!['name'] || column)}"`;
const run = (sql: string) => database.client.exec(sql);

describe('a watch', () => {
  test('finds equal what is equal, whatever the columns hold', async () => {
    const watch = watchOf(shadowOf());
    expect(markOf(watch.condition)).toBe('unverified');
    await watch.pass();
    expect(watch.condition).toMatchObject({ trusted: true, wrongRows: 0, passes: 1, alarms: 0 });
    expect(watch.condition.passed).toMatchObject({
      block: 100,
      tables: TABLES.length,
      rows: (TABLES.length - 1) * ROWS + 1,
    });
    expect(logged).toEqual([]);
  });

  test.each(TABLES.map((table) => [getTableName(table), table] as const))(
    'raises the alarm within one pass on one corrupt row of %s, and takes it back when it is mended',
    async (name, table) => {
      const watch = watchOf(shadowOf());
      const [first] = rows.get(table) as [Row];
      const [key] = primaryKey(table);
      const columns = getTableColumns(table) as Record<
        string,
        { dataType: string; enumValues?: string[]; notNull: boolean }
      >;
      const found = Object.keys(columns).findLast((column) => column !== key && !columns[column]!.enumValues?.length)!;
      const where = primaryKey(table)
        .map((column) => `${sqlName(table, column)}::text = '${String(first[column])}'`)
        .join(' and ');
      const was = first[found];
      const bad = { bigint: '7', number: '7', boolean: String(was !== true), string: `'0x07'` }[
        columns[found]!.dataType
      ];
      const set = (value: string) => run(`update "${name}" set ${sqlName(table, found)} = ${value} where ${where}`);

      await set(bad!);
      await watch.pass();
      expect(watch.condition).toMatchObject({
        ...{ trusted: false, wrongRows: 1, alarms: 1, passes: 1 },
        wrong: [{ table: name, key: keyOf(table, first), kind: 'changed', columns: [found] }],
      });
      expect(markOf(watch.condition)).toBe('untrusted');
      expect(logged).toMatchObject([
        ['error', expect.stringContaining('differs from the chain'), { table: name, rows: 1 }],
      ]);

      await set(was === null ? 'null' : typeof was === 'string' ? `E'${was.replaceAll('\\', '\\\\')}'` : String(was));
      await watch.pass();
      expect(watch.condition).toMatchObject({ trusted: true, wrongRows: 0, wrong: [], alarms: 1 });
    },
  );

  test('names a row that is missing, and one too many', async () => {
    const table = TABLES.find((one) => getTableName(one) === 'runtime')!;
    await run('update runtime set id = 99 where id = 1');
    const watch = watchOf(shadowOf());
    await watch.pass();
    expect(watch.condition.wrong).toEqual([
      { table: 'runtime', key: '1', kind: 'missing', columns: [] },
      { table: 'runtime', key: '99', kind: 'extra', columns: [] },
    ]);
    await run('update runtime set id = 1 where id = 99');
    expect(getTableName(table)).toBe('runtime');
  });

  test('says nothing about a difference that is gone when it looks again', async () => {
    await run('update node set tier = 9 where id = 1');
    let looks = 0;
    const shadow = shadowOf();
    const watch = watchOf({
      ...shadow,
      at: async (block) => {
        // After the first look, which has seen it, and before the second.
        if ((looks += 1) === 1) await run('update node set tier = 1 where id = 1');
        return shadow.at(block);
      },
    });
    await watch.pass();
    expect([watch.condition.trusted, watch.condition.alarms, logged, looks]).toEqual([true, 0, [], 2]);
  });

  test('waits while the index is at another event than its block says, and tells when that lasts', async () => {
    const newest = { event: 'later', blockHash: '0x02' };
    const shadow = shadowOf({ newest });
    const real = shadow.at;
    let behind = 3;
    const catching = watchOf({
      ...shadow,
      at: async (block) => {
        const moment = await real(block);
        if ((behind -= 1) < 0) return { ...moment, newest: (await shadowOf().at(block)).newest };
        return { ...moment, sums: new Map([...moment.sums].map(([name, { rows }]) => [name, { rows, sum: 0n }])) };
      },
    });
    await catching.pass();
    expect(catching.condition).toMatchObject({ trusted: true, alarms: 0 });

    behind = 100;
    await run(`update stats set nodes = 77`);
    const stuck = watchOf(shadowOf({ newest }));
    await stuck.pass();
    expect(stuck.condition).toMatchObject({
      trusted: false,
      alarms: 1,
      wrong: [{ table: 'stats', columns: ['nodes'] }],
    });
    await run(`update stats set nodes = ${String(statsRow['nodes'])}`);
  });

  test('looks again when the chain moves, and fails without an alarm when it never stands still', async () => {
    let moves = 2;
    const moving = shadowOf({
      at: () => {
        if ((moves -= 1) >= 0) throw new ChainMoved('moved', moves === 0);
      },
    });
    const watch = watchOf(moving);
    await watch.pass();
    expect(watch.condition).toMatchObject({ trusted: true, alarms: 0 });

    moves = 1_000;
    await expect(watchOf(moving).pass()).rejects.toThrow('reorganised at each look');
  });

  test('visits tables by turns when they have more rows than a pass may read', async () => {
    const watch = watchOf(shadowOf(), { rowsPerPass: 10 * ROWS });
    const read: number[] = [];
    for (let pass = 0; pass < 6; pass += 1) {
      await watch.pass();
      read.push(watch.condition.passed!.tables);
    }
    // The first pass learns how many rows there are; from then on ten tables have a turn.
    expect(read.slice(0, 5)).toEqual([TABLES.length, 10, 10, 10, 10]);
    expect(Object.keys(watch.condition.seen)).toHaveLength(TABLES.length);

    await run('update node set tier = 9 where id = 1');
    for (let pass = 0; pass < 5 && watch.condition.trusted; pass += 1) await watch.pass();
    expect(watch.condition.wrong, 'found when its table has its turn').toMatchObject([{ table: 'node', key: '1' }]);
    await watch.pass();
    expect(watch.condition.trusted, 'stands until that table is found equal').toBe(false);
    await run('update node set tier = 1 where id = 1');
    for (let pass = 0; pass < 5; pass += 1) await watch.pass();
    expect(watch.condition.trusted).toBe(true);
  });

  test('tells nothing before the index is ready', async () => {
    await run(`update _ponder_meta set value = '{"is_ready": 0}'`);
    const watch = watchOf(shadowOf());
    await watch.pass();
    await watch.glance();
    expect(watch.condition).toMatchObject({
      trusted: null,
      indexing: true,
      passes: 0,
      block: 100,
      head: { number: 103 },
    });
    await run(`update _ponder_meta set value = '{"is_ready": 1}'`);
  });
});

describe('the newest final block', () => {
  test('that is another one now makes the index stale, for good', async () => {
    let taken = 1_000;
    const header = async (number = 103): Promise<Header> => ({
      ...{ number, timestamp: 1_700_000_200 },
      hash: number >= taken && number <= 100 ? '0xother' : `0x${number}`,
    });
    const watch = watchOf(shadowOf(), { header });
    await watch.glance();
    taken = 71;
    await watch.glance();
    expect(watch.condition.staleSince, 'block 70 is final and still there').toBeNull();
    taken = 70;
    await watch.glance();
    expect(markOf(watch.condition)).toBe('stale');
    expect(logged).toEqual([['error', expect.stringContaining('took back a final block'), { block: 70 }]]);
    taken = 1_000;
    await watch.glance();
    expect(markOf(watch.condition), 'its rows are still those of the other chain').toBe('stale');
  });

  test('is known from the blocks that Ponder keeps, after a restart', async () => {
    const header = async (number = 103): Promise<Header> => ({ number, hash: `0xnew${number}`, timestamp: 1 });
    const watch = watchOf(shadowOf(), { header });
    await watch.glance();
    expect(watch.condition.staleSince).not.toBeNull();
  });

  test('is not taken back by an endpoint that is behind, or says another one once', async () => {
    let answers = 0;
    const header = async (number = 103): Promise<Header | undefined> => {
      if (number === 70) answers += 1;
      if (number === 70 && answers === 2) return { number, hash: '0xodd', timestamp: 1 };
      return number === 70 && answers > 4 ? undefined : { number, hash: `0x${number}`, timestamp: 1 };
    };
    const watch = watchOf(shadowOf(), { header });
    for (let times = 0; times < 4; times += 1) await watch.glance();
    expect(answers).toBeGreaterThan(4);
    expect(watch.condition.staleSince).toBeNull();
  });
});
