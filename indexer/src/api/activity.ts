import { activityPageSchema } from '@dpu/sdk/api';
import { eq } from 'ponder';
import { z } from 'zod';
import { activity } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { activityJson } from './json.ts';
import { byEvent, readPage } from './pages.ts';
import { route, type Route } from './route.ts';

/** `/activity`: everything that happened in the Market. */
export function activityRoutes(db: Database): Route[] {
  const { job, node, account, type } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/activity',
        tag: 'Activity',
        summary: 'The events of the Market, newest first',
        query: z.strictObject({ ...input.paging, job, node, account, type }),
        answer: activityPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [
          by.job && eq(activity.job, by.job),
          by.node === undefined ? undefined : eq(activity.node, by.node),
          by.account && eq(activity.account, by.account),
          by.type && eq(activity.type, by.type),
        ];
        const asked = { list: 'activity', limit, cursor, where };
        return readPage(db, activity, byEvent(activity.event), asked, (row) => activityJson(row, tip));
      },
    ),
  ];
}
