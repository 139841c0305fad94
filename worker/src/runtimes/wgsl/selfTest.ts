import type { WgslSettings } from '@dpu/sdk/runtimes/wgsl';
import type { ShardRequest } from '../runtime.ts';

/**
 * A kernel whose answer is known. It touches what has to be the same on every machine: products and shifts of 32 bits, signed
 * division, memory of a workgroup, the uniform, buffers that change places, and a loop of 70,000 turns, after 65,535 of
 * which some drivers stop without a word.
 */
const KERNEL = /* wgsl */ `
struct Job {
  shard: u32, shards: u32, round: u32, step: u32,
  seed: array<vec4<u32>, 2>,
  args: array<vec4<u32>, 16>,
}
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> before: array<u32>;
@group(0) @binding(2) var<storage, read_write> behind: array<u32>;
var<workgroup> lanes: array<u32, 64>;

// PCG-RXS-M-XS, 32 bits.
fn scramble(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(64)
fn chain(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var x = before[id.x] ^ id.x ^ job.seed[1].w ^ (job.shard * job.shards + 16u * job.round + job.step);
  let turns = select(job.args[0].x, 9u, job.round > 0u);
  for (var i = 0u; i < turns; i += 1u) {
    x = scramble(x + i);
  }
  lanes[lane] = x;
  workgroupBarrier();
  behind[id.x] = x ^ bitcast<u32>(bitcast<i32>(lanes[63u - lane]) / bitcast<i32>(job.args[0].y));
}
`;

const SETTINGS: WgslSettings = {
  buffers: [
    { name: 'before', bytes: 512, input: { name: 'words', offset: 4, stride: 2 } },
    { name: 'behind', bytes: 512 },
  ],
  passes: [
    {
      entry: 'chain',
      size: [64, 1, 1],
      groups: [2, 1, 1],
      repeat: 2,
      bind: [
        { binding: 1, buffer: 'before', access: 'read' },
        { binding: 2, buffer: 'behind', access: 'read_write' },
      ],
      swap: [['before', 'behind']],
    },
  ],
  rounds: 2,
  output: { buffers: ['before'] },
};

/** A shard whose answer is known. */
export const SELF_TEST: ShardRequest = {
  module: new TextEncoder().encode(KERNEL),
  settings: SETTINGS,
  args: ['70000', '-7'],
  shard: 2,
  shards: 5,
  inputs: [{ name: 'words', bytes: Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 0xff) }],
  seed: Uint8Array.from({ length: 32 }, (_, i) => 200 + i),
  limits: { memoryBytes: 8 * 1024 * 1024, units: 1, outputBytes: 512, seconds: 30 },
};

/** A test computes it in plain JavaScript. */
export const SELF_TEST_OUTPUT_SHA256 = 'ccaad296edce1cb93808592397fb249b1b30bc4e1b4f4d20dd331b4aab4f31fc';
