import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { encodeModel, tensor, type Model } from '../onnx/writeModel.ts';
import { encodeSpec } from '../spec.ts';
import { inference } from './inference.ts';
import { templateNamed } from './registry.ts';
import { TemplateError, type TemplateContext } from './types.ts';

const model: Model = {
  inputs: [{ name: 'in', type: 'f32', dims: ['N', 2, 3] }],
  outputs: [{ name: 'out', type: 'f32', dims: ['N', 4] }],
  constants: { w: tensor('f32', [6, 4], new Array<number>(24).fill(1)) },
  nodes: [
    { op: 'Flatten', inputs: ['in'], outputs: ['flat'] },
    { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['out'] },
  ],
};
const whole: Model = {
  inputs: [{ name: 'in', type: 'u8', dims: ['N', 2] }],
  outputs: [{ name: 'out', type: 'i32', dims: ['N', 2] }],
  constants: { w: tensor('i8', [2, 2], [1, 2, 3, 4]) },
  nodes: [{ op: 'MatMulInteger', inputs: ['in', 'w'], outputs: ['out'] }],
};
const digits = encodeModel({
  inputs: [{ name: 'pixels', type: 'u8', dims: ['N', 256] }],
  outputs: [{ name: 'scores', type: 'f32', dims: ['N', 10] }],
  constants: { w: tensor('f32', [256, 10], new Array<number>(2_560).fill(0)) },
  nodes: [
    { op: 'Cast', inputs: ['pixels'], outputs: ['f'], attributes: { to: { int: 1 } } },
    { op: 'MatMul', inputs: ['f', 'w'], outputs: ['scores'] },
  ],
});
const ASSETS = new Map([
  ['digits.onnx', digits],
  ['digits.bin', new Uint8Array(64 * 256)],
  ['digits-labels.bin', new Uint8Array(64)],
  ['confusion.wasm', Uint8Array.of(1)],
]);
const context: TemplateContext = {
  asset: async (name) => ASSETS.get(name)!,
  addFile: async (bytes) => ({ cid: CID.createV1(0x55, await sha256.digest(bytes)) }),
};
const filesOf = (files: Record<string, Uint8Array>): Map<string, Uint8Array> => new Map(Object.entries(files));
const own = (over: Record<string, Uint8Array> = {}): Map<string, Uint8Array> =>
  filesOf({ 'model.onnx': encodeModel(model), 'data.bin': new Uint8Array(10 * 24), ...over });

async function problems(options: object, files: Map<string, Uint8Array>): Promise<string[]> {
  try {
    await inference.prepare(options, files, context);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems.map(({ path, sentence }) => `${path}: ${sentence}`);
    throw error;
  }
  return [];
}

describe('the inference template', () => {
  test('by default scores the drawn digits in 16 shards and counts the mistakes', async () => {
    expect(templateNamed('inference')).toBe(inference);
    const {
      jobs: [map, reduce],
    } = await inference.prepare({}, new Map(), context);
    expect(map).toMatchObject({
      runtime: 'onnx',
      shards: 16,
      settings: {
        ...{ optimization: 'all', items: 64, batch: 64 },
        inputs: [{ name: 'pixels', type: 'u8', shape: [256], file: 'data.bin' }],
        outputs: [{ name: 'scores', type: 'f32' }],
      },
      limits: { units: 1, outputBytes: 160, seconds: 61 },
      comparator: { kind: 'topk', type: 'f32', classes: 10, k: 1, absolutePpb: 1_000_000, outliersPpm: 0 },
    });
    expect(reduce).toMatchObject({
      ...{ runtime: 'wasm', args: ['16', '10', 'f32', 'image'], after: { name: 'scores' }, shards: 1 },
      inputs: [{ name: 'labels.bin', size: 64 }],
      output: { name: 'confusion.png', mediaType: 'image/png' },
    });
    expect([encodeSpec(map).digest, encodeSpec(reduce!).digest].every((digest) => digest.startsWith('0x'))).toBe(true);
  });

  test('takes a model and data of its own, and labels when there are some', async () => {
    const alone = await inference.prepare({ shards: 3, compare: 'numeric' }, own(), context);
    expect(alone.jobs[1]).toBeUndefined();
    expect(alone.jobs[0]).toMatchObject({
      settings: { items: 10, inputs: [{ name: 'in', type: 'f32', shape: [2, 3], file: 'data.bin' }] },
      limits: { outputBytes: 4 * 16 },
      comparator: { kind: 'numeric', type: 'f32', absolutePpb: 1_000_000, relativePpb: 1_000_000, outliersPpm: 0 },
    });
    encodeSpec(alone.jobs[0]);
    const labelled = await inference.prepare(
      { shards: 3, report: 'table' },
      own({ 'labels.bin': new Uint8Array(10) }),
      context,
    );
    expect(labelled.jobs[1]).toMatchObject({ args: ['3', '4', 'f32', 'table'], output: { mediaType: 'text/csv' } });
  });

  test('asks for graphics cards when told to, and by default for none', async () => {
    const settingsOf = async (options: object): Promise<unknown> =>
      (await inference.prepare(options, new Map(), context)).jobs[0].settings;
    expect(await settingsOf({ device: 'gpu' })).toMatchObject({ provider: 'webgpu' });
    expect(await settingsOf({ device: 'cpu' })).toEqual(await settingsOf({}));
    expect(await settingsOf({})).not.toHaveProperty('provider');
    expect(await problems({ device: 'tpu' }, new Map())).toEqual(['device: must be "cpu" or "gpu"']);
  });

  test('compares a model of whole numbers bit by bit when asked, and no other', async () => {
    const files = own({ 'model.onnx': encodeModel(whole), 'data.bin': new Uint8Array(20) });
    const {
      jobs: [map],
    } = await inference.prepare({ shards: 2, compare: 'exact' }, files, context);
    expect(map.comparator).toEqual({ kind: 'exact' });
    encodeSpec(map);
    expect(await problems({ shards: 2, compare: 'exact' }, own())).toEqual([
      'compare: cannot be exact: the model computes with fractions, whose last digits differ between machines',
    ]);
  });

  test.each<[what: string, files: Map<string, Uint8Array>, problem: string]>([
    [
      'a model alone',
      filesOf({ 'model.onnx': encodeModel(model) }),
      'model.onnx: and data.bin belong together: bring both',
    ],
    ['another file', own({ 'x.bin': Uint8Array.of(1) }), 'x.bin: is not used: bring model.onnx, data.bin, labels.bin'],
    [
      'no model',
      own({ 'model.onnx': Uint8Array.of(8, 1) }),
      'model.onnx: is not taken: it has 0 graphs instead of one',
    ],
    [
      'half an item',
      own({ 'data.bin': new Uint8Array(25) }),
      'data.bin: has 25 bytes, which are no whole items of 24 bytes',
    ],
    ['too few items', own({ 'data.bin': new Uint8Array(24) }), 'shards: are more than the 1 items'],
    ['too few labels', own({ 'labels.bin': new Uint8Array(9) }), 'labels.bin: has 9 labels for 10 items'],
    [
      'a label of no class',
      own({ 'labels.bin': new Uint8Array(10).fill(4) }),
      'labels.bin: has the label 4, but the classes are 0 to 3',
    ],
    [
      'an output that is no row of scores',
      own({ 'model.onnx': encodeModel({ ...model, outputs: [{ name: 'out', type: 'f32', dims: ['N', 2, 2] }] }) }),
      'model.onnx: must have an output of items × classes, with at least two classes',
    ],
  ])('refuses %s', async (_, files, problem) => {
    expect(await problems({ shards: 2 }, files)).toEqual([problem]);
  });
});
