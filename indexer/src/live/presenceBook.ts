import type { DatabaseSync } from 'node:sqlite';

import { UPTIME_DAYS, UPTIME_SPAN_SECONDS, type UptimeDay } from '@dpu/sdk/apiSaid';

import { openFile } from './openFile.ts';

const SPAN_MS = UPTIME_SPAN_SECONDS * 1_000;
const DAY_SPANS = 86_400 / UPTIME_SPAN_SECONDS;
/** How long somebody must listen within a span to have heard every node that was well: they speak every 15 seconds. */
const ATTENTIVE_MS = 60_000;
/** Under which the listener itself is kept; nodes count from 1. */
const LISTENER = 0;

const TABLES = `
  CREATE TABLE IF NOT EXISTS presence (
    node INTEGER NOT NULL, day INTEGER NOT NULL, spans BLOB NOT NULL, PRIMARY KEY (node, day)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * In which spans of five minutes each node was heard to be well, for thirty days: a bit a span, a row a day, so a node costs about 2 KiB. A span counts for
 * nobody unless this indexer listened for a minute of it, and it listens while it hears anybody at all: what it did not hear because it was cut off
 * itself is not held against nodes.
 */
export class PresenceBook {
  readonly #database: DatabaseSync;
  /** The last span that was written of each node: most words say what is known. */
  readonly #written = new Map<number, number>();
  /** Since when words come without a pause, and when the last came, unix milliseconds. */
  #since = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#database = openFile(file, TABLES);
  }

  /** Takes in that a node said how it is. @param now When it was heard, unix milliseconds. */
  heard(node: number, healthy: boolean, now: number): void {
    if (now - this.#last > ATTENTIVE_MS) this.#since = now;
    this.#last = now;
    const span = Math.floor(now / SPAN_MS);
    if (now - Math.max(this.#since, span * SPAN_MS) >= ATTENTIVE_MS) this.#mark(LISTENER, span);
    if (healthy) this.#mark(node, span);
  }

  /**
   * The days since the node was first heard, oldest first, thirty with today at most; none when it was not heard in these. The span that is running does not
   * count yet.
   */
  daysOf(node: number, now: number): UptimeDay[] {
    const running = Math.floor(now / SPAN_MS);
    const today = Math.floor(running / DAY_SPANS);
    const [heard, listened] = [this.#spansOf(node, today), this.#spansOf(LISTENER, today)];
    const [first] = heard.keys();
    if (first === undefined) return [];
    const begin = first * DAY_SPANS + firstOf(heard.get(first)!);
    const days: UptimeDay[] = [];
    for (let day = first; day <= today; day += 1) {
      const counts = { heard: 0, listened: 0 };
      for (let span = Math.max(begin, day * DAY_SPANS); span < Math.min(running, (day + 1) * DAY_SPANS); span += 1) {
        if (!has(listened.get(day), span % DAY_SPANS)) continue;
        counts.listened += 1;
        if (has(heard.get(day), span % DAY_SPANS)) counts.heard += 1;
      }
      days.push({ at: (day * DAY_SPANS * SPAN_MS) / 1_000, ...counts });
    }
    return days;
  }

  /** Forgets the days that nobody is told of any more. */
  expire(now: number): void {
    const today = Math.floor(now / SPAN_MS / DAY_SPANS);
    this.#database.prepare('DELETE FROM presence WHERE day <= ?').run(today - UPTIME_DAYS);
  }

  close(): void {
    this.#database.close();
  }

  #mark(node: number, span: number): void {
    if (this.#written.get(node) === span) return;
    this.#written.set(node, span);
    const [day, bit] = [Math.floor(span / DAY_SPANS), span % DAY_SPANS];
    const row = this.#database.prepare('SELECT spans FROM presence WHERE node = ? AND day = ?').get(node, day);
    const spans = row ? Uint8Array.from(row['spans'] as Uint8Array) : new Uint8Array(DAY_SPANS / 8);
    spans[bit >> 3]! |= 1 << (bit & 7);
    this.#database.prepare('INSERT OR REPLACE INTO presence (node, day, spans) VALUES (?, ?, ?)').run(node, day, spans);
  }

  /** Rows of a node by day, oldest first. */
  #spansOf(node: number, today: number): Map<number, Uint8Array> {
    const sql = 'SELECT day, spans FROM presence WHERE node = ? AND day > ? AND day <= ? ORDER BY day';
    const rows = this.#database.prepare(sql).all(node, today - UPTIME_DAYS, today);
    return new Map(rows.map(({ day, spans }) => [Number(day), spans as Uint8Array]));
  }
}

const has = (spans: Uint8Array | undefined, bit: number): boolean =>
  spans !== undefined && ((spans[bit >> 3]! >> (bit & 7)) & 1) === 1;

/** The first span of a day that has one. */
function firstOf(spans: Uint8Array): number {
  let bit = 0;
  while (!has(spans, bit)) bit += 1;
  return bit;
}
