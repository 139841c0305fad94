/** Looks for what is to be told, and tells it. Several processes may do so on the same tables. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { ServerKey } from '../accounts/secrets.ts';
import type { Sql, Store } from '../accounts/store.ts';
import type { Database } from '../api/app.ts';
import { readTip, type Tip } from '../api/finality.ts';
import type { LiveFacts } from '../live/facts.ts';
import type { Resolve } from './address.ts';
import type { Mailer } from './mail.ts';
import { mailOf, type About } from './message.ts';
import { NO_EVENT, readNews } from './news.ts';
import { enqueue, settle, take, wantedKinds, type Due, type Outcome } from './queue.ts';
import { watchLeases, watchNodes, watchProposals } from './watch.ts';
import { sendWebhook } from './webhook.ts';

export interface NotifierOptions {
  about: About;
  /** Where people reach the API. */
  publicUrl: string;
  privateWebhooks: boolean;
  /** Pause between two looks, milliseconds. */
  everyMs?: number;
}
export interface NotifierDeps {
  db: Database;
  store: Store;
  key: ServerKey;
  mailer: Mailer | undefined;
  live: LiveFacts;
  resolve: Resolve;
  /** Unix ms. */
  now: () => number;
}

/** Attempts that are made at once, each for another channel: a receiver that hangs holds up nobody else. */
const AT_ONCE = 32;
const DAY_MS = 86_400_000;
const SWEEP_MS = 60_000;

/** How long what is over is kept: table, column, milliseconds. */
const KEPT: readonly (readonly [string, string, number])[] = [
  ['used_nonce', 'expires', 0],
  ['session', 'expires', 0],
  ['mail_sent', 'at', DAY_MS],
  ['delivery', 'done', 30 * DAY_MS],
  ['api_key', 'revoked', 90 * DAY_MS],
  ['api_key', 'expires', 90 * DAY_MS],
];

/** The loops. `start` begins them, `close` ends them; `look`, `deliver` and `sweep` are one round of each. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #deps: NotifierDeps;
  readonly #closing = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  #running: Promise<unknown> | undefined;
  /** Ends the pause: an attempt has ended, and its channel's next delivery can go. */
  #wake = (): void => undefined;

  constructor(options: NotifierOptions, deps: NotifierDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    const everyMs = this.#options.everyMs ?? 500;
    this.#running = Promise.all([
      this.#repeat(everyMs, true, async () => {
        const more = await this.look();
        return (await this.deliver()) > 0 || more;
      }),
      this.#repeat(SWEEP_MS, false, () => this.sweep()),
    ]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.settled();
    this.#deps.mailer?.close();
  }

  /**
   * Writes down everything new that is to be told. What is written and the cursor that moves on are one transaction, and the row of the cursor lets
   * one process in at a time: nothing is left out and nothing written twice. @returns whether there is more at once
   */
  async look(): Promise<boolean> {
    const { db, store, live, now } = this.#deps;
    const tip = await readTip(db);
    // The index is empty, or is being built again: there is nothing to look at yet.
    if (tip.latest === 0) return false;
    return store.transaction(async (sql) => {
      await sql.query("INSERT INTO setting (name, value) VALUES ('cursor', $1) ON CONFLICT (name) DO NOTHING", [
        NO_EVENT,
      ]);
      const [row] = await sql.query<{ value: string }>("SELECT value FROM setting WHERE name = 'cursor' FOR UPDATE");
      const news = await readNews(db, { cursor: row!.value, tip, wanted: await wantedKinds(sql) });
      await sql.query("UPDATE setting SET value = $1 WHERE name = 'cursor'", [news.cursor]);
      const told = [...news.told, ...(await this.#watched(sql, tip)), ...(await watchNodes(db, sql, live, now()))];
      for (const one of told) await enqueue(sql, one, this.#options.about, now());
      return news.more;
    });
  }

  async #watched(sql: Sql, tip: Tip): Promise<Awaited<ReturnType<typeof watchLeases>>> {
    const { db } = this.#deps;
    return [...(await watchLeases(db, sql, tip)), ...(await watchProposals(db, sql, tip))];
  }

  /** Begins the attempts that are due, and does not wait for them. @returns how many */
  async deliver(): Promise<number> {
    const { store, now } = this.#deps;
    const free = AT_ONCE - this.#attempts.size;
    if (free === 0) return 0;
    const due = await take(store, now(), free);
    for (const one of due) {
      const attempt = this.#attempt(one)
        .then((outcome) => settle(store, one, outcome, now()))
        // It stays held for a minute, and is tried again then.
        .catch((error: unknown) => console.warn('How a delivery ended was not written down', { error }))
        .finally(() => {
          this.#attempts.delete(attempt);
          this.#wake();
        });
      this.#attempts.add(attempt);
    }
    return due.length;
  }

  /** Resolves when every attempt that was begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#attempts);
  }

  /** Forgets what is over. */
  async sweep(): Promise<void> {
    const { store, now } = this.#deps;
    for (const [table, column, keptMs] of KEPT)
      await store.query(`DELETE FROM ${table} WHERE ${column} < $1`, [now() - keptMs]);
    // Of an address that never was confirmed nothing is left after a week.
    await store.query('DELETE FROM channel WHERE confirmed IS NULL AND created < $1', [now() - 7 * DAY_MS]);
  }

  async #attempt(due: Due): Promise<Outcome> {
    const { key, now, resolve, mailer } = this.#deps;
    const { privateWebhooks: allowPrivate, publicUrl, about } = this.#options;
    if (due.type === 'webhook') {
      const isRotating = due.rotating_until !== null && due.rotating_until > now();
      const versions = isRotating ? [due.secret_version, due.secret_version - 1] : [due.secret_version];
      const secrets = versions.map((version) => key.webhookSecret(due.channel, version));
      const attempt = { url: due.target, secrets, message: due.message, body: due.body, now: now() };
      return sendWebhook(attempt, { allowPrivate, resolve });
    }
    if (!mailer) return { ok: false, gone: true, status: null, error: 'this service sends no e-mail any more' };
    const token = key.linkToken('unsubscribe', due.channel, due.target);
    try {
      await mailer.send({
        to: due.target,
        ...mailOf(due.body),
        id: `${due.message}.${due.channel}`,
        unsubscribe: {
          page: `${about.page}/account?unsubscribe=${token}`,
          oneClick: `${publicUrl}/v1/account/unsubscribe/${token}`,
        },
      });
      return { ok: true, status: null };
    } catch (error) {
      const { responseCode, message } = error as { responseCode?: number; message: string };
      // 5xx: the server will never take it.
      const gone = responseCode !== undefined && responseCode >= 500;
      return { ok: false, gone, status: null, error: `the mail was not taken: ${message}`.slice(0, 300) };
    }
  }

  /** Rounds never overlap. A round that fails is made again: the database is replaced while Ponder reloads, receivers and chains come and go. */
  async #repeat(everyMs: number, wakes: boolean, round: () => Promise<boolean | void>): Promise<void> {
    const { signal } = this.#closing;
    let failed = false;
    while (!signal.aborted) {
      try {
        const more = await round();
        failed = false;
        if (more === true) continue;
      } catch (error) {
        if (!failed && !signal.aborted) console.warn('Notifications were not looked after; trying again', { error });
        failed = true;
      }
      const woken = Promise.withResolvers<void>();
      if (wakes) this.#wake = woken.resolve;
      await Promise.race([sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined), woken.promise]);
    }
  }
}
