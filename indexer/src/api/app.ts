import { Hono } from 'hono';
import type { ReadonlyDrizzle } from 'ponder';
import type * as schema from '../../ponder.schema.ts';
import { accountRoutes } from './accounts.ts';
import { activityRoutes } from './activity.ts';
import { Changes, readHead } from './changes.ts';
import { jobRoutes } from './jobs.ts';
import { liveRoutes } from './live.ts';
import { nodeRoutes } from './nodes.ts';
import { onError, problem } from './problem.ts';
import { statsRoutes } from './stats.ts';

export type Database = ReadonlyDrizzle<typeof schema>;

/** How late a live event may be on top of indexing itself. */
const LIVE_POLL_MS = 100;

export interface AppOptions {
  livePollMs?: number;
  heartbeatMs?: number;
}

/** The REST API: `docs/architecture.md` lists the routes, `sdk/src/api.ts` fixes the answers. Ponder adds CORS. */
export function createApp(db: Database, options: AppOptions = {}): Hono {
  const changes = new Changes({ everyMs: options.livePollMs ?? LIVE_POLL_MS }, { read: () => readHead(db) });
  const app = new Hono().basePath('/v1');
  app.onError(onError);
  for (const routes of [statsRoutes, jobRoutes, nodeRoutes, accountRoutes, activityRoutes]) app.route('/', routes(db));
  app.route('/', liveRoutes(changes, options.heartbeatMs));
  app.all('*', (c) => problem(c, 404, `nothing is at ${c.req.path}; docs/architecture.md lists the routes`));
  return app;
}
