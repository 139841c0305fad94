/**
 * Tables as sums: the md5 of every row, its first 60 bits as a number, added up. PostgreSQL adds on its side and this program on its own, so two sets
 * of rows are compared without sending one over; one row that differs changes the sum. It finds faults, it does not withstand somebody who forges rows
 * on purpose: whoever can do that here can do as he likes.
 */
import { createHash } from 'node:crypto';
import { getTableColumns, getTableName, type Table } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import { primaryKey } from './memory.ts';

type Row = Record<string, unknown>;

/** How many rows a table has, and their sum. */
export interface Sum {
  rows: number;
  sum: bigint;
}

/** Between two values, and in place of one that is absent; no value has them. */
const [BETWEEN, ABSENT] = [31, 30];
/** Hexadecimal digits of a row's hash that count: 60 bits fit into every kind of integer. */
const DIGITS = 15;

/** A value as PostgreSQL writes it as text. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return String.fromCharCode(ABSENT);
  // PostgreSQL keeps no zero byte in text; Ponder leaves it out.
  return String(value).replaceAll('\0', '');
}

/** The columns of a table by their name in SQL, in one order for all. */
function namesOf(table: Table): [name: string, sql: string][] {
  return Object.entries(getTableColumns(table)).map(([name, column]) => [
    name,
    `"${toSnakeCase(column.name || name)}"`,
  ]);
}

/** The hash of a row. */
export function hashOf(table: Table, row: Row): bigint {
  const text = namesOf(table).map(([name]) => textOf(row[name]));
  const hash = createHash('md5')
    .update(text.join(String.fromCharCode(BETWEEN)))
    .digest('hex');
  return BigInt(`0x${hash.slice(0, DIGITS)}`);
}

function hashSql(table: Table): string {
  const text = namesOf(table).map(([, sql]) => `coalesce(${sql}::text, chr(${ABSENT}))`);
  return `('x' || lpad(substr(md5(concat_ws(chr(${BETWEEN}), ${text.join(', ')})), 1, ${DIGITS}), 16, '0'))::bit(64)::bigint`;
}

function keySql(table: Table): string {
  const sqlOf = new Map(namesOf(table));
  return `concat_ws(' ', ${primaryKey(table)
    .map((name) => `lower(${sqlOf.get(name)}::text)`)
    .join(', ')})`;
}

/** The statement that answers a table's `Sum` as text: columns `rows` and `sum`. */
export const sumSql = (table: Table): string =>
  `select count(*)::text as rows, coalesce(sum(${hashSql(table)}), 0)::text as sum from "${getTableName(table)}"`;

/** The statement that answers key and hash of each row, as text. */
export const hashesSql = (table: Table): string =>
  `select ${keySql(table)} as key, (${hashSql(table)})::text as hash from "${getTableName(table)}"`;

/** The statement that answers one row's columns as text, by its key in `$1`. */
export const rowSql = (table: Table): string =>
  `select ${namesOf(table)
    .map(([name, sql]) => `coalesce(${sql}::text, chr(${ABSENT})) as "${name}"`)
    .join(', ')} from "${getTableName(table)}" where ${keySql(table)} = $1`;

/** The names of the columns in which a row differs from what `rowSql` answered. */
export function differingColumns(table: Table, row: Row, told: Readonly<Record<string, unknown>>): string[] {
  return namesOf(table)
    .map(([name]) => name)
    .filter((name) => textOf(row[name]) !== told[name]);
}
