import type { Source } from '@dpu/sdk/api';
import { sql } from 'ponder';
import type { Database } from './app.ts';

/** How far the index has come, by block number. */
export interface Tip {
  /** Time of the newest block, unix seconds. */
  timestamp: number;
  latest: number;
  /** The newest block that is half as deep as a final one. */
  safe: number;
  /** The newest block that is so deep that the chain does not take it back. */
  finalized: number;
}

/** Before the first block. */
const NOTHING: Tip = { timestamp: 0, latest: 0, safe: -1, finalized: -1 };

/** Blocks after which one counts as final, by chain id, and on every other chain: the depths that Ponder repairs. */
const FINAL_AFTER: Readonly<Record<number, number>> = { 1: 65, 11155111: 65, 137: 200, 42161: 240, 421614: 240 };
const FINAL_AFTER_ELSEWHERE = 30;

/** Ponder's ids begin with ten digits of time and sixteen of the chain; the block's number has the next sixteen. */
export const blockOf = (checkpoint: string): number => Number(checkpoint.slice(26, 42));

/** Blocks after which one counts as final on a chain. */
export const finalityDepth = (chainId: number): number => FINAL_AFTER[chainId] ?? FINAL_AFTER_ELSEWHERE;

/** What is safe and what is final when `latest` is the newest block. It depends on depth alone, so any two indexers agree. */
export function tipAt(latest: number, chainId: number, timestamp: number): Tip {
  const depth = finalityDepth(chainId);
  return { timestamp, latest, safe: latest - Math.ceil(depth / 2), finalized: latest - depth };
}

/** The tip as Ponder writes it down with every block that it indexes. */
export async function readTip(db: Database): Promise<Tip> {
  const { rows } = (await db.execute(
    sql`select chain_id as chain, latest_checkpoint as latest from _ponder_checkpoint limit 1`,
  )) as unknown as { rows: { chain: string | number; latest: string }[] };
  const [row] = rows;
  return row ? tipAt(blockOf(row.latest), Number(row.chain), Number(row.latest.slice(0, 10))) : NOTHING;
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
