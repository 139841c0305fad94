// What the tests of comparators share: images, a PNG writer that is not the reader, pieces.
import { crc32, deflateSync } from 'node:zlib';
import type { Comparison } from './outcome.ts';

/** Four samples a pixel, 0 … 1. */
export interface TestImage {
  readonly width: number;
  readonly height: number;
  readonly samples: Float64Array;
}

/** A fixed stream of numbers 0 … 1 (mulberry32), so that images are the same in every run. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Something like a render: a shaded ball on a checkered floor under a gradient. `variant` turns and recolours it. */
export function scene(width: number, height: number, variant = 0): TestImage {
  const samples = new Float64Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [(x + 0.5) / width, (y + 0.5) / height];
      const [dx, dy] = [u - 0.5 + 0.15 * variant, v - 0.45];
      const ball = 0.09 - dx * dx - dy * dy;
      const floor = (Math.floor(u * 8 + variant) + Math.floor(v * 12)) % 2 === 0 ? 0.25 : 0.7;
      const light = ball > 0 ? 0.15 + 2.5 * ball + 0.3 * (0.3 - dx) : v > 0.6 ? floor : 0.35 + 0.5 * v;
      samples.set([light, light * 0.8, light * (variant ? 0.3 : 0.6), 1], (y * width + x) * 4);
    }
  }
  return { width, height, samples };
}

/** The image with each colour sample put through `change`. */
export function changed(
  { width, height, samples }: TestImage,
  change: (sample: number, index: number) => number,
): TestImage {
  const result = samples.map((sample, i) => (i % 4 === 3 ? sample : Math.min(1, Math.max(0, change(sample, i)))));
  return { width, height, samples: result };
}

/** The image moved to the right by `by` pixels, its left column repeated. */
export function shifted({ width, height, samples }: TestImage, by: number): TestImage {
  const result = new Float64Array(samples.length);
  for (let i = 0; i < width * height; i++) {
    const from = i - Math.min(by, i % width);
    result.set(samples.subarray(4 * from, 4 * from + 4), 4 * i);
  }
  return { width, height, samples: result };
}

/** Samples of 8 bits, four a pixel. */
export function rgba8({ samples }: TestImage): Uint8Array {
  return Uint8Array.from(samples, (sample) => Math.round(sample * 255));
}

/** A PNG of four samples a pixel. */
export function pngOf(image: TestImage, depth: 8 | 16 = 8): Uint8Array {
  const most = 2 ** depth - 1;
  const values = Array.from(image.samples, (sample) => Math.round(sample * most));
  return png({ width: image.width, height: image.height, depth, colour: 6, rows: packRows(values, image, 4, depth) });
}

/** Packs samples into rows of bytes, most significant bit first. */
export function packRows(
  values: readonly number[],
  { width, height }: { readonly width: number; readonly height: number },
  samples: number,
  depth: number,
): Uint8Array[] {
  const perRow = width * samples;
  return Array.from({ length: height }, (_, y) => {
    const row = new Uint8Array(Math.ceil((perRow * depth) / 8));
    for (let i = 0; i < perRow; i++) {
      const value = values[y * perRow + i]!;
      if (depth === 16) row.set([value >> 8, value & 255], 2 * i);
      else row[(i * depth) >> 3]! |= value << (8 - depth - ((i * depth) & 7));
    }
    return row;
  });
}

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly rows: readonly Uint8Array[];
  readonly interlace?: number;
  /** Chunks between head and data. */
  readonly before?: readonly Uint8Array[];
  /** Chunks between data and end. */
  readonly after?: readonly Uint8Array[];
  /** What stands in place of the compressed rows. */
  readonly data?: Uint8Array;
}

/** A PNG file of unfiltered rows. */
export function png({ width, height, depth, colour, rows, interlace = 0, before, after, data }: PngParts): Uint8Array {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, colour, 0, 0, interlace], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    ...(before ?? []),
    chunk('IDAT', data ?? deflateSync(Buffer.concat(rows.flatMap((row) => [Uint8Array.of(0), row])), { level: 1 })),
    ...(after ?? []),
    chunk('IEND', new Uint8Array()),
  ]);
}

/** One chunk with its length and checksum. */
export function chunk(type: string, data: Uint8Array): Uint8Array {
  const result = Buffer.alloc(12 + data.length);
  result.writeUInt32BE(data.length, 0);
  result.write(type, 4, 'latin1');
  result.set(data, 8);
  result.writeUInt32BE(crc32(result.subarray(4, 8 + data.length)), 8 + data.length);
  return result;
}

/** The bytes in pieces of these sizes, over and over. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** The same finding with the sides changed. */
export function mirrored({ difference, ...rest }: Comparison): Comparison {
  if (difference.kind === 'length')
    return { ...rest, difference: { ...difference, shorter: difference.shorter === 'left' ? 'right' : 'left' } };
  if (difference.kind === 'shape')
    return { ...rest, difference: { kind: 'shape', left: difference.right, right: difference.left } };
  if (difference.kind !== 'unreadable') return { ...rest, difference };
  const { left, right } = difference;
  return { ...rest, difference: { kind: 'unreadable', ...(right && { left: right }), ...(left && { right: left }) } };
}
