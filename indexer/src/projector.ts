import { getTableColumns, type Table } from 'drizzle-orm';
import { bondChange, node } from '../ponder.schema.ts';
import type { AnyContext, AnyEvent } from './types.ts';

type Row = Record<string, unknown>;
type Change = Row | ((row: Row) => Row);
type Run<Result> = PromiseLike<Result> & {
  onConflictDoNothing(): Promise<unknown>;
  onConflictDoUpdate(change: Change): Promise<unknown>;
};

/** The two calls of Ponder's store that write rows, without their types per table. */
interface Store {
  insert(table: Table): { values(row: Row): Run<unknown> };
  update(table: Table, key: Row): { set(change: Change): Promise<Row> };
}

/**
 * The context that a handler of `event` gets. Its database does two things that every handler would have to: a row says which block and
 * transaction changed it last (`changed.schema.ts`), and every change of what a node has locked is kept (`bondChange`).
 */
export function projecting<Context extends AnyContext>(context: Context, event: AnyEvent): Context {
  const store = context.db as unknown as Store;
  const stamp = { changedBlock: Number(event.block.number), changedTransaction: event.transaction.hash };
  const isStamped = (table: Table) => 'changedBlock' in getTableColumns(table);
  const stampedChange = (change: Change): Change =>
    typeof change === 'function' ? (row) => ({ ...change(row), ...stamp }) : { ...change, ...stamp };
  const parts = new Map<number, number>();

  async function keepBond(id: number, amount: bigint, locked: bigint): Promise<void> {
    const part = parts.get(id) ?? 0;
    parts.set(id, part + 1);
    const at = { block: Number(event.block.number), timestamp: Number(event.block.timestamp) };
    await store.insert(bondChange).values({
      sortKey: `${event.id}.${id}.${part}`,
      event: event.id,
      node: id,
      part,
      amount,
      locked,
      ...at,
      transaction: event.transaction.hash,
    });
  }

  const db = {
    find: context.db.find.bind(context.db),
    delete: context.db.delete.bind(context.db),
    insert(table: Table) {
      if (!isStamped(table)) return store.insert(table);
      return {
        values(row: Row) {
          const run = store.insert(table).values({ ...row, ...stamp });
          return {
            then: run.then.bind(run),
            onConflictDoNothing: () => run.onConflictDoNothing(),
            onConflictDoUpdate: (change: Change) => run.onConflictDoUpdate(stampedChange(change)),
          };
        },
      };
    },
    update(table: Table, key: Row) {
      if (!isStamped(table)) return store.update(table, key);
      return {
        async set(change: Change): Promise<Row> {
          let before: unknown;
          const stamped = stampedChange(change);
          const now = await store.update(table, key).set((row) => {
            before = row['locked'];
            return typeof stamped === 'function' ? stamped(row) : stamped;
          });
          if (table === (node as Table) && now['locked'] !== before) {
            const locked = now['locked'] as bigint;
            await keepBond(now['id'] as number, locked - (before as bigint), locked);
          }
          return now;
        },
      };
    },
  };
  return { ...context, db: db as unknown as Context['db'] };
}
