/** A database as text: one line for each column of each row, in an order that does not depend on how the rows came to be. */
import { getTableColumns, getTableName, is, type Table } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import * as schema from '../../ponder.schema.ts';
import { primaryKey } from './memory.ts';

type Row = Record<string, unknown>;
/** Lines by what they are about: table, primary key and column; the value as JSON. */
export type Dump = ReadonlyMap<string, string>;

/** Every table of the index. */
export const TABLES = (Object.values(schema) as unknown[]).filter((value) => is(value, PgTable)) as unknown as Table[];

/** The canonical lines of the rows of all tables. */
export function dumpOf(rowsOf: (table: Table) => readonly Row[]): Dump {
  return new Map(TABLES.flatMap((table) => linesOf(table, rowsOf(table))).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The lines of some rows of a table; rows may lack columns, which then say nothing. */
export function linesOf(table: Table, rows: readonly Row[]): [string, string][] {
  const [name, key, columns] = [getTableName(table), primaryKey(table), Object.keys(getTableColumns(table))];
  return rows.flatMap((row) => {
    const id = key.map((column) => textOf(row[column])).join(' ');
    return columns
      .filter((column) => row[column] !== undefined)
      .map((column): [string, string] => [`${name} [${id}] ${column}`, textOf(row[column])]);
  });
}

/** Amounts as digits, hex in lower case as the database keeps it. */
function textOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value);
}

/** A column that two sources see differently; undefined where one has no such row. */
export interface Difference {
  where: string;
  index: string | undefined;
  truth: string | undefined;
}

/** What of `truth` the index has otherwise or not at all, and what it has beside it. */
export function differencesOf(index: Dump, truth: Dump): Difference[] {
  const keys = [...new Set([...index.keys(), ...truth.keys()])].sort();
  return keys
    .map((where) => ({ where, index: index.get(where), truth: truth.get(where) }))
    .filter((one) => one.index !== one.truth);
}

/** The same for a truth that knows only some columns of some rows. */
export function contradictionsOf(index: Dump, truth: Dump): Difference[] {
  return [...truth]
    .map(([where, value]) => ({ where, index: index.get(where), truth: value }))
    .filter((one) => one.index !== one.truth);
}
