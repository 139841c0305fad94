import { describe, expect, test } from 'vitest';

import { RENDER_COMPARATOR } from '../compare/comparator.ts';
import { renderProblems, renderUnits, tileOf, type RenderSettings } from './render.ts';
import { sceneSchema } from './scene.ts';
import { builtScene } from '../templates/blender.ts';

const SETTINGS: RenderSettings = { width: 100, height: 50, tileWidth: 40, tileHeight: 30, samples: 8, seed: 1 };

describe('tiles of the render runtime', () => {
  test('go row by row and frame by frame, and those at the border are smaller', () => {
    const settings = { ...SETTINGS, frame: 5, frames: 2 };
    expect(tileOf(settings, 0)).toEqual({ frame: 5, x: 0, y: 0, width: 40, height: 30 });
    expect(tileOf(settings, 5)).toEqual({ frame: 5, x: 80, y: 30, width: 20, height: 20 });
    expect(tileOf(settings, 6)).toEqual({ frame: 6, x: 0, y: 0, width: 40, height: 30 });
  });

  test('cover every pixel once', () => {
    const seen = new Uint8Array(100 * 50);
    for (let shard = 0; shard < 6; shard += 1) {
      const { x, y, width, height } = tileOf(SETTINGS, shard);
      for (let row = y; row < y + height; row += 1)
        for (let column = x; column < x + width; column += 1) seen[row * 100 + column]! += 1;
    }
    expect(new Set(seen)).toEqual(new Set([1]));
  });

  test('count their own pixels and samples', () => {
    expect([renderUnits(SETTINGS, 0), renderUnits(SETTINGS, 5)]).toEqual([48, 16]);
  });

  test('must fit the shards, the output and a comparator that forgives', () => {
    const spec = { settings: SETTINGS, shards: 6, comparator: RENDER_COMPARATOR, output: { mediaType: 'image/png' } };
    expect(renderProblems(spec)).toEqual([]);
    const wrong = { ...spec, shards: 5, comparator: { kind: 'exact' } as const, output: { mediaType: 'image/jpeg' } };
    expect(renderProblems(wrong).map(({ path }) => path)).toEqual(['shards', 'output.mediaType', 'comparator']);
  });
});

describe('a scene in words', () => {
  test('of the template is one', () => {
    expect(sceneSchema.safeParse(builtScene()).success).toBe(true);
  });

  test.each<[object, string]>([
    [{ camera: { from: [0, 0, 0], to: [0, 0, Infinity] } }, 'camera.to.2'],
    [{ objects: [{ shape: 'file', at: [0, 0, 0] }] }, 'objects.0.shape'],
    [{ objects: [{ shape: 'cube', at: [0, 0, 0], material: 99 }] }, 'objects.0.material'],
    [{ script: 'x' }, ''],
  ])('with %j is refused', (over, path) => {
    const found = sceneSchema.safeParse({ ...builtScene(), ...over });
    expect(found.error?.issues[0]?.path.join('.')).toBe(path);
  });
});
