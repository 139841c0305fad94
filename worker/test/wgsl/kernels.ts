/** Small kernels and the requests that run them. */
import { readFileSync } from 'node:fs';
import type { WgslSettings } from '@dpu/sdk/runtimes/wgsl';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';

const MIB = 1024 * 1024;

const JOB = `struct Job {
  shard: u32, shards: u32, round: u32, step: u32,
  seed: array<vec4<u32>, 2>,
  args: array<vec4<u32>, 16>,
}
@group(0) @binding(0) var<uniform> job: Job;
`;

/** A kernel on one buffer `data` of words; `main` runs once for each. */
export function oneBuffer(
  body: string,
  { words = 64, fields = '' }: { words?: number; fields?: string } = {},
): Pick<ShardRequest, 'module' | 'settings'> {
  const source = `${JOB}@group(0) @binding(1) var<storage, read_write> data: array<u32>;
${fields}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) { ${body} }`;
  const settings: WgslSettings = {
    buffers: [{ name: 'data', bytes: 4 * words }],
    passes: [
      {
        entry: 'main',
        size: [64, 1, 1],
        groups: [Math.ceil(words / 64), 1, 1],
        bind: [{ binding: 1, buffer: 'data', access: 'read_write' }],
      },
    ],
    output: { buffers: ['data'] },
  };
  return { module: new TextEncoder().encode(source), settings };
}

/** The only shard of a job with generous limits. */
export function request(
  kernel: Pick<ShardRequest, 'module' | 'settings'>,
  over: Partial<ShardRequest> = {},
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return {
    ...kernel,
    args: [],
    shard: 0,
    shards: 1,
    inputs: [],
    seed: new Uint8Array(32),
    ...over,
    limits: { memoryBytes: 64 * MIB, units: 1_000_000, outputBytes: 16 * MIB, seconds: 60, ...limits },
  };
}

/** C = A · B of whole numbers, by tiles of 16 × 16 in the memory of a workgroup. */
export function matmul(size: number): Pick<ShardRequest, 'module' | 'settings'> {
  const source = `${JOB}
@group(0) @binding(1) var<storage, read> a: array<i32>;
@group(0) @binding(2) var<storage, read> b: array<i32>;
@group(0) @binding(3) var<storage, read_write> c: array<i32>;
var<workgroup> left: array<i32, 256>;
var<workgroup> right: array<i32, 256>;
@compute @workgroup_size(16, 16)
fn multiply(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) at: vec3<u32>) {
  let size = job.args[0].x;
  var sum = 0;
  for (var tile = 0u; tile < size; tile += 16u) {
    left[at.y * 16u + at.x] = a[id.y * size + tile + at.x];
    right[at.y * 16u + at.x] = b[(tile + at.y) * size + id.x];
    workgroupBarrier();
    for (var k = 0u; k < 16u; k += 1u) { sum += left[at.y * 16u + k] * right[k * 16u + at.x]; }
    workgroupBarrier();
  }
  c[id.y * size + id.x] = sum;
}`;
  const bytes = 4 * size * size;
  const settings: WgslSettings = {
    buffers: [
      { name: 'a', bytes, input: { name: 'matrices' } },
      { name: 'b', bytes, input: { name: 'matrices', offset: bytes } },
      { name: 'c', bytes },
    ],
    passes: [
      {
        entry: 'multiply',
        size: [16, 16, 1],
        groups: [size / 16, size / 16, 1],
        bind: [
          { binding: 1, buffer: 'a', access: 'read' },
          { binding: 2, buffer: 'b', access: 'read' },
          { binding: 3, buffer: 'c', access: 'read_write' },
        ],
      },
    ],
    output: { buffers: ['c'] },
  };
  return { module: new TextEncoder().encode(source), settings };
}

/** Steps of diffusion on a ring, fixed point with 16 bits after the point: two buffers that change places at each step. */
export function diffusion(cells: number, steps: number): Pick<ShardRequest, 'module' | 'settings'> {
  const source = `${JOB}
@group(0) @binding(1) var<storage, read> before: array<i32>;
@group(0) @binding(2) var<storage, read_write> behind: array<i32>;
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = arrayLength(&before);
  let here = before[id.x];
  let flow = before[(id.x + 1u) % count] - 2 * here + before[(id.x + count - 1u) % count];
  behind[id.x] = here + ((flow * bitcast<i32>(job.args[0].x)) >> 16u) + i32(job.step & 1u);
}`;
  const settings: WgslSettings = {
    buffers: [
      { name: 'now', bytes: 4 * cells, input: { name: 'cells' } },
      { name: 'next', bytes: 4 * cells },
    ],
    passes: [
      {
        entry: 'spread',
        size: [64, 1, 1],
        groups: [cells / 64, 1, 1],
        repeat: steps,
        bind: [
          { binding: 1, buffer: 'now', access: 'read' },
          { binding: 2, buffer: 'next', access: 'read_write' },
        ],
        swap: [['now', 'next']],
      },
    ],
    output: { buffers: ['now'] },
  };
  return { module: new TextEncoder().encode(source), settings };
}

/** The template's own kernel, as it lies in the sdk. */
export const FRACTAL = readFileSync(new URL('../../../sdk/modules/fractal/fractal.wgsl', import.meta.url));
