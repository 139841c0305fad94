import { readPng } from '@dpu/sdk/compare/png';
import { PREVIEW_BYTES } from '@dpu/sdk/gossip/topics';
import { expect, test } from 'vitest';

import { encodePicture } from '../runtimes/wgsl/child/picture.ts';
import { previewOf } from './preview.ts';

/** A picture whose red grows to the right, a step each `shrink` pixels, and whose green is `y % 2`. */
function picture(width: number, height: number): Uint8Array {
  const rgba = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) rgba.set([Math.floor(x / 4), (y % 2) * 200, 9], 4 * (y * width + x));
  return Uint8Array.from(Buffer.concat(encodePicture(rgba, width, height)));
}
const sizeOf = (output: Uint8Array): [number, number] | undefined => {
  const preview = previewOf('image/png', output);
  if (preview === undefined) return undefined;
  expect(preview.bytes.length).toBeLessThanOrEqual(PREVIEW_BYTES);
  const { width, height } = readPng(preview.bytes);
  return [width, height];
};

test('a picture is made small by whole pixels, each the mean of what it stands for', () => {
  const preview = previewOf('image/png', picture(34, 18))!;
  const { width, height, rows } = readPng(preview.bytes);
  expect([width, height, preview.type]).toEqual([8, 4, 'image/png']);
  for (const row of rows())
    for (let x = 0; x < width; x += 1)
      expect([...row.subarray(4 * x, 4 * x + 3)]).toEqual([x * 257, 100 * 257, 9 * 257]);
});

test.each<[what: string, Uint8Array, [number, number] | undefined]>([
  ['the longer side fits', picture(224, 225), [44, 45]],
  ['a large picture', picture(1_000, 500), [55, 27]],
  ['the smallest that has one', picture(16, 16), [4, 4]],
  ['one that would show nearly all of itself', picture(16, 15), undefined],
  ['more pixels than are worth it', picture(2_049, 1_024), undefined],
  ['no picture', new TextEncoder().encode('no picture'), undefined],
  ['half a picture', picture(64, 64).subarray(0, 900), undefined],
])('%s', (_what, output, size) => {
  expect(sizeOf(output)).toEqual(size);
});

test('other kinds of outputs have none', () => {
  expect(previewOf('text/plain', picture(64, 64))).toBeUndefined();
});
