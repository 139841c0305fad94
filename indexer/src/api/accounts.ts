import type { accountSchema } from '@dpu/sdk/api';
import { Hono } from 'hono';
import { asc, desc, eq } from 'ponder';
import type { z } from 'zod';
import { balance, job, node } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import * as input from './input.ts';
import { jobJson, moneyJson, nodeJson } from './json.ts';

/** `GET /accounts/:address`. Every address is an account; one that did nothing has empty lists. */
export function accountRoutes(db: Database): Hono {
  return new Hono().get('/accounts/:address', async (c) => {
    const address = input.address(c.req.param('address'));
    const [balances, nodes, jobs] = await Promise.all([
      db.select().from(balance).where(eq(balance.account, address)).orderBy(asc(balance.currency)),
      db.select().from(node).where(eq(node.owner, address)).orderBy(asc(node.id)).limit(input.MOST),
      db.select().from(job).where(eq(job.requester, address)).orderBy(desc(job.event)).limit(input.MOST),
    ]);
    const body: z.input<typeof accountSchema> = {
      address,
      balances: balances.map((row) => moneyJson(row.currency, row.amount)),
      nodes: nodes.map(nodeJson),
      jobs: jobs.map(jobJson),
    };
    return c.json(body);
  });
}
