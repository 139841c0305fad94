import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { MAX_CHAIN } from '../posting.ts';
import { encodeSpec } from '../spec.ts';
import { learn } from './learn.ts';
import { templateNamed } from './registry.ts';
import { TemplateError, type TemplateContext } from './types.ts';

/** An IDX file of bytes: its sizes, then 51 everywhere. */
function idx(...sizes: number[]): Uint8Array {
  const head = 4 + 4 * sizes.length;
  const file = new Uint8Array(head + sizes.reduce((all, size) => all * size, 1)).fill(51);
  const view = new DataView(file.buffer);
  [0x0800 + sizes.length, ...sizes].forEach((value, index) => view.setUint32(4 * index, value));
  return file;
}

function setup(): { context: TemplateContext; stored: Uint8Array[] } {
  const stored: Uint8Array[] = [];
  const assets = new Map([
    ['test-images.idx', idx(5, 2, 4)],
    ['test-labels.idx', idx(5)],
  ]);
  return {
    stored,
    context: {
      asset: async (name) => assets.get(name) ?? new TextEncoder().encode(name),
      addFile: async (bytes) => {
        stored.push(bytes);
        return { cid: CID.createV1(0x55, await sha256.digest(bytes)) };
      },
    },
  };
}

describe('the learn template', () => {
  test('appends to a training what uses its model before there is one', async () => {
    expect(templateNamed('learn')).toBe(learn);
    const { context, stored } = setup();
    const { jobs } = await learn.prepare({ rounds: 2, scorers: 2 }, new Map(), context);
    expect(jobs.map(({ runtime, shards, after }) => [runtime, shards, after?.name])).toEqual([
      ['train', 4, undefined],
      ['train', 1, 'shards'],
      ['train', 4, 'weights'],
      ['train', 4, 'shards'],
      ['onnx', 2, 'trained'],
      ['wasm', 2, 'scores'],
    ]);
    const [scores, mistakes] = jobs.slice(-2);
    expect(scores).toMatchObject({
      settings: {
        ...{ model: 'trained/0', items: 5, batch: 64 },
        inputs: [{ name: 'pixels', type: 'f32', shape: [8], file: 'data.bin' }],
      },
      inputs: [{ name: 'data.bin', size: 4 * 5 * 8 }],
      limits: { outputBytes: 3 * 10 * 4 },
      comparator: { kind: 'topk', classes: 10, k: 1 },
    });
    expect(scores).not.toHaveProperty('module');
    expect(mistakes).toMatchObject({
      args: ['2', '10', 'f32', 'both'],
      inputs: [{ name: 'labels.bin', size: 5 }],
      view: { kind: 'files', files: [{ name: 'confusion.png' }, { name: 'confusion.csv' }] },
    });
    // A byte of 51 is a fifth of full white.
    const pixels = stored.find(({ length }) => length === 160)!;
    expect(new DataView(pixels.buffer).getFloat32(156, true)).toBe(Math.fround(0.2));
    for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
  });

  test('fits a chain with the most rounds, and takes no more', async () => {
    const { jobs } = await learn.prepare({ rounds: 9, scorers: 1 }, new Map(), setup().context);
    expect(jobs).toHaveLength(MAX_CHAIN);
    for (const [options, problems] of [
      [{ rounds: 10 }, [{ path: 'rounds', sentence: 'must be at most 9' }]],
      [{ scorers: 6 }, [{ path: 'scorers', sentence: 'are more than the 5 unseen images' }]],
    ] as const) {
      await expect(learn.prepare(options, new Map(), setup().context)).rejects.toEqual(
        new TemplateError('learn', [...problems]),
      );
    }
  });
});
