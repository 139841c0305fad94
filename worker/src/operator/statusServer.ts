import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';

import { nodeMetrics } from './metrics.ts';
import type { NodeStatus } from './status.ts';

/** Orders to a running node. */
export interface Control {
  /** Takes no new work and finishes what is promised, also after a restart, until told to go on. */
  drain(): void;
  /** Takes work again. */
  resume(): void;
  /** As `drain`, and ends once nothing is left to do; a node that is started again works again. */
  leave(): void;
}

/** The orders that the server takes. */
const ORDERS = ['drain', 'resume', 'leave'] as const satisfies readonly (keyof Control)[];

/** What the status server works with. */
export interface StatusServerDeps {
  /** The node as it stands now. */
  status: () => NodeStatus;
  control: Control;
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
export function statusApp(token: string, { status, control }: StatusServerDeps): Hono {
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
  for (const order of ORDERS) {
    app.post(`/${order}`, (c) => {
      if (c.req.header('authorization') !== `Bearer ${token}`)
        return c.json(
          { error: 'The control token is missing: it is in the file control-token of the data folder.' },
          401,
        );
      control[order]();
      return c.json({ draining: status().draining }, 202);
    });
  }
  app.notFound((c) =>
    c.json({ error: 'There is /health, /status, /metrics, and POST to /drain, /resume and /leave.' }, 404),
  );
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
