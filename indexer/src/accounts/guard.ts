/** Who calls: by cookie, bearer token or API key. */
import type { Scope } from '@dpu/sdk/apiAccount';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';

import { RateLimit } from '../api/limits.ts';
import { ProblemError } from '../api/problem.ts';
import type { KeyRow, Keys } from './keys.ts';
import type { Session, Sessions } from './sessions.ts';

type Hex = `0x${string}`;

/** Wrong tokens of one caller: this many at once, and then one each five seconds. */
export const GUESSES = { perSecond: 0.2, burst: 20 };
/** Callers that are shut out are remembered, the newest of them. */
const MOST_BLOCKED = 10_000;

/** Who is there: a person by a session, or a program by a key. */
export type Caller =
  { account: Hex; session: Session; key?: undefined } | { account: Hex; session?: undefined; key: KeyRow };

export interface GuardDeps {
  sessions: Sessions;
  keys: Keys;
  /** Milliseconds of a clock that never goes back. */
  steady: () => number;
  /** Who asks, as for the rate limit. */
  callerOf: (c: Context) => string;
}

/** Name of the cookie. `__Host-` makes browsers refuse one that a neighbouring host or a page without TLS has set. */
export const cookieName = (publicUrl: string): string =>
  publicUrl.startsWith('https://') ? '__Host-dpu' : 'dpu_session';

/** Finds out who calls, and refuses who guesses. */
export class Guard {
  readonly #publicUrl: string;
  readonly #deps: GuardDeps;
  readonly #guesses: RateLimit;
  /** Until when a caller is shut out, by the steady clock. */
  readonly #blocked = new Map<string, number>();

  constructor(options: { publicUrl: string }, deps: GuardDeps) {
    this.#publicUrl = options.publicUrl;
    this.#deps = deps;
    this.#guesses = new RateLimit(GUESSES, { now: deps.steady });
  }

  /** Who is signed in. @throws ProblemError `signed-out`, `cross-site`, `too-many-requests`, `key-refused` for a key */
  async session(c: Context): Promise<Session> {
    const caller = await this.#caller(c);
    if (!caller) throw new ProblemError('signed-out', 'sign in first: POST /v1/account/session');
    if (caller.session) return caller.session;
    throw new ProblemError('key-refused', 'an API key cannot do this: sign in with the wallet');
  }

  /** Who is signed in, or whose key with this scope it is. @throws ProblemError as `session`, and `scope-missing` */
  async sessionOrKey(c: Context, scope: Scope): Promise<Caller> {
    const caller = await this.#caller(c);
    if (!caller) throw new ProblemError('signed-out', `sign in, or send an API key with the scope ${scope}`);
    if (caller.key) this.#deps.keys.admit(caller.key, scope);
    return caller;
  }

  /** Where everybody may call: a key that comes along must be good, and have the scope. */
  async admit(c: Context, scope: Scope): Promise<void> {
    if (hasKey(c)) await this.sessionOrKey(c, scope);
  }

  /** For what a browser could be made to send with its cookie. @throws ProblemError `cross-site` */
  requireSameOrigin(c: Context): void {
    const origin = c.req.header('origin');
    if (origin === this.#publicUrl) return;
    const sentence = `with a cookie this can be called by pages of ${this.#publicUrl} alone; use transport bearer elsewhere`;
    throw new ProblemError('cross-site', sentence);
  }

  async #caller(c: Context): Promise<Caller | undefined> {
    const bearer = bearerOf(c);
    const cookie = bearer === undefined ? getCookie(c, cookieName(this.#publicUrl)) : undefined;
    const token = bearer ?? cookie;
    if (token === undefined) return undefined;
    const who = this.#deps.callerOf(c);
    this.#refuseBlocked(who);
    if (token.startsWith('dpuk_') && cookie === undefined) {
      const key = await this.#deps.keys.find(token);
      if (key) return { account: key.account, key };
      this.#guessed(who);
      throw new ProblemError('key-refused', 'there is no such API key, or it has ended or was revoked');
    }
    if (cookie !== undefined && !['GET', 'HEAD'].includes(c.req.method)) this.requireSameOrigin(c);
    const session = await this.#deps.sessions.find(token, cookie === undefined ? 'bearer' : 'cookie');
    if (session) return { account: session.account, session };
    this.#guessed(who);
    throw new ProblemError('signed-out', 'the session has ended: sign in again');
  }

  #refuseBlocked(who: string): void {
    const until = this.#blocked.get(who);
    if (until === undefined) return;
    const wait = until - this.#deps.steady();
    if (wait <= 0) {
      this.#blocked.delete(who);
      return;
    }
    const seconds = String(Math.ceil(wait / 1_000));
    const sentence = `too many wrong tokens came from you; come back in ${seconds} s`;
    throw new ProblemError('too-many-requests', sentence, { headers: { 'retry-after': seconds } });
  }

  #guessed(who: string): void {
    const wait = this.#guesses.take(who, 1);
    if (wait === 0) return;
    this.#blocked.set(who, this.#deps.steady() + wait);
    if (this.#blocked.size > MOST_BLOCKED) this.#blocked.delete(this.#blocked.keys().next().value!);
  }
}

/** Whether an API key comes along. */
export const hasKey = (c: Context): boolean => bearerOf(c)?.startsWith('dpuk_') ?? false;

function bearerOf(c: Context): string | undefined {
  const [scheme, token, ...rest] = (c.req.header('authorization') ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' && token && rest.length === 0 ? token : undefined;
}
