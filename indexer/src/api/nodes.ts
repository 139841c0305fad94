import { nodePageSchema, nodeSchema } from '@dpu/sdk/api';
import { sql } from 'drizzle-orm';
import { desc, eq } from 'ponder';
import { z } from 'zod';
import { lease, node, seat } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { leaseJson, nodeJson, seatJson } from './json.ts';
import { byNumber, readPage } from './pages.ts';
import { ProblemError } from './problem.ts';
import { route, type Route } from './route.ts';

/** `/nodes` and `/nodes/{id}`. */
export function nodeRoutes(db: Database): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/nodes',
        tag: 'Nodes',
        summary: 'Nodes in the order of their ids',
        query: z.strictObject({ ...input.paging, owner: input.by.owner, runtime: input.by.runtime }),
        answer: nodePageSchema,
      },
      async ({ query: { limit, cursor, owner, runtime } }) => {
        const tip = await readTip(db);
        const where = [
          owner && eq(node.owner, owner),
          runtime === undefined ? undefined : sql`(${node.runtimes} >> ${runtime}) & 1 = 1`,
        ];
        return readPage(db, node, byNumber(node.id), { list: 'nodes', limit, cursor, where }, (row) =>
          nodeJson(row, tip),
        );
      },
    ),
    route(
      {
        method: 'get',
        path: '/nodes/{id}',
        tag: 'Nodes',
        summary: 'One node with its newest leases and seats',
        params: z.strictObject({ id: input.nodeId }),
        answer: nodeSchema,
        problems: ['not-found'],
      },
      async ({ params: { id } }) => {
        const [[row], leases, seats, tip] = await Promise.all([
          db.select().from(node).where(eq(node.id, id)).limit(1),
          db.select().from(lease).where(eq(lease.node, id)).orderBy(desc(lease.event)).limit(input.MOST),
          db.select().from(seat).where(eq(seat.node, id)).orderBy(desc(seat.event)).limit(input.MOST),
          readTip(db),
        ]);
        if (!row) throw unknownNode(id);
        return {
          ...nodeJson(row, tip),
          recent: leases.map((one) => leaseJson(one, tip)),
          seats: seats.map((one) => seatJson(one, tip)),
        };
      },
    ),
  ];
}

/** The refusal of a node that the index does not know. */
export const unknownNode = (id: number): ProblemError =>
  new ProblemError('not-found', `no node ${id} is registered, or its block is not indexed yet`);
