import type { Scope } from '@dpu/sdk/apiAccount';
import type { Context } from 'hono';
import { z } from 'zod';
import { ProblemError, type ProblemName } from './problem.ts';

/** What a route takes and gives: the router, the OpenAPI document and the typed client are all made from this. */
export interface RouteSpec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Under `/v1`, with `{name}` for what `params` names. */
  path: string;
  tag: string;
  /** One line, and what else a caller must know. */
  summary: string;
  description?: string;
  params?: Params;
  query?: Query;
  body?: Body;
  answer: Answer;
  /** Refusals beside those that every route can have. */
  problems?: readonly ProblemName[];
  /** How many plain reads it counts as in the rate limit. */
  cost?: number;
  /** Who may call: those who are signed in, or a key with this scope besides. Absent: everybody. */
  needs?: 'session' | Scope;
  /** The answer is for one caller: nobody keeps it. */
  private?: boolean;
}

/** What a caller sent, as the schemas give it. */
export interface Asked<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
}

/** A route with its types left behind. */
export interface Route {
  spec: RouteSpec<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>;
  handle(c: Context): Promise<unknown>;
}

const Nothing = z.strictObject({});
type Nothing = typeof Nothing;

/** Makes a route. What the handler answers is what goes over the wire; schemas turn it into what the client gives to its callers. */
export function route<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(
  spec: RouteSpec<Params, Query, Body, Answer>,
  handle: (asked: Asked<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<z.input<Answer>>,
): Route {
  return {
    spec: spec as unknown as Route['spec'],
    async handle(c) {
      const params = check<z.output<Params>>(spec.params ?? Nothing, c.req.param());
      const query = check<z.output<Query>>(spec.query ?? Nothing, c.req.query());
      const body = check<z.output<Body>>(spec.body ?? z.undefined(), spec.body ? await jsonOf(c) : undefined);
      return handle({ params, query, body });
    },
  };
}

async function jsonOf(c: Context): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new ProblemError('unsupported-media-type', 'the body must be JSON, with content-type application/json');
  try {
    return JSON.parse(await c.req.text()) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new ProblemError('invalid-request', 'the body is not JSON');
    throw error;
  }
}

function check<Value>(schema: z.ZodType, given: unknown): Value {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data as Value;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), sentence: sentenceOf(issue) }));
  throw new ProblemError('invalid-request', errors.map(({ sentence }) => sentence).join('; '), { errors });
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `there is no ${issue.keys.join(', ')} here; /v1/docs lists what there is`;
  const name = issue.path.join('.');
  // Sentences of our own name what they are about; zod's do not.
  return issue.message.startsWith('Invalid') || issue.message.startsWith('Too ')
    ? `${name}: ${issue.message}`
    : issue.message;
}
