import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

import type { NodeStatus } from './status.ts';

/** What the status server works with. */
export interface StatusServerDeps {
  /** The node as it stands now. */
  status: () => NodeStatus;
  /** Takes no new work from now on. */
  drain: () => void;
}

/** A running status server. */
export interface StatusServer {
  url: string;
  close(): Promise<void>;
}

/** JSON for people and scripts: amounts are decimal strings. */
function json(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2);
}

/** The routes of the status server. */
export function statusApp(token: string, { status, drain }: StatusServerDeps): Hono {
  const metrics = nodeMetrics(status);
  const app = new Hono();
  app.get('/health', (c) => {
    const { healthy, problems } = status();
    return c.json({ healthy, problems }, healthy ? 200 : 503);
  });
  app.get('/status', (c) =>
    c.body(json(status()), 200, { 'content-type': 'application/json', 'cache-control': 'no-store' }),
  );
  app.get('/metrics', async (c) => c.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType }));
  // A page in the operator's browser can reach this port too; only who reads the token file may steer the node.
  app.post('/drain', (c) => {
    if (c.req.header('authorization') !== `Bearer ${token}`)
      return c.json({ error: 'The control token is missing.' }, 401);
    drain();
    return c.json({ draining: true }, 202);
  });
  app.notFound((c) => c.json({ error: 'There is /health, /status, /metrics and POST /drain.' }, 404));
  return app;
}

/** Serves `/health`, `/status` and `/metrics` on the loopback interface only: they are for the operator, not for the network. */
export async function startStatusServer(
  { port, token }: { port: number; token: string },
  deps: StatusServerDeps,
): Promise<StatusServer> {
  const app = statusApp(token, deps);
  const server = await new Promise<ServerType>((resolve, reject) => {
    const started = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () => {
      started.off('error', reject);
      resolve(started);
    });
    started.once('error', reject);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

/** Prometheus metrics in base units, read from the status when they are asked for. */
function nodeMetrics(status: () => NodeStatus): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'dpu_node_' });
  const gauge = (name: string, help: string, read: (now: NodeStatus) => number): void => {
    new Gauge({
      name: `dpu_node_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(status()));
      },
    });
  };
  gauge('head_block', 'Newest block that was seen.', ({ head }) => head?.number ?? 0);
  gauge('head_timestamp_seconds', 'Block time of the newest block, unix seconds.', ({ head }) => head?.timestamp ?? 0);
  gauge('healthy', '1 when nothing needs the operator.', ({ healthy }) => Number(healthy));
  gauge('slots', 'Shards that can run at once.', ({ slots }) => slots.capacity);
  gauge('slots_running', 'Shards that run now.', ({ slots }) => slots.running);
  gauge('leases_living', 'Leases that are not ended.', ({ leases }) => leases.length);
  gauge('leases_settled', 'Leases that were paid.', ({ totals }) => totals.settled);
  gauge('leases_lapsed', 'Leases that were lost.', ({ totals }) => totals.lapsed);
  gauge(
    'transactions_pending',
    'Transactions that wait or are in a pool.',
    ({ pendingTransactions }) => pendingTransactions,
  );
  gauge('gas_spent_wei', 'Wei paid for gas since the start.', ({ gas }) => Number(gas.spentWei));
  new Histogram({
    name: 'dpu_node_step_latency_seconds',
    help: 'From the mined event, or the result, to the next transaction sent; the latest measurements.',
    labelNames: ['step'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
    collect() {
      this.reset();
      for (const [step, values] of Object.entries(status().timings)) {
        for (const ms of values) this.observe({ step }, ms / 1000);
      }
    },
  });
  return registry;
}
