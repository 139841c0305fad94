/** What SQL over HTTP may be: judged from its parse tree and from the planner's estimate, before a row is read. */
import type { MiddlewareHandler } from 'hono';
import superjson from 'superjson';
import { withinTime, type Gate } from './gate.ts';
import { patiently } from './patience.ts';
import { ProblemError } from './problem.ts';

/** Bounds of a statement. */
export interface SqlLimits {
  /** Characters of its text, and parameters. */
  chars: number;
  params: number;
  /** Words and signs of its text, and brackets within brackets with the nots: beyond these the parser itself may not come back. */
  words: number;
  depth: number;
  /** Tables that it names, each mention counted. */
  tables: number;
  /** The planner's estimate of its cost; a page read from disk in order is 1. */
  cost: number;
  /** Rows of its answer. */
  rows: number;
  /** Live queries that are open at once. */
  live: number;
}

export const SQL_LIMITS: SqlLimits = {
  ...{ chars: 4_000, params: 100, words: 400, depth: 40 },
  ...{ tables: 4, cost: 50_000, rows: 1_000, live: 100 },
};

/** Functions whose answer is never larger than what they are given, and that wait for nothing. */
const FUNCTIONS = new Set(
  'count sum avg min max lower upper length coalesce abs ceil ceiling floor round sign mod div greatest least row_number rank dense_rank width_bucket'.split(
    ' ',
  ),
);
/** Operators that cost no more than reading what they stand between. */
const OPERATORS = new Set('= <> != < <= > >= + - * / % & | << >> ~~ !~~ ~~* !~~* BETWEEN'.split(' '));
/** Parts of a statement that have no place in a question about rows. */
const FORBIDDEN = new Set([
  'WithClause',
  'LockingClause',
  'IntoClause',
  'RangeFunction',
  'RangeTableFunc',
  'RangeTableSample',
]);

/** A statement with its parameters. */
export interface Statement {
  sql: string;
  params: unknown[];
}

/** What is asked of the parser and the planner; tests give their own. */
export interface SqlDeps {
  parse: (sql: string) => Promise<unknown>;
  /** The planner's estimate of the whole statement. */
  cost: (statement: Statement) => Promise<number>;
  /** Names of the tables that may be asked. */
  tables: ReadonlySet<string>;
}

const refused = (sentence: string) => new ProblemError('query-refused', sentence);

/** What the database says of a statement that it does not answer. */
class Failed extends Error {}

/**
 * Refuses what is no bounded question about the tables.
 * @throws ProblemError `query-refused`
 */
export async function judgeSql(statement: Statement, deps: SqlDeps, limits: SqlLimits = SQL_LIMITS): Promise<void> {
  const { sql, params } = statement;
  if (sql.length > limits.chars) throw refused(`a statement may have ${limits.chars} characters`);
  if (params.length > limits.params) throw refused(`a statement may have ${limits.params} parameters`);
  const { words, depth } = shapeOf(sql);
  if (words > limits.words)
    throw refused(`a statement may have ${limits.words} words and signs; this one has ${words}`);
  if (depth > limits.depth)
    throw refused(`brackets and nots may lie ${limits.depth} deep in each other; here they may lie ${depth} deep`);
  const tree = await deps.parse(sql).catch((error: unknown) => {
    throw refused(`the statement cannot be read: ${error instanceof Error ? error.message : 'syntax error'}`);
  });
  let named = 0;
  walk(tree, (kind, node) => {
    const isOther = kind.endsWith('Stmt') && kind !== 'SelectStmt' && kind !== 'RawStmt';
    if (isOther || FORBIDDEN.has(kind)) throw refused(`${kind} is not possible here: ask with a plain SELECT`);
    if (kind === 'A_Expr') checkOperator(node);
    if (kind === 'FuncCall') checkFunction(node);
    if (kind === 'RangeVar') {
      named += 1;
      checkTable(node, deps.tables);
    }
  });
  if (named > limits.tables) throw refused(`a statement may name ${limits.tables} tables; this one names ${named}`);
  const cost = await patiently(() => deps.cost(statement)).catch((error: unknown) => {
    if (error instanceof ProblemError) throw error;
    throw refused(
      `the statement cannot be planned: ${error instanceof Error ? firstLine(error.message) : 'unknown reason'}`,
    );
  });
  if (cost > limits.cost)
    throw refused(
      `the statement is too costly (${Math.round(cost)} of ${limits.cost}): narrow it down, or use an index`,
    );
}

/** Counted without regard to quotes, which could be used to hide: text in a string counts like any other. */
function shapeOf(sql: string): { words: number; depth: number } {
  let [open, depth] = [0, 0];
  for (const sign of sql) {
    if (sign === '(' || sign === '[') depth = Math.max(depth, (open += 1));
    if (sign === ')' || sign === ']') open -= 1;
  }
  // A row of nots nests like brackets, and on the parser's stack each weighs more than any other word.
  const nots = sql.match(/\bnot\b/gi)?.length ?? 0;
  return { words: sql.match(/[\w$]+|[^\s\w"']/g)?.length ?? 0, depth: depth + nots };
}

const firstLine = (message: string) => message.split('\n')[0]!.slice(0, 200);

type Visit = (kind: string, node: Record<string, unknown>) => void;

/** Every node of the parse tree; a node is an object under its kind. */
function walk(value: unknown, visit: Visit, depth = 0): void {
  if (depth > 200) throw refused('the statement is nested too deep');
  if (Array.isArray(value)) {
    for (const one of value) walk(one, visit, depth + 1);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner !== 'object' || inner === null) continue;
    if (/^[A-Z]/.test(name) && !Array.isArray(inner)) visit(name, inner as Record<string, unknown>);
    // Under these names the tree holds clauses without their kind.
    if (name === 'withClause') visit('WithClause', inner as Record<string, unknown>);
    if (name === 'intoClause') visit('IntoClause', inner as Record<string, unknown>);
    walk(inner, visit, depth + 1);
  }
}

function checkFunction(node: Record<string, unknown>): void {
  const parts = ((node['funcname'] ?? []) as { String?: { sval?: string; str?: string } }[]).map(
    ({ String: text }) => text?.sval ?? text?.str ?? '',
  );
  if (parts.length !== 1 || !FUNCTIONS.has(parts[0]!))
    throw refused(`the function ${parts.join('.')} is not possible here`);
}

function checkOperator(node: Record<string, unknown>): void {
  const names = ((node['name'] ?? []) as { String?: { sval?: string; str?: string } }[]).map(
    ({ String: text }) => text?.sval ?? text?.str ?? '',
  );
  const unknown = names.find(
    (name) => !OPERATORS.has(name) && !name.startsWith('BETWEEN') && !name.startsWith('NOT BETWEEN'),
  );
  if (unknown !== undefined) throw refused(`the operator ${unknown} is not possible here`);
}

function checkTable(node: Record<string, unknown>, tables: ReadonlySet<string>): void {
  const name = String(node['relname']);
  if (node['schemaname'] !== undefined || node['catalogname'] !== undefined || !tables.has(name))
    throw refused(`there is no table ${name} here`);
}

/** Answers SQL, within limits; `next` is Ponder's own middleware, which has an allow-list and a read-only role of its own. */
export function guardedSql(
  gate: Gate,
  deps: SqlDeps,
  next: MiddlewareHandler,
  limits: SqlLimits = SQL_LIMITS,
): MiddlewareHandler {
  let live = 0;
  return async (c) => {
    const isLive = c.req.path === '/sql/live';
    if (!isLive && c.req.path !== '/sql/db') throw new ProblemError('not-found', `nothing is at ${c.req.path}`);
    if (c.req.method !== 'GET')
      throw new ProblemError('method-not-allowed', 'SQL is asked with GET', { headers: { allow: 'GET' } });
    const statement = statementOf(c.req.query('sql'));
    await judgeSql(statement, deps, limits);
    // One row more than there may be tells that there are too many, and nobody has to fetch them all.
    const bounded = { ...statement, sql: `select * from (${statement.sql}) as "bounded" limit ${limits.rows + 1}` };
    const url = new URL(c.req.raw.url);
    url.searchParams.set('sql', superjson.stringify(bounded));
    c.req.raw = new Request(url, { headers: c.req.raw.headers, signal: c.req.raw.signal });
    if (isLive) {
      if (live >= limits.live)
        throw new ProblemError('overloaded', `${limits.live} live queries are open, which is all there may be`);
      const response = (await next(c, async () => {})) as Response;
      if (!response.ok || response.body === null) throw new ProblemError('not-ready', firstLine(await response.text()));
      live += 1;
      return new Response(
        whenOver(response.body, () => (live -= 1)),
        response,
      );
    }
    const body = await gate.run(() =>
      withinTime(() =>
        patiently(async () => {
          const answered = (await next(c, async () => {})) as Response;
          if (!answered.ok) throw new Failed(firstLine(await answered.text()));
          return (await answered.json()) as { rows?: unknown[] };
        }).catch((error: unknown) => {
          throw error instanceof Failed ? refused(error.message) : error;
        }),
      ),
    );
    if (body === 'late') throw new ProblemError('query-timeout', 'the statement took more than two seconds');
    if ((body.rows?.length ?? 0) > limits.rows)
      throw refused(`the statement has more than ${limits.rows} rows: add a limit`);
    return c.json(body, 200, { 'cache-control': 'no-store' });
  };
}

/** The same stream; `over` is called once, when it ends or its reader has gone. */
function whenOver(body: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  // The types of the DOM do not know `cancel` yet.
  const ends = { flush: over, cancel: over } as Transformer<Uint8Array, Uint8Array>;
  return body.pipeThrough(new TransformStream(ends));
}

/** Whether a database may be given this: nothing that has members of its own. */
const isPlain = (value: unknown): boolean =>
  value === null || value instanceof Date || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);

function statementOf(text: string | undefined): Statement {
  if (text === undefined) throw refused('the parameter sql is missing');
  let given: unknown;
  try {
    given = superjson.parse(text);
  } catch {
    throw refused('the parameter sql must be what @ponder/client sends: superjson of { sql, params }');
  }
  const { sql, params = [] } = (given ?? {}) as { sql?: unknown; params?: unknown };
  if (typeof sql !== 'string' || !Array.isArray(params)) throw refused('sql must be text and params a list');
  if (!params.every((one) => isPlain(one) || (Array.isArray(one) && one.every(isPlain))))
    throw refused('a parameter must be text, a number, a time, true, false or null, or a list of those');
  const { typings } = given as { typings?: unknown };
  const kinds = Array.isArray(typings) && typings.every(isPlain) ? { typings } : {};
  return { ...kinds, sql: sql.replace(/;\s*$/, ''), params };
}
