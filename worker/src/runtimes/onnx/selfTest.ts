import type { ShardRequest } from '../runtime.ts';

/** y = x · w + b in whole numbers: `w` of 4 × 3 in i8, `b` of 3 in i32. A test makes it anew and compares. */
const MODEL = Buffer.from(
  [
    'CAgSA2RwdTqOAQoYCgF4CgF3EgFwIg1NYXRNdWxJbnRlZ2VyCg4KAXAKAWISAXkiA0FkZBIFbW9kZWwqFwoCBAMQA0IBd0oM8voCCvX9BQ34AAjzKh',
    'YKAQMQBkIBYkoMZAAAADj///8sAQAAWhQKAXgSDwoNCAISCQoDEgFOCgIIBGIUCgF5Eg8KDQgGEgkKAxIBTgoCCANCBAoAEBE=',
  ].join(''),
  'base64',
);

/** A shard whose answer is known: whole numbers, so it is the same on every processor. */
export const SELF_TEST: ShardRequest = {
  module: MODEL,
  settings: {
    optimization: 'all',
    items: 3,
    batch: 2,
    inputs: [{ name: 'x', type: 'u8', shape: [4], file: 'x.bin' }],
    outputs: [{ name: 'y', type: 'i32' }],
  },
  args: [],
  shard: 0,
  shards: 1,
  inputs: [{ name: 'x.bin', bytes: Uint8Array.of(1, 2, 3, 4, 250, 251, 252, 253, 9, 0, 255, 17) }],
  seed: new Uint8Array(32).fill(7),
  limits: { memoryBytes: 64 * 1024 * 1024, units: 10, outputBytes: 1_000, seconds: 20 },
};

/** What it must compute. */
export const SELF_TEST_OUTPUT: readonly number[] = [121, -157, 220, 370, 839, -5258, 1249, 3197, -1943];
