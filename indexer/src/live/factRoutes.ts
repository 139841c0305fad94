import type { heartbeatAnswerSchema, jobDeclinesSchema } from '@dpu/sdk/apiSaid';
import { Hono } from 'hono';
import type { z } from 'zod';

import * as input from '../api/input.ts';
import { onError } from '../api/problem.ts';
import type { LiveFacts } from './facts.ts';

/** `GET /v1/jobs/:id/declines` and `GET /v1/nodes/:id/heartbeat`: what nodes said, whether or not the chain's rows are there yet. */
export function factRoutes(facts: LiveFacts): Hono {
  const app = new Hono().basePath('/v1');
  app.onError(onError);
  app.get('/jobs/:id/declines', (c) => {
    const body: z.input<typeof jobDeclinesSchema> = facts.declinesOf(input.jobId(c.req.param('id')));
    return c.json(body, 200, { 'cache-control': 'no-store' });
  });
  app.get('/nodes/:id/heartbeat', (c) => {
    const node = input.nodeId(c.req.param('id'));
    const body: z.input<typeof heartbeatAnswerSchema> = {
      ...{ node, listening: facts.listening },
      heartbeat: facts.heartbeatOf(node) ?? null,
    };
    return c.json(body, 200, { 'cache-control': 'no-store' });
  });
  return app;
}
