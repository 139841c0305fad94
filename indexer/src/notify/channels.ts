/** Where an account wants to be told: webhooks and e-mail addresses. */
import { createHash } from 'node:crypto';

import type { channelSchema, NotificationKind } from '@dpu/sdk/apiAccount';
import type { z } from 'zod';

import { idOf, random, ServerKey, type Random } from '../accounts/secrets.ts';
import type { Store } from '../accounts/store.ts';
import { ProblemError } from '../api/problem.ts';
import { webhookUrl } from './address.ts';
import { mailAddress, type Mailer } from './mail.ts';
import { bodyOf, type About, type Told } from './message.ts';
import { NO_EVENT } from './news.ts';
import { put } from './queue.ts';

type Hex = `0x${string}`;
type Json = z.input<typeof channelSchema>;

const MOST_CHANNELS = 10;
/** How long the secret before a rotation signs too, milliseconds. */
export const ROTATING_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Confirmations that one account may send within a day. */
const CONFIRMATIONS_A_DAY = 5;

interface Row {
  id: string;
  account: Hex;
  type: 'webhook' | 'email';
  target: string;
  kinds: string;
  created: number;
  confirmed: number | null;
  secret_version: number;
  rotating_until: number | null;
  waiting: number;
  sent: number;
  dead: number;
}

export interface ChannelsOptions {
  about: About;
  privateWebhooks: boolean;
}
export interface ChannelsDeps {
  store: Store;
  key: ServerKey;
  mailer: Mailer | undefined;
  /** Id of the newest event in the index: what happened before is not told. */
  newest: () => Promise<string | undefined>;
  /** Unix ms. */
  now: () => number;
  make?: Random;
}

const missing = (): never => {
  throw new ProblemError('not-found', 'you have no such channel');
};
const badLink = (): never => {
  throw new ProblemError('not-found', 'this link is not good any more: the address was removed, or the link was cut');
};

/** Makes, changes and removes channels. */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #deps: Required<ChannelsDeps>;

  constructor(options: ChannelsOptions, deps: ChannelsDeps) {
    this.#options = options;
    this.#deps = { make: random, ...deps };
  }

  /** Whether e-mail can be sent at all. */
  get mails(): boolean {
    return this.#deps.mailer !== undefined;
  }

  /** Oldest first. */
  async list(account: Hex): Promise<Json[]> {
    const rows = await this.#deps.store.query<Row>(
      `SELECT channel.*, count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'sent') AS sent,
         count(*) FILTER (WHERE state = 'dead') AS dead
       FROM channel LEFT JOIN delivery ON delivery.channel = channel.id
       WHERE account = $1 GROUP BY channel.id ORDER BY channel.created, channel.id`,
      [account],
    );
    const now = this.#deps.now();
    return rows.map(({ id, type, target, kinds, created, confirmed, rotating_until: until, waiting, sent, dead }) => ({
      ...{ id, type, target, waiting, sent, dead },
      kinds: (kinds === '' ? [] : kinds.split(',')) as NotificationKind[],
      createdAt: Math.floor(created / 1_000),
      confirmedAt: confirmed === null ? null : Math.floor(confirmed / 1_000),
      rotatingUntil: until !== null && until > now ? Math.floor(until / 1_000) : null,
    }));
  }

  /** @throws ProblemError `invalid-request`, `too-many` */
  async addWebhook(account: Hex, url: string, kinds: readonly string[]): Promise<{ channel: Json; secret: string }> {
    const { now, key } = this.#deps;
    const target = webhookUrl(url, this.#options.privateWebhooks);
    const id = await this.#add(account, { type: 'webhook', target, kinds, confirmed: now() });
    return { channel: await this.#one(account, id), secret: key.webhookSecret(id, 1) };
  }

  /** Sends a link to the address; nothing else goes there until it was followed. @throws ProblemError `invalid-request`, `too-many`, `not-offered`, `mail-unavailable` */
  async addEmail(account: Hex, given: string, kinds: readonly string[]): Promise<Json> {
    const { key, mailer, store, now } = this.#deps;
    if (!mailer) throw new ProblemError('not-offered', 'this service sends no e-mail; use a webhook');
    const target = mailAddress(given);
    await this.#countMail(account, target);
    const id = await this.#add(account, { type: 'email', target, kinds, confirmed: null });
    const link = `${this.#options.about.page}/account?confirm=${key.linkToken('confirm', id, target)}`;
    const text = [
      `Somebody who signed in as ${account} wants notifications of DPU to come here.`,
      `If that is you, open ${link} and confirm.`,
      'If not, do nothing: nothing else will be sent.',
    ].join('\n\n');
    try {
      await mailer.send({ to: target, subject: 'DPU: confirm this address', text, id: `confirm.${id}` });
    } catch (error) {
      console.warn('A confirmation was not sent', { error });
      await store.query('DELETE FROM channel WHERE id = $1', [id]);
      throw new ProblemError(
        'mail-unavailable',
        `the mail could not be sent at ${new Date(now()).toISOString()}; try again later`,
      );
    }
    return this.#one(account, id);
  }

  /** @throws ProblemError `not-found` */
  async change(account: Hex, id: string, kinds: readonly string[]): Promise<Json> {
    const changed = await this.#deps.store.query(
      'UPDATE channel SET kinds = $3 WHERE account = $1 AND id = $2 RETURNING id',
      [account, id, kinds.join(',')],
    );
    return changed.length === 0 ? missing() : this.#one(account, id);
  }

  /** With its deliveries. @throws ProblemError `not-found` */
  async remove(account: Hex, id: string): Promise<void> {
    const gone = await this.#deps.store.query('DELETE FROM channel WHERE account = $1 AND id = $2 RETURNING id', [
      ...[account, id],
    ]);
    if (gone.length === 0) missing();
  }

  /** A new secret; the one before signs too for a day. @throws ProblemError `not-found` */
  async rotate(account: Hex, id: string): Promise<{ channel: Json; secret: string }> {
    const { store, now, key } = this.#deps;
    const [row] = await store.query<{ secret_version: number }>(
      `UPDATE channel SET secret_version = secret_version + 1, rotating_until = $3
       WHERE account = $1 AND id = $2 AND type = 'webhook' RETURNING secret_version`,
      [account, id, now() + ROTATING_MS],
    );
    if (!row) return missing();
    return { channel: await this.#one(account, id), secret: key.webhookSecret(id, row.secret_version) };
  }

  /** Sends a test to a channel, as a delivery like any other. @throws ProblemError `not-found` */
  async test(account: Hex, id: string): Promise<void> {
    const { store, now, make } = this.#deps;
    const channel = (await this.list(account)).find((one) => one.id === id && one.confirmedAt !== null);
    if (!channel) return missing();
    const at = now();
    const told: Told = {
      ...{ kind: 'test', subject: '', accounts: [account], event: null, at: Math.floor(at / 1_000), path: '/account' },
      data: { note: 'It works.' },
    };
    const body = bodyOf(told, account, this.#options.about);
    await put(store, { channel: id, message: `msg_${idOf(make, 32)}`, kind: 'test', body, now: at, error: null });
  }

  /** What follows the link in a confirmation. @throws ProblemError `not-found` */
  async confirm(token: string): Promise<void> {
    const row = await this.#linked(token, 'confirm');
    await this.#deps.store.query('UPDATE channel SET confirmed = coalesce(confirmed, $2) WHERE id = $1', [
      ...[row.id, this.#deps.now()],
    ]);
  }

  /** What follows the link in any other mail. @throws ProblemError `not-found` */
  async unsubscribe(token: string): Promise<void> {
    const row = await this.#linked(token, 'unsubscribe');
    await this.#deps.store.query('DELETE FROM channel WHERE id = $1', [row.id]);
  }

  async #linked(token: string, purpose: 'confirm' | 'unsubscribe'): Promise<Row> {
    const { store, key } = this.#deps;
    const id = ServerKey.channelOf(token);
    if (id === undefined) return badLink();
    const [row] = await store.query<Row>("SELECT * FROM channel WHERE id = $1 AND type = 'email'", [id]);
    return row && key.isLinkToken(token, purpose, id, row.target) ? row : badLink();
  }

  async #add(
    account: Hex,
    {
      type,
      target,
      kinds,
      confirmed,
    }: { type: Row['type']; target: string; kinds: readonly string[]; confirmed: number | null },
  ): Promise<string> {
    const { store, now, make, newest } = this.#deps;
    const since = (await newest()) ?? NO_EVENT;
    const id = idOf(make);
    await store.transaction(async (sql) => {
      const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM channel WHERE account = $1', [
        account,
      ]);
      if (row!.count >= MOST_CHANNELS)
        throw new ProblemError('too-many', `an account has at most ${MOST_CHANNELS} channels; remove one first`);
      const made = await sql.query(
        `INSERT INTO channel (id, account, type, target, kinds, since, created, confirmed, secret_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1) ON CONFLICT (account, type, target) DO NOTHING RETURNING id`,
        [id, account, type, target, kinds.join(','), since, now(), confirmed],
      );
      if (made.length === 0) throw new ProblemError('too-many', 'you have this channel already; change it instead');
    });
    return id;
  }

  /** Counts a confirmation before it is sent: one an hour to an address, whoever asks. @throws ProblemError `too-many-requests` */
  async #countMail(account: Hex, target: string): Promise<void> {
    const { store, now } = this.#deps;
    const address = createHash('sha256').update(target.toLowerCase()).digest('hex');
    const at = now();
    await store.transaction(async (sql) => {
      // Two at once to one address wait for each other.
      await sql.query('SELECT pg_advisory_xact_lock(hashtext($1))', [address]);
      const [row] = await sql.query<{ here: number; mine: number }>(
        `SELECT count(*) FILTER (WHERE address = $1 AND at > $2) AS here, count(*) FILTER (WHERE account = $3 AND at > $4) AS mine
         FROM mail_sent`,
        [address, at - HOUR_MS, account, at - DAY_MS],
      );
      const wait = row!.here > 0 ? HOUR_MS : row!.mine >= CONFIRMATIONS_A_DAY ? DAY_MS : 0;
      if (wait > 0)
        throw new ProblemError(
          'too-many-requests',
          'a confirmation was sent there lately, or you sent many; wait before the next',
          {
            headers: { 'retry-after': String(wait / 1_000) },
          },
        );
      await sql.query('INSERT INTO mail_sent (address, account, at) VALUES ($1, $2, $3)', [address, account, at]);
    });
  }

  async #one(account: Hex, id: string): Promise<Json> {
    return (await this.list(account)).find((channel) => channel.id === id)!;
  }
}
