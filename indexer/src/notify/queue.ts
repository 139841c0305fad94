/** Deliveries: what was or will be told to whom, in the accounts' tables. */
import type { deliverySchema, MessageKind, NotificationKind } from '@dpu/sdk/apiAccount';
import type { z } from 'zod';

import type { Sql, Store } from '../accounts/store.ts';
import { bodyOf, messageId, type About, type Told } from './message.ts';

type Hex = `0x${string}`;
type Json = z.input<typeof deliverySchema>;

/** Pauses after the first, second, … failed attempt, milliseconds: a day in all. */
export const RETRY_MS: readonly number[] = [
  5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 14_400_000, 21_600_000, 25_200_000,
];
/** How long one process has for an attempt before another may make it, milliseconds. */
export const HELD_MS = 60_000;
/** Deliveries of one channel that may wait; more go to the dead-letter list at once. */
export const MOST_WAITING = 1_000;
/** Mails to one address within a day. */
export const MAILS_A_DAY = 200;
const DAY_MS = 86_400_000;

/** A delivery with the channel that it goes to. */
export interface Due {
  id: number;
  channel: string;
  type: 'webhook' | 'email';
  target: string;
  secret_version: number;
  rotating_until: number | null;
  message: string;
  kind: MessageKind;
  body: string;
  attempts: number;
}

/** How an attempt ended. `gone`: the receiver wants no more of it. */
export type Outcome =
  { ok: true; status: number | null } | { ok: false; gone: boolean; status: number | null; error: string };

/** SQL: whether a channel is for a kind. Lists of kinds have commas and no other separator. */
const WANTS = "position(',' || $1 || ',' in ',' || kinds || ',') > 0 AND confirmed IS NOT NULL";

/** Accounts with a channel for this kind. */
export async function listeners(sql: Sql, kind: NotificationKind): Promise<Hex[]> {
  const rows = await sql.query<{ account: Hex }>(`SELECT DISTINCT account FROM channel WHERE ${WANTS}`, [kind]);
  return rows.map(({ account }) => account);
}

/** Kinds that any channel is for. */
export async function wantedKinds(sql: Sql): Promise<Set<NotificationKind>> {
  const rows = await sql.query<{ kinds: string }>('SELECT DISTINCT kinds FROM channel WHERE confirmed IS NOT NULL');
  return new Set(rows.flatMap(({ kinds }) => kinds.split(','))) as Set<NotificationKind>;
}

/** Writes down what is to be told; what was written before stays as it is. @param now Unix ms. */
export async function enqueue(sql: Sql, told: Told, about: About, now: number): Promise<void> {
  for (const account of new Set(told.accounts)) {
    const channels = await sql.query<{ id: string; waiting: number; mails: number; type: string }>(
      `SELECT id, type, (SELECT count(*) FROM delivery WHERE channel = channel.id AND state = 'waiting') AS waiting,
         (SELECT count(*) FROM delivery WHERE channel = channel.id AND created > $4) AS mails
       FROM channel WHERE ${WANTS} AND account = $2 AND ($3::text IS NULL OR since < $3::text)`,
      [told.kind, account, told.event, now - DAY_MS],
    );
    for (const { id, type, waiting, mails } of channels) {
      const flooded =
        waiting >= MOST_WAITING
          ? `${MOST_WAITING} deliveries wait already`
          : type === 'email' && mails >= MAILS_A_DAY
            ? `${MAILS_A_DAY} mails went to this address within a day`
            : null;
      await put(sql, {
        ...{ channel: id, message: messageId(told, account, about), kind: told.kind },
        ...{ body: bodyOf(told, account, about), now, error: flooded },
      });
    }
  }
}

/** Writes one delivery; with an error it is dead from the start. */
export async function put(
  sql: Sql,
  row: { channel: string; message: string; kind: MessageKind; body: string; now: number; error: string | null },
): Promise<void> {
  await sql.query(
    `INSERT INTO delivery (channel, message, kind, body, state, attempts, due, error, created, done)
     VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $6, $8) ON CONFLICT (channel, message) DO NOTHING`,
    [
      ...[row.channel, row.message, row.kind, row.body, row.error === null ? 'waiting' : 'dead'],
      ...[row.now, row.error, row.error === null ? null : row.now],
    ],
  );
}

/**
 * Takes what is due for an attempt, one of each channel: other processes leave it alone for a minute. A process that dies meanwhile leaves it
 * to them. @param now Unix ms.
 */
export function take(store: Store, now: number, most: number): Promise<Due[]> {
  return store.query<Due>(
    `UPDATE delivery SET held_until = $1::bigint + ${HELD_MS}, attempts = attempts + 1
     FROM channel WHERE channel.id = delivery.channel AND delivery.id IN (
       SELECT id FROM delivery AS one WHERE state = 'waiting' AND due <= $1 AND (held_until IS NULL OR held_until <= $1)
         AND NOT EXISTS (SELECT 1 FROM delivery AS other WHERE other.channel = one.channel AND other.state = 'waiting'
           AND other.due <= $1 AND (other.held_until > $1 OR (other.due, other.id) < (one.due, one.id)))
       ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING delivery.id, delivery.channel, channel.type, channel.target, channel.secret_version, channel.rotating_until,
       delivery.message, delivery.kind, delivery.body, delivery.attempts`,
    [now, most],
  );
}

/** Writes down how an attempt ended. @param now Unix ms. */
export async function settle(
  sql: Sql,
  due: Pick<Due, 'id' | 'attempts'>,
  outcome: Outcome,
  now: number,
): Promise<void> {
  const pause = RETRY_MS[due.attempts - 1];
  const again = !outcome.ok && !outcome.gone && pause !== undefined;
  await sql.query(
    `UPDATE delivery SET state = $2, due = $3, held_until = NULL, status = $4, error = $5, done = $6
     WHERE id = $1 AND state = 'waiting'`,
    [
      ...[due.id, outcome.ok ? 'sent' : again ? 'waiting' : 'dead', again ? now + pause : now],
      ...[outcome.status, outcome.ok ? null : outcome.error, again ? null : now],
    ],
  );
}

type Row = Omit<Json, 'id' | 'dueAt' | 'createdAt' | 'doneAt'> & {
  id: number;
  due: number;
  created: number;
  done: number | null;
};

/** Deliveries of an account, newest first, older than `before`. */
export async function deliveries(
  sql: Sql,
  account: Hex,
  by: { channel?: string | undefined; state?: string | undefined; before?: number | undefined; limit: number },
): Promise<Json[]> {
  const rows = await sql.query<Row>(
    `SELECT delivery.* FROM delivery JOIN channel ON channel.id = delivery.channel
     WHERE account = $1 AND ($2::text IS NULL OR channel.id = $2::text) AND ($3::text IS NULL OR state = $3::text)
       AND ($4::bigint IS NULL OR delivery.id < $4::bigint) ORDER BY delivery.id DESC LIMIT $5`,
    [account, by.channel ?? null, by.state ?? null, by.before ?? null, by.limit],
  );
  return rows.map(({ id, channel, message, kind, state, attempts, due, status, error, created, done, body }) => ({
    ...{ id: String(id), channel, message, kind, state, attempts, status, error, body },
    dueAt: state === 'waiting' ? Math.floor(due / 1_000) : null,
    createdAt: Math.floor(created / 1_000),
    doneAt: done === null ? null : Math.floor(done / 1_000),
  }));
}

/** Sends a delivery of an account once more, with the same id. @param now Unix ms. @returns whether there is such a one that does not wait */
export async function replay(sql: Sql, account: Hex, id: number, now: number): Promise<boolean> {
  const rows = await sql.query(
    `UPDATE delivery SET state = 'waiting', attempts = 0, due = $3, held_until = NULL, done = NULL
     FROM channel WHERE channel.id = delivery.channel AND account = $1 AND delivery.id = $2 AND state <> 'waiting'
     RETURNING delivery.id`,
    [account, id, now],
  );
  return rows.length > 0;
}
