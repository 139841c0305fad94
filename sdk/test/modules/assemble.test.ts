import { crc32, deflateSync } from 'node:zlib';
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

/** A 2 x 1 image, 7 bytes with the filter, whose data chunk holds `data`, with all CRCs right. */
function tileOf(data: Uint8Array): Uint8Array {
  const chunk = (kind: string, body: Uint8Array): Buffer => {
    const named = Buffer.concat([Buffer.from(kind), body]);
    const [size, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(body.length);
    crc.writeUInt32BE(crc32(named));
    return Buffer.concat([size, named, crc]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const header = chunk('IHDR', Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0]));
  return Buffer.concat([signature, header, chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** A zlib stream of deflate bits, given in the order in which they are written. */
function zlibOfBits(bits: string): Uint8Array {
  const body = bits.replaceAll(' ', '').padEnd(Math.ceil(bits.replaceAll(' ', '').length / 8) * 8, '0');
  const bytes = (body.match(/.{8}/g) ?? []).map((byte) => Number.parseInt([...byte].reverse().join(''), 2));
  return Uint8Array.from([0x78, 0x9c, ...bytes, 0, 0, 0, 0]);
}

describe('inflating', () => {
  const row = Uint8Array.from([0, 1, 2, 3, 4, 5, 6]);
  // A last block with fixed codes begins with 1 10; literal 0 is 00110000, length 3 is 0000001, end is 0000000.
  const fixed = '1 10 ';
  const wrongAdler = Buffer.from(deflateSync(row));
  wrongAdler.writeUInt8(wrongAdler.at(-1)! ^ 1, wrongAdler.length - 1);

  test('reads the row that the other tests damage', async () => {
    const { stdout } = await run('assemble', [0, 1, 2, 1, 2, 1], { 'tiles/0': tileOf(deflateSync(row)) });
    expect([...readPng(stdout).pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([
    ['is no zlib stream', Uint8Array.from([0x79, 0x9c, 0, 0]), 'not a zlib stream'],
    ['is empty', new Uint8Array(0), 'the compressed data ends early'],
    ['has one byte too many', deflateSync(Buffer.alloc(8)), 'it holds more data than the image has'],
    ['has one byte too few', deflateSync(Buffer.alloc(6)), 'it holds less data than the image has'],
    [
      'has too long a stored block',
      deflateSync(Buffer.alloc(8), { level: 0 }),
      'it holds more data than the image has',
    ],
    ['has no checksum', deflateSync(row).subarray(0, -4), 'the compressed data ends early'],
    ['has a wrong checksum', wrongAdler, 'its Adler-32 is wrong'],
    ['has a block of type 3', zlibOfBits('1 11'), "a block's type does not exist"],
    ['has a match before its start', zlibOfBits(`${fixed} 00110000 0000001 00011`), 'a match begins before the data'],
    [
      'has a match over its end',
      zlibOfBits(`${fixed} 00110000 0001000 00000`),
      'it holds more data than the image has',
    ],
    ['has length code 286', zlibOfBits(`${fixed} 11000110`), 'a length code does not exist'],
    ['has distance code 30', zlibOfBits(`${fixed} 00110000 0000001 11110`), 'a Huffman code is not in its table'],
    ['has 287 literal codes', zlibOfBits('1 01 01111 00000 0000'), 'a block has more codes than exist'],
    [
      'has an over-full code',
      zlibOfBits(`1 01 00000 00000 0000 ${'100 '.repeat(4)}`),
      'a Huffman code has too many codes',
    ],
    [
      'repeats nothing',
      zlibOfBits('1 01 00000 00000 0000 100 100 000 000 0'),
      'a block repeats a length before the first',
    ],
  ])('refuses data that %s', async (_what, data, message) => {
    const { exitCode, stderr } = await run('assemble', [0, 1, 2, 1, 2, 1], { 'tiles/0': tileOf(data) });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `error: /in/tiles/0: ${message}\n` });
  });
});

/** Writes the right CRC into the IDAT chunk of a file with a single one. */
function withValidCrc(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset);
  const size = view.getUint32(33);
  view.setUint32(41 + size, crc32(file.subarray(37, 41 + size)));
  return file;
}
