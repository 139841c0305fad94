import type { activityPageSchema } from '@dpu/sdk/api';
import { Hono } from 'hono';
import { desc, lt } from 'ponder';
import type { z } from 'zod';
import { activity } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import * as input from './input.ts';
import { activityJson, page } from './json.ts';

/** `GET /activity`: everything that happened, newest first. */
export function activityRoutes(db: Database): Hono {
  return new Hono().get('/activity', async (c) => {
    const limit = input.limit(c);
    const cursor = input.eventCursor(c);
    const rows = await db
      .select()
      .from(activity)
      .where(cursor === undefined ? undefined : lt(activity.event, cursor))
      .orderBy(desc(activity.event))
      .limit(limit + 1);
    const body: z.input<typeof activityPageSchema> = page(rows, limit, activityJson, (row) => row.event);
    return c.json(body);
  });
}
