import { PNG } from 'pngjs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UnreadableImage } from './image.ts';
import { readPng } from './png.ts';
import { chunk, packRows, png, pngOf, randomOf, scene, type PngParts } from './testing.ts';

/** Every sample at full scale. */
function samplesOf(file: Uint8Array): number[] {
  return Array.from(readPng(file).rows(), (row) => [...row]).flat();
}

/** Why the file cannot be read, as `reason: what`. */
function refusalOf(file: Uint8Array): string | undefined {
  try {
    samplesOf(file);
  } catch (error) {
    if (error instanceof UnreadableImage) return `${error.reason}: ${error.message}`;
    throw error;
  }
  return undefined;
}

/** Without the colours of clear pixels, which pngjs forgets. */
function hidden(samples: readonly number[]): number[] {
  return samples.map((sample, i) => (samples[i | 3] === 0 ? 0 : sample));
}

const SIZE = { width: 7, height: 5 };
const random = randomOf(9);
const PALETTE = chunk(
  'PLTE',
  Uint8Array.from({ length: 48 }, () => random() * 256),
);

describe('an image', () => {
  test.each<[colour: number, samples: number, depth: number]>([
    [0, 1, 1],
    [0, 1, 2],
    [0, 1, 4],
    [0, 1, 8],
    [0, 1, 16],
    [2, 3, 8],
    [2, 3, 16],
    [3, 1, 1],
    [3, 1, 2],
    [3, 1, 4],
    [3, 1, 8],
    [4, 2, 8],
    [4, 2, 16],
    [6, 4, 8],
    [6, 4, 16],
  ])('of colour type %i with %i samples of %i bits is what pngjs reads', (colour, samples, depth) => {
    const most = colour === 3 ? Math.min(16, 2 ** depth) : 2 ** depth;
    const values = Array.from({ length: 35 * samples }, () => Math.floor(random() * most));
    const palette = colour === 3 ? [chunk('PLTE', PALETTE.subarray(8, 8 + 3 * most))] : [];
    const clear = { 0: [0, 1], 2: [0, 1, 0, 2, 0, 3], 3: [9, 99] }[colour];
    const before = [...palette, ...(clear ? [chunk('tRNS', Uint8Array.from(clear))] : [])];
    const file = png({ ...SIZE, colour, depth, before, rows: packRows(values, SIZE, samples, depth) });
    const ours = samplesOf(file).map((value) => Math.floor((value * 255) / 65_535 + 0.5));
    expect(hidden(ours)).toEqual(hidden([...PNG.sync.read(Buffer.from(file)).data]));
  });

  test('with any filter is what pngjs wrote', () => {
    const { width, height, samples } = scene(40, 30);
    const image = new PNG({ width, height });
    image.data.set(Array.from(samples, (sample) => Math.round(sample * 255)));
    for (const filterType of [0, 1, 2, 3, 4, -1]) {
      const file = PNG.sync.write(image, { filterType });
      expect(
        samplesOf(file).map((value) => value / 257),
        `filter ${filterType}`,
      ).toEqual([...image.data]);
    }
  });

  test('keeps all 16 bits, and what says how they are shown', () => {
    const gamma = Uint8Array.of(0, 0, 0xb1, 0x8f);
    const file = png({
      width: 1,
      height: 1,
      depth: 16,
      colour: 2,
      rows: [Uint8Array.of(1, 2, 3, 4, 5, 6)],
      before: [chunk('gAMA', gamma), chunk('tEXt', Uint8Array.of(65, 0, 66))],
    });
    expect(samplesOf(file)).toEqual([0x0102, 0x0304, 0x0506, 0xffff]);
    expect([...readPng(file).look].map(([type, data]) => [type, ...data])).toEqual([['gAMA', ...gamma]]);
  });
});

describe('a file', () => {
  const rows = packRows(Array<number>(35).fill(1), SIZE, 1, 8);
  const grey: PngParts = { ...SIZE, depth: 8, colour: 0, rows };
  const indexed: PngParts = { ...grey, colour: 3, before: [PALETTE] };
  const good = pngOf(scene(7, 5));
  const raw = Buffer.concat(rows.flatMap((row) => [Uint8Array.of(0), row]));
  const withRaw = (data: Uint8Array): Uint8Array => png({ ...grey, data: deflateSync(data) });
  const empty = new Uint8Array();

  test.each<[what: string, file: Uint8Array, why: string]>([
    ['of no bytes', empty, 'not-png: it is no PNG file'],
    ['of another kind', new TextEncoder().encode('<svg></svg>'), 'not-png: it is no PNG file'],
    ['that is only a signature', good.subarray(0, 8), 'corrupt: it has no end'],
    ['cut within a chunk', good.subarray(0, 50), 'corrupt: it ends within a chunk'],
    ['cut before its end', good.subarray(0, -12), 'corrupt: it has no end'],
    ['with more after its end', Buffer.concat([good, Uint8Array.of(0)]), 'corrupt: it ends within a chunk'],
    ['with a chunk after its end', Buffer.concat([good, chunk('tEXt', empty)]), 'corrupt: something follows its end'],
    ['with a flipped bit', good.with(45, good[45]! ^ 1), 'corrupt: the checksum of a IDAT chunk is wrong'],
    ['with a nameless chunk', png({ ...grey, before: [chunk('a1bc', empty)] }), 'corrupt: a chunk has no type'],
    [
      'without a head',
      Buffer.concat([good.subarray(0, 8), good.subarray(33)]),
      'corrupt: its head is not its first chunk, or there twice',
    ],
    [
      'with two heads',
      Buffer.concat([good.subarray(0, 33), good.subarray(8)]),
      'corrupt: its head is not its first chunk, or there twice',
    ],
    ['without pixels', png({ ...grey, width: 0 }), 'corrupt: it has no pixels'],
    ['of depth 3', png({ ...grey, depth: 3 }), 'corrupt: it has samples of an unknown kind'],
    ['of colour type 5', png({ ...grey, colour: 5 }), 'corrupt: it has samples of an unknown kind'],
    ['that is interlaced', png({ ...grey, interlace: 1 }), 'unsupported: it is interlaced'],
    ['of interlacing 2', png({ ...grey, interlace: 2 }), 'corrupt: it is packed in an unknown way'],
    ['of too many pixels', png({ ...grey, width: 32_768, height: 1025 }), 'too-large: it has 32768 by 1025 pixels'],
    ['of too long a side', png({ ...grey, width: 32_769, height: 1 }), 'too-large: it has 32769 by 1 pixels'],
    ['without a palette', png({ ...indexed, before: [] }), 'corrupt: it has no palette'],
    [
      'with two palettes',
      png({ ...indexed, before: [PALETTE, PALETTE] }),
      'corrupt: its palette is there twice or too late',
    ],
    [
      'with a palette after its data',
      png({ ...indexed, after: [PALETTE] }),
      'corrupt: its palette is there twice or too late',
    ],
    [
      'with half a colour',
      png({ ...indexed, before: [chunk('PLTE', Uint8Array.of(1, 2))] }),
      'corrupt: its palette has a wrong length',
    ],
    ['that is grey and has a palette', png({ ...grey, before: [PALETTE] }), 'corrupt: a grey image has a palette'],
    [
      'with a colour that the palette lacks',
      png({ ...indexed, rows: rows.map((row) => row.with(0, 16)) }),
      'corrupt: it uses a colour that its palette lacks',
    ],
    [
      'with more alphas than colours',
      png({ ...indexed, before: [PALETTE, chunk('tRNS', new Uint8Array(17))] }),
      'corrupt: its transparency has a wrong length',
    ],
    [
      'with a clear colour of a wrong length',
      png({ ...grey, before: [chunk('tRNS', new Uint8Array(6))] }),
      'corrupt: its transparency has a wrong length',
    ],
    [
      'with two transparencies',
      png({ ...grey, before: [chunk('tRNS', new Uint8Array(2)), chunk('tRNS', new Uint8Array(2))] }),
      'corrupt: its transparency is there twice or too late',
    ],
    [
      'with alpha and a clear colour',
      Buffer.concat([good.subarray(0, 33), chunk('tRNS', new Uint8Array(6)), good.subarray(33)]),
      'corrupt: it has transparency twice',
    ],
    [
      'with data in two places',
      png({ ...grey, after: [chunk('tEXt', empty), chunk('IDAT', empty)] }),
      'corrupt: its data are not in one place',
    ],
    ['without data', Buffer.concat([good.subarray(0, 33), chunk('IEND', empty)]), 'corrupt: it has no data'],
    ['that is animated', png({ ...grey, before: [chunk('acTL', new Uint8Array(8))] }), 'unsupported: it is animated'],
    [
      'with an unknown chunk that it needs',
      png({ ...grey, before: [chunk('NEWs', empty)] }),
      'unsupported: it needs the unknown chunk NEWs',
    ],
    [
      'with two gammas',
      png({ ...grey, before: [chunk('gAMA', new Uint8Array(4)), chunk('gAMA', new Uint8Array(4))] }),
      'corrupt: it has two gAMA chunks',
    ],
    [
      'with content in its end',
      png({ ...grey, after: [chunk('IEND', Uint8Array.of(1))] }),
      'corrupt: its end has content',
    ],
    ['with too few rows', withRaw(raw.subarray(0, -1)), 'corrupt: it has too few rows'],
    ['with too many rows', withRaw(Buffer.concat([raw, raw])), 'corrupt: it has too many rows'],
    ['with an unknown filter', withRaw(raw.with(8, 5)), 'corrupt: a row has an unknown filter'],
    [
      'with more data than an image of its size can need',
      png({ ...grey, after: [], data: new Uint8Array(65_617) }),
      'too-large: its data are more than twice the size of its samples',
    ],
    [
      'with data of the most bytes, which are no stream',
      png({ ...grey, data: new Uint8Array(65_616) }),
      'corrupt: its data are no zlib stream',
    ],
  ])('%s is refused', (_what, file, why) => {
    const [reason, what] = why.split(': ') as [string, string];
    expect(refusalOf(file)).toBe(`${reason}: The image cannot be read: ${what}.`);
  });
});
