/** Passkeys (WebAuthn) as a second factor: once an account has one, changes need an assertion that is at most five minutes old. */
import type { passkeySchema } from '@dpu/sdk/apiAccount';
import type { verifyAuthenticationResponse } from '@simplewebauthn/server';
import type { z } from 'zod';

import { ProblemError } from '../api/problem.ts';
import type { Session } from './sessions.ts';
import type { Sql, Store } from './store.ts';

type Hex = `0x${string}`;
type Answer<Verify extends (asked: never) => unknown> = Parameters<Verify>[0] extends { response: infer Given }
  ? Given
  : never;
type Purpose = 'register' | 'check';
type AuthenticatorTransport = NonNullable<
  Parameters<typeof verifyAuthenticationResponse>[0]['credential']['transports']
>[number];

/** Loaded when it is first needed: Ponder gives each file ten seconds at its start, and this is many files. */
const webauthn = () => import('@simplewebauthn/server');

/** How long an assertion counts, milliseconds. */
export const FRESH_MS = 300_000;
/** How long a challenge waits for its answer, milliseconds. */
const CHALLENGE_MS = 300_000;
/** How long the owner has time to stop a recovery that somebody else asked for, milliseconds. */
export const RECOVERY_MS = 7 * 86_400_000;
const MOST_PASSKEYS = 10;

interface Row {
  id: string;
  account: Hex;
  name: string;
  host: string;
  public_key: string;
  counter: number;
  transports: string;
  created: number;
  used: number | null;
}

const refuse = (sentence: string): never => {
  throw new ProblemError('passkey-refused', sentence);
};

/** Registers and checks passkeys. */
export class Passkeys {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(deps: { store: Store; now: () => number }) {
    this.#store = deps.store;
    this.#now = deps.now;
  }

  async list(account: Hex): Promise<z.input<typeof passkeySchema>[]> {
    const rows = await rowsOf(this.#store, account);
    return rows.map(({ id, name, host, created, used }) => ({
      ...{ id, name, host },
      createdAt: Math.floor(created / 1_000),
      usedAt: used === null ? null : Math.floor(used / 1_000),
    }));
  }

  /** Until when the session's last assertion counts, unix ms; undefined when it does not. */
  freshUntil({ passkey_at }: Session): number | undefined {
    const until = passkey_at === null ? 0 : passkey_at + FRESH_MS;
    return until > this.#now() ? until : undefined;
  }

  /** @throws ProblemError `passkey-needed` when the account has passkeys and none was used lately */
  async requireFresh(session: Session): Promise<void> {
    if (this.freshUntil(session) !== undefined) return;
    const [row] = await this.#store.query('SELECT 1 FROM passkey WHERE account = $1 LIMIT 1', [session.account]);
    if (row)
      throw new ProblemError('passkey-needed', 'this needs your passkey: use it, then try again within five minutes');
  }

  /** What the browser needs to make a passkey. */
  async registration(session: Session): Promise<Record<string, unknown>> {
    const known = await rowsOf(this.#store, session.account);
    if (known.length >= MOST_PASSKEYS)
      throw new ProblemError('too-many', `an account has at most ${MOST_PASSKEYS} passkeys; remove one first`);
    const { generateRegistrationOptions } = await webauthn();
    const options = await generateRegistrationOptions({
      rpName: 'DPU',
      rpID: hostOf(session),
      userName: session.account,
      userDisplayName: `${session.account.slice(0, 6)}…${session.account.slice(-4)}`,
      userID: new Uint8Array(Buffer.from(session.account.slice(2), 'hex')),
      attestationType: 'none',
      excludeCredentials: known.map(({ id }) => ({ id })),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    });
    await this.#challenge(session, 'register', options.challenge);
    return options as unknown as Record<string, unknown>;
  }

  /** Keeps the passkey that the browser made. It counts as used. @throws ProblemError `passkey-refused` */
  async register(session: Session, name: string, response: unknown): Promise<void> {
    const expectedChallenge = await this.#answered(session, 'register');
    const { verifyRegistrationResponse } = await webauthn();
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as Answer<typeof verifyRegistrationResponse>,
      expectedChallenge,
      expectedOrigin: session.origin,
      expectedRPID: hostOf(session),
    }).catch(sayWhy);
    if (!registrationInfo) return refuse('the passkey could not be verified');
    const { id, publicKey, counter, transports } = registrationInfo.credential;
    const at = this.#now();
    await this.#store.transaction(async (sql) => {
      const made = await sql.query(
        `INSERT INTO passkey (id, account, name, host, public_key, counter, transports, created, used)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (id) DO NOTHING RETURNING id`,
        [
          ...[id, session.account, name, hostOf(session), Buffer.from(publicKey).toString('base64url')],
          ...[counter, plainTransports(transports), at],
        ],
      );
      if (made.length === 0) refuse('this passkey is registered already');
      await used(sql, session, at);
    });
  }

  /** What the browser needs to ask for a passkey. @throws ProblemError `passkey-refused` when none is for this page */
  async check(session: Session): Promise<Record<string, unknown>> {
    const known = await rowsOf(this.#store, session.account);
    const here = known.filter(({ host }) => host === hostOf(session));
    if (here.length === 0) {
      const elsewhere = known.map(({ host }) => host).join(', ');
      return refuse(elsewhere ? `your passkeys are for ${elsewhere}: open the page there` : 'you have no passkey');
    }
    const { generateAuthenticationOptions } = await webauthn();
    const options = await generateAuthenticationOptions({
      rpID: hostOf(session),
      userVerification: 'required',
      allowCredentials: here.map(({ id, transports }) => ({ id, transports: transportsOf(transports) })),
    });
    await this.#challenge(session, 'check', options.challenge);
    return options as unknown as Record<string, unknown>;
  }

  /** Takes an assertion; stops a recovery that runs. @returns until when it counts, unix ms. @throws ProblemError `passkey-refused` */
  async checked(session: Session, response: unknown): Promise<number> {
    const given = response as Answer<typeof verifyAuthenticationResponse>;
    const expectedChallenge = await this.#answered(session, 'check');
    const [row] = (await rowsOf(this.#store, session.account)).filter(({ id }) => id === given.id);
    if (!row) return refuse('this passkey is not one of this account');
    const { verifyAuthenticationResponse } = await webauthn();
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: given,
      expectedChallenge,
      expectedOrigin: session.origin,
      expectedRPID: row.host,
      credential: {
        id: row.id,
        publicKey: new Uint8Array(Buffer.from(row.public_key, 'base64url')),
        counter: row.counter,
        transports: transportsOf(row.transports),
      },
    }).catch(sayWhy);
    if (!verified) return refuse('the passkey’s signature is wrong');
    const at = this.#now();
    await this.#store.transaction(async (sql) => {
      await sql.query('UPDATE passkey SET counter = $2, used = $3 WHERE id = $1', [
        ...[row.id, authenticationInfo.newCounter, at],
      ]);
      await used(sql, session, at);
    });
    return at + FRESH_MS;
  }

  /** Removes a passkey, by a fresh assertion or after recovery. @throws ProblemError `passkey-needed`, `not-found` */
  async remove(session: Session, id: string): Promise<void> {
    const opens = await this.recoveryAt(session.account);
    if (opens === undefined || opens > this.#now()) await this.requireFresh(session);
    const gone = await this.#store.query('DELETE FROM passkey WHERE account = $1 AND id = $2 RETURNING id', [
      ...[session.account, id],
    ]);
    if (gone.length === 0) throw new ProblemError('not-found', 'you have no such passkey');
    await this.#store.query(
      'DELETE FROM recovery WHERE account = $1 AND NOT EXISTS (SELECT 1 FROM passkey WHERE account = $1)',
      [session.account],
    );
  }

  /** When an account may remove passkeys without one, unix ms; undefined unless it asked for that. */
  async recoveryAt(account: Hex): Promise<number | undefined> {
    const [row] = await this.#store.query<{ opens: number }>('SELECT opens FROM recovery WHERE account = $1', [
      account,
    ]);
    return row?.opens;
  }

  /** Begins the wait. Asking again does not shorten or prolong it. @returns when it is over, unix ms */
  async recover(account: Hex): Promise<number> {
    await this.#store.query('INSERT INTO recovery (account, opens) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING', [
      ...[account, this.#now() + RECOVERY_MS],
    ]);
    return (await this.recoveryAt(account))!;
  }

  async #challenge(session: Session, purpose: Purpose, challenge: string): Promise<void> {
    await this.#store.query(
      'UPDATE session SET challenge = $2, challenge_for = $3, challenge_until = $4 WHERE id = $1',
      [session.id, challenge, purpose, this.#now() + CHALLENGE_MS],
    );
  }

  /** The challenge that an answer must be for; it is gone with this. */
  async #answered(session: Session, purpose: Purpose): Promise<string> {
    const { id, challenge, challenge_for, challenge_until } = session;
    if (challenge === null || challenge_for !== purpose || (challenge_until ?? 0) <= this.#now())
      return refuse('no such challenge waits, or it has expired; ask for a new one');
    // Of two answers at once one finds it.
    const taken = await this.#store.query(
      'UPDATE session SET challenge = NULL WHERE id = $1 AND challenge = $2 RETURNING id',
      [id, challenge],
    );
    return taken.length === 1 ? challenge : refuse('the challenge was answered already; ask for a new one');
  }
}

const rowsOf = (sql: Sql, account: Hex): Promise<Row[]> =>
  sql.query<Row>('SELECT * FROM passkey WHERE account = $1 ORDER BY created, id', [account]);

async function used(sql: Sql, session: Session, at: number): Promise<void> {
  await sql.query('UPDATE session SET passkey_at = $2 WHERE id = $1', [session.id, at]);
  await sql.query('DELETE FROM recovery WHERE account = $1', [session.account]);
}

const hostOf = ({ origin }: Session): string => new URL(origin).hostname;
/** The browser's words, as far as they are words. */
const plainTransports = (given: unknown): string =>
  (Array.isArray(given) ? given : [])
    .filter((one) => /^[a-z-]{1,20}$/.test(String(one)))
    .slice(0, 8)
    .join(',');
const transportsOf = (text: string): AuthenticatorTransport[] =>
  (text === '' ? [] : text.split(',')) as AuthenticatorTransport[];

/** The library's sentences name values that it got; the caller sent them. */
function sayWhy(error: unknown): never {
  const why = error instanceof Error ? error.message : 'it could not be read';
  return refuse(`the passkey was refused: ${why.slice(0, 200)}`);
}
