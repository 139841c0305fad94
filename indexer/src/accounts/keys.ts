/** API keys: made, changed, revoked, and looked up by who sends one. */
import type { Scope, keyChangeSchema, keySchema, newKeySchema } from '@dpu/sdk/apiAccount';
import type { z } from 'zod';

import { RateLimit } from '../api/limits.ts';
import { ProblemError } from '../api/problem.ts';
import { hashOf, idOf, isSame, keyIdOf, keyToken, random, type Random } from './secrets.ts';
import type { Sql, Store } from './store.ts';

type Hex = `0x${string}`;
type Json = z.input<typeof keySchema>;
type Caps = z.output<typeof keyChangeSchema>['caps'];

/** Keys of one account that are not revoked. */
const MOST_KEYS = 50;
/** How exactly "used last" is kept. */
const USED_MS = 60_000;
/** Over which "a day" of a cap goes. */
export const DAY_MS = 86_400_000;

/** A key as it is kept. */
export interface KeyRow {
  id: string;
  account: Hex;
  hash: string;
  name: string;
  scopes: string;
  per_second: number;
  created: number;
  expires: number | null;
  used: number | null;
  revoked: number | null;
}

interface CapRow {
  key: string;
  currency: Hex;
  per_day: string | null;
  total: string | null;
  spent_day: string;
  spent_total: string;
}

export interface KeysDeps {
  store: Store;
  /** Unix ms. */
  now: () => number;
  /** Milliseconds of a clock that never goes back. */
  steady: () => number;
  make?: Random;
}

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1_000));

/** The API keys of all accounts. */
export class Keys {
  readonly #deps: Required<KeysDeps>;
  /** A bucket for each key, beside that of the caller's address. Each instance counts by itself. */
  readonly #rates = new Map<number, RateLimit>();

  constructor(deps: KeysDeps) {
    this.#deps = { make: random, ...deps };
  }

  /** Keys of an account with what they have spent, newest first; revoked ones too, as long as they are kept. */
  async list(account: Hex): Promise<Json[]> {
    const { store, now } = this.#deps;
    const [keys, caps] = await Promise.all([
      store.query<KeyRow>('SELECT * FROM api_key WHERE account = $1 ORDER BY created DESC, id', [account]),
      capsOf(store, account, now()),
    ]);
    return keys.map((row) =>
      keyJson(
        row,
        caps.filter(({ key }) => key === row.id),
      ),
    );
  }

  /** Makes a key; the secret is nowhere but in the answer. @throws ProblemError `too-many`, `invalid-request` */
  async make(account: Hex, asked: z.output<typeof newKeySchema>): Promise<{ key: Json; secret: string }> {
    const { store, now, make } = this.#deps;
    const at = now();
    const expires = asked.expiresAt === null ? null : asked.expiresAt * 1_000;
    if (expires !== null && expires <= at) throw new ProblemError('invalid-request', 'expiresAt must be in the future');
    const id = idOf(make);
    const secret = keyToken(make, id);
    await store.transaction(async (sql) => {
      const [row] = await sql.query<{ count: number }>(
        'SELECT count(*) AS count FROM api_key WHERE account = $1 AND revoked IS NULL',
        [account],
      );
      if (row!.count >= MOST_KEYS)
        throw new ProblemError('too-many', `an account has at most ${MOST_KEYS} keys; revoke one first`);
      await sql.query(
        `INSERT INTO api_key (id, account, hash, name, scopes, per_second, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [id, account, hashOf(secret), asked.name, asked.scopes.join(','), asked.perSecond, at, expires],
      );
      await writeCaps(sql, id, asked.caps);
    });
    return { key: await this.#one(account, id), secret };
  }

  /** Changes name, rate and caps; what was spent stays. @throws ProblemError `not-found` */
  async change(account: Hex, id: string, asked: z.output<typeof keyChangeSchema>): Promise<Json> {
    await this.#deps.store.transaction(async (sql) => {
      const changed = await sql.query(
        `UPDATE api_key SET name = $3, per_second = $4 WHERE account = $1 AND id = $2 AND revoked IS NULL RETURNING id`,
        [account, id, asked.name, asked.perSecond],
      );
      if (changed.length === 0) throw new ProblemError('not-found', 'you have no such key');
      await writeCaps(sql, id, asked.caps);
    });
    return this.#one(account, id);
  }

  /** @throws ProblemError `not-found` */
  async revoke(account: Hex, id: string): Promise<void> {
    const gone = await this.#deps.store.query(
      'UPDATE api_key SET revoked = $3 WHERE account = $1 AND id = $2 AND revoked IS NULL RETURNING id',
      [account, id, this.#deps.now()],
    );
    if (gone.length === 0) throw new ProblemError('not-found', 'you have no such key');
  }

  /** The living key that was sent; undefined for any other text. */
  async find(token: string): Promise<KeyRow | undefined> {
    const { store, now } = this.#deps;
    const id = keyIdOf(token);
    if (id === undefined) return undefined;
    const [row] = await store.query<KeyRow>('SELECT * FROM api_key WHERE id = $1', [id]);
    const at = now();
    if (!row || !isSame(row.hash, hashOf(token)) || row.revoked !== null) return undefined;
    if (row.expires !== null && row.expires <= at) return undefined;
    if (row.used === null || at - row.used >= USED_MS)
      await store.query('UPDATE api_key SET used = $2 WHERE id = $1', [id, at]);
    return row;
  }

  /** @throws ProblemError `scope-missing`, `too-many-requests` */
  admit(row: KeyRow, scope: Scope): void {
    if (!row.scopes.split(',').includes(scope))
      throw new ProblemError('scope-missing', `the key dpuk_${row.id} does not have the scope ${scope}`);
    let rate = this.#rates.get(row.per_second);
    if (!rate) {
      rate = new RateLimit({ perSecond: row.per_second, burst: 2 * row.per_second }, { now: this.#deps.steady });
      this.#rates.set(row.per_second, rate);
    }
    const wait = rate.take(row.id, 1);
    if (wait === 0) return;
    const after = String(Math.ceil(wait / 1_000));
    const sentence = `the key dpuk_${row.id} may ask ${row.per_second} times a second; come back in ${after} s`;
    throw new ProblemError('too-many-requests', sentence, { headers: { 'retry-after': after } });
  }

  async #one(account: Hex, id: string): Promise<Json> {
    return (await this.list(account)).find((key) => key.id === id)!;
  }
}

async function writeCaps(sql: Sql, key: string, caps: Caps): Promise<void> {
  await sql.query('DELETE FROM cap WHERE key = $1', [key]);
  for (const { currency, perDay, total } of caps)
    await sql.query('INSERT INTO cap (key, currency, per_day, total) VALUES ($1, $2, $3, $4)', [
      ...[key, currency, perDay === null ? null : String(perDay), total === null ? null : String(total)],
    ]);
}

/** Caps of an account's keys with what was spent under them. @param now Unix ms. */
function capsOf(sql: Sql, account: Hex, now: number): Promise<CapRow[]> {
  return sql.query<CapRow>(
    `SELECT cap.key, cap.currency, cap.per_day::text AS per_day, cap.total::text AS total,
       coalesce(sum(spend.amount) FILTER (WHERE spend.at > $2), 0)::text AS spent_day,
       coalesce(sum(spend.amount), 0)::text AS spent_total
     FROM api_key JOIN cap ON cap.key = api_key.id
     LEFT JOIN spend ON spend.key = cap.key AND spend.currency = cap.currency
     WHERE api_key.account = $1 GROUP BY cap.key, cap.currency ORDER BY cap.key, cap.currency`,
    [account, now - DAY_MS],
  );
}

const keyJson = (row: KeyRow, caps: readonly CapRow[]): Json => ({
  ...{ id: row.id, name: row.name, scopes: row.scopes.split(',') as Scope[], perSecond: row.per_second },
  caps: caps.map((cap) => ({
    ...{ currency: cap.currency, perDay: cap.per_day, total: cap.total },
    ...{ spentDay: cap.spent_day, spentTotal: cap.spent_total },
  })),
  createdAt: Math.floor(row.created / 1_000),
  expiresAt: seconds(row.expires),
  usedAt: seconds(row.used),
  revokedAt: seconds(row.revoked),
});
