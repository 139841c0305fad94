import type { Source } from '@dpu/sdk/api';
import { sql } from 'ponder';
import type { Database } from './app.ts';

/** How far the index has come, by block number. */
export interface Tip {
  /** Time of the newest block, unix seconds. */
  timestamp: number;
  latest: number;
  /** The newest block of the older half of what is not final. */
  safe: number;
  /** The newest block that is never taken back. */
  finalized: number;
}

/** Before the first block. */
const NOTHING: Tip = { timestamp: 0, latest: 0, safe: -1, finalized: -1 };

/** Ponder's ids begin with ten digits of time and sixteen of the chain; the block's number has the next sixteen. */
export const blockOf = (checkpoint: string): number => Number(checkpoint.slice(26, 42));

/** The block up to which each degree of finality reaches: Ponder's own account, written with every block that it indexes. */
export async function readTip(db: Database): Promise<Tip> {
  const answer = (await db.execute(
    sql`select latest_checkpoint as latest, finalized_checkpoint as finalized from _ponder_checkpoint limit 1`,
  )) as unknown as { rows: { latest: string; finalized: string }[] };
  const row = answer.rows[0];
  if (!row) return NOTHING;
  const [latest, finalized] = [blockOf(row.latest), blockOf(row.finalized)];
  const timestamp = Number(row.latest.slice(0, 10));
  return { timestamp, latest, finalized, safe: finalized + Math.floor((latest - finalized) / 2) };
}

/** How sure it is that block `block` stays. */
export function finalityOf(block: number, tip: Tip): Source['finality'] {
  if (block <= tip.finalized) return 'finalized';
  return block <= tip.safe ? 'safe' : 'latest';
}

interface Stamped {
  changedBlock: number;
  changedTransaction: `0x${string}`;
}
interface Happened {
  block: number;
  transaction: `0x${string}`;
}

/** The source of a row: the event that changed it last, or the one that made a row which never changes. */
export function sourceOf(row: Stamped | Happened, tip: Tip): Source {
  const { block, transaction } =
    'changedBlock' in row ? { block: row.changedBlock, transaction: row.changedTransaction } : row;
  return { block, transaction, finality: finalityOf(block, tip) };
}
