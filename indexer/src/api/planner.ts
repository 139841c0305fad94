import type Load from 'pg-query-emscripten';
import type { Database } from './app.ts';
import type { SqlDeps, Statement } from './sql.ts';

type Parser = Awaited<ReturnType<typeof Load>>;

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

/**
 * Statements that a parser may refuse before it is replaced. Each leaves a little behind on its stack: after some four hundred it gives wrong trees. A new
 * one costs as much time as fifty statements.
 */
const MOST_REFUSED = 16;

/** PostgreSQL's own parser, as `judgeSql` asks it: of bounded statements only, since deep ones destroy it. */
export function parser(): SqlDeps['parse'] {
  let current: Promise<Parser> | undefined;
  let failed = 0;
  return async (sql) => {
    if (failed >= MOST_REFUSED) [current, failed] = [undefined, 0];
    current ??= import('pg-query-emscripten').then(({ default: load }) => load());
    const parsing = current;
    const { parse } = await parsing;
    try {
      const { parse_tree: tree, error } = parse(sql);
      if (error !== null) failed += 1;
      if (error !== null) throw new Refused(error.message);
      if (tree.stmts.length !== 1) throw new Refused('one statement at a time');
      return tree.stmts[0];
    } catch (error) {
      if (error instanceof Refused) throw error;
      // It is broken, and would be for whoever comes next.
      if (current === parsing) [current, failed] = [undefined, 0];
      throw new Error('the parser gave up on it', { cause: error });
    }
  };
}

/** The parser's own no, after which it is whole. */
class Refused extends Error {}

/** The database's own parser and planner. Nothing that is planned is run. */
export function planner(db: Database): Pick<SqlDeps, 'parse' | 'cost'> {
  const { session } = (db as unknown as { _: { session: Session } })._;
  return {
    parse: parser(),
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
