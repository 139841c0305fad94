/** The indexer's REST API: a small typed client. The shapes of its answers are in `apiSchemas.ts`. */
import type { z } from 'zod';

import { live } from './apiLive.ts';
import {
  accountSchema,
  activityPageSchema,
  jobPageSchema,
  jobSchema,
  liveBlockSchema,
  nodePageSchema,
  nodeSchema,
  problemSchema,
  statsSchema,
  type Account,
  type Activity,
  type Job,
  type JobState,
  type JobSummary,
  type LiveBlock,
  type Node,
  type NodeSummary,
  type Page,
  type Stats,
} from './apiSchemas.ts';

export * from './apiSchemas.ts';

/** The indexer refused, failed, or could not be reached. `status` is 0 when there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly url: string;

  constructor(message: string, context: { status: number; url: string; cause?: unknown }) {
    super(message, { cause: context.cause });
    this.status = context.status;
    this.url = context.url;
  }
}

export interface Request {
  signal?: AbortSignal;
}
export interface PageRequest extends Request {
  cursor?: string;
  /** 1 … 100. */
  limit?: number;
}

/** What the client takes from its surroundings; tests pass their own. */
export interface ApiDeps {
  fetch?: typeof fetch;
  /** `null` turns server-sent events off. */
  EventSource?: typeof EventSource | null;
  /** How often `live` asks where there are no server-sent events. */
  pollMs?: number;
}

export interface Api {
  stats(request?: Request): Promise<Stats>;
  /** Jobs, newest first. */
  jobs(request?: PageRequest & { requester?: string; state?: JobState }): Promise<Page<JobSummary>>;
  /** One job, or null when the indexer does not know it (yet). */
  job(id: string, request?: Request): Promise<Job | null>;
  /** Nodes in order of their ids. */
  nodes(request?: PageRequest): Promise<Page<NodeSummary>>;
  /** One node, or null when the indexer does not know it (yet). */
  node(id: number, request?: Request): Promise<Node | null>;
  account(address: string, request?: Request): Promise<Account>;
  /** Events, newest first. */
  activity(request?: PageRequest): Promise<Page<Activity>>;
  /**
   * Calls `onBlock` after each indexed block that changed rows, until the returned function is called. Uses server-sent
   * events where there are any, and asks every `pollMs` otherwise.
   */
  live(onBlock: (block: LiveBlock) => void): () => void;
}

/** A client of the indexer at `url`. Every answer is checked against its schema. */
export function createApi(url: string, deps: ApiDeps = {}): Api {
  const base = url.replace(/\/+$/, '');
  const fetcher = deps.fetch ?? ((input, init) => fetch(input, init));

  async function get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    request: Request & Record<string, unknown> = {},
  ): Promise<z.output<Schema>> {
    const { signal, ...query } = request;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const target = `${base}${path}${search.size ? `?${search}` : ''}`;

    let response: Response;
    try {
      response = await fetcher(target, { headers: { accept: 'application/json' }, ...(signal && { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      const sentence = `the indexer did not answer at ${target}; check that it runs`;
      throw new ApiError(sentence, { status: 0, url: target, cause });
    }
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const problem = problemSchema.safeParse(body);
      const detail = problem.success ? problem.data.detail : `HTTP ${response.status}`;
      throw new ApiError(detail, { status: response.status, url: target });
    }
    const parsed = schema.safeParse(body);
    if (!parsed.success) {
      const sentence = "the indexer's answer has an unexpected shape; are both of the same version?";
      throw new ApiError(sentence, { status: response.status, url: target, cause: parsed.error });
    }
    return parsed.data;
  }

  const orNull = <Value>(answer: Promise<Value>): Promise<Value | null> =>
    answer.catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    });

  return {
    stats: (request) => get('/v1/stats', statsSchema, { ...request }),
    jobs: (request) => get('/v1/jobs', jobPageSchema, { ...request }),
    job: (id, request) => orNull(get(`/v1/jobs/${encodeURIComponent(id)}`, jobSchema, { ...request })),
    nodes: (request) => get('/v1/nodes', nodePageSchema, { ...request }),
    node: (id, request) => orNull(get(`/v1/nodes/${id}`, nodeSchema, { ...request })),
    account: (address, request) => get(`/v1/accounts/${encodeURIComponent(address)}`, accountSchema, { ...request }),
    activity: (request) => get('/v1/activity', activityPageSchema, { ...request }),
    live: (onBlock) =>
      live({
        url: `${base}/v1/live`,
        EventSource: deps.EventSource === undefined ? globalThis.EventSource : deps.EventSource,
        pollMs: deps.pollMs ?? 1_000,
        stats: (signal) => get('/v1/stats', statsSchema, { signal }),
        parse: (data) => liveBlockSchema.parse(JSON.parse(data)),
        onBlock,
      }),
  };
}
