import { DIMENSIONS, NOTHING, minus, plus, times, type Needs } from './needs.ts';

/** Shards of one lease that are alike, and how long they may take. Times are seconds of one clock. */
export interface Lot {
  /** Last second at which all of it should be computed. */
  deadline: number;
  /** Shards that have not begun. */
  waiting: number;
  /** Expected seconds left of each shard that runs; it keeps what it holds until then. */
  running: readonly number[];
  /** Expected seconds of one shard. */
  seconds: number;
  needs: Needs;
}

/**
 * How many shards of each group may begin now, when `free` is left and the groups are in the order of their deadlines. A shard begins
 * if what it takes is free and, wherever it takes anything, enough is left for all shards before it that still wait:
 * so the earliest deadline is never delayed, and what it cannot use is not left idle.
 */
export function admit(groups: readonly Pick<Lot, 'waiting' | 'needs'>[], free: Needs): number[] {
  let left = free;
  let ahead = NOTHING;
  return groups.map(({ waiting, needs }) => {
    let count = waiting;
    for (const dimension of DIMENSIONS) {
      if (needs[dimension] === 0) continue;
      count = Math.min(count, Math.floor((left[dimension] - ahead[dimension]) / needs[dimension]));
    }
    count = Math.max(0, count);
    left = minus(left, times(needs, count));
    ahead = plus(ahead, times(needs, waiting - count));
    return count;
  });
}

/**
 * When each lot is done if the machine works in this order and every shard takes as long as expected; Infinity for what never fits. Pure.
 */
export function finishTimes(lots: readonly Lot[], capacity: Needs, now: number): number[] {
  const order = lots.map((lot, index) => ({ ...lot, index })).sort((a, b) => a.deadline - b.deadline);
  const done = lots.map(() => now);
  const ends: { at: number; of: (typeof order)[number]; count: number }[] = [];
  let free = capacity;
  const begin = (of: (typeof order)[number], count: number, endsAt: number): void => {
    free = minus(free, times(of.needs, count));
    ends.push({ at: endsAt, of, count });
  };
  for (const lot of order) for (const left of lot.running) begin(lot, 1, now + left);

  for (let time = now; ;) {
    admit(order, free).forEach((count, index) => {
      const lot = order[index];
      if (!lot || count === 0) return;
      lot.waiting -= count;
      begin(lot, count, time + lot.seconds);
    });
    if (ends.length === 0) break;
    time = Math.min(...ends.map(({ at }) => at));
    for (let index = ends.length - 1; index >= 0; index -= 1) {
      const end = ends[index];
      if (!end || end.at > time) continue;
      ends.splice(index, 1);
      free = plus(free, times(end.of.needs, end.count));
      done[end.of.index] = time;
    }
  }
  for (const lot of order) if (lot.waiting > 0) done[lot.index] = Infinity;
  return done;
}

/** Whether `extra` is done in time and makes nothing late that would not be late anyway. Pure. */
export function fitsBeside(lots: readonly Lot[], extra: Lot, capacity: Needs, now: number): boolean {
  const before = finishTimes(lots, capacity, now);
  const after = finishTimes([...lots, extra], capacity, now);
  if ((after.at(-1) ?? Infinity) > extra.deadline) return false;
  return lots.every(({ deadline }, index) => (after[index] ?? 0) <= Math.max(deadline, before[index] ?? 0));
}

/** The most shards of `extra`, up to those that it has waiting, that fit beside `lots`; 0 when none does. Pure. */
export function mostBeside(lots: readonly Lot[], extra: Lot, capacity: Needs, now: number): number {
  const fits = (waiting: number): boolean => fitsBeside(lots, { ...extra, waiting }, capacity, now);
  if (extra.waiting <= 0 || !fits(1)) return 0;
  let low = 1;
  let high = extra.waiting;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
