import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import type { Deployment } from '@dpu/sdk/deployment';

import { root } from '../native.mjs';

/** Serves the built dApp, with the network's addresses as `/config.json`. */
export async function startAppServer(options: {
  port: number;
  deployment: Deployment;
}): Promise<{ url: string; stop(): Promise<void> }> {
  const build = join(root, 'app/build');
  const index = readFileSync(join(build, 'index.html'), 'utf8');
  const app = new Hono();
  app.get('/config.json', (c) => c.json(options.deployment, 200, { 'cache-control': 'no-store' }));
  app.use('/_app/immutable/*', async (c, next) => {
    await next();
    if (c.res.ok) c.header('cache-control', 'public, max-age=31536000, immutable');
  });
  app.use('*', serveStatic({ root: build }));
  // Every other path is a page of the single-page app.
  app.get('*', (c) => c.html(index));

  const server = serve({ fetch: app.fetch, port: options.port, hostname: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', () => resolve());
    server.once('error', reject);
  });
  return {
    url: `http://127.0.0.1:${options.port}`,
    stop: () =>
      new Promise((resolve) => {
        if ('closeAllConnections' in server) server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
