import type { jobPageSchema, jobSchema } from '@dpu/sdk/api';
import { Hono } from 'hono';
import { and, asc, desc, eq, inArray, lt } from 'ponder';
import type { z } from 'zod';
import { activity, dispute, job, juror, lease, panel, seat } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import * as input from './input.ts';
import { activityJson, disputeJson, jobJson, leaseJson, page, panelJson, termsJson } from './json.ts';
import { ProblemError } from './problem.ts';

/** `GET /jobs` and `GET /jobs/:id`. */
export function jobRoutes(db: Database): Hono {
  const routes = new Hono();

  routes.get('/jobs', async (c) => {
    const limit = input.limit(c);
    const [requester, state, cursor] = [input.requester(c), input.state(c), input.eventCursor(c)];
    const rows = await db
      .select()
      .from(job)
      .where(
        and(
          requester && eq(job.requester, requester),
          state && eq(job.state, state),
          cursor === undefined ? undefined : lt(job.event, cursor),
        ),
      )
      .orderBy(desc(job.event))
      .limit(limit + 1);
    const body: z.input<typeof jobPageSchema> = page(rows, limit, jobJson, (row) => row.event);
    return c.json(body);
  });

  routes.get('/jobs/:id', async (c) => {
    const id = input.jobId(c.req.param('id'));
    const [[row], leases, panels, seats, disputes, newest] = await Promise.all([
      db.select().from(job).where(eq(job.id, id)).limit(1),
      db.select().from(lease).where(eq(lease.job, id)).orderBy(asc(lease.first)),
      db.select().from(panel).where(eq(panel.job, id)).orderBy(asc(panel.first)),
      db.select().from(seat).where(eq(seat.job, id)).orderBy(asc(seat.event)),
      db.select().from(dispute).where(eq(dispute.job, id)).orderBy(asc(dispute.event)),
      db.select().from(activity).where(eq(activity.job, id)).orderBy(desc(activity.event)).limit(input.MOST),
    ]);
    if (!row) throw new ProblemError(404, `no job ${id} was posted, or its block is not indexed yet`);
    const keys = disputes.map(({ key }) => key);
    const jurors = keys.length === 0 ? [] : await jurorsOf(db, keys);
    const body: z.input<typeof jobSchema> = {
      ...jobJson(row),
      terms: termsJson(row),
      leases: leases.map(leaseJson),
      panels: panels.map((row) => panelJson(row, seats)),
      disputes: disputes.map((row) => disputeJson(row, jurors)),
      activity: newest.map(activityJson),
    };
    return c.json(body);
  });

  return routes;
}

/** Who served in these disputes, in the order in which they sat down. */
function jurorsOf(db: Database, keys: `0x${string}`[]): Promise<(typeof juror.$inferSelect)[]> {
  return db.select().from(juror).where(inArray(juror.dispute, keys)).orderBy(asc(juror.event));
}
