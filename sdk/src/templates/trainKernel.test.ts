import { readFileSync } from 'node:fs';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { wgslSettingsSchema } from '../runtimes/wgsl.ts';
import { exactnessProblem, kernelProblems } from '../runtimes/wgslKernel.ts';
import { encodeSpec } from '../spec.ts';
import { train } from './train.ts';
import {
  firstWeights,
  kernelArguments,
  kernelSettings,
  kernelTrainingProblems,
  type KernelTraining,
} from './trainKernel.ts';
import type { TemplateContext } from './types.ts';

const KERNEL = readFileSync(new URL('../../modules/train/train.wgsl', import.meta.url), 'utf8');
const TRAINING: KernelTraining = {
  ...{
    train: 1_001,
    test: 10,
    pixels: 16,
    hidden: 8,
    classes: 10,
    shards: 4,
    epochs: 3,
    batch: 100,
    rate: 200,
    seed: 9,
  },
};
const none = new Map<string, Uint8Array>();
const context: TemplateContext = {
  asset: async (name) => new TextEncoder().encode(name),
  addFile: async (bytes) => ({ cid: CID.createV1(0x55, await sha256.digest(bytes)) }),
};

describe('a training by kernels', () => {
  test('works on what the kernel names, in whole numbers alone', () => {
    for (const round of [1, 7]) {
      const settings = wgslSettingsSchema.parse(kernelSettings(TRAINING, round));
      expect(kernelProblems(KERNEL, settings)).toEqual([]);
    }
    expect(exactnessProblem(KERNEL, { kind: 'exact' })).toBeUndefined();
  });

  test('goes through the passes once for each step, of the largest shard', () => {
    const { rounds, passes, buffers } = kernelSettings(TRAINING, 3);
    // 251 images in batches of 100 are three steps, three times.
    expect(rounds).toBe(9);
    expect(passes.map(({ entry, groups }) => [entry, groups[0]])).toEqual([
      ...[
        ['shuffle', 1],
        ['forward', 13],
        ['score', 16],
        ['compare', 2],
        ['blame', 13],
        ['learn', 4],
      ],
    ]);
    expect(Object.fromEntries(buffers.map(({ name, bytes }) => [name, bytes]))).toEqual({
      ...{ images: 16_016, labels: 1_004, weights: 4 * (8 * 17 + 10 * 9), head: 64, order: 4 * (251 + 1 + 100) },
      ...{ middle: 3_200, far: 4_000, back: 3_200 },
    });
    expect(buffers[2]!.input).toEqual({ name: 'weights/0', offset: 64 });
    expect(kernelSettings(TRAINING, 1).buffers[2]!.input).toEqual({ name: 'first.bin', offset: 32 });
    expect(kernelArguments(TRAINING, 3)).toEqual([1_001, 16, 8, 10, 3, 100, 13_107, 9, 3, 3]);
  });

  test('begins with weights between the bounds of each layer, and biases of zero', () => {
    const file = firstWeights(TRAINING);
    const words = new Int32Array(file.buffer);
    expect([...words.subarray(0, 8)]).toEqual([0x57555044, 2, 16, 8, 10, 0, 0, 0]);
    const layers = [words.subarray(8, 136), words.subarray(136, 144), words.subarray(144, 224), words.subarray(224)];
    const most = layers.map((layer) => Math.max(...[...layer].map(Math.abs)) / 2 ** 24);
    expect(most[0]).toBeLessThanOrEqual(Math.sqrt(6 / 16));
    expect(most[0]).toBeGreaterThan(0.9 * Math.sqrt(6 / 16));
    expect(most[2]).toBeLessThanOrEqual(Math.sqrt(6 / 8));
    expect([most[1], most[3]]).toEqual([0, 0]);
    expect(firstWeights({ ...TRAINING, seed: 10 })).not.toEqual(file);
  });

  test.each<[what: string, over: Partial<KernelTraining>, problem: string]>([
    [
      'more images than one invocation sorts',
      { train: 65_540 },
      'shards: leave 16385 images to each, on a GPU the most is 16384',
    ],
    [
      'images beyond a buffer',
      { train: 65_536, pixels: 2_052 },
      'device: cannot be gpu: the images take more than 134217728 bytes',
    ],
    [
      'too large a layer',
      { pixels: 65_536, hidden: 2_048 },
      'hidden: and batch are too large for a GPU: 2048 neurons, 100 images, 10 classes',
    ],
    [
      'too many steps',
      { batch: 1, epochs: 100 },
      'epochs: make 150600 dispatches of each shard, the most is 65536: choose fewer epochs, more shards or a larger batch',
    ],
  ])('refuses %s', (_what, over, problem) => {
    const found = kernelTrainingProblems({ ...TRAINING, ...over }).map(({ path, sentence }) => `${path}: ${sentence}`);
    expect(found).toEqual([problem]);
  });

  test('is a switch of the template: the same rounds, another module', async () => {
    expect(kernelTrainingProblems({ ...TRAINING, train: 65_536 })).toEqual([]);
    const [gpu, fixed] = [
      await train.prepare({ rounds: 2, device: 'gpu' }, none, context),
      await train.prepare({ rounds: 2, numbers: 'fixed' }, none, context),
    ];
    for (const { jobs } of [gpu, fixed]) for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
    expect(gpu.jobs.map(({ inputs }) => inputs.map(({ name }) => name).join(' '))).toEqual([
      'train-images.idx train-labels.idx first.bin',
      'test-images.idx test-labels.idx',
      'train-images.idx train-labels.idx',
      'test-images.idx test-labels.idx',
    ]);
    expect(gpu.jobs.map(({ comparator }) => comparator.kind)).toEqual(['exact', 'exact', 'exact', 'exact']);
    expect(gpu.jobs[2]!.args).toEqual(['8000', '256', '64', '10', '3', '16', '13107', '1', '2', '125']);
    expect(fixed.jobs[2]!.args).toEqual(['2', '64', '10', '3', '16', '200000', '1', '1']);
    expect(fixed.jobs[2]).not.toHaveProperty('settings');
    await expect(train.prepare({ device: 'gpu', epochs: 100, batch: 1 }, none, context)).rejects.toThrow(
      'The train job cannot be prepared: epochs: make 1200000 dispatches',
    );
  });
});
