import { disputeSchema, leaseSchema, pageOf } from '@dpu/sdk/api';
import { bondChangePageSchema, paymentPageSchema, stakeEventPageSchema } from '@dpu/sdk/apiTables';
import type { SQL } from 'drizzle-orm';
import { eq } from 'ponder';
import { z } from 'zod';
import * as schema from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { disputeJson, leaseJson } from './json.ts';
import { jurorsOf } from './jobs.ts';
import { byEvent, bySortKey, readPage, rowJson } from './pages.ts';
import { ProblemError } from './problem.ts';
import { route, type Route } from './route.ts';

export const leasePageSchema = pageOf(leaseSchema);
export const disputePageSchema = pageOf(disputeSchema);

const equal = (column: Parameters<typeof eq>[0], value: unknown): SQL | undefined =>
  value === undefined ? undefined : eq(column, value);

/** Lists of what jobs and nodes did: leases, disputes, payments, stakes and bonds. */
export function tableRoutes(db: Database): Route[] {
  const { lease, dispute, payment, stakeEvent, bondChange } = schema;
  const { job, node, account, kind, disputeState, currency } = input.by;
  const { phase } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/leases',
        tag: 'Jobs',
        summary: 'Leases by their newest claim, newest first',
        query: z.strictObject({ ...input.paging, job, node, phase }),
        answer: leasePageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [equal(lease.job, by.job), equal(lease.node, by.node), equal(lease.phase, by.phase)];
        const asked = { list: 'leases', limit, cursor, where };
        return readPage(db, lease, byEvent(lease.event), asked, (row) => leaseJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/disputes',
        tag: 'Court',
        summary: 'Disputes, newest first',
        query: z.strictObject({ ...input.paging, job, node, state: disputeState }),
        answer: disputePageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [equal(dispute.job, by.job), equal(dispute.node, by.node), equal(dispute.state, by.state)];
        const asked = { list: 'disputes', limit, cursor, where };
        const page = await readPage(db, dispute, byEvent(dispute.event), asked, (row) => row);
        const jurors = await jurorsOf(
          db,
          page.items.map(({ key }) => key),
        );
        return { ...page, items: page.items.map((row) => disputeJson(row, jurors, tip)) };
      },
    ),
    route(
      {
        method: 'get',
        path: '/disputes/{key}',
        tag: 'Court',
        summary: 'One dispute with its jurors',
        params: z.strictObject({ key: input.disputeKey }),
        answer: disputeSchema,
        problems: ['not-found'],
      },
      async ({ params: { key } }) => {
        const [[row], jurors, tip] = await Promise.all([
          db.select().from(dispute).where(eq(dispute.key, key)).limit(1),
          jurorsOf(db, [key]),
          readTip(db),
        ]);
        if (!row) throw new ProblemError('not-found', `no dispute ${key} was opened, or its block is not indexed yet`);
        return disputeJson(row, jurors, tip);
      },
    ),
    route(
      {
        method: 'get',
        path: '/payments',
        tag: 'Accounts',
        summary: 'Every move of money, newest first',
        query: z.strictObject({ ...input.paging, account, job, node, kind, currency }),
        answer: paymentPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [
          ...[equal(payment.account, by.account), equal(payment.job, by.job), equal(payment.node, by.node)],
          ...[equal(payment.kind, by.kind), equal(payment.currency, by.currency)],
        ];
        const asked = { list: 'payments', limit, cursor, where };
        return readPage(db, payment, bySortKey(payment.sortKey), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/stakes',
        tag: 'Nodes',
        summary: 'Every change of a stake, newest first',
        query: z.strictObject({ ...input.paging, node }),
        answer: stakeEventPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const asked = { list: 'stakes', limit, cursor, where: [equal(stakeEvent.node, by.node)] };
        return readPage(db, stakeEvent, byEvent(stakeEvent.event), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/bonds',
        tag: 'Nodes',
        summary: 'Every change of what a node has locked, newest first',
        query: z.strictObject({ ...input.paging, node }),
        answer: bondChangePageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const asked = { list: 'bonds', limit, cursor, where: [equal(bondChange.node, by.node)] };
        return readPage(db, bondChange, bySortKey(bondChange.sortKey), asked, (row) => rowJson(row, tip));
      },
    ),
  ];
}
