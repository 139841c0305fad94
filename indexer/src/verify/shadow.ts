import type { Table } from 'drizzle-orm';
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PublicClient } from 'viem';
import { balance, holding, node, stats } from '../../ponder.schema.ts';
import type { AnyContext } from '../types.ts';
import { hashOf, type Sum } from './digest.ts';
import { contradictionsOf, linesOf, TABLES, type Difference } from './dump.ts';
import { StoreDatabase, type RowStore } from './memory.ts';
import { contractsOf, eventsOf, type Addresses } from './replay.ts';
import { viewsOf } from './views.ts';

type Row = Record<string, unknown>;

/** Ponder's loader takes `node:` off the names of built-in modules, and `sqlite` alone is none. */
const { DatabaseSync } = process.getBuiltinModule('node:sqlite');

/** The chain took back a block that was final, or answers of the endpoint did not belong together. */
export class ChainMoved extends Error {
  override readonly name = 'ChainMoved';
  /** True when a block was taken back that counted as final. */
  readonly isDeep: boolean;

  constructor(sentence: string, isDeep: boolean) {
    super(sentence);
    this.isDeep = isDeep;
  }
}

/** Where rows come from, and how deep a block must lie to be final. */
export interface ShadowOptions {
  addresses: Addresses;
  startBlock: bigint;
  /** Blocks after which one is final. */
  depth: number;
}

/** What the tables must be at the end of a block. */
export interface Moment {
  block: bigint;
  hash: string;
  /** Id of the newest event up to it, and the hash of its block; undefined before the first. */
  newest: { event: string; blockHash: string } | undefined;
  sums: Map<string, Sum>;
}

/** Rows of each kind that are held against the contracts' views at each look. */
const VIEWED = 4;

/** Rows in SQLite below, and above them what is not final yet. */
class Layers implements RowStore {
  readonly #base = new DatabaseSync(':memory:');
  readonly #read;
  readonly #write;
  readonly #remove;
  #above = new Map<string, Map<string, Row | undefined>>();
  #sums = new Map<string, Sum>();
  #sumsAbove = new Map<string, Sum>();
  /** Whether rows are final from now on. */
  isFinal = true;

  constructor() {
    this.#base.exec('create table row (at text, key text, hash text, row text, primary key (at, key)) without rowid');
    this.#read = this.#base.prepare('select row from row where at = ? and key = ?');
    this.#write = this.#base.prepare('insert or replace into row values (?, ?, ?, ?)');
    this.#remove = this.#base.prepare('delete from row where at = ? and key = ?');
  }

  get(table: Table, key: string): Row | undefined {
    const name = getTableName(table);
    const above = this.#above.get(name);
    if (above?.has(key)) return above.get(key);
    const found = this.#read.get(name, key) as { row: string } | undefined;
    return found && revived(table, JSON.parse(found.row) as (string | null)[]);
  }

  set(table: Table, key: string, row: Row): void {
    this.#change(table, key, row);
  }

  delete(table: Table, key: string): boolean {
    const was = this.get(table, key) !== undefined;
    if (was) this.#change(table, key, undefined);
    return was;
  }

  #change(table: Table, key: string, row: Row | undefined): void {
    const name = getTableName(table);
    const before = this.get(table, key);
    const hash = row && hashOf(table, row);
    const sums = this.isFinal ? this.#sums : this.#sumsAbove;
    const sum = sums.get(name) ?? { rows: 0, sum: 0n };
    sums.set(name, {
      rows: sum.rows + Number(row !== undefined) - Number(before !== undefined),
      sum: sum.sum + (hash ?? 0n) - (before ? hashOf(table, before) : 0n),
    });
    if (!this.isFinal) {
      const above = this.#above.get(name) ?? new Map<string, Row | undefined>();
      this.#above.set(name, above.set(key, row));
    } else if (row) this.#write.run(name, key, String(hash), JSON.stringify(plain(table, row)));
    else this.#remove.run(name, key);
  }

  /** Forgets what is not final. */
  forget(): void {
    this.#above = new Map();
    this.#sumsAbove = new Map();
    this.isFinal = true;
  }

  begin(): void {
    this.#base.exec('begin');
  }
  commit(): void {
    this.#base.exec('commit');
  }
  rollback(sums: Map<string, Sum>): void {
    this.#base.exec('rollback');
    this.#sums = sums;
  }
  /** Sums of what is final, to go back to. */
  get final(): Map<string, Sum> {
    return new Map(this.#sums);
  }

  get sums(): Map<string, Sum> {
    return new Map(
      TABLES.map((table) => {
        const [below, above] = [this.#sums, this.#sumsAbove].map((of) => of.get(getTableName(table)));
        const sum = { rows: (below?.rows ?? 0) + (above?.rows ?? 0), sum: (below?.sum ?? 0n) + (above?.sum ?? 0n) };
        return [getTableName(table), sum];
      }),
    );
  }

  /** Hashes by key of every row of a table. */
  hashes(table: Table): Map<string, string> {
    const name = getTableName(table);
    const below = this.#base.prepare('select key, hash from row where at = ?').all(name) as Record<string, string>[];
    const all = new Map(below.map(({ key, hash }) => [key!, hash!]));
    for (const [key, row] of this.#above.get(name) ?? []) {
      if (row) all.set(key, String(hashOf(table, row)));
      else all.delete(key);
    }
    return all;
  }

  /** Up to `most` final rows whose keys come after `key`, and then from the first one on. */
  after(table: Table, key: string, most: number): [key: string, row: Row][] {
    const name = getTableName(table);
    const from = this.#base.prepare('select key from row where at = ? and key > ? order by key limit ?');
    const keys = [...from.all(name, key, most), ...from.all(name, '', most)].map((found) => String(found['key']));
    return [...new Set(keys)].slice(0, most).flatMap((one) => {
      const row = this.get(table, one);
      return row ? [[one, row] as [string, Row]] : [];
    });
  }

  close(): void {
    this.#base.close();
  }
}

const plain = (table: Table, row: Row): (string | null)[] =>
  Object.keys(getTableColumns(table)).map((name) => (row[name] === null ? null : String(row[name])));

function revived(table: Table, values: readonly (string | null)[]): Row {
  return Object.fromEntries(
    Object.entries(getTableColumns(table)).map(([name, { dataType }], at) => {
      const text = values[at] ?? null;
      if (text === null) return [name, null];
      if (dataType === 'bigint') return [name, BigInt(text)];
      if (dataType === 'number') return [name, Number(text)];
      return [name, dataType === 'boolean' ? text === 'true' : text];
    }),
  );
}

/**
 * A second index beside the first: the same handlers on the same events, read from the chain by itself and kept in SQLite. Final blocks are read once;
 * what is not final is read anew at each look, so that a reorganisation leaves nothing behind.
 */
export class Shadow {
  readonly #options: ShadowOptions;
  readonly #client: PublicClient;
  readonly #rows = new Layers();
  readonly #context: AnyContext;
  /** The newest block that is final, and the only hash that it may have. */
  #final: { number: bigint; hash: string } | undefined;
  readonly #viewed = new Map<Table, string>();

  constructor(options: ShadowOptions, deps: { client: PublicClient }) {
    this.#options = options;
    this.#client = deps.client;
    const { db } = new StoreDatabase(this.#rows);
    this.#context = { db, contracts: contractsOf(options.addresses) } as AnyContext;
  }

  /**
   * Comes to the end of block `block`.
   * @throws ChainMoved when the chain was reorganised meanwhile; ask again. With `isDeep` this shadow is of no use any more.
   */
  async at(block: bigint): Promise<Moment> {
    const { startBlock, depth, addresses } = this.#options;
    this.#rows.forget();
    const hash = await this.#hashOf(block);
    const known = this.#final;
    if (known && (await this.#hashOf(known.number)) !== known.hash)
      throw new ChainMoved(`block ${known.number} was final and is another one now`, true);
    if (known && known.number > block) throw new ChainMoved(`block ${block} is older than what is final`, false);
    const from = known ? known.number + 1n : startBlock;
    const final = block - BigInt(depth) >= from ? block - BigInt(depth) : from - 1n;
    const anchor = final >= from ? { number: final, hash: await this.#hashOf(final) } : known;

    const before = this.#rows.final;
    this.#rows.begin();
    try {
      let last = from;
      for await (const event of eventsOf(this.#client, addresses, { from, to: block })) {
        this.#rows.isFinal = event.block <= final;
        await event.apply(this.#context);
        if (event.block !== last) await new Promise(setImmediate);
        last = event.block;
      }
      if ((await this.#hashOf(block)) !== hash || (anchor && (await this.#hashOf(anchor.number)) !== anchor.hash))
        throw new ChainMoved(`the chain was reorganised while block ${block} was read`, false);
    } catch (error) {
      this.#rows.rollback(before);
      this.#rows.forget();
      throw error;
    }
    this.#rows.commit();
    this.#final = anchor;
    const newest = this.#rows.get(stats, '0');
    return {
      ...{ block, hash, sums: this.#rows.sums },
      newest: newest && { event: String(newest['event']), blockHash: String(newest['blockHash']) },
    };
  }

  /** The keys under which `hashes` has something else than there is, or nothing, or too much. */
  differing(table: Table, hashes: ReadonlyMap<string, string>): string[] {
    const own = this.#rows.hashes(table);
    return [...new Set([...own.keys(), ...hashes.keys()])].filter((key) => own.get(key) !== hashes.get(key)).sort();
  }

  /** A row as it must be. */
  row(table: Table, key: string): Row | undefined {
    return this.#rows.get(table, key);
  }

  /** What the contracts' views say otherwise about the next few rows at the end of `block`. Each call takes others. */
  async contradictions(block: bigint): Promise<Difference[]> {
    const sample = new Map<Table, Row[]>();
    for (const table of [balance, node, holding] as unknown as Table[]) {
      const found = this.#rows.after(table, this.#viewed.get(table) ?? '', VIEWED);
      this.#viewed.set(table, found.at(-1)?.[0] ?? '');
      const now = found.map(([key]) => this.#rows.get(table, key)).filter((row) => row !== undefined);
      sample.set(table, now);
    }
    const rows = <T extends Table>(table: T) => (sample.get(table) ?? []) as T['$inferSelect'][];
    const views = await viewsOf(this.#client, this.#options.addresses, { rows }, block);
    return contradictionsOf(new Map([...sample].flatMap(([table, of]) => linesOf(table, of))), views);
  }

  close(): void {
    this.#rows.close();
  }

  async #hashOf(block: bigint): Promise<string> {
    if (block < 0n) return '';
    const found = await this.#client.request(
      { method: 'eth_getBlockByNumber', params: [`0x${block.toString(16)}`, false] },
      { dedupe: false },
    );
    if (!found?.hash) throw new ChainMoved(`the endpoint has no block ${block}`, false);
    return found.hash;
  }
}
