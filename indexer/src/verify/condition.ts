/** Whether the index can be believed, as `/v1/status` and the metrics tell it. */

/** A row that is not what the chain says. */
export interface WrongRow {
  table: string;
  /** Its primary key, parts separated by spaces. */
  key: string;
  /** `missing` in the index, `extra` there, `changed` in the columns named, or contradicted by a contract's `view`. */
  kind: 'missing' | 'extra' | 'changed' | 'view';
  columns: string[];
}

/** A pass that found everything equal. */
export interface Passed {
  /** Unix seconds. */
  at: number;
  block: number;
  tables: number;
  rows: number;
  seconds: number;
}

/** How the index is. */
export interface Condition {
  /** Null until the first pass is over. */
  trusted: boolean | null;
  /** The chain took back what counted as final: rows may be of blocks that are gone, and are not served. Unix seconds; null when not. */
  staleSince: number | null;
  /** The backfill is not over. */
  indexing: boolean;
  block: number;
  timestamp: number;
  finalized: number;
  /** The chain's newest block; undefined while the endpoint does not answer. */
  head: { number: number; timestamp: number } | undefined;
  passed: Passed | null;
  /** When each table was last held against the replay, unix seconds. */
  seen: Record<string, number>;
  wrongRows: number;
  /** The first of them. */
  wrong: WrongRow[];
  passes: number;
  alarms: number;
  /** Passes that could not be made: the endpoint or the database did not answer, or the chain moved all the time. */
  failures: number;
}

/** Before anything is known. */
export const UNKNOWN: Condition = {
  ...{ trusted: null, staleSince: null, indexing: true, block: 0, timestamp: 0, finalized: 0, head: undefined },
  ...{ passed: null, seen: {}, wrongRows: 0, wrong: [], passes: 0, alarms: 0, failures: 0 },
};

/** The mark that every answer carries in `dpu-trust`. */
export type Mark = 'trusted' | 'unverified' | 'untrusted' | 'stale';

/** One word for a condition. */
export function markOf({ staleSince, trusted }: Pick<Condition, 'staleSince' | 'trusted'>): Mark {
  if (staleSince !== null) return 'stale';
  if (trusted === null) return 'unverified';
  return trusted ? 'trusted' : 'untrusted';
}
