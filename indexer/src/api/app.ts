import { Hono, type Context } from 'hono';
import { etag } from 'hono/etag';
import type { ReadonlyDrizzle } from 'ponder';
import type * as schema from '../../ponder.schema.ts';
import type { ChainView, LiveView } from '../quote/view.ts';
import type { AccountsHandle } from '../accounts/accounts.ts';
import { hasKey } from '../accounts/guard.ts';
import { keyRoutes } from '../accounts/keyRoutes.ts';
import { notifyRoutes } from '../accounts/notifyRoutes.ts';
import { signInRoutes } from '../accounts/signInRoutes.ts';
import { UNMETERED, type Meter } from '../metrics.ts';
import { UNKNOWN, type Condition } from '../verify/condition.ts';
import { accountRoutes } from './accounts.ts';
import { activityRoutes } from './activity.ts';
import { Changes, newsOf } from './changes.ts';
import { creditRoutes } from './credits.ts';
import { docsRoutes } from './docs.ts';
import { governanceRoutes } from './governance.ts';
import { jobRoutes } from './jobs.ts';
import { LIMITS, rateLimited, RateLimit, shedding, sized, type Limits } from './limits.ts';
import { liveRoutes, type LiveOptions } from './live.ts';
import { nodeRoutes } from './nodes.ts';
import { openApiOf } from './openapi.ts';
import { patiently } from './patience.ts';
import { onError, problem } from './problem.ts';
import { NOT_LISTENING, type LiveFacts } from '../live/facts.ts';
import { proofRoutes } from './proofs.ts';
import { quoteRoutes } from './quote.ts';
import type { Route } from './route.ts';
import { saidRoutes } from './said.ts';
import { statsRoutes } from './stats.ts';
import { marked, MARK_HEADER, statusRoutes } from './status.ts';
import { tableRoutes } from './tables.ts';

export type Database = ReadonlyDrizzle<typeof schema>;

/** How late a live event may be on top of indexing itself. */
const LIVE_POLL_MS = 100;

/** What is answered even when the rows are stale. */
const WITHOUT_ROWS = ['/v1/status', '/v1/openapi.json', '/v1/docs'];

/** What the API may be given beside its database. */
export interface AppOptions extends LiveOptions {
  livePollMs?: number;
  limits?: Partial<Limits>;
  /** What nodes say; without it quotes rest on history. */
  live?: LiveView | undefined;
  /** The same in the nodes' own words. */
  said?: LiveFacts | undefined;
  /** The chain; without it formulas of the sdk answer. */
  chain?: ChainView | undefined;
  /** What is kept for people who sign in. */
  accounts?: AccountsHandle | undefined;
  /** Whether the index can be believed; without it nothing is known. */
  condition?: () => Condition;
  /** Counts requests and streams. */
  meter?: Meter;
  /** Who asks, for the rate limit. */
  callerOf?: (c: Context) => string;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** Every route with an answer in JSON. */
export function routesOf(
  db: Database,
  {
    live,
    chain,
    said,
    accounts,
    condition,
  }: Pick<AppOptions, 'live' | 'chain' | 'said' | 'accounts' | 'condition'> = {},
): Route[] {
  const ofTables = [statsRoutes, jobRoutes, nodeRoutes, proofRoutes, accountRoutes, activityRoutes, tableRoutes];
  return [
    ...[...ofTables, governanceRoutes, creditRoutes].flatMap((routes) => routes(db)),
    ...quoteRoutes({ db, live, chain }),
    ...saidRoutes(said ?? NOT_LISTENING),
    ...[signInRoutes, keyRoutes, notifyRoutes].flatMap((routes) => routes(accounts)),
    ...statusRoutes(condition ?? (() => UNKNOWN)),
  ];
}

/** The REST API: `docs/api.md`. What routes take and give is in their specs; `/v1/openapi.json` is made from them. Ponder adds CORS. */
export function createApp(db: Database, options: AppOptions = {}): Hono {
  const limits = { ...LIMITS, ...options.limits };
  const now = options.now ?? (() => performance.now());
  const routes = routesOf(db, options);
  const paths = new Map<string, Route[]>();
  for (const route of routes) {
    const path = route.spec.path.replace(/\{(\w+)\}/g, ':$1');
    paths.set(path, [...(paths.get(path) ?? []), route]);
  }

  const app = new Hono().basePath('/v1');
  app.onError(onError);
  const meter = options.meter ?? UNMETERED;
  app.use(meter.requests);
  app.use(async (c, next) => {
    c.header('x-content-type-options', 'nosniff');
    c.header('access-control-expose-headers', `etag, retry-after, allow, ${MARK_HEADER}`);
    await next();
  });
  app.use(marked(options.condition ?? (() => UNKNOWN), WITHOUT_ROWS));
  app.use(sized(limits));
  const limit = new RateLimit(limits, { now });
  const callerOf = options.callerOf ?? (() => 'everybody');
  app.use(rateLimited(limit, callerOf, 1));

  const source = newsOf(db);
  const changes = new Changes({ everyMs: options.livePollMs ?? LIVE_POLL_MS }, { source });
  app.route('/', liveRoutes(changes, { ...options, onStreams: meter.streams }));

  app.use(shedding(limits.atOnce));
  app.use(etag());
  for (const [path, here] of paths) {
    for (const { spec, handle } of here) {
      const cache = { 'cache-control': spec.private ? 'no-store' : 'no-cache' };
      const answer = async (c: Context) => {
        // A key that is sent where none is needed counts against its own rate, and must be good for this.
        if (!spec.private && options.accounts && hasKey(c))
          await options.accounts.current().guard.admit(c, spec.method === 'get' ? 'read' : 'quote');
        return c.json((await patiently(() => handle(c))) as object, 200, cache);
      };
      // Every request has paid for one read already.
      app.on(spec.method.toUpperCase(), path, rateLimited(limit, callerOf, (spec.cost ?? 1) - 1), answer);
    }
    only(app, path, [...here.map(({ spec }) => spec.method.toUpperCase())]);
  }
  const document = JSON.stringify(openApiOf(routes), null, 2);
  app.get('/openapi.json', (c) => c.body(document, 200, { 'content-type': 'application/json' }));
  app.route('/', docsRoutes());
  for (const path of ['/live', '/openapi.json', '/docs']) only(app, path, ['GET']);
  app.all('*', (c) => problem(c, 'not-found', `nothing is at ${c.req.path}; /v1/docs lists the routes`));
  return app;
}

/** Answers every other method of a path. */
function only(app: Hono, path: string, methods: readonly string[]): void {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  app.all(path, (c) =>
    problem(c, 'method-not-allowed', `${c.req.method} is not possible here, only ${allow}`, { headers: { allow } }),
  );
}
