/**
 * Real transactions for Ponder on PGlite. Ponder gives none there (`createQB` only calls the work), so others saw blocks that were half written, and a page that
 * was told of one in that moment kept it until the next change. In a transaction every other statement waits for its end: PGlite has one connection and lets nobody
 * in between. What runs inside must therefore ask nothing outside of its transaction, or it waits for itself: no handler may read the chain, whose answers Ponder
 * keeps in the same database.
 */
import { getTableName, isTable, sql } from 'drizzle-orm';

/** What a transaction gives to the work in it: drizzle's own, and what Ponder adds to it. */
interface Transaction {
  session: { client: unknown };
  execute(query: unknown): Promise<{ rows: Record<string, unknown>[] }>;
  transaction(work: Work): Promise<unknown>;
}
type Work = (given: unknown) => unknown;

/** Ponder's query builder on PGlite: a drizzle database whose `transaction` it has replaced. */
export interface QueryBuilder {
  $dialect: string;
  transaction(...given: unknown[]): Promise<unknown>;
  wrap(...given: unknown[]): Promise<unknown>;
}

/** Ponder's database; it is not public, so its shape is checked here. */
export interface PonderDatabase {
  driver?: { instance?: unknown };
  userQB?: QueryBuilder;
}

/** Ponder calls both `wrap(work)` and `wrap({ label }, work)`, and so with `transaction`. */
const workOf = (given: readonly unknown[]): Work => given.find((one) => typeof one === 'function') as Work;

/**
 * Makes what Ponder writes for the handlers atomic. Does nothing on PostgreSQL, where it is already.
 * @throws Error when Ponder is not as it was: then its version was changed, and blocks may be half written again.
 */
export function giveTransactions({ driver, userQB }: PonderDatabase, schema: Readonly<Record<string, unknown>>): void {
  if (!driver?.instance) return;
  const own = Object.getPrototypeOf(userQB ?? {}) as { transaction?: (work: Work) => Promise<unknown> };
  if (userQB?.$dialect !== 'pglite' || typeof own.transaction !== 'function')
    throw new Error('Ponder keeps its query builder elsewhere on PGlite: look at src/api/transactions.ts again');
  const names = Object.values(schema)
    .filter(isTable)
    .map((table) => getTableName(table));
  // Refuses when Ponder shuts down.
  const refuse = () => userQB.wrap(() => undefined);
  const begin = own.transaction.bind(userQB);
  userQB.transaction = (...given) =>
    begin(async (opened) => {
      const tx = equipped(opened as Transaction, refuse);
      const result = await workOf(given)(tx);
      await uncover(tx, names);
      return result;
    });
}

/** Adds what Ponder expects of a transaction, and of those within it. */
function equipped(tx: Transaction, refuse: () => Promise<unknown>): Transaction {
  const begin = tx.transaction.bind(tx);
  return Object.assign(tx, {
    ...{ raw: tx, $dialect: 'pglite', $client: tx.session.client },
    transaction: (...given: unknown[]) => begin((inner) => workOf(given)(equipped(inner as Transaction, refuse))),
    // Nothing is tried again: one statement that fails has ended the transaction.
    wrap: async (...given: unknown[]) => {
      await refuse();
      return workOf(given)(tx);
    },
  });
}

/**
 * Ponder writes many rows by way of temporary tables that are called like ours. On PGlite's one connection they stay, and whoever names one of our tables
 * without its schema finds nothing in it from then on.
 */
async function uncover(tx: Transaction, names: readonly string[]): Promise<void> {
  const { rows } = await tx.execute(
    sql`select relname as name from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'`,
  );
  for (const { name } of rows)
    if (names.includes(String(name))) await tx.execute(sql`drop table pg_temp.${sql.identifier(String(name))}`);
}
