import { jobPageSchema, jobSchema } from '@dpu/sdk/api';
import { asc, desc, eq, inArray } from 'ponder';
import { z } from 'zod';
import { activity, dispute, job, juror, lease, panel, seat } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { activityJson, disputeJson, jobJson, leaseJson, panelJson, termsJson } from './json.ts';
import { byEvent, readPage } from './pages.ts';
import { ProblemError } from './problem.ts';
import { route, type Route } from './route.ts';

/** `/jobs` and `/jobs/{id}`. */
export function jobRoutes(db: Database): Route[] {
  const { requester, state, runtime, currency } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/jobs',
        tag: 'Jobs',
        summary: 'Jobs, newest first',
        query: z.strictObject({ ...input.paging, requester, state, runtime, currency }),
        answer: jobPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [
          by.requester && eq(job.requester, by.requester),
          by.state && eq(job.state, by.state),
          by.runtime === undefined ? undefined : eq(job.runtime, by.runtime),
          by.currency && eq(job.currency, by.currency),
        ];
        const asked = { list: 'jobs', limit, cursor, where };
        return readPage(db, job, byEvent(job.event), asked, (row) => jobJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/jobs/{id}',
        tag: 'Jobs',
        summary: 'One job with its terms, leases, panels, disputes and newest events',
        params: z.strictObject({ id: input.jobId }),
        answer: jobSchema,
        problems: ['not-found'],
      },
      async ({ params: { id } }) => {
        const [[row], leases, panels, seats, disputes, newest, tip] = await Promise.all([
          db.select().from(job).where(eq(job.id, id)).limit(1),
          db.select().from(lease).where(eq(lease.job, id)).orderBy(asc(lease.first)),
          db.select().from(panel).where(eq(panel.job, id)).orderBy(asc(panel.first)),
          db.select().from(seat).where(eq(seat.job, id)).orderBy(asc(seat.event)),
          db.select().from(dispute).where(eq(dispute.job, id)).orderBy(asc(dispute.event)),
          db.select().from(activity).where(eq(activity.job, id)).orderBy(desc(activity.event)).limit(input.MOST),
          readTip(db),
        ]);
        if (!row) throw unknownJob(id);
        const jurors = await jurorsOf(
          db,
          disputes.map(({ key }) => key),
        );
        return {
          ...jobJson(row, tip),
          terms: termsJson(row),
          leases: leases.map((one) => leaseJson(one, tip)),
          panels: panels.map((one) => panelJson(one, seats, tip)),
          disputes: disputes.map((one) => disputeJson(one, jurors, tip)),
          activity: newest.map((one) => activityJson(one, tip)),
        };
      },
    ),
  ];
}

/** The refusal of a job that the index does not know. */
export const unknownJob = (id: string): ProblemError =>
  new ProblemError('not-found', `no job ${id} was posted, or its block is not indexed yet`);

/** Who served in these disputes, in the order in which they sat down. */
export async function jurorsOf(db: Database, keys: `0x${string}`[]): Promise<(typeof juror.$inferSelect)[]> {
  if (keys.length === 0) return [];
  return db.select().from(juror).where(inArray(juror.dispute, keys)).orderBy(asc(juror.event));
}
