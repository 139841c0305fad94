import { accountSchema } from '@dpu/sdk/api';
import { asc, desc, eq } from 'ponder';
import { z } from 'zod';
import { balance, job, node } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { jobJson, moneyJson, nodeJson } from './json.ts';
import { route, type Route } from './route.ts';

/** `/accounts/{address}`. */
export function accountRoutes(db: Database): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/accounts/{address}',
        tag: 'Accounts',
        summary: 'Balances, nodes and newest jobs of an account',
        description: 'Every address is an account; one that did nothing has empty lists.',
        params: z.strictObject({ address: input.address }),
        answer: accountSchema,
      },
      async ({ params: { address } }) => {
        const [balances, nodes, jobs, tip] = await Promise.all([
          db.select().from(balance).where(eq(balance.account, address)).orderBy(asc(balance.currency)),
          db.select().from(node).where(eq(node.owner, address)).orderBy(asc(node.id)).limit(input.MOST),
          db.select().from(job).where(eq(job.requester, address)).orderBy(desc(job.event)).limit(input.MOST),
          readTip(db),
        ]);
        return {
          address,
          balances: balances.map((row) => moneyJson(row.currency, row.amount)),
          nodes: nodes.map((row) => nodeJson(row, tip)),
          jobs: jobs.map((row) => jobJson(row, tip)),
        };
      },
    ),
  ];
}
