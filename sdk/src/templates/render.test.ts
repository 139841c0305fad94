import { describe, expect, test } from 'vitest';
import { diskAsset, MissingAssetError } from './diskAssets.ts';
import { templateNamed, templates, UnknownTemplateError } from './registry.ts';
import { render } from './render.ts';
import { TemplateError, type TemplateContext } from './types.ts';
import { encodeSpec } from '../spec.ts';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';

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

const cidOf = async (text: string): Promise<string> =>
  CID.createV1(0x55, await sha256.digest(new TextEncoder().encode(text))).toString();

const none = new Map<string, Uint8Array>();

describe('the render template', () => {
  test('by default renders the built-in scene in 64 tiles and assembles them', async () => {
    const { context, stored } = setup();
    const {
      jobs: [map, reduce, ...more],
    } = await render.prepare({}, none, context);
    expect(more).toEqual([]);
    expect(stored).toEqual(['scene.obj', 'scene.mtl', 'pathtracer.wasm', 'assemble.wasm']);
    expect(map).toEqual({
      version: 1,
      name: 'Render 1280 × 720',
      runtime: 'wasm',
      module: expect.anything(),
      args: ['1280', '720', '160', '90', '48', '5', '1', 'ground'],
      inputs: [
        { name: 'scene.mtl', cid: expect.anything(), size: 9 },
        { name: 'scene.obj', cid: expect.anything(), size: 9 },
      ],
      shards: 64,
      output: { name: 'tile.png', mediaType: 'image/png' },
      limits: { memoryBytes: 268_666_144, units: 212_361, outputBytes: 47_819, seconds: 268 },
      comparator: { kind: 'exact' },
      view: { kind: 'tiles', width: 1280, height: 720, tileWidth: 160, tileHeight: 90 },
    });
    expect(reduce).toMatchObject({
      args: ['1280', '720', '160', '90'],
      inputs: [],
      after: { name: 'tiles' },
      shards: 1,
      view: { kind: 'file' },
    });
    expect(String(map.module)).toBe(await cidOf('pathtracer.wasm'));
    expect(String(reduce?.module)).toBe(await cidOf('assemble.wasm'));
  });

  test.each([
    ['the defaults', {}],
    ['the largest image', { width: 8192, height: 8192, tileWidth: 64, tileHeight: 64, samples: 4096, bounces: 32 }],
    ['one pixel', { width: 1, height: 1, tileWidth: 1, tileHeight: 1, samples: 1, bounces: 0, seed: 0, ground: false }],
  ])('makes valid specs of %s', async (_what, options) => {
    const { jobs } = await render.prepare(options, none, setup().context);
    for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
  });

  test('takes a mesh without materials, and then not those of the built-in scene', async () => {
    const { context, stored } = setup();
    const files = new Map([['scene.obj', new TextEncoder().encode('mine')]]);
    const {
      jobs: [map],
    } = await render.prepare({ ground: false }, files, context);
    expect(stored).toEqual(['mine', 'pathtracer.wasm', 'assemble.wasm']);
    expect(map.inputs).toEqual([{ name: 'scene.obj', cid: expect.anything(), size: 4 }]);
    expect(map.args.at(-1)).toBe('none');
  });

  test('lists everything that is wrong before it stores anything', async () => {
    const { context, stored } = setup();
    const files = new Map([
      ['scene.mtl', new Uint8Array(0)],
      ['cat.jpg', new Uint8Array(1)],
    ]);
    const refused = render.prepare({ width: 0, speed: 1 }, files, context);
    await expect(refused).rejects.toThrow(TemplateError);
    await expect(refused).rejects.toMatchObject({
      template: 'render',
      problems: [
        { path: 'width', sentence: 'must be at least 1' },
        { path: '', sentence: 'has an unknown field: speed' },
        { path: 'scene.mtl', sentence: 'is empty' },
        { path: 'cat.jpg', sentence: 'is not used: bring scene.obj or scene.mtl' },
        { path: 'scene.mtl', sentence: 'needs the scene.obj that it belongs to' },
      ],
    });
    expect(stored).toEqual([]);
  });

  test('refuses an image cut too finely, with what to do', async () => {
    const refused = render.prepare({ tileWidth: 4, tileHeight: 4 }, none, setup().context);
    await expect(refused).rejects.toThrow(
      'The render job cannot be prepared: tileWidth: makes 57600 tiles, the most is 16384: choose larger tiles.',
    );
  });
});

describe('the registry', () => {
  const IDS = ['render', 'gpu', 'inference', 'train', 'video', 'wasm', 'container', 'blender'];

  test('finds a template by name', () => {
    expect(templateNamed('render')).toBe(render);
    expect(templates.map(({ id }) => id)).toEqual(IDS);
  });

  test('an unknown name lists the known ones', () => {
    expect(() => templateNamed('bake')).toThrow(UnknownTemplateError);
    expect(() => templateNamed('bake')).toThrow(
      `There is no template called "bake". Choose one of: ${IDS.join(', ')}.`,
    );
  });
});

test('an asset that was not built says how to build it', async () => {
  const missing = diskAsset('nothing.wasm');
  await expect(missing).rejects.toThrow(MissingAssetError);
  await expect(missing).rejects.toThrow('The asset nothing.wasm has not been built. Run: npm run build:modules');
});
