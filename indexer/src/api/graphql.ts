/** What GraphQL queries may cost, judged from their text before anything is read. */
import {
  GraphQLError,
  Kind,
  parse,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { MiddlewareHandler } from 'hono';
import { withinTime, type Gate } from './gate.ts';
import { patiently } from './patience.ts';
import { ProblemError } from './problem.ts';

/** Bounds of a query. */
export interface QueryLimits {
  /** Words and signs of its text. */
  tokens: number;
  /** Fields inside fields; an introspection may go deeper, because it reads no rows. */
  depth: number;
  /** Fields at the top. */
  roots: number;
  /** Rows that it could read, pages inside pages multiplied. */
  rows: number;
}

export const QUERY_LIMITS: QueryLimits = { tokens: 1_000, depth: 8, roots: 10, rows: 10_000 };

/** Items of a page, when the query does not say how many; Ponder's. */
const PAGE = 50;
/** A count reads an index from end to end: it is charged like this many rows. */
const COUNT_ROWS = 100;
const INTROSPECTION_DEPTH = 15;

/** The codes of refusals, in `extensions.code`. */
export type QueryCode = 'SYNTAX' | 'TOO_DEEP' | 'TOO_COSTLY' | 'TOO_MANY_FIELDS' | 'TIMEOUT' | 'NOT_A_QUERY';

class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: QueryCode;

  constructor(code: QueryCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/**
 * How many rows a query could read at most.
 * @throws Refused with a code and a sentence when it breaks a limit.
 */
export function judge(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
  limits: QueryLimits = QUERY_LIMITS,
): number {
  const document = parsed(query, limits.tokens);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  let total = 0;
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    if (node.operation !== 'query') throw new Refused('NOT_A_QUERY', 'only queries are answered');
    const roots = fieldsOf(node.selectionSet, fragments, []);
    if (roots.length > limits.roots)
      throw new Refused(
        'TOO_MANY_FIELDS',
        `a query may have ${limits.roots} fields at the top; this one has ${roots.length}`,
      );
    total += roots.reduce((sum, field) => sum + rowsOf(field, 1, 1, { fragments, variables, limits }), 0);
  }
  if (total > limits.rows)
    throw new Refused(
      'TOO_COSTLY',
      `the query could read ${total} rows, and ${limits.rows} are allowed: ask for smaller pages`,
    );
  return total;
}

function parsed(query: string, maxTokens: number): DocumentNode {
  try {
    return parse(query, { maxTokens, noLocation: true });
  } catch (error) {
    throw new Refused('SYNTAX', error instanceof GraphQLError ? error.message : 'the query cannot be read');
  }
}

interface Scope {
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  variables: Readonly<Record<string, unknown>>;
  limits: QueryLimits;
}

/** The fields of a selection, fragments spread out. One that spreads itself is refused. */
function fieldsOf(set: SelectionSetNode, fragments: Scope['fragments'], within: readonly string[]): FieldNode[] {
  return set.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    if (node.kind === Kind.INLINE_FRAGMENT) return fieldsOf(node.selectionSet, fragments, within);
    const name = node.name.value;
    const fragment = fragments.get(name);
    if (!fragment || within.includes(name) || within.length > 10)
      throw new Refused('SYNTAX', `the fragment ${name} is not there, or spreads itself`);
    return fieldsOf(fragment.selectionSet, fragments, [...within, name]);
  });
}

function rowsOf(field: FieldNode, times: number, depth: number, scope: Scope): number {
  const most = field.name.value.startsWith('__') ? INTROSPECTION_DEPTH : scope.limits.depth;
  return rowsWithin(field, times, depth, { ...scope, most });
}

function rowsWithin(field: FieldNode, times: number, depth: number, scope: Scope & { most: number }): number {
  if (depth > scope.most)
    throw new Refused('TOO_DEEP', `fields may lie ${scope.most} deep in each other: ask in several queries`);
  if (!field.selectionSet) return field.name.value === 'totalCount' ? times * COUNT_ROWS : 0;
  const inner = fieldsOf(field.selectionSet, scope.fragments, []);
  const isPage = inner.some((one) => one.name.value === 'items');
  const own = isPage
    ? times * pageOf(field, scope.variables)
    : ['items', 'pageInfo'].includes(field.name.value)
      ? 0
      : times;
  return inner.reduce((sum, one) => {
    const below = isPage && one.name.value === 'items' ? own : times;
    return sum + rowsWithin(one, below, depth + 1, scope);
  }, own);
}

/** How many items a page has at most. What cannot be known counts as the most that Ponder gives. */
function pageOf(field: FieldNode, variables: Scope['variables']): number {
  const limit = field.arguments?.find(({ name }) => name.value === 'limit')?.value;
  if (!limit || limit.kind === Kind.NULL) return PAGE;
  const value =
    limit.kind === Kind.INT
      ? Number(limit.value)
      : limit.kind === Kind.VARIABLE
        ? Number(variables[limit.name.value] ?? PAGE)
        : NaN;
  return value >= 0 && value <= 1_000 ? value : 1_000;
}

/** Answers GraphQL, within limits; `next` is Ponder's own middleware. */
export function guardedGraphql(gate: Gate, next: MiddlewareHandler): MiddlewareHandler {
  return async (c) => {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    const refuse = (status: 400 | 503, code: string, message: string) =>
      c.body(JSON.stringify({ errors: [{ message, extensions: { code } }] }), status, headers);
    if (c.req.method !== 'POST')
      throw new ProblemError(
        'method-not-allowed',
        'GraphQL is asked with POST; /v1/docs has a page to try the REST API',
        {
          headers: { allow: 'POST' },
        },
      );
    const text = await c.req.text();
    let asked: { query?: unknown; variables?: unknown };
    try {
      asked = JSON.parse(text) as typeof asked;
    } catch {
      return refuse(400, 'SYNTAX', 'the body is not JSON');
    }
    if (typeof asked !== 'object' || asked === null || typeof asked.query !== 'string')
      return refuse(400, 'SYNTAX', 'the body must be an object with a query');
    const { variables } = asked;
    if (variables !== undefined && variables !== null && (typeof variables !== 'object' || Array.isArray(variables)))
      return refuse(400, 'SYNTAX', 'variables must be an object');
    try {
      judge(
        asked.query,
        typeof variables === 'object' && variables !== null ? (variables as Record<string, unknown>) : {},
      );
    } catch (error) {
      if (error instanceof Refused) return refuse(400, error.code, error.message);
      throw error;
    }
    // What else the caller's headers say of the body, such as its type or encoding, was true of bytes that are text by now.
    const { url } = c.req.raw;
    const ask = async () => {
      c.req.raw = new Request(url, { method: 'POST', headers, body: text });
      const body = await bodyOf((await next(c, async () => {})) as Response);
      // Tried again when it passes by itself; else it is answered with its errors.
      const [error] = (body?.errors ?? []) as { message?: unknown }[];
      if (error) throw new Failed(String(error.message), body!);
      return body;
    };
    const answered = await gate.run(() =>
      withinTime(() =>
        patiently(ask).catch((error: unknown) => {
          if (error instanceof Failed) return error.body;
          throw error;
        }),
      ),
    );
    if (answered === 'late') return refuse(503, 'TIMEOUT', 'the query took more than two seconds');
    if (!answered)
      return refuse(400, 'SYNTAX', 'the query cannot be answered: send { query, variables, operationName } as JSON');
    // Yoga adds where in the code an error arose, which is nobody's business.
    const errors = answered.errors?.map((error) => {
      const { message, path, locations } = error as { message: string; path?: unknown; locations?: unknown };
      return { message, ...(path !== undefined && { path }), ...(locations !== undefined && { locations }) };
    });
    return c.body(JSON.stringify({ ...answered, ...(errors && { errors }) }), 200, headers);
  };
}

interface Body {
  data?: unknown;
  errors?: unknown[];
}

/** An answer with errors, by the first of them. */
class Failed extends Error {
  readonly body: Body;

  constructor(message: string, body: Body) {
    super(message);
    this.body = body;
  }
}

/** The JSON of an answer; undefined where it is none, as when a part of the request is not what GraphQL over HTTP says. */
async function bodyOf(answer: Response): Promise<Body | undefined> {
  try {
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}
