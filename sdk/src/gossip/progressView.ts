import type { Hex } from 'viem';

import type { Preview, Progress, ProgressLine } from './topics.ts';

/** Lines of a shard's log that are shown live. */
const TAIL_LINES = 256;

/** A shard as its node last spoke of it. */
export interface ShardView {
  node: number;
  shard: number;
  state: 'running' | 'done' | 'failed';
  /** Thousandths that are done; null when nobody knows. */
  permille: number | null;
  /** Milliseconds since it began. */
  ms: number;
  /** Entries of its log so far, and the hash of the last. */
  entries: number;
  head: Hex;
  /** When that was said, unix milliseconds of the node's clock. */
  saidAt: number;
  /** The end of its log: number of the line, and the line. */
  lines: { number: number; line: ProgressLine }[];
  preview?: Preview;
  /** Of a private job: sealed lines and previews, oldest first. */
  sealed: Uint8Array[];
}

/** Folds messages about a job, in the order in which each node sent them, into its shards. */
export function foldProgress(messages: readonly (Progress & { node: number; saidAt: number })[]): ShardView[] {
  const views = new Map<string, ShardView>();
  for (const { node, saidAt, shards } of messages) {
    for (const { shard, lines, from, preview, sealed, ...facts } of shards) {
      const key = `${node}:${shard}`;
      const known = views.get(key);
      const old = known?.lines.filter(({ number }) => number < from) ?? [];
      const shown = preview ?? known?.preview;
      views.set(key, {
        node,
        shard,
        ...facts,
        saidAt,
        lines: [...old, ...lines.map((line, index) => ({ number: from + index, line }))].slice(-TAIL_LINES),
        ...(shown ? { preview: shown } : {}),
        sealed: [...(known?.sealed ?? []), ...(sealed ? [sealed] : [])],
      });
    }
  }
  return [...views.values()].sort((a, b) => a.shard - b.shard || a.node - b.node);
}
