import type { WgslSettings } from '@dpu/sdk/runtimes/wgsl';
import type { ShardRequest } from '../runtime.ts';

/** What trainings in whole numbers are made of: products of 64 bits by halves, shifts and divisions of negative numbers, sums that wrap. */
const KERNEL = /* wgsl */ `
@group(0) @binding(1) var<storage, read_write> numbers: array<i32>;

fn scramble(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn mul(a: i32, b: i32) -> i32 {
  let al = bitcast<u32>(a) & 0xffffu;
  let bl = bitcast<u32>(b) & 0xffffu;
  return (a >> 16u) * b + bitcast<i32>(al) * (b >> 16u) + bitcast<i32>((al * bl + 0x8000u) >> 16u);
}

@compute @workgroup_size(64)
fn train(@builtin(global_invocation_id) id: vec3<u32>) {
  var weight = numbers[id.x];
  for (var i = 0u; i < 100u; i += 1u) {
    let slope = bitcast<i32>(scramble(bitcast<u32>(weight) + i));
    weight -= mul(slope, (weight + 128) >> 8u) / bitcast<i32>(i + 1u) - max(slope, weight) * 3;
  }
  numbers[id.x] = weight;
}
`;

const SETTINGS: WgslSettings = {
  buffers: [{ name: 'numbers', bytes: 1_024, input: { name: 'numbers' } }],
  passes: [
    {
      entry: 'train',
      size: [64, 1, 1],
      groups: [4, 1, 1],
      repeat: 2,
      bind: [{ binding: 1, buffer: 'numbers', access: 'read_write' }],
    },
  ],
  output: { buffers: ['numbers'] },
};

/** A shard whose answer is known. */
export const KERNEL_SELF_TEST: ShardRequest = {
  module: new TextEncoder().encode(KERNEL),
  settings: SETTINGS,
  args: [],
  shard: 0,
  shards: 1,
  inputs: [{ name: 'numbers', bytes: Uint8Array.from({ length: 1_024 }, (_, i) => (i * 101) & 0xff) }],
  seed: new Uint8Array(32),
  limits: { memoryBytes: 8 * 1024 * 1024, units: 1, outputBytes: 1_024, seconds: 30 },
};

/** A test computes it in plain JavaScript. */
export const KERNEL_SELF_TEST_OUTPUT_SHA256 = '2fb0533a76f553ddb0b45356254fe0d7961db68e10e8fa8bc7b5604f954d752c';
