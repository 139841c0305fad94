import { encodeModel, tensor } from '@dpu/sdk/onnx/writeModel';
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

/** Of 2 items with 4 numbers, and of a layer from 4 to 3: small whole numbers, which fractions hold exactly. */
const ITEMS = [1, 2, 3, 4, 0, -1, 5, 2];
const WEIGHTS = [2, -1, 3, 0, 4, 1, -2, 1, 1, 5, -3, 2];
const BIAS = [1, -2, 0];

/** A shard for a graphics card whose answer is known: max(x · w + b, 0) in fractions. */
export const CARD_SELF_TEST: ShardRequest = {
  ...SELF_TEST,
  module: encodeModel({
    inputs: [{ name: 'x', type: 'f32', dims: ['N', 4] }],
    outputs: [{ name: 'y', type: 'f32', dims: ['N', 3] }],
    constants: { w: tensor('f32', [4, 3], WEIGHTS), b: tensor('f32', [3], BIAS) },
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] },
      { op: 'Add', inputs: ['p', 'b'], outputs: ['s'] },
      { op: 'Relu', inputs: ['s'], outputs: ['y'] },
    ],
  }),
  settings: {
    provider: 'webgpu',
    optimization: 'all',
    items: 2,
    batch: 2,
    inputs: [{ name: 'x', type: 'f32', shape: [4], file: 'x.bin' }],
    outputs: [{ name: 'y', type: 'f32' }],
  },
  inputs: [{ name: 'x.bin', bytes: new Uint8Array(Float32Array.from(ITEMS).buffer) }],
};

/** What it must compute. */
export const CARD_SELF_TEST_OUTPUT: readonly number[] = [0, 1].flatMap((row) =>
  [0, 1, 2].map((column) =>
    Math.max(
      0,
      [0, 1, 2, 3].reduce((sum, i) => sum + ITEMS[4 * row + i]! * WEIGHTS[3 * i + column]!, BIAS[column]!),
    ),
  ),
);
