import { getTableColumns, getTableName, type Table } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import type { AnyContext } from '../types.ts';

type Row = Record<string, unknown>;
type Change = Row | ((row: Row) => Row);

/** Where rows are kept, by table and key. */
export interface RowStore {
  get(table: Table, key: string): Row | undefined;
  set(table: Table, key: string, row: Row): void;
  /** @returns whether there was such a row. */
  delete(table: Table, key: string): boolean;
}

/** Rows in memory. */
class MapStore implements RowStore {
  readonly #tables = new Map<string, Map<string, Row>>();

  get(table: Table, key: string): Row | undefined {
    return this.of(table).get(key);
  }
  set(table: Table, key: string, row: Row): void {
    this.of(table).set(key, row);
  }
  delete(table: Table, key: string): boolean {
    return this.of(table).delete(key);
  }
  of(table: Table): Map<string, Row> {
    const name = getTableName(table);
    const rows = this.#tables.get(name) ?? new Map<string, Row>();
    this.#tables.set(name, rows);
    return rows;
  }
}

/** Ponder's `context.db` on a store of rows: rows by primary key, addresses in lower case, and errors where Ponder has them. */
export class StoreDatabase {
  readonly #store: RowStore;

  constructor(store: RowStore) {
    this.#store = store;
  }

  /** What handlers see. */
  get db(): AnyContext['db'] {
    return {
      find: async (table: Table, key: Row) => this.#store.get(table, keyOf(table, key)) ?? null,
      delete: async (table: Table, key: Row) => this.#store.delete(table, keyOf(table, key)),
      insert: (table: Table) => ({ values: (row: Row) => this.#insert(table, row) }),
      update: (table: Table, key: Row) => ({ set: async (change: Change) => this.#update(table, key, change) }),
    } as unknown as AnyContext['db'];
  }

  #insert(table: Table, row: Row) {
    const run = async (onConflict?: Change | 'nothing'): Promise<Row | null> => {
      const key = keyOf(table, row);
      const present = this.#store.get(table, key) !== undefined;
      if (!present) this.#store.set(table, key, complete(table, row));
      else if (onConflict === undefined) throw new Error(`UniqueConstraintError: ${getTableName(table)} ${key}`);
      else if (onConflict === 'nothing') return null;
      else return this.#update(table, row, onConflict);
      return this.#store.get(table, key)!;
    };
    return {
      then: (resolve: (row: unknown) => unknown, reject: (error: unknown) => unknown) => run().then(resolve, reject),
      onConflictDoNothing: () => run('nothing'),
      onConflictDoUpdate: (change: Change) => run(change),
    };
  }

  #update(table: Table, key: Row, change: Change): Row {
    const id = keyOf(table, key);
    const row = this.#store.get(table, id);
    if (!row) throw new Error(`RecordNotFoundError: ${getTableName(table)} ${id}`);
    const next = complete(table, { ...row, ...(typeof change === 'function' ? change({ ...row }) : change) });
    this.#store.set(table, id, next);
    return next;
  }
}

/** The same in memory, with all rows to look at. */
export class MemoryDatabase extends StoreDatabase {
  readonly #rows: MapStore;

  constructor(rows: MapStore = new MapStore()) {
    super(rows);
    this.#rows = rows;
  }

  /** All rows of a table, in the order in which they were inserted. */
  rows<T extends Table>(table: T): T['$inferSelect'][] {
    return [...this.#rows.of(table).values()];
  }
}

/** The primary key of a row as text: equal for the same row whoever writes it. */
export function keyOf(table: Table, row: Row): string {
  return primaryKey(table)
    .map((column) => String(row[column]).toLowerCase())
    .join(' ');
}

/** Names of the columns that make the primary key. */
export function primaryKey(table: Table): string[] {
  const composite = getTableConfig(table as PgTable).primaryKeys[0]?.columns.map((column) => column.name);
  return Object.entries(getTableColumns(table))
    .filter(([, column]) => (composite ? composite.includes(column.name) : column.primary))
    .map(([name]) => name);
}

/** A row as Ponder stores it: known columns only, hex in lower case, an error where something must not be null. */
function complete(table: Table, row: Row): Row {
  return Object.fromEntries(
    Object.entries(getTableColumns(table)).map(([name, column]) => {
      const value = row[name] ?? null;
      if (value === null && column.notNull) throw new Error(`NotNullConstraintError: ${getTableName(table)}.${name}`);
      const allowed = column.enumValues;
      if (value !== null && allowed?.length && !allowed.includes(value as string)) {
        throw new Error(`invalid input value for enum: ${getTableName(table)}.${name} = ${String(value)}`);
      }
      return [name, column.columnType === 'PgHex' && typeof value === 'string' ? value.toLowerCase() : value];
    }),
  );
}
