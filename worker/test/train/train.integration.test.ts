import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { train } from '@dpu/sdk/templates/train';
import type { JobSpecInput } from '@dpu/sdk/spec';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { ShardOutput } from '../../src/runtimes/runtime.ts';
import { trainRuntime } from '../../src/runtimes/train/trainRuntime.ts';

const BUILD = new URL('../../../sdk/modules/', import.meta.url);
/** Smaller than the defaults, and good enough. */
const OPTIONS = { rounds: 2, shards: 3 };

const runtime = trainRuntime();
const files = new Map<string, Uint8Array>();
let jobs: readonly JobSpecInput[];

beforeAll(async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', BUILD))], { stdio: 'pipe' });
  ({ jobs } = await train.prepare(OPTIONS, new Map(), {
    asset: diskAsset,
    addFile: async (bytes) => {
      const cid = await cidOf(bytes);
      files.set(cid, bytes);
      return { cid };
    },
  }));
}, 120_000);
afterAll(() => runtime.close());

/** Any name will do for a file here, as long as another file has another. */
async function cidOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes));
  return Buffer.from(digest).toString('hex');
}

function runShard(spec: JobSpecInput, shard: number, before: readonly ShardOutput[]): Promise<ShardOutput> {
  const after = spec.after?.name;
  return runtime.run({
    module: files.get(String(spec.module))!,
    args: spec.args,
    shard,
    shards: spec.shards,
    inputs: [
      ...spec.inputs.map(({ name, cid }) => ({ name, bytes: files.get(String(cid))! })),
      ...(after === undefined ? [] : before.map(({ output }, i) => ({ name: `${after}/${i}`, bytes: output }))),
    ],
    seed: new Uint8Array(32),
    limits: spec.limits,
  });
}

/** Runs the chain: the outputs of every job's shards. */
async function runChain(): Promise<ShardOutput[][]> {
  const outputs: ShardOutput[][] = [];
  for (const spec of jobs) {
    const before = outputs.at(-1) ?? [];
    outputs.push(await Promise.all(Array.from({ length: spec.shards }, (_, shard) => runShard(spec, shard, before))));
  }
  return outputs;
}

test('its probe trains a little and computes the known answer', async () => {
  expect(runtime.name).toBe('train');
  expect(await runtime.probe()).toMatchObject({ available: true });
});

test('a training gives the same bytes and units twice, and a model that others read alike', async () => {
  const [one, two] = [await runChain(), await runChain()];
  const essence = (outputs: ShardOutput[][]) =>
    outputs.map((job) => job.map(({ output, units }) => [Buffer.from(output).toString('base64'), units]));
  expect(essence(two)).toEqual(essence(one));
  // Far below what the template allows, so that honest shards never meet their caps.
  jobs.forEach((spec, i) => {
    for (const { units, output } of one[i]!) {
      expect(units * 2).toBeLessThan(spec.limits.units);
      expect(output.length * 2).toBeLessThan(spec.limits.outputBytes);
    }
  });

  const [model, curve, , answers] = one.at(-1)!.map(({ output }) => output) as [
    Uint8Array,
    Uint8Array,
    never,
    Uint8Array,
  ];
  const rows = rowsOf(curve);
  expect(rows.map(({ round }) => round)).toEqual([1, 2]);
  expect(rows[1]!['test loss']).toBeLessThan(rows[0]!['test loss']!);
  expect(rows[1]!['accuracy']).toBeGreaterThan(0.9);

  const session = await InferenceSession.create(model, { executionProviders: ['cpu'] });
  expect([session.inputNames, session.outputNames]).toEqual([['pixels'], ['scores']]);
  const images = readFileSync(new URL('build/test-images.idx', BUILD)).subarray(16);
  const pixels = Float32Array.from(images, (byte) => byte / 255);
  const { scores } = await session.run({ pixels: new Tensor('float32', pixels, [images.length / 256, 256]) });
  expect(scores!.dims).toEqual([2_000, 10]);
  expect(bestOf(scores!.data as Float32Array, 10)).toEqual(rowsOf(answers).map(({ answer }) => answer));
  await session.release();
});

/** The lines of a file of comma-separated numbers, by its head. */
function rowsOf(csv: Uint8Array): Record<string, number>[] {
  const [head = '', ...lines] = new TextDecoder().decode(csv).trimEnd().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], Number(value)])));
}

/** Place of the highest of each `classes` scores. */
function bestOf(scores: Float32Array, classes: number): number[] {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    const own = scores.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
