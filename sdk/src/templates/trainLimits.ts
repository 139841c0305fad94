/** How much a training may take: several times what it does take, because the caps stop runaways and measure nothing. */
import type { JobSpecInput } from '../spec.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Longest execution that the contract allows, in seconds. */
const MAX_SECONDS = 24 * 60 * 60;
/** Most rounds: each is two jobs, and twenty are posted together. */
export const MAX_ROUNDS = 10;

/** What the work of a training depends on. */
export interface TrainSizes {
  /** Images to learn from, and to test on. */
  readonly train: number;
  readonly test: number;
  /** Pixels of one image. */
  readonly pixels: number;
  readonly hidden: number;
  readonly classes: number;
  readonly shards: number;
  readonly epochs: number;
}

/** Weights of the network. */
export function weightsOf({ pixels, hidden, classes }: Pick<TrainSizes, 'pixels' | 'hidden' | 'classes'>): number {
  return hidden * (pixels + 1) + classes * (hidden + 1);
}

/** Caps for a shard that trains, or for one that averages and tests. */
export function trainLimits(sizes: TrainSizes, kind: 'train' | 'average'): JobSpecInput['limits'] {
  const { train, test, pixels, shards, epochs } = sizes;
  const weights = weightsOf(sizes);
  // An image costs at most about 20 operations for each weight to learn from, half as much to test; a few for each pixel.
  const images = kind === 'train' ? Math.ceil(train / shards) * epochs : test;
  const units = Math.ceil(5_000 + (images * (40 * weights + 80 * pixels) + 80 * shards * weights) / 1_000_000);
  const bytes =
    kind === 'train'
      ? 2 * train * (pixels + 1) + 64 * weights
      : 2 * test * (pixels + 300) + 64 * (shards + 4) * weights;
  return {
    memoryBytes: Math.min(2 * GIB, 64 * MIB + bytes),
    units,
    outputBytes: MIB + 8 * weights + 40 * test,
    seconds: Math.min(MAX_SECONDS, Math.ceil(60 + units / 100)),
  };
}
