import { db, publicClients } from 'ponder:api';
import schema from 'ponder:schema';
import { getTableName, isTable } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import { client, graphql } from 'ponder';
import { Registry } from 'prom-client';
import { integer, marketAddress } from '../env.ts';
import { mountedAccounts } from '../accounts/mounted.ts';
import { createMeter } from '../metrics.ts';
import { mountedLive } from '../live/mounted.ts';
import { mountedWatch } from '../verify/mounted.ts';
import { createApp } from './app.ts';
import { chainView } from './chain.ts';
import { Gate, QUERY_MS } from './gate.ts';
import { heardFrom } from './heard.ts';
import { guardedGraphql } from './graphql.ts';
import { LIMITS, rateLimited, RateLimit, shedding, sized } from './limits.ts';
import { boundQueries, planner } from './planner.ts';
import { onError, problem } from './problem.ts';
import { guardedSql } from './sql.ts';
import { marked } from './status.ts';
import { giveTransactions, type PonderDatabase } from './transactions.ts';

const perSecond = integer('PONDER_API_RATE', LIMITS.perSecond);
const limits = { ...LIMITS, perSecond, burst: 2 * perSecond };
const isProxied = integer('PONDER_API_PROXY', 0) === 1;

/** Who asks: the address of the connection, or what our own proxy says of it. */
function callerOf(c: Context): string {
  if (isProxied) return c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() ?? 'unknown';
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress ?? 'unknown';
}

const tables = new Set((Object.values(schema) as unknown[]).filter(isTable).map((table) => getTableName(table)));
const gate = new Gate();
boundQueries(QUERY_MS);
giveTransactions((globalThis as { PONDER_DATABASE?: PonderDatabase }).PONDER_DATABASE ?? {}, schema);

const app = new Hono();
app.onError(onError);
const limit = new RateLimit(limits, { now: () => performance.now() });
const condition = await mountedWatch();
// Ponder's `/metrics` answers with its own registry: what we measure goes in there too.
const { PONDER_COMMON: common } = globalThis as unknown as { PONDER_COMMON?: { metrics: { registry: Registry } } };
const meter = createMeter(common?.metrics.registry ?? new Registry(), condition);
// A free query counts as ten plain reads.
for (const path of ['/graphql', '/sql/*'])
  app.use(
    path,
    meter.requests,
    marked(condition),
    sized({ ...limits, urlChars: 16_384 }),
    rateLimited(limit, callerOf, 10),
    shedding(limits.atOnce),
  );
app.use('/graphql', guardedGraphql(gate, graphql({ db, schema })));
app.use('/sql/*', guardedSql(gate, { ...planner(db), tables }, client({ db, schema })));
const chain = chainView(publicClients.dpu, marketAddress());
const live = await mountedLive(process.env, meter.heard);
// First: the network's own routes are under /v1 too, and the API answers 404 to everything that it does not know.
app.route('/', live.routes);
const accounts = await mountedAccounts(process.env, { db, client: publicClients.dpu, live, callerOf });
const said = { live: heardFrom(live), said: live };
app.route('/', createApp(db, { limits, callerOf, chain, condition, meter, accounts, ...said }));

// Ponder's own routes come before these.
app.all('*', (c) => problem(c, 'not-found', `nothing is at ${c.req.path}; /v1/docs lists the routes`));

export default app;
