import { quoteRequestSchema, quoteSchema, whyNotSchema, whySchema } from '@dpu/sdk/apiQuote';
import { z } from 'zod';
import { quoteOf, type QuoteDeps } from '../quote/quote.ts';
import { whyOf } from '../quote/why.ts';
import { whyNotOf } from '../quote/whyNot.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { route, type Route } from './route.ts';

/** Will it run, when, for how much; why not; and why so much. */
export function quoteRoutes(deps: QuoteDeps): Route[] {
  const { db, live } = deps;
  return [
    route(
      {
        method: 'post',
        path: '/quote',
        tag: 'Quotes',
        summary: 'Who would take a job, when it would start, for how much, and what it would be worth',
        description: '`docs/api.md` has the formulas. The answer promises nothing.',
        body: quoteRequestSchema,
        answer: quoteSchema,
        cost: 10,
      },
      async ({ body }) => quoteOf(body, deps),
    ),
    route(
      {
        method: 'get',
        path: '/jobs/{id}/why-not',
        tag: 'Quotes',
        summary: 'Why a job was not taken, or not wholly',
        params: z.strictObject({ id: input.jobId }),
        answer: whyNotSchema,
        problems: ['not-found'],
        cost: 10,
      },
      async ({ params: { id } }) => whyNotOf(id, { db, live, tip: await readTip(db) }),
    ),
    route(
      {
        method: 'get',
        path: '/nodes/{id}/why',
        tag: 'Quotes',
        summary: 'Why a node has none of the jobs that wait, and why it was paid what it was',
        description: 'With `job` only that job is looked at, whatever its state.',
        params: z.strictObject({ id: input.nodeId }),
        query: z.strictObject({ job: input.by.job }),
        answer: whySchema,
        problems: ['not-found'],
        cost: 10,
      },
      async ({ params: { id }, query }) => whyOf({ id, only: query.job }, { db, live, tip: await readTip(db) }),
    ),
  ];
}
