import { getTableColumns, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { and, asc, desc, gt, lt } from 'ponder';
import { readCursor, writeCursor } from './cursor.ts';
import type { Database } from './app.ts';
import { sourceOf, type Tip } from './finality.ts';

/** How a list is ordered: by one column whose values are unique, and what a cursor may hold of it. */
export interface Order {
  column: PgColumn;
  newestFirst: boolean;
  key: RegExp;
  parse: (key: string) => string | number | bigint;
}

/** By the event that made the row: 75 digits, as Ponder writes them. */
export const byEvent = (column: PgColumn, newestFirst = true): Order => ({
  ...{ column, newestFirst, key: /^\d{75}$/, parse: String },
});
/** By the key of a row of which an event makes several. */
export const bySortKey = (column: PgColumn, newestFirst = true): Order => ({
  ...{ column, newestFirst, key: /^[\w.]{1,140}$/, parse: String },
});
/** By a number that is the row's id. */
export const byNumber = (column: PgColumn, newestFirst = false): Order => ({
  ...{ column, newestFirst, key: /^\d{1,10}$/, parse: Number },
});
/** By bytes that are the row's id. */
export const byHex = (column: PgColumn): Order => ({
  ...{ column, newestFirst: false, key: /^0x[0-9a-f]{40,64}$/, parse: String },
});

interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** One page of a table: the rows that all `where` accept, after the cursor, in the order's direction. */
export async function readPage<Table extends PgTable, Item>(
  db: Database,
  table: Table,
  order: Order,
  asked: { list: string; limit: number; cursor: string | undefined; where: (SQL | undefined)[] },
  item: (row: Table['$inferSelect']) => Item,
): Promise<Page<Item>> {
  const { list, limit, where } = asked;
  const key = readCursor(list, asked.cursor, order.key);
  const after = order.newestFirst ? lt : gt;
  const from = key === undefined ? undefined : after(order.column, order.parse(key));
  const rows = (await db
    .select()
    .from(table as PgTable)
    .where(and(...where, from))
    .orderBy(order.newestFirst ? desc(order.column) : asc(order.column))
    // One more than asked for tells whether there is a next page.
    .limit(limit + 1)) as Table['$inferSelect'][];
  const shown = rows.slice(0, limit);
  const last = shown.at(-1) as Record<string, unknown> | undefined;
  const name = Object.entries(getTableColumns(table as PgTable)).find(([, column]) => column === order.column)![0];
  const next = last && rows.length > limit ? writeCursor(list, String(last[name])) : null;
  return { items: shown.map(item), next };
}

type Json<Value> = Value extends bigint ? string : Value;
type Plain<Row> = {
  [Name in Exclude<keyof Row, 'sortKey' | 'event' | 'part' | 'block' | 'changedBlock' | 'changedTransaction'>]: Json<
    Row[Name]
  >;
};

/** A row as JSON: amounts as decimal strings, and the source in place of the columns that tell it. */
export function rowJson<Row extends Record<string, unknown>>(
  row: Row,
  tip: Tip,
): Plain<Row> & { source: ReturnType<typeof sourceOf> } {
  const isStamped = 'changedBlock' in row;
  const dropped = [
    'sortKey',
    'event',
    'part',
    ...(isStamped ? ['changedBlock', 'changedTransaction'] : ['block', 'transaction']),
  ];
  const fields = Object.entries(row)
    .filter(([name]) => !dropped.includes(name))
    .map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]);
  const source = sourceOf(row as unknown as Parameters<typeof sourceOf>[0], tip);
  return { ...(Object.fromEntries(fields) as Plain<Row>), source };
}
