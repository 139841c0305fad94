/** `/account/channels` and `/account/deliveries`: where people are told, and what they were told. */
import * as shapes from '@dpu/sdk/apiAccount';
import { z } from 'zod';

import { readCursor, writeCursor } from '../api/cursor.ts';
import { paging } from '../api/input.ts';
import { ProblemError } from '../api/problem.ts';
import type { Route } from '../api/route.ts';
import { deliveries, replay } from '../notify/queue.ts';
import { accountRoute, type Services } from './routes.ts';
import { idParam } from './signInRoutes.ts';

const LIST = 'deliveries';
const deliveryParam = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}$/, 'there is no such delivery')
    .transform(Number),
});

/** Channels and deliveries. */
export function notifyRoutes(services: Services): Route[] {
  const { open, key, fresh } = accountRoute(services);
  return [
    key('notify')(
      {
        method: 'get',
        path: '/account/channels',
        summary: 'Webhooks and e-mail addresses, oldest first',
        answer: shapes.channelListSchema,
      },
      async (_asked, { accounts, who }) => ({ items: await accounts.channels.list(who.account) }),
    ),
    fresh(
      {
        method: 'post',
        path: '/account/webhooks',
        summary: 'Add a webhook; its secret is shown',
        body: shapes.newWebhookSchema,
        answer: shapes.madeChannelSchema,
        problems: ['too-many'],
      },
      async ({ body }, { accounts, who }) => accounts.channels.addWebhook(who.account, body.url, body.kinds),
    ),
    fresh(
      {
        method: 'post',
        path: '/account/emails',
        summary: 'Add an e-mail address; a link to confirm it is sent there',
        body: shapes.newEmailSchema,
        answer: shapes.madeChannelSchema,
        problems: ['too-many', 'mail-unavailable'],
      },
      async ({ body }, { accounts, who }) => ({
        channel: await accounts.channels.addEmail(who.account, body.address, body.kinds),
        secret: null,
      }),
    ),
    open(
      {
        method: 'post',
        path: '/account/emails/confirm',
        summary: 'Confirm an address with the token of the link',
        body: shapes.tokenSchema,
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ body }, { accounts }) => {
        await accounts.channels.confirm(body.token);
        return { count: 1 };
      },
    ),
    open(
      {
        method: 'post',
        path: '/account/unsubscribe/{id}',
        summary: 'Remove an address with the token of a mail: what `List-Unsubscribe` names',
        params: z.strictObject({ id: z.string().max(400) }),
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts }) => {
        await accounts.channels.unsubscribe(params.id);
        return { count: 1 };
      },
    ),
    fresh(
      {
        method: 'put',
        path: '/account/channels/{id}',
        summary: 'Change what a channel is told',
        params: idParam('channel'),
        body: shapes.channelChangeSchema,
        answer: shapes.channelSchema,
        problems: ['not-found'],
      },
      async ({ params, body }, { accounts, who }) => accounts.channels.change(who.account, params.id, body.kinds),
    ),
    fresh(
      {
        method: 'delete',
        path: '/account/channels/{id}',
        summary: 'Remove a channel with its deliveries',
        params: idParam('channel'),
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts, who }) => {
        await accounts.channels.remove(who.account, params.id);
        return { count: 1 };
      },
    ),
    fresh(
      {
        method: 'post',
        path: '/account/channels/{id}/rotate',
        summary: 'Give a webhook a new secret; the one before signs too for a day',
        params: idParam('channel'),
        answer: shapes.madeChannelSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts, who }) => accounts.channels.rotate(who.account, params.id),
    ),
    key('notify')(
      {
        method: 'post',
        path: '/account/channels/{id}/test',
        summary: 'Send a test to a channel',
        params: idParam('channel'),
        answer: shapes.doneSchema,
        problems: ['not-found'],
        cost: 20,
      },
      async ({ params }, { accounts, who }) => {
        await accounts.channels.test(who.account, params.id);
        return { count: 1 };
      },
    ),
    key('notify')(
      {
        method: 'get',
        path: '/account/deliveries',
        summary: 'What was and will be told, newest first; `state=dead` is the dead-letter list',
        query: z.strictObject({
          channel: z
            .string()
            .regex(/^[0-9a-f]{16}$/, 'channel must be the id of a channel')
            .optional(),
          state: z.enum(shapes.DELIVERY_STATES, `state must be one of ${shapes.DELIVERY_STATES.join(', ')}`).optional(),
          ...paging,
        }),
        answer: shapes.deliveryPageSchema,
      },
      async ({ query: { channel, state, cursor, limit } }, { accounts, who }) => {
        const before = readCursor(LIST, cursor, /^\d{1,15}$/);
        const by = { channel, state, before: before === undefined ? undefined : Number(before), limit };
        const items = await deliveries(accounts.store, who.account, by);
        const last = items.length === limit ? items.at(-1) : undefined;
        return { items, next: last ? writeCursor(LIST, last.id) : null };
      },
    ),
    key('notify')(
      {
        method: 'post',
        path: '/account/deliveries/{id}/replay',
        summary: 'Send a delivery that was sent or given up once more, with the same id',
        params: deliveryParam,
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts, who }) => {
        if (!(await replay(accounts.store, who.account, params.id, accounts.now())))
          throw new ProblemError('not-found', 'you have no such delivery, or it waits already');
        return { count: 1 };
      },
    ),
  ];
}
