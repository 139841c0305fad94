import type { Problem } from '@dpu/sdk/api';
import type { Context } from 'hono';

/** A refusal that the caller can do something about, answered as RFC 9457 problem details. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: 400 | 404;

  constructor(status: 400 | 404, detail: string) {
    super(detail);
    this.status = status;
  }
}

const TITLES = { 400: 'Bad request', 404: 'Not found', 500: 'Internal error' } as const;

/** Answers with problem details. */
export function problem(c: Context, status: keyof typeof TITLES, detail: string): Response {
  const body: Problem = { type: 'about:blank', title: TITLES[status], status, detail };
  return c.json(body, status, { 'content-type': 'application/problem+json' });
}

/** The last resort of every route: what we refuse is explained, what we broke is logged and not shown. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof ProblemError) return problem(c, error.status, error.message);
  console.error('Request failed', { path: c.req.path, error });
  return problem(c, 500, 'the indexer could not answer; its log says why');
}
