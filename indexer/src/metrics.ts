import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Context, MiddlewareHandler } from 'hono';
import { markOf, type Condition, type Mark } from './verify/condition.ts';

/** What the parts of the indexer count. */
export interface Meter {
  /** Counts and times every request. */
  requests: MiddlewareHandler;
  /** How many streams are open. */
  streams(open: number): void;
  /** A word of a node was heard. */
  heard(topic: string): void;
}

/** Of an indexer that nobody measures. */
export const UNMETERED: Meter = { requests: async (_c, next) => next(), streams: () => {}, heard: () => {} };

const MARKS: readonly Mark[] = ['trusted', 'unverified', 'untrusted', 'stale'];

/** A number that is read when it is asked for. */
interface Number_ {
  help: string;
  read: (now: Condition) => number | undefined;
}

/** What is read from the condition of the index, by name without `dpu_indexer_`. */
export const NUMBERS: Readonly<Record<string, Number_>> = {
  block: { help: 'Newest indexed block.', read: ({ block }) => block },
  block_timestamp_seconds: {
    help: 'Time of the newest indexed block, unix seconds.',
    read: ({ timestamp }) => timestamp,
  },
  head_block: {
    help: 'Newest block of the chain; absent while the endpoint is silent.',
    read: ({ head }) => head?.number,
  },
  lag_blocks: {
    help: 'Blocks by which the index is behind the chain.',
    read: ({ head, block }) => head && Math.max(0, head.number - block),
  },
  lag_seconds: {
    help: 'Block time by which the index is behind the chain.',
    read: ({ head, timestamp }) => head && Math.max(0, head.timestamp - timestamp),
  },
  wrong_rows: { help: 'Rows that differ from the chain.', read: ({ wrongRows }) => wrongRows },
  verify_passed_timestamp_seconds: {
    help: 'When a pass last found everything equal, unix seconds.',
    read: ({ passed }) => passed?.at,
  },
  verify_seen_timestamp_seconds: {
    help: 'When the table that waited longest was last found equal, unix seconds.',
    read: ({ seen }) => (Object.keys(seen).length > 0 ? Math.min(...Object.values(seen)) : undefined),
  },
  verify_pass_seconds: { help: 'How long the last pass took.', read: ({ passed }) => passed?.seconds },
  verify_pass_rows: { help: 'Rows that the last pass compared.', read: ({ passed }) => passed?.rows },
  verify_passes: { help: 'Passes since the start.', read: ({ passes }) => passes },
  verify_alarms: { help: 'Passes that found a difference, since the start.', read: ({ alarms }) => alarms },
  verify_failures: { help: 'Passes that could not be made, since the start.', read: ({ failures }) => failures },
};

/** The names of everything that is measured, to compare with what a dashboard shows. */
export const NAMES: readonly string[] = [
  ...Object.keys(NUMBERS),
  ...['mark', 'requests_total', 'request_seconds', 'refused_total', 'working', 'streams', 'heard_total'],
].map((name) => `dpu_indexer_${name}`);

/** Registers what is measured, in Ponder's own registry where there is one, so that `/metrics` has all of it. */
export function createMeter(registry: Registry, condition: () => Condition): Meter {
  // `ponder dev` runs the API's files again after each change.
  for (const name of NAMES) registry.removeSingleMetric(name);
  const registers = [registry];
  for (const [name, { help, read }] of Object.entries(NUMBERS)) {
    new Gauge({
      ...{ name: `dpu_indexer_${name}`, help, registers },
      collect() {
        const value = read(condition());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
  new Gauge({
    ...{ name: 'dpu_indexer_mark', help: '1 for the word that answers carry.', labelNames: ['mark'], registers },
    collect() {
      for (const mark of MARKS) this.set({ mark }, Number(markOf(condition()) === mark));
    },
  });
  const requests = new Counter({
    ...{ name: 'dpu_indexer_requests_total', help: 'Requests by route and status.', registers },
    labelNames: ['method', 'route', 'status'],
  });
  const seconds = new Histogram({
    ...{ name: 'dpu_indexer_request_seconds', help: 'From a request to the head of its answer.', registers },
    ...{ labelNames: ['route'], buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] },
  });
  const refused = new Counter({
    ...{
      name: 'dpu_indexer_refused_total',
      help: 'Requests that were refused for load, or rows that are stale.',
      registers,
    },
    labelNames: ['status'],
  });
  const working = new Gauge({ name: 'dpu_indexer_working', help: 'Requests that are worked on.', registers });
  const streams = new Gauge({ name: 'dpu_indexer_streams', help: 'Open streams of live events.', registers });
  const heard = new Counter({
    ...{ name: 'dpu_indexer_heard_total', help: 'Words of nodes that were heard, by topic.', registers },
    labelNames: ['topic'],
  });
  return {
    async requests(c, next) {
      const from = performance.now();
      working.inc();
      try {
        await next();
      } finally {
        working.dec();
        const [route, status] = [routeOf(c), String(c.res.status)];
        requests.inc({ method: METHODS.has(c.req.method) ? c.req.method : 'other', route, status });
        seconds.observe({ route }, (performance.now() - from) / 1_000);
        if (status === '429' || status === '503') refused.inc({ status });
      }
    },
    streams: (open) => streams.set(open),
    heard: (topic) => heard.inc({ topic }),
  };
}

/** Whatever else a caller calls a method is one label: labels must not grow with what callers make up. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/** The path of the route that answered, with its parameters' names; `other` where none did. */
function routeOf(c: Context): string {
  const { path } = c.req.matchedRoutes.findLast((one) => !one.path.endsWith('*')) ?? {};
  if (path !== undefined) return path;
  return /^\/(graphql|sql\/(db|live))$/.test(c.req.path) ? c.req.path : 'other';
}
