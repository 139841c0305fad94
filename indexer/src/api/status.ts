import { statusSchema } from '@dpu/sdk/api';
import type { MiddlewareHandler } from 'hono';
import { markOf, type Condition } from '../verify/condition.ts';
import { ProblemError } from './problem.ts';
import { route, type Route } from './route.ts';

/** Name of the header that says of each answer whether its rows were found equal to the chain. */
export const MARK_HEADER = 'dpu-trust';

/** `/status`: how far the index is, and whether it can be believed. */
export function statusRoutes(condition: () => Condition): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/status',
        tag: 'Status',
        summary: 'How far the index is, and whether it equals the chain',
        description:
          'Every answer has the same word in its header `dpu-trust`. `stale` means that the chain took back what counted as final: rows are not served until the index is rebuilt.',
        answer: statusSchema,
      },
      async () => {
        const now = condition();
        const { trusted, staleSince, indexing, block, timestamp, finalized, head, passed, wrongRows, wrong } = now;
        const lag = head && {
          blocks: Math.max(0, head.number - block),
          seconds: Math.max(0, head.timestamp - timestamp),
        };
        return {
          ...{ mark: markOf(now), trusted, stale: staleSince !== null, staleSince, indexing },
          ...{ block, timestamp, finalized, head: head ?? null, lag: lag ?? null },
          ...{ passed, wrongRows, wrong },
        };
      },
    ),
  ];
}

/** Marks every answer; refuses rows of an index that is stale. */
export function marked(condition: () => Condition, open: readonly string[] = []): MiddlewareHandler {
  return async (c, next) => {
    const mark = markOf(condition());
    c.header(MARK_HEADER, mark);
    if (mark === 'stale' && !open.includes(c.req.path))
      throw new ProblemError(
        'stale',
        'the chain took back what counted as final, and this index is being rebuilt; /v1/status says when it is well again',
        { headers: { 'retry-after': '60', [MARK_HEADER]: mark } },
      );
    await next();
  };
}
