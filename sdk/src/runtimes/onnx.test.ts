import { describe, expect, test } from 'vitest';

import type { Comparator } from '../compare/comparator.ts';
import { decodeSpec, encodeSpec, SpecError, type JobSpecInput } from '../spec.ts';
import { moduleFile, shareOf, type OnnxSettings } from './onnx.ts';

const MODULE = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const settings: OnnxSettings = {
  optimization: 'all',
  items: 100,
  batch: 8,
  inputs: [{ name: 'x', type: 'u8', shape: [4], file: 'data.bin' }],
  outputs: [{ name: 'y', type: 'i32' }],
};
const spec: JobSpecInput = {
  version: 1,
  name: 'Score',
  runtime: 'onnx',
  settings,
  module: MODULE,
  args: [],
  inputs: [{ name: 'data.bin', cid: MODULE, size: 400 }],
  shards: 4,
  output: { name: 'scores.bin', mediaType: 'application/octet-stream' },
  limits: { memoryBytes: 1 << 28, units: 100, outputBytes: 4_000, seconds: 60 },
  comparator: { kind: 'exact' },
};
const topk: Comparator = { kind: 'topk', type: 'f32', classes: 10, k: 1, absolutePpb: 1_000, outliersPpm: 0 };

function problems(over: Partial<JobSpecInput>, settingsOver: object = {}): string[] {
  try {
    encodeSpec({ ...spec, settings: { ...settings, ...settingsOver }, ...over });
  } catch (error) {
    if (error instanceof SpecError) return error.problems.map(({ path, sentence }) => `${path}: ${sentence}`);
    throw error;
  }
  return [];
}

describe('settings of the onnx runtime', () => {
  test('survive the block of the spec', () => {
    expect(decodeSpec(encodeSpec(spec).bytes).settings).toEqual(settings);
    expect(problems({}, { provider: 'webgpu', threads: 4, optimization: 'disabled' })).toEqual([]);
  });

  test.each<[what: string, over: object, problem: string]>([
    [
      'no level',
      { optimization: undefined },
      'settings.optimization: must be "disabled" or "basic" or "extended" or "all"',
    ],
    [
      'another level',
      { optimization: 'most' },
      'settings.optimization: must be "disabled" or "basic" or "extended" or "all"',
    ],
    ['another provider', { provider: 'cuda' }, 'settings.provider: must be "cpu" or "webgpu"'],
    ['a fraction', { batch: 1.5 }, 'settings.batch: must be a whole number'],
    ['no items', { items: 0 }, 'settings.items: must be at least 1'],
    ['fewer items than shards', { items: 3 }, 'settings.items: must be at least one for each of the 4 shards'],
    ['an output twice', { outputs: [settings.outputs[0], settings.outputs[0]] }, 'settings.outputs: name "y" twice'],
    [
      'fractions that are compared bit by bit',
      { outputs: [{ name: 'y', type: 'f32' }] },
      'settings.outputs: have fractions (y), whose last digits differ between machines: compare by numeric or topk',
    ],
    [
      'a model without a job before',
      { model: 'net/0' },
      'settings.model: must be a result of the job before, such as name/0 with name from after',
    ],
  ])('%s is refused', (_, over, problem) => {
    expect(problems({}, over)).toContain(problem);
  });

  test('need a comparator of the type of the outputs', () => {
    expect(problems({ comparator: topk }, { outputs: [{ name: 'y', type: 'f32' }] })).toEqual([]);
    expect(problems({ comparator: topk })).toEqual(['settings.outputs: are all compared as f32, but y is i32']);
  });
});

describe('the code of a job', () => {
  const after = { name: 'net' };
  const without: JobSpecInput = { ...spec };
  delete without.module;

  test('may be a result of the job before, and then there is no module', () => {
    const later: JobSpecInput = { ...without, after, settings: { ...settings, model: 'net/0' } };
    const decoded = decodeSpec(encodeSpec(later).bytes);
    expect([decoded.module, moduleFile(decoded)]).toEqual([undefined, 'net/0']);
    expect(problems({ after }, { model: 'net/0' })).toEqual([
      'module: must be absent, because the settings say that net/0 is the code',
    ]);
    expect(problems({ after }, { model: 'other/0' })).toContain(
      'settings.model: must be a result of the job before, such as name/0 with name from after',
    );
  });

  test('is the module of every other job', () => {
    const noCode =
      (over: Partial<JobSpecInput>): (() => void) =>
      () =>
        encodeSpec({ ...without, ...over });
    const message = 'The job spec is not valid: module: is missing: every job needs its code.';
    expect(noCode({})).toThrow(message);
    const bare: JobSpecInput = { ...without };
    delete bare.settings;
    expect(() => encodeSpec({ ...bare, runtime: 'wasm' })).toThrow(message);
  });
});

test('shares are neighbours, differ by one item at most, and are all items', () => {
  expect([0, 1, 2].map((shard) => shareOf(10, shard, 3))).toEqual([
    { first: 0, count: 3 },
    { first: 3, count: 3 },
    { first: 6, count: 4 },
  ]);
  expect(shareOf(2 ** 31 - 1, 16_777_214, 16_777_215)).toEqual({ first: 2 ** 31 - 1 - 129, count: 129 });
});
