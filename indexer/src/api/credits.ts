import { creditMintPageSchema, epochPageSchema, priorityPageSchema, weightPageSchema } from '@dpu/sdk/apiTables';
import type { SQL } from 'drizzle-orm';
import { eq } from 'ponder';
import { z } from 'zod';
import * as schema from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { byEvent, byHex, byNumber, readPage, rowJson } from './pages.ts';
import { route, type Route } from './route.ts';

const equal = (column: Parameters<typeof eq>[0], value: unknown): SQL | undefined =>
  value === undefined ? undefined : eq(column, value);

/** Compute credits: what work earned, epochs, weights, and what was burnt for priority. */
export function creditRoutes(db: Database): Route[] {
  const { creditMint, epoch, weight, priority } = schema;
  const { job, node, owner, runtime, epoch: number } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/credits/mints',
        tag: 'Credits',
        summary: 'Credits that leases earned, newest first',
        query: z.strictObject({ ...input.paging, job, node, owner, runtime, epoch: number }),
        answer: creditMintPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [
          ...[equal(creditMint.job, by.job), equal(creditMint.node, by.node), equal(creditMint.owner, by.owner)],
          ...[equal(creditMint.runtime, by.runtime), equal(creditMint.epoch, by.epoch)],
        ];
        const asked = { list: 'credits.mints', limit, cursor, where };
        return readPage(db, creditMint, byEvent(creditMint.event), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/credits/epochs',
        tag: 'Credits',
        summary: 'Epochs, newest first; one in which nothing happened is absent',
        query: z.strictObject(input.paging),
        answer: epochPageSchema,
      },
      async ({ query: { limit, cursor } }) => {
        const tip = await readTip(db);
        const asked = { list: 'credits.epochs', limit, cursor, where: [] };
        return readPage(db, epoch, byNumber(epoch.number, true), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/credits/weights',
        tag: 'Credits',
        summary: 'The weight of each runtime, as an event said it last',
        query: z.strictObject(input.paging),
        answer: weightPageSchema,
      },
      async ({ query: { limit, cursor } }) => {
        const tip = await readTip(db);
        const asked = { list: 'credits.weights', limit, cursor, where: [] };
        return readPage(db, weight, byNumber(weight.runtime), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/credits/priorities',
        tag: 'Credits',
        summary: 'What was burnt for each job, in the order of the jobs',
        query: z.strictObject({ ...input.paging, job }),
        answer: priorityPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const asked = { list: 'credits.priorities', limit, cursor, where: [equal(priority.job, by.job)] };
        return readPage(db, priority, byHex(priority.job), asked, (row) => rowJson(row, tip));
      },
    ),
  ];
}
