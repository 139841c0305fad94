import { setTimeout as pause } from 'node:timers/promises';
import { getTableName, type Table } from 'drizzle-orm';
import { finalityDepth } from '../api/finality.ts';
import type { Log } from '../log.ts';
import { UNKNOWN, type Condition, type WrongRow } from './condition.ts';
import { differingColumns } from './digest.ts';
import { TABLES } from './dump.ts';
import type { IndexReader, Look } from './indexReader.ts';
import { ChainMoved, type Moment } from './shadow.ts';
import type { ShadowPort } from './shadowPort.ts';

/** How often, how long and how much. */
export interface WatchOptions {
  /** From pass to pass. */
  everyMs: number;
  /** Between two looks at the chain's head and at the newest final block. */
  glanceMs: number;
  /** What differs is looked at again after this long, before anybody is told. */
  confirmMs: number;
  /** How long the index may be at another event than its own block says: after a reorganisation or a restart it is for a moment. */
  patienceMs: number;
  /** Rows after which a pass leaves the other tables to the next one. */
  rowsPerPass: number;
}

export const WATCH: WatchOptions = {
  ...{ everyMs: 60_000, glanceMs: 1_000, confirmMs: 1_000, patienceMs: 20_000, rowsPerPass: 3_000_000 },
};

/** A block of the chain, as the endpoint tells it. */
export interface Header {
  number: number;
  hash: string;
  timestamp: number;
}

/** What it works with. */
export interface WatchDeps {
  index: IndexReader;
  /** A second index; a new one each time. `depth`: blocks after which one is final. */
  shadow: (depth: number) => ShadowPort;
  /** The chain's block of this number, or its newest. Undefined where there is none. */
  header: (number?: number) => Promise<Header | undefined>;
  log: Log;
  /** Unix milliseconds. */
  now: () => number;
}

/** Rows that are named; the rest are counted. */
const NAMED = 20;
/** Times that a final block must be told otherwise before it is believed. */
const CONFIRMED = 3;

/**
 * Holds the index against the chain while it runs: each pass compares every table with a replay of its own, at the index's own block, and a few rows
 * with the contracts' views. It reads sums, so that a pass costs a scan of the tables and no transfer. One row that differs twice in a row is an alarm.
 * Between the passes it looks whether the newest final block is still the same: if not, the index cannot repair itself and counts as stale.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #stop = new AbortController();
  #condition: Condition = UNKNOWN;
  #running: Promise<unknown> = Promise.resolve();
  #shadow: ShadowPort | undefined;
  /** The newest final block that was seen, and the only hash that it may have. */
  #anchor: { number: number; hash: string } | undefined;
  #rows = new Map<string, number>();
  #next = 0;
  /** The shadow was made anew for the alarm that stands: it is not its fault. */
  #isSure = false;

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get condition(): Condition {
    return this.#condition;
  }

  /** Begins, until `close`. */
  start(): void {
    const { everyMs, glanceMs } = this.#options;
    const every = async (task: () => Promise<void>, ms: number): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        await task().catch((error: unknown) => this.#failed(error));
        await this.#pause(ms);
      }
    };
    // An index that is not ready yet is asked again soon.
    const passes = (): Promise<void> => every(() => this.#turn(everyMs, glanceMs), 0);
    this.#running = Promise.all([every(() => this.glance(), glanceMs), passes()]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#shadow?.close();
    await this.#running;
  }

  async #turn(everyMs: number, soonMs: number): Promise<void> {
    const { passes } = this.#condition;
    await this.pass().catch((error: unknown) => this.#failed(error));
    await this.#pause(this.#condition.passes === passes ? soonMs : everyMs);
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#tell({ failures: this.#condition.failures + 1 });
    this.#deps.log.warn('The index could not be held against the chain', { error });
  }

  #tell(change: Partial<Condition>): void {
    this.#condition = { ...this.#condition, ...change };
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }

  /** Looks at the chain's head, and whether what counted as final is still there. */
  async glance(): Promise<void> {
    const { index, header, log, now } = this.#deps;
    const progress = await index.progress();
    if (progress) {
      const { block, timestamp, finalized, isReady } = progress;
      this.#tell({ block, timestamp, finalized, indexing: !isReady });
    }
    const head = await header().catch(() => undefined);
    this.#tell({ head: head && { number: head.number, timestamp: head.timestamp } });
    if (!progress || !head || this.#condition.staleSince !== null) return;

    this.#anchor ??= await index.kept(progress.chainId, progress.finalized);
    const anchor = this.#anchor;
    if (anchor && (await this.#isGone(anchor))) {
      this.#tell({ staleSince: Math.floor(now() / 1_000) });
      log.error('The chain took back a final block: the index is stale and must be rebuilt', { block: anchor.number });
      return;
    }
    if (progress.finalized <= (anchor?.number ?? -1)) return;
    const final = await header(progress.finalized);
    if (final) this.#anchor = final;
  }

  /** Whether another block has its number, by several answers. An endpoint that does not know it is only behind. */
  async #isGone({ number, hash }: { number: number; hash: string }): Promise<boolean> {
    for (let times = 0; times < CONFIRMED; times += 1) {
      const found = await this.#deps.header(number);
      if (!found || found.hash === hash) return false;
    }
    return true;
  }

  /** Holds the tables whose turn it is against the replay. Nothing is told when the index is not ready, or moves all the time. */
  async pass(): Promise<void> {
    const { index, now, log } = this.#deps;
    const { confirmMs, patienceMs } = this.#options;
    const began = now();
    const tables = this.#choose();
    for (let differed = 0; !this.#stop.signal.aborted; await this.#pause(confirmMs)) {
      const look = await index.look(tables);
      if (!look?.isReady) return;
      const moment = await this.#momentOf(look);
      if (!moment) {
        if (now() - began > patienceMs) throw new ChainMoved('the chain was reorganised at each look', false);
        continue;
      }
      const isThere =
        look.newest?.event === moment.newest?.event && look.newest?.blockHash === moment.newest?.blockHash;
      const wrong = tables.filter((table) => !isEqual(look, moment, getTableName(table)));
      if (wrong.length > 0) {
        differed += 1;
        // Twice at the same event, or at another event than its block's for too long.
        if (isThere ? differed < 2 : now() - began <= patienceMs) continue;
        return this.#alarm(await this.#named(wrong), look.block);
      }
      const views = await this.#shadow!.contradictions(moment.block);
      if (views.length > 0) {
        if ((differed += 1) < 2) continue;
        return this.#alarm(views.map(viewRow), look.block);
      }
      return this.#equal(tables, look, began);
    }
    log.info('Stopped holding the index against the chain');
  }

  /** The tables of this pass: by turns, as many as the bound allows. */
  #choose(): Table[] {
    const tables: Table[] = [];
    let rows = 0;
    while (tables.length < TABLES.length) {
      const table = TABLES[(this.#next + tables.length) % TABLES.length]!;
      rows += this.#rows.get(getTableName(table)) ?? 0;
      if (tables.length > 0 && rows > this.#options.rowsPerPass) break;
      tables.push(table);
    }
    this.#next = (this.#next + tables.length) % TABLES.length;
    return tables;
  }

  /** The replay at the index's block; undefined when the chain moved meanwhile. */
  async #momentOf(look: Look): Promise<Moment | undefined> {
    // Ponder repairs up to twice its depth; only what lies deeper is never read again.
    this.#shadow ??= this.#deps.shadow(2 * finalityDepth(look.chainId));
    try {
      return await this.#shadow.at(BigInt(look.block));
    } catch (error) {
      if (!(error instanceof ChainMoved)) throw error;
      if (error.isDeep) await this.#forget();
      return undefined;
    }
  }

  async #forget(): Promise<void> {
    await this.#shadow?.close();
    this.#shadow = undefined;
  }

  #equal(tables: readonly Table[], look: Look, began: number): void {
    const { now, log } = this.#deps;
    const at = Math.floor(now() / 1_000);
    let rows = 0;
    for (const [name, sum] of look.sums) {
      rows += sum.rows;
      this.#rows.set(name, sum.rows);
    }
    const { wrong, trusted } = this.#condition;
    const names = tables.map((table) => getTableName(table));
    // An alarm stands until the table that raised it was found equal.
    const left = wrong.filter(({ table, kind }) => kind !== 'view' && !names.includes(table));
    if (left.length === 0) this.#isSure = false;
    if (trusted === false && left.length === 0) log.info('The index equals the chain again', { block: look.block });
    this.#tell({
      trusted: left.length === 0,
      passes: this.#condition.passes + 1,
      passed: { at, block: look.block, tables: tables.length, rows, seconds: (now() - began) / 1_000 },
      seen: { ...this.#condition.seen, ...Object.fromEntries(names.map((name) => [name, at])) },
      ...(left.length === 0 && { wrong: [], wrongRows: 0 }),
    });
  }

  async #alarm(wrong: readonly WrongRow[], block: number): Promise<void> {
    const { alarms, passes } = this.#condition;
    this.#tell({ trusted: false, wrong: wrong.slice(0, NAMED), wrongRows: wrong.length });
    this.#tell({ alarms: alarms + 1, passes: passes + 1 });
    const [first] = wrong;
    this.#deps.log.error('The index differs from the chain: run verify:index, then rebuild', {
      block,
      rows: wrong.length,
      ...first,
    });
    // The endpoint may have hidden an event from the replay: the next pass reads everything anew, once.
    if (!this.#isSure) await this.#forget();
    this.#isSure = true;
  }

  /** Which rows of these tables differ, and in which columns. */
  async #named(tables: readonly Table[]): Promise<WrongRow[]> {
    const { index } = this.#deps;
    const found: WrongRow[] = [];
    for (const table of tables) {
      const name = getTableName(table);
      const keys = await this.#shadow!.differing(table, await index.hashes(table));
      for (const [at, key] of keys.entries()) {
        // Reading each of a million rows again would help nobody.
        const [told, row] = at < NAMED ? await Promise.all([index.row(table, key), this.#shadow!.row(table, key)]) : [];
        const kind = told && row ? 'changed' : told ? 'extra' : 'missing';
        found.push({ table: name, key, kind, columns: told && row ? differingColumns(table, row, told) : [] });
      }
      // The index has moved on between the sums and the rows.
      if (keys.length === 0) found.push({ table: name, key: '', kind: 'changed', columns: [] });
    }
    return found;
  }
}

function isEqual(look: Look, moment: Moment, table: string): boolean {
  const [index, truth] = [look.sums.get(table), moment.sums.get(table)];
  return index?.rows === truth?.rows && index?.sum === truth?.sum;
}

/** `node [2] stake` as a row that a view contradicts. */
function viewRow({ where }: { where: string }): WrongRow {
  const [, table = where, key = '', column = ''] = /^(\w+) \[(.*)\] (\w+)$/s.exec(where) ?? [];
  return { table, key, kind: 'view', columns: column === '' ? [] : [column] };
}
