import { readFileSync } from 'node:fs';
import { train } from '@dpu/sdk/templates/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { ShardOutput } from '../../src/runtimes/runtime.ts';
import { TrainRuntime } from '../../src/runtimes/train/trainRuntime.ts';
import { MODULES, prepareChain, rowsOf, type Chain } from './chain.ts';

/** Smaller than the defaults, and good enough. */
const OPTIONS = { rounds: 2, shards: 3 };

const runtime = new TrainRuntime();
let chain: Chain;

beforeAll(async () => {
  chain = await prepareChain(train, OPTIONS, [runtime]);
}, 120_000);
afterAll(() => runtime.close());

test('its probe trains a little and computes the known answer', async () => {
  expect(runtime.name).toBe('train');
  expect(await runtime.probe()).toMatchObject({ available: true });
});

test('a training gives the same bytes and units twice, and a model that others read alike', async () => {
  const [one, two] = [await chain.run(), await chain.run()];
  const essence = (outputs: ShardOutput[][]) =>
    outputs.map((job) => job.map(({ output, units }) => [Buffer.from(output).toString('base64'), units]));
  expect(essence(two)).toEqual(essence(one));
  // Far below what the template allows, so that honest shards never meet their caps.
  chain.jobs.forEach((spec, i) => {
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
  const images = readFileSync(new URL('build/test-images.idx', MODULES)).subarray(16);
  const pixels = Float32Array.from(images, (byte) => byte / 255);
  const { scores } = await session.run({ pixels: new Tensor('float32', pixels, [images.length / 256, 256]) });
  expect(scores!.dims).toEqual([2_000, 10]);
  expect(bestOf(scores!.data as Float32Array, 10)).toEqual(rowsOf(answers).map(({ answer }) => answer));
  await session.release();
});

/** Place of the highest of each `classes` scores. */
function bestOf(scores: Float32Array, classes: number): number[] {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    const own = scores.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
