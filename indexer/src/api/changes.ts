import type { activitySchema, LiveBlock } from '@dpu/sdk/api';
import { asc, eq, gt } from 'ponder';
import type { z } from 'zod';
import { activity, stats } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import { activityJson } from './json.ts';

type Happened = z.input<typeof activitySchema>;

/** The newest block with an event, and what tells it apart from another of the same number. */
export interface Head extends LiveBlock {
  key: string;
}

/** One thing for the stream to say. */
export type News = { id: string } & (
  | { event: 'activity'; data: Happened }
  | { event: 'block'; data: LiveBlock }
  /** Something was missed or taken back: what is shown must be read again. */
  | { event: 'reset'; data: { reason: 'reorg' | 'missed' } }
);

/** Where news come from; tests give their own. */
export interface NewsSource {
  /** The newest block that changed rows; undefined before the first. */
  head(): Promise<Head | undefined>;
  /** The oldest events after the one with this id, at most `limit`. */
  since(event: string, limit: number): Promise<Happened[]>;
  /** The transaction of an event that is still there. */
  transactionOf(event: string): Promise<string | undefined>;
  /** Id of the newest event; `NO_EVENT` before the first. */
  newest(): Promise<{ id: string; transaction: string } | undefined>;
}

/** Sorts before every event. */
const NO_EVENT = '0';
/** Events that one look brings at most, and that a client which comes back is told of; with more it reads all again. */
const MOST_NEWS = 500;
/** News that are kept for slow readers. */
const KEPT = 1_000;

/** The same from the tables. */
export function newsOf(db: Database): NewsSource {
  return {
    async head() {
      const [row] = await db
        .select({ event: stats.event, hash: stats.blockHash, number: stats.block, timestamp: stats.timestamp })
        .from(stats)
        .limit(1);
      return row && { key: `${row.hash} ${row.event}`, number: row.number, timestamp: row.timestamp };
    },
    async since(event, limit) {
      const [rows, tip] = await Promise.all([
        db.select().from(activity).where(gt(activity.event, event)).orderBy(asc(activity.event)).limit(limit),
        readTip(db),
      ]);
      return rows.map((row) => activityJson(row, tip));
    },
    async transactionOf(event) {
      const rows = await db
        .select({ transaction: activity.transaction })
        .from(activity)
        .where(eq(activity.event, event))
        .limit(1);
      return rows[0]?.transaction;
    },
    async newest() {
      const row = await db.query.activity.findFirst({
        columns: { event: true, transaction: true },
        orderBy: (table, { desc }) => desc(table.event),
      });
      return row && { id: row.event, transaction: row.transaction };
    },
  };
}

/** What a client sends back as `Last-Event-ID`: the newest event that it knows, with a part of its transaction to tell a reorg. */
const idOf = (last: { id: string; transaction: string } | undefined): string =>
  last ? `${last.id}.${last.transaction.slice(2, 10)}` : NO_EVENT;

/**
 * Watches the tables for all listeners together: one small query every `everyMs`, and none while nobody listens. Ponder's own notifications
 * are not public, and asking works the same in a process that only serves. News have numbers; the newest thousand are kept, so that
 * a listener reads at its own pace and none is queued for.
 */
export class Changes {
  readonly #source: NewsSource;
  readonly #everyMs: number;
  readonly #waiting = new Set<() => void>();
  #listeners = 0;
  #timer: NodeJS.Timeout | undefined;
  #key: string | undefined;
  #block: (News & { event: 'block' }) | undefined;
  #last: { id: string; transaction: string } | undefined;
  #news: News[] = [];
  #first = 0;

  constructor(options: { everyMs: number }, deps: { source: NewsSource }) {
    this.#everyMs = options.everyMs;
    this.#source = deps.source;
  }

  /** Keeps watching until the returned function is called. */
  watch(): () => void {
    this.#listeners += 1;
    if (this.#listeners === 1) {
      this.#forget();
      void this.#tick();
    }
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      this.#listeners -= 1;
      if (this.#listeners === 0) clearTimeout(this.#timer);
    };
  }

  /** The newest block, if one is known. */
  get block(): (News & { event: 'block' }) | undefined {
    return this.#block;
  }

  /** The number of the next news. */
  get end(): number {
    return this.#first + this.#news.length;
  }

  /** News from number `from` on; undefined when some of them are not kept any more. */
  from(from: number): readonly News[] | undefined {
    return from < this.#first ? undefined : this.#news.slice(from - this.#first);
  }

  /** Resolves with the next news, or when `wake` is called. */
  next(): { promise: Promise<void>; wake: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      this.#waiting.delete(wake);
      resolve();
    };
    this.#waiting.add(wake);
    return { promise, wake };
  }

  /** What happened since a client that comes back heard last; undefined when that cannot be told any more. */
  async resume(lastEventId: string): Promise<News[] | undefined> {
    const [event = '', part = ''] = lastEventId.split('.');
    if (!/^\d{75}$/.test(event) || !/^[0-9a-f]{8}$/.test(part)) return undefined;
    if ((await this.#source.transactionOf(event))?.slice(2, 10) !== part) return undefined;
    const missed = await this.#source.since(event, MOST_NEWS + 1);
    return missed.length > MOST_NEWS ? undefined : missed.map(newsOfActivity);
  }

  #forget(): void {
    this.#key = undefined;
    this.#block = undefined;
    this.#last = undefined;
    this.#first = this.end;
    this.#news = [];
  }

  async #tick(): Promise<void> {
    // The database is replaced while Ponder reloads its code; the next tick finds the new one.
    await this.#look().catch(() => undefined);
    clearTimeout(this.#timer);
    if (this.#listeners > 0) this.#timer = setTimeout(() => void this.#tick(), this.#everyMs).unref();
  }

  async #look(): Promise<void> {
    const head = await this.#source.head();
    if (!head || head.key === this.#key) return;
    const found = await this.#found();
    this.#key = head.key;
    this.#block = { event: 'block', data: { number: head.number, timestamp: head.timestamp }, id: idOf(this.#last) };
    this.#say([...found, this.#block]);
  }

  /** Events since the last look; a reset where they cannot be told one by one. */
  async #found(): Promise<News[]> {
    const last = this.#last;
    const isFirst = this.#key === undefined;
    const isThere = last === undefined || (await this.#source.transactionOf(last.id)) === last.transaction;
    const happened = isFirst || !isThere ? [] : await this.#source.since(last?.id ?? NO_EVENT, MOST_NEWS + 1);
    if (isThere && !isFirst && happened.length <= MOST_NEWS) {
      const newest = happened.at(-1);
      if (newest) this.#last = { id: newest.id, transaction: newest.transaction };
      return happened.map(newsOfActivity);
    }
    this.#last = await this.#source.newest();
    if (isFirst) return [];
    const reason = isThere ? 'missed' : 'reorg';
    return [{ event: 'reset', data: { reason }, id: idOf(this.#last) }];
  }

  #say(news: readonly News[]): void {
    this.#news.push(...news);
    const dropped = Math.max(0, this.#news.length - KEPT);
    this.#news.splice(0, dropped);
    this.#first += dropped;
    for (const wake of [...this.#waiting]) wake();
  }
}

const newsOfActivity = (data: Happened): News => ({ event: 'activity', data, id: idOf(data) });
