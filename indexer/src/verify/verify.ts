import { sql, type Table } from 'drizzle-orm';
import type { PgDatabase, PgTable } from 'drizzle-orm/pg-core';
import type { PublicClient } from 'viem';
import { blockOf } from '../api/finality.ts';
import { contradictionsOf, differencesOf, dumpOf, TABLES, type Difference, type Dump } from './dump.ts';
import { replay, type Addresses } from './replay.ts';
import { viewsOf } from './views.ts';

/** A drizzle database in which the tables can be named without their schema. */
export type Readable = Pick<PgDatabase<never>, 'select' | 'execute'>;

/** What was compared, and what differs. */
export interface Verdict {
  block: number;
  /** Columns of rows that were compared with the replay, and with the contracts' views. */
  replayed: number;
  viewed: number;
  /** Against a clean replay, and against the contracts. */
  wrong: Difference[];
  contradicted: Difference[];
}

/** The index as it is now: the block that it has come to, and its rows, read in one moment if `db` is a snapshot. */
export async function readIndex(db: Readable): Promise<{ block: number; dump: Dump }> {
  const { rows } = (await db.execute(
    sql`select latest_checkpoint as latest from _ponder_checkpoint limit 1`,
  )) as unknown as {
    rows: { latest: string }[];
  };
  const tables = new Map<Table, Record<string, unknown>[]>();
  for (const table of TABLES) tables.set(table, await db.select().from(table as PgTable));
  return { block: blockOf(rows[0]!.latest), dump: dumpOf((table) => tables.get(table)!) };
}

/** Compares the index with a clean replay of the chain and with the contracts' views, all at the index's block. */
export async function verify(
  index: { block: number; dump: Dump },
  client: PublicClient,
  addresses: Addresses,
  startBlock: bigint,
): Promise<Verdict> {
  const to = BigInt(index.block);
  const replayed = await replay(client, addresses, { from: startBlock, to });
  const truth = dumpOf((table) => replayed.rows(table));
  const views = await viewsOf(client, addresses, replayed, to);
  return {
    ...{ block: index.block, replayed: truth.size, viewed: views.size },
    wrong: differencesOf(index.dump, truth),
    contradicted: contradictionsOf(index.dump, views),
  };
}
