import type { SeatPhase } from '@dpu/sdk/api';

/** Where a shard stands: in no lease yet, or in the phase of its lease. With several seats on its range `panels.ts` says which. */
export type ShardState = 'open' | SeatPhase;

/** From nothing to paid; the order of legends and of what a mixed cell shows. */
export const SHARD_STATES: readonly ShardState[] = [
  'open',
  'claimed',
  'committed',
  'revealed',
  'settled',
  'lapsed',
  'faulted',
  'unresolved',
  'excused',
];

export const STATE_LABELS: Readonly<Record<ShardState, string>> = {
  open: 'Open',
  claimed: 'Running',
  committed: 'Committed',
  revealed: 'Revealed',
  settled: 'Settled',
  lapsed: 'Lapsed',
  faulted: 'Slashed',
  unresolved: 'Unresolved',
  excused: 'Excused',
};

/** What the states mean, for people who see them for the first time. */
export const STATE_HELP: Readonly<Record<ShardState, string>> = {
  open: 'Waiting for a node',
  claimed: 'A node locked its bond and is computing',
  committed: 'The node is bound to a result that nobody can see yet',
  revealed: 'The result is public and may be challenged',
  settled: 'The node was paid',
  lapsed: 'The node missed its deadline; another may take over',
  faulted: 'The node showed another result than the others, or none, and lost its bond',
  unresolved: 'Too few nodes agreed; the range stays undone and most of its escrow goes back',
  excused: 'A jury found that it cannot be done, or could not judge it; nobody was slashed',
};

/** A lease, as much of it as its place on the mosaic needs. */
export interface LeaseRange {
  first: number;
  count: number;
  phase: SeatPhase;
}

/** Neighbouring shards that stand alike. */
export interface Run {
  first: number;
  count: number;
  state: ShardState;
}

/** The whole job as runs without gaps, in order. Ranges outside the job are cut off. */
export function shardRuns(shards: number, leases: readonly LeaseRange[]): Run[] {
  const runs: Run[] = [];
  const push = (first: number, end: number, state: ShardState): void => {
    if (end <= first) return;
    const last = runs.at(-1);
    if (last?.state === state) last.count += end - first;
    else runs.push({ first, count: end - first, state });
  };
  let cursor = 0;
  for (const lease of [...leases].sort((a, b) => a.first - b.first)) {
    const first = Math.max(cursor, Math.min(lease.first, shards));
    const end = Math.min(lease.first + lease.count, shards);
    push(cursor, first, 'open');
    push(first, end, lease.phase);
    cursor = Math.max(cursor, first, end);
  }
  push(cursor, shards, 'open');
  return runs;
}

/** Runs from counts alone, when leases are not at hand: how much, not where. */
export function countedRuns(shards: number, claimed: number, settled: number): Run[] {
  const done = Math.min(settled, shards);
  const running = Math.max(0, Math.min(claimed, shards) - done);
  const runs: Run[] = [
    { first: 0, count: done, state: 'settled' },
    { first: done, count: running, state: 'claimed' },
    { first: done + running, count: shards - done - running, state: 'open' },
  ];
  return runs.filter(({ count }) => count > 0);
}

/** How many shards stand where. */
export function countStates(runs: readonly Run[]): Record<ShardState, number> {
  const counts = Object.fromEntries(SHARD_STATES.map((state) => [state, 0])) as Record<ShardState, number>;
  for (const { state, count } of runs) counts[state] += count;
  return counts;
}

/** One square of a mosaic: a shard, or several when there are too many to draw. */
export interface Cell {
  first: number;
  count: number;
  state: ShardState;
}

/** The job as at most `most` cells. A cell of several shards shows the state that most of them have, the later one on a tie. */
export function mosaicCells(runs: readonly Run[], shards: number, most: number): Cell[] {
  const per = Math.max(1, Math.ceil(shards / most));
  const cells: Cell[] = [];
  let run = 0;
  for (let first = 0; first < shards; first += per) {
    const end = Math.min(first + per, shards);
    const votes = new Map<ShardState, number>();
    while (run < runs.length) {
      const { first: start, count, state } = runs[run]!;
      const overlap = Math.min(end, start + count) - Math.max(first, start);
      if (overlap > 0) votes.set(state, (votes.get(state) ?? 0) + overlap);
      if (start + count > end) break;
      run += 1;
    }
    let state: ShardState = 'open';
    let best = 0;
    for (const candidate of SHARD_STATES) {
      const weight = votes.get(candidate) ?? 0;
      if (weight > 0 && weight >= best) [state, best] = [candidate, weight];
    }
    cells.push({ first, count: end - first, state });
  }
  return cells;
}

/** Columns that make `cells` squares fill a box of `ratio` (width / height) with the least empty room. */
export function columnsFor(cells: number, ratio: number): number {
  const columns = Math.round(Math.sqrt(cells * ratio));
  return Math.min(cells, Math.max(1, columns));
}
