import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { DIGITS } from '../../modules/digits/make-sets.ts';
import { MAX_CHAIN } from '../posting.ts';
import { encodeSpec } from '../spec.ts';
import { BUILT_IN } from './trainData.ts';
import { train } from './train.ts';
import { TemplateError, type TemplateContext } from './types.ts';

/** Assets are their own names; files are stored as one raw block each, and remembered. */
function setup(): { context: TemplateContext; stored: string[] } {
  const stored: string[] = [];
  return {
    stored,
    context: {
      asset: async (name) => new TextEncoder().encode(name),
      addFile: async (bytes) => {
        stored.push(bytes.length > 20 ? `${bytes.length} bytes` : new TextDecoder().decode(bytes));
        return { cid: CID.createV1(0x55, await sha256.digest(bytes)) };
      },
    },
  };
}

const none = new Map<string, Uint8Array>();

/** An IDX file of bytes: its sizes, then zeros, `extra` bytes more or less of them. */
function idx(sizes: readonly number[], extra = 0): Uint8Array {
  const file = new Uint8Array(4 + 4 * sizes.length + sizes.reduce((all, size) => all * size, 1) + extra);
  const view = new DataView(file.buffer);
  [0x0800 + sizes.length, ...sizes].forEach((value, index) => view.setUint32(4 * index, value));
  return file;
}

const files = (over: Record<string, Uint8Array> = {}): Map<string, Uint8Array> =>
  new Map(
    Object.entries({
      'train-images.idx': idx([12, 2, 4]),
      'train-labels.idx': idx([12]),
      'test-images.idx': idx([3, 2, 4]),
      'test-labels.idx': idx([3]),
      ...over,
    }),
  );

const problemsOf = (prepared: Promise<unknown>): Promise<string[]> =>
  prepared.then(
    () => [],
    (error: unknown) => {
      if (!(error instanceof TemplateError)) throw error;
      return error.problems.map(({ path, sentence }) => `${path}: ${sentence}`);
    },
  );

describe('the train template', () => {
  test('by default makes four rounds of two jobs, the last of which exports', async () => {
    const { context, stored } = setup();
    const { jobs } = await train.prepare({}, none, context);
    expect(stored).toEqual([
      'train-images.idx',
      'train-labels.idx',
      'test-images.idx',
      'test-labels.idx',
      'train.wasm',
      'average.wasm',
    ]);
    expect(jobs.map(({ name, shards, after, args }) => [name, shards, after?.name, args.join(' ')])).toEqual([
      ['Train, round 1 of 4', 4, undefined, '1 64 10 3 16 200000 1'],
      ['Average and test, round 1 of 4', 1, 'shards', '4 1 4'],
      ['Train, round 2 of 4', 4, 'weights', '2 64 10 3 16 200000 1'],
      ['Average and test, round 2 of 4', 1, 'shards', '4 2 4'],
      ['Train, round 3 of 4', 4, 'weights', '3 64 10 3 16 200000 1'],
      ['Average and test, round 3 of 4', 1, 'shards', '4 3 4'],
      ['Train, round 4 of 4', 4, 'weights', '4 64 10 3 16 200000 1'],
      ['Average, test and export, round 4 of 4', 4, 'shards', '4 4 4'],
    ]);
    expect(new Set(jobs.map(({ runtime }) => runtime))).toEqual(new Set(['train']));
    expect(jobs[0].inputs.map(({ name }) => name)).toEqual(['train-images.idx', 'train-labels.idx']);
    expect(jobs[1]!.inputs.map(({ name }) => name)).toEqual(['test-images.idx', 'test-labels.idx']);
    expect(jobs[0].limits).toEqual({ memoryBytes: 72_315_136, units: 9_232, outputBytes: 1_265_360, seconds: 153 });
    expect(jobs.at(-1)!.view).toEqual({
      kind: 'files',
      files: [
        { name: 'model.onnx', mediaType: 'application/octet-stream' },
        { name: 'curve.csv', mediaType: 'text/csv' },
        { name: 'curve.png', mediaType: 'image/png' },
        { name: 'answers.csv', mediaType: 'text/csv' },
      ],
    });
  });

  test.each([
    ['the defaults', {}, none],
    ['one round', { rounds: 1 }, none],
    ['the most of everything', { rounds: 10, shards: 256, epochs: 100, hidden: 2048, classes: 256 }, none],
    ['images of somebody', { shards: 12 }, files()],
  ])('makes valid specs of %s, which fit a chain', async (_what, options, provided) => {
    const { jobs } = await train.prepare(options, provided, setup().context);
    for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
    expect(jobs.length).toBeLessThanOrEqual(MAX_CHAIN);
  });

  test('the built-in images have the sizes that the limits are made of', () => {
    expect(BUILT_IN).toEqual({ train: DIGITS.train, test: DIGITS.test, pixels: DIGITS.side ** 2 });
  });

  test('lists everything that is wrong with the options before it stores anything', async () => {
    const { context, stored } = setup();
    const refused = train.prepare({ rounds: 11, hidden: 10, rate: 0.5 }, none, context);
    expect(await problemsOf(refused)).toEqual([
      'rounds: must be at most 10',
      'hidden: must be a multiple of 4',
      'rate: must be a whole number',
    ]);
    expect(stored).toEqual([]);
  });

  test.each([
    [
      'half of the files',
      new Map([...files()].slice(0, 2)),
      [
        'test-images.idx: is missing: bring all four files, or none',
        'test-labels.idx: is missing: bring all four files, or none',
      ],
    ],
    [
      'a file of another name',
      files({ 'cat.jpg': new Uint8Array(9) }),
      ['cat.jpg: is not used: bring train-images.idx, train-labels.idx, test-images.idx, test-labels.idx'],
    ],
    [
      'labels for images',
      files({ 'train-images.idx': idx([12]) }),
      ['train-images.idx: is no IDX file of images: it must begin with 00 00 08 03'],
    ],
    [
      'images for labels',
      files({ 'test-labels.idx': idx([3, 2, 4]) }),
      ['test-labels.idx: is no IDX file of labels: it must begin with 00 00 08 01'],
    ],
    [
      'images of five pixels',
      files({ 'train-images.idx': idx([12, 1, 5]), 'test-images.idx': idx([3, 1, 5]) }),
      [
        'train-images.idx: has images of 5 pixels: it must be a multiple of 4, at most 65536',
        'test-images.idx: has images of 5 pixels: it must be a multiple of 4, at most 65536',
      ],
    ],
    [
      'a byte too few',
      files({ 'train-images.idx': idx([12, 2, 4], -1) }),
      ['train-images.idx: does not hold the 12 images that it says'],
    ],
    [
      'a label too many',
      files({ 'test-labels.idx': idx([4]) }),
      ['test-labels.idx: does not hold a label for each of the 3 images'],
    ],
    [
      'no images',
      files({ 'test-images.idx': idx([0, 2, 4]), 'test-labels.idx': idx([0]) }),
      ['test-images.idx: has no images'],
    ],
    [
      'images of two sizes',
      files({ 'test-images.idx': idx([3, 4, 4]) }),
      ['test-images.idx: has images of another size than train-images.idx'],
    ],
  ])('refuses %s', async (_what, provided, problems) => {
    expect(await problemsOf(train.prepare({}, provided, setup().context))).toEqual(problems);
  });

  test('wants an image for each shard', async () => {
    expect(await problemsOf(train.prepare({ shards: 12 }, files(), setup().context))).toEqual([]);
    expect(await problemsOf(train.prepare({ shards: 13 }, files(), setup().context))).toEqual([
      'train-images.idx: has 12 images, fewer than the 13 shards',
    ]);
  });
});
