import { getTableColumns, type Table } from 'drizzle-orm';
import { TABLES } from '../../src/verify/dump.ts';
import { primaryKey } from '../../src/verify/memory.ts';

type Row = Record<string, unknown>;

/** Text that a careless comparison gets wrong. */
const ODD = 'Ü "quoted" \\ 漢 💥\n';

/** A row of any table, different for each number; every column has a value that its type allows, every other one that may be null is. */
export function rowOf(table: Table, number: number): Row {
  const key = primaryKey(table);
  return Object.fromEntries(
    Object.entries(getTableColumns(table)).map(([name, column], at) => {
      if (!column.notNull && !key.includes(name) && (at + number) % 2 === 0) return [name, null];
      if (column.enumValues?.length) return [name, column.enumValues[number % column.enumValues.length]];
      if (column.columnType === 'PgHex') return [name, `0x${number.toString(16).padStart(64, 'a')}`];
      if (column.dataType === 'bigint') return [name, BigInt(number) * (at % 2 === 0 ? 10n ** 70n : -3n)];
      if (column.dataType === 'boolean') return [name, number % 2 === 0];
      return [name, column.dataType === 'number' ? number : `${ODD}${number}`];
    }),
  );
}

/** Rows of every table. */
export const everyRow = (rows: number): Map<Table, Row[]> =>
  new Map(TABLES.map((table) => [table, Array.from({ length: rows }, (_, at) => rowOf(table, at))]));
