/** What a shard can take of a machine. `slots` bounds how many run at once, whatever they are. */
export const DIMENSIONS = ['slots', 'cores', 'memoryBytes', 'vramBytes'] as const;

/** One of them. */
export type Dimension = (typeof DIMENSIONS)[number];

/** An amount of each: what one shard takes, what a machine has, or what is left of it. */
export type Needs = Readonly<Record<Dimension, number>>;

/** What a runtime says of one shard; what it leaves out is that of {@link needsOf}. */
export type StatedNeeds = Partial<Omit<Needs, 'slots'>>;

const MIB = 1024 * 1024;
/** What a shard's process holds beside the memory that its spec may take: Node with our code is 43 MB, of which others share most. */
const PROCESS_BYTES = 64 * MIB;

export const NOTHING: Needs = { slots: 0, cores: 0, memoryBytes: 0, vramBytes: 0 };

/** What a shard of `memoryBytes` takes: one slot, one core and its memory, unless its runtime says otherwise. */
export function needsOf(memoryBytes: number, stated: StatedNeeds = {}): Needs {
  return { slots: 1, cores: 1, memoryBytes: memoryBytes + PROCESS_BYTES, vramBytes: 0, ...stated };
}

function each(of: (dimension: Dimension) => number): Needs {
  return {
    slots: of('slots'),
    cores: of('cores'),
    memoryBytes: of('memoryBytes'),
    vramBytes: of('vramBytes'),
  };
}

export const plus = (a: Needs, b: Needs): Needs => each((dimension) => a[dimension] + b[dimension]);
export const times = (a: Needs, factor: number): Needs => each((dimension) => a[dimension] * factor);
export const least = (a: Needs, b: Needs): Needs => each((dimension) => Math.min(a[dimension], b[dimension]));

/** `a − b`, never below nothing. */
export const minus = (a: Needs, b: Needs): Needs => each((dimension) => Math.max(0, a[dimension] - b[dimension]));

/** How many shards of `needs` fit into `room` side by side. */
export function howMany(room: Needs, needs: Needs): number {
  let most = Number.MAX_SAFE_INTEGER;
  for (const dimension of DIMENSIONS) {
    if (needs[dimension] > 0) most = Math.min(most, Math.floor(room[dimension] / needs[dimension]));
  }
  return Math.max(0, most);
}

/** The first dimension in which `needs` does not fit into `room`; undefined when it fits. */
export function lacking(room: Needs, needs: Needs): Dimension | undefined {
  return DIMENSIONS.find((dimension) => needs[dimension] > room[dimension]);
}
