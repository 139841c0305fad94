import { pictureBytes } from '@dpu/sdk/runtimes/wgsl';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodePicture } from '../../src/runtimes/wgsl/child/picture.ts';

/** Chunks of a PNG file by kind; Node's inflate checks the data's own sum. */
function chunksOf(file: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    chunks.set(file.toString('latin1', at + 4, at + 8), file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return chunks;
}

test.each([
  [1, 1],
  [3, 2],
  // One byte less than a stored block, a whole one, and one byte more.
  [21_844, 1],
  [255, 100],
  [640, 480],
])('%d × %d pixels are stored as they are, in just the size that was announced', (width, height) => {
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const file = Buffer.concat(encodePicture(rgba, width, height));
  expect(file.length).toBe(pictureBytes({ width, height }));
  const chunks = chunksOf(file);
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  expect(chunks.get('IHDR')!.readUInt32BE(0)).toBe(width);
  const rows = inflateSync(chunks.get('IDAT')!);
  const expected = Buffer.alloc((3 * width + 1) * height);
  for (let i = 0; i < width * height; i += 1) {
    const at = Math.floor(i / width) * (3 * width + 1) + 1 + 3 * (i % width);
    expected.set(rgba.subarray(4 * i, 4 * i + 3), at);
  }
  expect(rows.equals(expected)).toBe(true);
});

test('one red pixel is this file', () => {
  expect(Buffer.concat(encodePicture(Uint8Array.of(255, 0, 0, 9), 1, 1)).toString('hex')).toBe(
    '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de' +
      '0000000f494441547801010400fbff00ff000003010100' +
      '8d1de5820000000049454e44ae426082',
  );
});
