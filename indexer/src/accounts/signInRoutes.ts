/** `/account`: signing in and out, sessions, passkeys. */
import * as shapes from '@dpu/sdk/apiAccount';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';

import { ProblemError } from '../api/problem.ts';
import type { Route } from '../api/route.ts';
import type { Accounts } from './accounts.ts';
import { cookieName } from './guard.ts';
import { accountRoute, type Services } from './routes.ts';
import { SESSION_MS, sessionJson } from './sessions.ts';

export const idParam = (name: string) =>
  z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_-]{1,400}$/, `there is no such ${name}`) });

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / 1_000));

/** Sign-in, sessions and passkeys. */
export function signInRoutes(services: Services): Route[] {
  const { open, session, fresh } = accountRoute(services);
  return [
    open(
      {
        method: 'post',
        path: '/account/nonce',
        summary: 'What a sign-in message needs: a nonce that is good once, for ten minutes',
        answer: shapes.nonceSchema,
      },
      async (_asked, { accounts }) => accounts.sessions.nonce(),
    ),
    open(
      {
        method: 'post',
        path: '/account/session',
        summary: 'Sign in with a signed EIP-4361 message',
        description: '`docs/accounts.md` says what the message must say, and which transport is for whom.',
        body: shapes.signInSchema,
        answer: shapes.signedInSchema,
        problems: ['sign-in-refused', 'cross-site', 'chain-unavailable'],
        cost: 20,
      },
      async ({ body }, { accounts, c }) => {
        if (body.transport === 'cookie') accounts.guard.requireSameOrigin(c);
        const agent = c.req.header('user-agent') ?? '';
        const { session: made, token } = await accounts.sessions.start({ ...body, agent });
        if (body.transport === 'cookie') giveCookie(c, accounts, token);
        return {
          account: made.account,
          session: sessionJson(made, made.id),
          token: body.transport === 'bearer' ? token : null,
        };
      },
    ),
    session(
      { method: 'delete', path: '/account/session', summary: 'Sign out', answer: shapes.doneSchema },
      async (_asked, { accounts, who, c }) => {
        if (who.transport === 'cookie') takeCookie(c, accounts);
        return { count: await accounts.sessions.end(who.account, { id: who.id }) };
      },
    ),
    session(
      {
        method: 'get',
        path: '/account',
        summary: 'Who is signed in, and what this indexer offers',
        answer: shapes.mySchema,
      },
      async (_asked, { accounts, who }) => {
        const { passkeys, orders, channels, hears } = accounts;
        return {
          account: who.account,
          session: sessionJson(who, who.id),
          passkeys: await passkeys.list(who.account),
          freshUntil: seconds(passkeys.freshUntil(who)),
          recoveryAt: seconds(await passkeys.recoveryAt(who.account)),
          offers: { email: channels.mails, relayer: orders.relays, heartbeats: hears },
        };
      },
    ),
    session(
      { method: 'get', path: '/account/sessions', summary: 'Sessions that live', answer: shapes.sessionListSchema },
      async (_asked, { accounts, who }) => ({
        items: (await accounts.sessions.list(who.account)).map((one) => sessionJson(one, who.id)),
      }),
    ),
    session(
      { method: 'delete', path: '/account/sessions', summary: 'End all other sessions', answer: shapes.doneSchema },
      async (_asked, { accounts, who }) => ({
        count: await accounts.sessions.end(who.account, { allBut: who.id }),
      }),
    ),
    session(
      {
        method: 'delete',
        path: '/account/sessions/{id}',
        summary: 'End a session',
        params: idParam('session'),
        answer: shapes.doneSchema,
        problems: ['not-found'],
      },
      async ({ params }, { accounts, who }) => {
        const count = await accounts.sessions.end(who.account, params);
        if (count === 0) throw new ProblemError('not-found', 'you have no such session');
        return { count };
      },
    ),
    fresh(
      {
        method: 'post',
        path: '/account/passkeys/options',
        summary: 'What the browser needs to make a passkey',
        answer: shapes.passkeyOptionsSchema,
        problems: ['too-many'],
      },
      async (_asked, { accounts, who }) => ({ options: await accounts.passkeys.registration(who) }),
    ),
    fresh(
      {
        method: 'post',
        path: '/account/passkeys',
        summary: 'Register a passkey: from now on changes need one',
        body: shapes.newPasskeySchema,
        answer: shapes.mySchema.pick({ passkeys: true }),
        problems: ['passkey-refused'],
      },
      async ({ body }, { accounts, who }) => {
        await accounts.passkeys.register(who, body.name, body.response);
        return { passkeys: await accounts.passkeys.list(who.account) };
      },
    ),
    session(
      {
        method: 'delete',
        path: '/account/passkeys/{id}',
        summary: 'Remove a passkey, with a passkey or after recovery',
        params: idParam('passkey'),
        answer: shapes.doneSchema,
        problems: ['passkey-needed', 'not-found'],
      },
      async ({ params }, { accounts, who }) => {
        await accounts.passkeys.remove(who, params.id);
        return { count: 1 };
      },
    ),
    session(
      {
        method: 'post',
        path: '/account/recovery',
        summary: 'Who lost all passkeys: after seven days they can be removed without one',
        answer: shapes.mySchema.pick({ recoveryAt: true }),
      },
      async (_asked, { accounts, who }) => ({ recoveryAt: seconds(await accounts.passkeys.recover(who.account)) }),
    ),
    session(
      {
        method: 'post',
        path: '/account/passkey/options',
        summary: 'What the browser needs to use a passkey',
        answer: shapes.passkeyOptionsSchema,
        problems: ['passkey-refused'],
      },
      async (_asked, { accounts, who }) => ({ options: await accounts.passkeys.check(who) }),
    ),
    session(
      {
        method: 'post',
        path: '/account/passkey',
        summary: 'Use a passkey: changes are possible for five minutes',
        body: shapes.passkeyAnswerSchema,
        answer: shapes.passkeyCheckedSchema,
        problems: ['passkey-refused'],
      },
      async ({ body }, { accounts, who }) => ({
        freshUntil: Math.floor((await accounts.passkeys.checked(who, body.response)) / 1_000),
      }),
    ),
  ];
}

const options = ({ publicUrl }: Accounts) => {
  const secure = publicUrl.startsWith('https://');
  // `__Host-` asks for the whole site; without TLS there is no such name, and the API's part is enough.
  return { path: secure ? '/' : '/v1', secure, httpOnly: true, sameSite: 'Strict' } as const;
};

function giveCookie(c: Context, accounts: Accounts, token: string): void {
  setCookie(c, cookieName(accounts.publicUrl), token, { ...options(accounts), maxAge: SESSION_MS.cookie / 1_000 });
}

function takeCookie(c: Context, accounts: Accounts): void {
  deleteCookie(c, cookieName(accounts.publicUrl), options(accounts));
}
