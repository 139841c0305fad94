import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildModules, readPng, run, writePng, type Rgb } from './testing.ts';

beforeAll(buildModules, 60_000);

/** An image whose pixels are `at(x, y, channel)`. */
function paint(width: number, height: number, at: (x: number, y: number, channel: number) => number): Rgb {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) {
    const pixel = Math.floor(i / 3);
    pixels[i] = at(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return { width, height, pixels };
}

function cut(image: Rgb, left: number, top: number, width: number, height: number): Rgb {
  return paint(
    width,
    height,
    (x, y, channel) => image.pixels[((top + y) * image.width + left + x) * 3 + channel] ?? Number.NaN,
  );
}

const imageArbitrary = fc
  .record({ width: fc.integer({ min: 1, max: 48 }), height: fc.integer({ min: 1, max: 48 }) })
  .chain(({ width, height }) =>
    fc.oneof(
      fc
        .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
        .map((pixels) => ({ width, height, pixels })),
      fc.integer({ min: 0, max: 255 }).map((value) => paint(width, height, () => value)),
      fc
        .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9 }))
        .map(([a, b]) => paint(width, height, (x, y, channel) => (a * x + b * y + 31 * channel) & 255)),
      fc.integer({ min: 2, max: 7 }).map((period) => paint(width, height, (x, y) => ((x ^ y) % period) * 36)),
    ),
  );

describe('PNG', () => {
  test('pixels survive our reader and our writer, whatever way pngjs packed them', async () => {
    await fc.assert(
      fc.asyncProperty(
        imageArbitrary,
        fc.constantFrom(0, 1, 9),
        fc.constantFrom(0, 2, 3, 4),
        fc.integer({ min: -1, max: 4 }),
        async (image, level, strategy, filter) => {
          const { width, height } = image;
          const file = writePng(image, { level, strategy, filter });
          const { exitCode, stdout, stderr } = await run('assemble', [0, 1, width, height, width, height], {
            'tiles/0': file,
          });
          expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'assembled 1 tiles\n' });
          expect(readPng(stdout)).toEqual(image);
        },
      ),
      { numRuns: 150 },
    );
  });

  test.each([
    ['repeats further back than the window', (x: number, y: number) => (x * 7919 + (y % 61) * 104_729) >> 3],
    ['is one colour', () => 9],
    ['is noise', (x: number, y: number) => Math.imul(x * 0x9e3779b1 + y, 0x85ebca6b) >>> 13],
  ])('a large image that %s survives several blocks', async (_what, at) => {
    const image = paint(320, 300, (x, y, channel) => (at(x, y) + channel) & 255);
    const file = writePng(image);
    const { stdout } = await run('assemble', [0, 1, 320, 300, 320, 300], { 'tiles/0': file });
    expect(readPng(stdout)).toEqual(image);
  });

  test('packs a smooth image to a small part of its size', async () => {
    const image = paint(256, 256, (x, y) => (x + y) >> 1);
    const { stdout } = await run('assemble', [0, 1, 256, 256, 256, 256], { 'tiles/0': writePng(image) });
    expect(stdout.length).toBeLessThan(image.pixels.length / 60);
  });
});

describe('assembling', () => {
  const image = paint(23, 17, (x, y, channel) => (x * 11 + y * 5 + channel * 70) & 255);

  test('puts row-major tiles in their places, those at the edges cut off', async () => {
    const tiles: Record<string, Uint8Array> = {};
    for (let i = 0; i < 12; i++) {
      const [left, top] = [(i % 4) * 7, Math.floor(i / 4) * 6];
      tiles[`tiles/${i}`] = writePng(cut(image, left, top, Math.min(7, 23 - left), Math.min(6, 17 - top)));
    }
    const { exitCode, stdout, stderr } = await run('assemble', [0, 1, 23, 17, 7, 6], tiles);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'assembled 12 tiles\n' });
    expect(readPng(stdout)).toEqual(image);
  });

  const good = writePng(image);
  /** The tile with one byte changed by `change`. */
  const damaged = (at: number, change: (byte: number) => number): Uint8Array => {
    const copy = Uint8Array.from(good);
    const index = at < 0 ? copy.length + at : at;
    copy[index] = change(copy[index] ?? 0);
    return copy;
  };

  test.each([
    ['a tile is missing', [0, 1, 46, 17, 23, 17], '/in/tiles/1 is missing: the image needs 2 tiles'],
    ['a tile has another size', [0, 1, 23, 18, 23, 18], '/in/tiles/0: is 23 x 17 pixels, not 23 x 18'],
    [
      'it is more than one shard',
      [0, 2, 23, 17, 23, 17],
      'assembling is one piece of work: the spec must have 1 shard',
    ],
    ['an argument is missing', [0, 1, 23, 17, 23], 'argument tileHeight is missing'],
    [
      'an argument is not a number',
      [0, 1, 23, '1e3', 23, 17],
      "argument height must be an integer from 1 to 8192, not '1e3'",
    ],
    ['an argument is zero', [0, 1, 0, 17, 23, 17], "argument width must be an integer from 1 to 8192, not '0'"],
  ])('refuses when %s', async (_what, args, message) => {
    const { exitCode, stdout, stderr } = await run('assemble', args, { 'tiles/0': good });
    expect({ exitCode, stderr, bytes: stdout.length }).toEqual({
      exitCode: 2,
      stderr: `error: ${message}\n`,
      bytes: 0,
    });
  });

  test.each([
    ['no PNG', new Uint8Array(99), 'not a PNG file'],
    ['empty', new Uint8Array(0), 'not a PNG file'],
    ['cut short', good.subarray(0, good.length - 20), 'the file ends inside a chunk'],
    ['damaged in a chunk', damaged(60, (byte) => byte ^ 1), "a chunk's CRC is wrong"],
    ['of another colour type', damaged(25, () => 6), "a chunk's CRC is wrong"],
  ])('refuses a tile that is %s', async (_what, tile, message) => {
    const { exitCode, stderr } = await run('assemble', [0, 1, 23, 17, 23, 17], { 'tiles/0': tile });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `error: /in/tiles/0: ${message}\n` });
  });

  test('no damage to the compressed data behind a valid CRC traps or passes for the image', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.length - 58 - 16 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const { exitCode, stdout } = await run('assemble', [0, 1, 23, 17, 23, 17], {
          'tiles/0': withValidCrc(damaged(41 + at, (byte) => byte ^ flip)),
        });
        // Padding bits after the last block are the one place where damage changes nothing.
        expect(exitCode === 2 || Buffer.compare(readPng(stdout).pixels, image.pixels) === 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** Writes the right CRC into the IDAT chunk of a file with a single one. */
function withValidCrc(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset);
  const size = view.getUint32(33);
  let crc = 0xffffffff;
  for (const byte of file.subarray(37, 41 + size)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  view.setUint32(41 + size, ~crc >>> 0);
  return file;
}
