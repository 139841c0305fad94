/** `/account/keys` and `/orders`: API keys, and what they can be used for. */
import * as shapes from '@dpu/sdk/apiAccount';

import { ProblemError } from '../api/problem.ts';
import type { Route } from '../api/route.ts';
import { accountRoute, type Services } from './routes.ts';
import { idParam } from './signInRoutes.ts';

/** API keys and orders. */
export function keyRoutes(services: Services): Route[] {
  const { key, fresh } = accountRoute(services);
  return [
    key('read')(
      {
        method: 'get',
        path: '/account/keys',
        summary: 'API keys with what they have spent, newest first',
        answer: shapes.keyListSchema,
      },
      async (_asked, { accounts, who }) => ({ items: await accounts.keys.list(who.account) }),
    ),
    fresh(
      {
        method: 'post',
        path: '/account/keys',
        summary: 'Make an API key; it is shown this once',
        body: shapes.newKeySchema,
        answer: shapes.madeKeySchema,
        problems: ['too-many'],
      },
      async ({ body }, { accounts, who }) => accounts.keys.make(who.account, body),
    ),
    fresh(
      {
        method: 'put',
        path: '/account/keys/{id}',
        summary: 'Change name, rate and caps of a key',
        params: idParam('key'),
        body: shapes.keyChangeSchema,
        answer: shapes.keySchema,
        problems: ['not-found'],
      },
      async ({ params, body }, { accounts, who }) => accounts.keys.change(who.account, params.id, body),
    ),
    fresh(
      {
        method: 'delete',
        path: '/account/keys/{id}',
        summary: 'Revoke a key',
        params: idParam('key'),
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts, who }) => {
        await accounts.keys.revoke(who.account, params.id);
        return { count: 1 };
      },
    ),
    key('post')(
      {
        method: 'post',
        path: '/orders',
        summary: 'Bring an order that its requester has signed on chain, within the caps of an API key',
        description:
          'The signature is that of `Market.postOrder`. The most that the job can cost counts as spent. The same order again is answered with the same transaction.',
        body: shapes.orderSchema,
        answer: shapes.placedOrderSchema,
        problems: ['cap-exceeded', 'no-relayer', 'order-refused', 'chain-unavailable'],
        cost: 20,
      },
      async ({ body }, { accounts, who }) => {
        if (!who.key)
          throw new ProblemError('scope-missing', 'orders are taken with an API key that has the scope post and a cap');
        return accounts.orders.place(who.key, body);
      },
    ),
  ];
}
