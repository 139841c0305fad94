import { heartbeatAnswerSchema, jobDeclinesSchema, uptimeSchema } from '@dpu/sdk/apiSaid';
import { z } from 'zod';

import type { LiveFacts } from '../live/facts.ts';
import * as input from './input.ts';
import { route, type Route } from './route.ts';

/** `/jobs/{id}/declines`, `/nodes/{id}/heartbeat` and `/nodes/{id}/uptime`: what nodes said themselves, whether or not the chain's rows are there yet. */
export function saidRoutes(facts: LiveFacts): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/jobs/{id}/declines',
        tag: 'Jobs',
        summary: 'Why nodes left a job alone, in their own signed words',
        params: z.strictObject({ id: input.jobId }),
        answer: jobDeclinesSchema,
      },
      async ({ params }) => facts.declinesOf(params.id),
    ),
    route(
      {
        method: 'get',
        path: '/nodes/{id}/heartbeat',
        tag: 'Nodes',
        summary: 'How a node said it is, at most a day ago',
        params: z.strictObject({ id: input.nodeId }),
        answer: heartbeatAnswerSchema,
      },
      async ({ params: { id } }) => ({
        node: id,
        listening: facts.listening,
        heartbeat: facts.heartbeatOf(id) ?? null,
      }),
    ),
    route(
      {
        method: 'get',
        path: '/nodes/{id}/uptime',
        tag: 'Nodes',
        summary: 'How much of each of the last thirty days a node was heard to be well',
        params: z.strictObject({ id: input.nodeId }),
        answer: uptimeSchema,
      },
      async ({ params: { id } }) => ({ node: id, listening: facts.listening, days: facts.uptimeOf(id) }),
    ),
  ];
}
