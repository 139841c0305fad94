import type { Database } from './app.ts';
import type { SqlDeps, Statement } from './sql.ts';

interface Session {
  prepareQuery(
    query: Statement,
    fields: undefined,
    name: undefined,
    inArrays: boolean,
  ): { execute(): Promise<unknown> };
}

/** What PostgreSQL adds to the cost of a way that a setting disables, and how often that is believed. */
const AVOIDED = 1e10;
const MOST_AVOIDED = 5;

/** The database's own parser and planner. Nothing that is planned is run. */
export function planner(db: Database): Pick<SqlDeps, 'parse' | 'cost'> {
  const { session } = (db as unknown as { _: { session: Session } })._;
  return {
    async parse(sql) {
      const { default: load } = await import('pg-query-emscripten');
      const { parse_tree: tree, error } = (await load()).parse(sql);
      if (error !== null) throw new Error(error.message);
      if (tree.stmts.length !== 1) throw new Error('one statement at a time');
      return tree.stmts[0];
    },
    async cost(statement) {
      const explained = { ...statement, sql: `explain (format json) ${statement.sql}` };
      const { rows } = (await session.prepareQuery(explained, undefined, undefined, false).execute()) as {
        rows: Record<string, unknown>[];
      };
      const plan = rows[0]?.['QUERY PLAN'];
      const parsed = (typeof plan === 'string' ? JSON.parse(plan) : plan) as [{ Plan: { 'Total Cost': number } }];
      const cost = parsed[0].Plan['Total Cost'];
      // PGlite is told to avoid whole tables where it can; each one that it must read looks this much dearer.
      return cost < MOST_AVOIDED * AVOIDED ? cost % AVOIDED : cost;
    },
  };
}

/** The part of Ponder's database that is not public: the pool whose connections only read. PGlite has none, and is bounded by cost alone. */
interface Driver {
  dialect: string;
  readonly?: { options: { statement_timeout?: number } };
}

/** Makes PostgreSQL itself end what takes longer. Connections that are made from now on have the bound. */
export function boundQueries(ms: number): void {
  const { driver } = (globalThis as unknown as { PONDER_DATABASE?: { driver?: Driver } }).PONDER_DATABASE ?? {};
  if (driver?.readonly) driver.readonly.options.statement_timeout = ms;
}
