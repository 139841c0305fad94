import type { Problem } from '@dpu/sdk/api';
import type { Context } from 'hono';
import { createLog } from '../log.ts';

const log = createLog('api');

/** What can be wrong, by the last part of its `type`: the HTTP status and a title. The names are for good: programs compare them. */
export const PROBLEMS = {
  'invalid-request': [400, 'Bad request'],
  'query-refused': [400, 'Query refused'],
  'signed-out': [401, 'Not signed in'],
  'sign-in-refused': [401, 'Sign-in refused'],
  'key-refused': [401, 'API key refused'],
  'passkey-needed': [403, 'Passkey needed'],
  'passkey-refused': [403, 'Passkey refused'],
  'scope-missing': [403, 'Scope missing'],
  'cross-site': [403, 'Call from another site'],
  'cap-exceeded': [403, 'Spending cap exceeded'],
  'not-found': [404, 'Not found'],
  'not-offered': [404, 'Not offered here'],
  'method-not-allowed': [405, 'Method not allowed'],
  'too-many': [409, 'Too many'],
  'no-relayer': [409, 'No relayer'],
  'too-large': [413, 'Request too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
  'order-refused': [422, 'Order refused'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  overloaded: [503, 'Overloaded'],
  'query-timeout': [503, 'Query took too long'],
  'not-ready': [503, 'Not ready'],
  'chain-unavailable': [503, 'Chain unavailable'],
  'mail-unavailable': [503, 'Mail unavailable'],
  stale: [503, 'Index is stale'],
} as const;

/** Name of a problem. */
export type ProblemName = keyof typeof PROBLEMS;

type Wrong = NonNullable<Problem['errors']>;

/** A refusal that the caller can do something about, answered as RFC 9457 problem details. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemName;
  readonly errors: Wrong | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    problem: ProblemName,
    detail: string,
    { errors, headers = {} }: { errors?: Wrong; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.problem = problem;
    this.errors = errors;
    this.headers = headers;
  }

  get status(): number {
    return PROBLEMS[this.problem][0];
  }
}

/** The body of a refusal. */
export function problemJson(name: ProblemName, detail: string, errors?: Wrong): Problem {
  const [status, title] = PROBLEMS[name];
  return { type: `urn:dpu:problem:${name}`, title, status, detail, ...(errors && { errors }) };
}

/** Answers with problem details. */
export function problem(
  c: Context,
  name: ProblemName,
  detail: string,
  more: { errors?: Wrong | undefined; headers?: Readonly<Record<string, string>> } = {},
): Response {
  const headers = { ...more.headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return c.json(problemJson(name, detail, more.errors), PROBLEMS[name][0], headers);
}

/** The last resort of every route: what we refuse is explained, what we broke is logged and not shown. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof ProblemError) return problem(c, error.problem, error.message, error);
  log.error('Request failed', { path: c.req.path, error, stack: error.stack });
  return problem(c, 'internal', 'the indexer could not answer; its log says why');
}
