import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { encodeSpec } from '../spec.ts';
import { gpu } from './gpu.ts';
import type { TemplateContext } from './types.ts';

/** Assets are their own names; files are stored as one raw block each, and remembered. */
function setup(): { context: TemplateContext; stored: string[] } {
  const stored: string[] = [];
  return {
    stored,
    context: {
      asset: async (name) => new TextEncoder().encode(name),
      addFile: async (bytes) => {
        stored.push(new TextDecoder().decode(bytes));
        return { cid: CID.createV1(0x55, await sha256.digest(bytes)) };
      },
    },
  };
}

const none = new Map<string, Uint8Array>();
const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('the fractal', () => {
  test('by default is 64 tiles of whole numbers, compared byte for byte, and one shard that assembles them', async () => {
    const { context, stored } = setup();
    const {
      jobs: [map, reduce],
    } = await gpu.prepare({}, none, context);
    expect(stored).toEqual(['fractal.wgsl', 'assemble.wasm']);
    expect(map).toEqual({
      version: 1,
      name: 'Fractal 1024 × 576',
      runtime: 'wgsl',
      settings: {
        buffers: [
          { name: 'sums', bytes: 147_456 },
          { name: 'pixels', bytes: 36_864 },
        ],
        passes: [
          {
            entry: 'sample_tile',
            size: [8, 8, 1],
            groups: [16, 9, 1],
            repeat: 4,
            bind: expect.anything(),
          },
          { entry: 'resolve', size: [8, 8, 1], groups: [16, 9, 1], bind: expect.anything() },
        ],
        output: { buffers: ['pixels'], picture: { width: 128, height: 72 } },
      },
      module: expect.anything(),
      // 393 / 2²⁶ between samples, 1,024 of them to the left of the middle and 576 above it.
      args: ['8', '128', '72', '-50307469', '9072994', '393', '2', '700'],
      inputs: [],
      shards: 64,
      output: { name: 'tile.png', mediaType: 'image/png' },
      limits: { memoryBytes: 4_378_928, units: 47, outputBytes: 27_788, seconds: 112 },
      comparator: { kind: 'exact' },
      view: { kind: 'tiles', width: 1024, height: 576, tileWidth: 128, tileHeight: 72 },
    });
    expect(reduce).toMatchObject({ runtime: 'wasm', args: ['1024', '576', '128', '72'], after: { name: 'tiles' } });
    expect(() => encodeSpec(map)).not.toThrow();
    expect(() => encodeSpec(reduce!)).not.toThrow();
  });

  test.each([
    ['one pixel', { width: 1, height: 1, tileWidth: 1, tileHeight: 1, smoothness: 1, iterations: 1 }],
    ['the largest image', { width: 8192, height: 8192, tileWidth: 2048, tileHeight: 2048, smoothness: 8 }],
    ['the farthest corner', { centerX: -2_500_000, centerY: 2_500_000, span: 5_000_000 }],
  ])('makes valid specs of %s', async (_what, options) => {
    const {
      jobs: [map, reduce],
    } = await gpu.prepare(options, none, setup().context);
    expect(() => encodeSpec(map)).not.toThrow();
    expect(() => encodeSpec(reduce!)).not.toThrow();
  });

  test('refuses tiles that do not fill the image', async () => {
    await expect(gpu.prepare({ tileWidth: 100, tileHeight: 73 }, none, setup().context)).rejects.toThrow(
      'The gpu job cannot be prepared: tileWidth: must divide the width 1024; tileHeight: must divide the height 576.',
    );
  });
});

describe('a kernel of one’s own', () => {
  const kernel = '@compute @workgroup_size(64) fn main() {}';
  const settings = {
    buffers: [{ name: 'data', bytes: 256, input: { name: 'data.bin' } }],
    passes: [
      {
        entry: 'main',
        size: [64, 1, 1],
        groups: [1, 1, 1],
        bind: [{ binding: 1, buffer: 'data', access: 'read_write' }],
      },
    ],
    output: { buffers: ['data'] },
  };
  const files = (own: unknown, source = kernel): Map<string, Uint8Array> =>
    new Map([
      ['kernel.wgsl', text(source)],
      ['settings.json', text(own)],
      ['data.bin', Uint8Array.of(1, 2, 3)],
    ]);

  test('becomes one job with the settings that came with it', async () => {
    const { context, stored } = setup();
    const {
      jobs: [map, reduce],
    } = await gpu.prepare({}, files({ shards: 3, args: [1, -1], settings }), context);
    expect(stored[0]).toBe(kernel);
    expect(reduce).toBeUndefined();
    expect(map).toMatchObject({
      runtime: 'wgsl',
      args: ['1', '-1'],
      shards: 3,
      inputs: [{ name: 'data.bin', size: 3 }],
      limits: { memoryBytes: 4_194_864, units: 1, outputBytes: 256, seconds: 600 },
      comparator: { kind: 'exact' },
      output: { name: 'output.bin' },
    });
    expect(() => encodeSpec(map)).not.toThrow();
  });

  test('may use floats when it is compared with a tolerance, and not otherwise', async () => {
    const floats = '@compute @workgroup_size(64) fn main() { let a = 1.5; }';
    await expect(gpu.prepare({}, files({ settings }, floats), setup().context)).rejects.toThrow(
      'The gpu job cannot be prepared: kernel: computes with floats (1.5, line 1), whose last digits differ between machines: compare with a tolerance, or use whole numbers.',
    );
    const comparator = { kind: 'numeric', type: 'f32', absolutePpb: 0, relativePpb: 1000, outliersPpm: 0 };
    const {
      jobs: [map],
    } = await gpu.prepare({}, files({ settings, comparator }, floats), setup().context);
    expect(map.comparator).toEqual(comparator);
  });

  test.each<[string, Map<string, Uint8Array>, string]>([
    [
      'no settings',
      new Map([['kernel.wgsl', text(kernel)]]),
      'settings.json: is missing: it says which buffers the kernel works on',
    ],
    ['settings that are no JSON', files('{'), 'settings.json: is not JSON'],
    ['no passes', files({ settings: { ...settings, passes: [] } }), 'settings.json: settings.passes: must have a pass'],
    [
      'another workgroup',
      files({ settings }, kernel.replace('64', '32')),
      'passes[0].size: is not what the kernel says: main has 32, 1, 1',
    ],
    ['data for nobody', new Map([['data.bin', text('x')]]), 'data.bin: needs the kernel.wgsl that it is for'],
    [
      'a stranger',
      new Map([['cat.jpg', text('x')]]),
      'cat.jpg: is not used: bring kernel.wgsl, settings.json, data.bin',
    ],
  ])('with %s is refused', async (_what, provided, sentence) => {
    const { context, stored } = setup();
    await expect(gpu.prepare({}, provided, context)).rejects.toThrow(`cannot be prepared: ${sentence}.`);
    expect(stored).toEqual([]);
  });
});
