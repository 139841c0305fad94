import type { nodePageSchema, nodeSchema } from '@dpu/sdk/api';
import { Hono } from 'hono';
import { asc, desc, eq, gt } from 'ponder';
import type { z } from 'zod';
import { lease, node, seat } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import * as input from './input.ts';
import { leaseJson, nodeJson, page, seatJson } from './json.ts';
import { ProblemError } from './problem.ts';

/** `GET /nodes` and `GET /nodes/:id`. */
export function nodeRoutes(db: Database): Hono {
  const routes = new Hono();

  routes.get('/nodes', async (c) => {
    const limit = input.limit(c);
    const rows = await db
      .select()
      .from(node)
      .where(gt(node.id, input.nodeCursor(c)))
      .orderBy(asc(node.id))
      .limit(limit + 1);
    const body: z.input<typeof nodePageSchema> = page(rows, limit, nodeJson, (row) => String(row.id));
    return c.json(body);
  });

  routes.get('/nodes/:id', async (c) => {
    const id = input.nodeId(c.req.param('id'));
    const [[row], leases, seats] = await Promise.all([
      db.select().from(node).where(eq(node.id, id)).limit(1),
      db.select().from(lease).where(eq(lease.node, id)).orderBy(desc(lease.event)).limit(input.MOST),
      db.select().from(seat).where(eq(seat.node, id)).orderBy(desc(seat.event)).limit(input.MOST),
    ]);
    if (!row) throw new ProblemError(404, `no node ${id} is registered, or its block is not indexed yet`);
    const body: z.input<typeof nodeSchema> = {
      ...nodeJson(row),
      recent: leases.map(leaseJson),
      seats: seats.map(seatJson),
    };
    return c.json(body);
  });

  return routes;
}
