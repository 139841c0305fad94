/** Sessions of people who signed in. */
import type { sessionSchema } from '@dpu/sdk/apiAccount';
import type { z } from 'zod';

import { ProblemError } from '../api/problem.ts';
import { hashOf, idOf, isSessionToken, random, sessionToken, type Random, type ServerKey } from './secrets.ts';
import { NONCE_MS, readSiwe, STATEMENT, type VerifyMessage } from './siwe.ts';
import type { Store } from './store.ts';

type Hex = `0x${string}`;
export type Transport = 'cookie' | 'bearer';
type Json = z.input<typeof sessionSchema>;

/** How long a session lasts, milliseconds. */
export const SESSION_MS: Readonly<Record<Transport, number>> = { cookie: 7 * 86_400_000, bearer: 12 * 3_600_000 };
/** Sessions of one account; the oldest ends when another begins. */
const MOST_SESSIONS = 50;
/** How exactly "used last" is kept: a write for every read would be too many. */
const USED_MS = 60_000;

/** A session as it is kept. */
export interface Session {
  id: string;
  account: Hex;
  transport: Transport;
  origin: string;
  agent: string;
  created: number;
  used: number;
  expires: number;
  passkey_at: number | null;
  challenge: string | null;
  challenge_for: string | null;
  challenge_until: number | null;
}

export interface SessionsOptions {
  origins: readonly string[];
  chainId: number;
}
export interface SessionsDeps {
  store: Store;
  key: ServerKey;
  verify: VerifyMessage;
  /** Unix ms. */
  now: () => number;
  make?: Random;
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** A session as its account sees it. */
export const sessionJson = (row: Session, current: string): Json => ({
  id: row.id,
  transport: row.transport,
  origin: row.origin,
  agent: row.agent,
  createdAt: seconds(row.created),
  usedAt: seconds(row.used),
  expiresAt: seconds(row.expires),
  current: row.id === current,
});

/** Starts, finds and ends sessions. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #deps: Required<SessionsDeps>;

  constructor(options: SessionsOptions, deps: SessionsDeps) {
    this.#options = options;
    this.#deps = { make: random, ...deps };
  }

  /** What a message to sign needs. Nothing is kept until it comes back. */
  nonce(): { nonce: string; chainId: number; statement: string; expiresAt: number } {
    const { key, now, make } = this.#deps;
    const expires = now() + NONCE_MS;
    return {
      nonce: key.nonce(expires, make),
      chainId: this.#options.chainId,
      statement: STATEMENT,
      expiresAt: seconds(expires),
    };
  }

  /** @throws ProblemError `sign-in-refused`, with what is wrong */
  async start(asked: {
    message: string;
    signature: Hex;
    transport: Transport;
    agent: string;
  }): Promise<{ session: Session; token: string }> {
    const { store, key, verify, now, make } = this.#deps;
    const at = now();
    const { account, nonce, origin } = readSiwe(asked.message, { ...this.#options, now: at });
    const expires = key.expiryOf(nonce);
    if (expires === undefined) throw new ProblemError('sign-in-refused', 'the nonce is not one of this indexer');
    if (expires <= at) throw new ProblemError('sign-in-refused', 'the nonce has expired; ask for a new one');
    if (!(await verify({ account, message: asked.message, signature: asked.signature })))
      throw new ProblemError('sign-in-refused', `the signature is not one of ${account}`);

    const token = sessionToken(make);
    const session: Session = {
      ...{ id: idOf(make), account, origin, transport: asked.transport, agent: printable(asked.agent) },
      ...{ created: at, used: at, expires: at + SESSION_MS[asked.transport] },
      ...{ passkey_at: null, challenge: null, challenge_for: null, challenge_until: null },
    };
    await store.transaction(async (sql) => {
      // After the signature: who cannot sign makes nothing be kept. The unique column decides between two at once.
      const used = await sql.query(
        'INSERT INTO used_nonce (nonce, expires) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING RETURNING nonce',
        [nonce, expires],
      );
      if (used.length === 0) throw new ProblemError('sign-in-refused', 'the nonce was used before; ask for a new one');
      await sql.query(
        `INSERT INTO session (id, account, hash, transport, origin, agent, created, used, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [session.id, account, hashOf(token), session.transport, origin, session.agent, at, at, session.expires],
      );
      await sql.query(
        `DELETE FROM session WHERE id IN
         (SELECT id FROM session WHERE account = $1 ORDER BY created DESC, id OFFSET ${MOST_SESSIONS})`,
        [account],
      );
    });
    return { session, token };
  }

  /** The living session of a token that came as `transport`; undefined when there is none. */
  async find(token: string, transport: Transport): Promise<Session | undefined> {
    const { store, now } = this.#deps;
    if (!isSessionToken(token)) return undefined;
    const at = now();
    const [row] = await store.query<Session>(
      'SELECT * FROM session WHERE hash = $1 AND transport = $2 AND expires > $3',
      [hashOf(token), transport, at],
    );
    if (row && at - row.used >= USED_MS) await store.query('UPDATE session SET used = $2 WHERE id = $1', [row.id, at]);
    return row;
  }

  /** Living sessions of an account, newest first. */
  list(account: Hex): Promise<Session[]> {
    const { store, now } = this.#deps;
    return store.query<Session>('SELECT * FROM session WHERE account = $1 AND expires > $2 ORDER BY created DESC, id', [
      account,
      now(),
    ]);
  }

  /** Ends one session of an account, or all but one. @returns how many ended */
  async end(account: Hex, which: { id: string } | { allBut: string }): Promise<number> {
    const [id, condition] = 'id' in which ? [which.id, 'id = $2'] : [which.allBut, 'id <> $2'];
    const gone = await this.#deps.store.query(`DELETE FROM session WHERE account = $1 AND ${condition} RETURNING id`, [
      account,
      id,
    ]);
    return gone.length;
  }
}

/** A browser's name without what could confuse a terminal or a page. */
const printable = (agent: string): string => agent.replace(/\p{C}/gu, '').slice(0, 200);
