/** How account routes are made: like all others, and with who calls. */
import type { Scope } from '@dpu/sdk/apiAccount';
import type { Context } from 'hono';
import type { z } from 'zod';

import { ProblemError, type ProblemName } from '../api/problem.ts';
import { route, type Asked, type Route, type RouteSpec } from '../api/route.ts';
import type { Accounts, AccountsHandle } from './accounts.ts';
import type { Caller } from './guard.ts';

/** Finds the accounts; undefined where this indexer keeps none. The OpenAPI document is made without any. */
export type Services = AccountsHandle | undefined;

/** What a handler gets beside what the caller sent. */
interface Here<Who> {
  accounts: Accounts;
  who: Who;
  c: Context;
}
type Handler<Params, Query, Body, Answer, Who> = (
  asked: Asked<Params, Query, Body>,
  here: Here<Who>,
) => Promise<Answer>;

/** Of everything that needs accounts. */
const OFF: readonly ProblemName[] = ['not-offered', 'not-ready'];
const SESSION: readonly ProblemName[] = [...OFF, 'signed-out', 'key-refused', 'cross-site'];

type Nothing = z.ZodObject<Record<never, never>>;

function made<
  Answer extends z.ZodType,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Who,
>(
  services: Services,
  spec: RouteSpec<Params, Query, Body, Answer>,
  problems: readonly ProblemName[],
  whoIs: (accounts: Accounts, c: Context) => Promise<Who>,
  handle: Handler<z.output<Params>, z.output<Query>, z.output<Body>, z.input<Answer>, Who>,
): Route {
  const whole = { ...spec, private: true, tag: 'Account', problems: [...problems, ...(spec.problems ?? [])] };
  return {
    spec: whole as unknown as Route['spec'],
    async handle(c) {
      if (!services) throw new ProblemError('not-offered', 'this indexer keeps no accounts');
      const accounts = services.current();
      // Before what was sent is looked at: a stranger learns nothing about it.
      const who = await whoIs(accounts, c);
      return route(whole, (asked) => handle(asked, { accounts, who, c })).handle(c);
    },
  };
}

type Spec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> = Omit<RouteSpec<Params, Query, Body, Answer>, 'tag' | 'needs'>;

/** A maker of routes: what it takes and gives is in the spec, and who calls is `Who`. */
type Maker<Who> = <
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(
  spec: Spec<Params, Query, Body, Answer>,
  handle: Handler<z.output<Params>, z.output<Query>, z.output<Body>, z.input<Answer>, Who>,
) => Route;

/** Makes routes of one kind of caller each. */
export function accountRoute(services: Services) {
  const maker =
    <Who>(
      needs: RouteSpec<Nothing, Nothing, z.ZodUndefined, z.ZodType>['needs'],
      problems: readonly ProblemName[],
      whoIs: (accounts: Accounts, c: Context) => Promise<Who>,
    ): Maker<Who> =>
    (spec, handle) =>
      made(services, { ...spec, tag: '', ...(needs && { needs }) }, problems, whoIs, handle);
  return {
    /** Everybody. */
    open: maker(undefined, OFF, async () => undefined),
    /** Who is signed in. */
    session: maker('session', SESSION, (accounts, c) => accounts.guard.session(c)),
    /** Who is signed in, and has used a passkey lately if the account has one. */
    fresh: maker('session', [...SESSION, 'passkey-needed'], async (accounts, c) => {
      const session = await accounts.guard.session(c);
      await accounts.passkeys.requireFresh(session);
      return session;
    }),
    /** Who is signed in, or a key with the scope. */
    key: (scope: Scope) =>
      maker<Caller>(scope, [...SESSION, 'scope-missing'], (accounts, c) => accounts.guard.sessionOrKey(c, scope)),
  };
}
