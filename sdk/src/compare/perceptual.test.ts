import { describe, expect, test } from 'vitest';
import { RENDER_COMPARATOR, type PerceptualComparator } from './comparator.ts';
import type { Comparison } from './outcome.ts';
import { comparePerceptual } from './perceptual.ts';
import {
  changed,
  chunk,
  inPieces,
  packRows,
  png,
  pngOf,
  randomOf,
  rgba8,
  scene,
  shifted,
  type TestImage,
} from './testing.ts';

const W = 160;
const H = 90;
const original = scene(W, H);
const strict: PerceptualComparator = { ...RENDER_COMPARATOR, pixelErrorPpm: 0, outliersPpm: 0, maxMeanErrorPpm: 0 };

/** Noise as two honest runs of Cycles have it: some samples differ, most by 3e-5, the worst by `worst`. */
function noisy(image: TestImage, worst: number, seed: number): TestImage {
  const random = randomOf(seed);
  return changed(image, (sample) => {
    const pick = random();
    if (pick > 0.06) return sample;
    return sample + (pick < 0.001 ? worst : 3e-5) * (random() < 0.5 ? -1 : 1);
  });
}

const compareRenders = (left: TestImage, right: TestImage, depth: 8 | 16 = 8): Promise<Comparison> =>
  comparePerceptual(RENDER_COMPARATOR, pngOf(left, depth), pngOf(right, depth));

describe('a render', () => {
  test.each([8, 16] as const)('of %i bits forgives the noise of honest repeats', async (depth) => {
    for (const worst of [3e-5, 4e-4]) {
      const found = await compareRenders(noisy(original, worst, 1), noisy(original, worst, 2), depth);
      expect(found).toMatchObject({ same: true, reason: 'within-tolerance' });
    }
  });

  const tile = changed(original, (sample, i) => (i % (4 * W) < 4 * 16 && i < 4 * W * 16 ? 1 - sample : sample));
  test.each<[what: string, image: TestImage]>([
    ['another tile', scene(W, H, 1)],
    ['a shift by one pixel', shifted(original, 1)],
    ['a black image', changed(original, () => 0)],
    ['a white image', changed(original, () => 1)],
    ['its own mean colour', changed(original, () => 0.5)],
    ['one step more brightness everywhere', changed(original, (sample) => sample + 1 / 255)],
    ['much more brightness', changed(original, (sample) => sample + 0.1)],
    ['one wrong square of 16 by 16', tile],
    ['other noise, as of too few samples', noisyRender(3)],
    ['red and blue swapped', swapped(original)],
    ['no alpha', { ...original, samples: original.samples.map((sample, i) => (i % 4 === 3 ? 0 : sample)) }],
  ])('refuses %s', async (_what, image) => {
    expect(await compareRenders(original, image)).toMatchObject({ same: false, reason: 'beyond-tolerance' });
    expect(await compareRenders(original, image, 16)).toMatchObject({ same: false, reason: 'beyond-tolerance' });
  });

  test('refuses one step of 8 bits everywhere by its mean error, and finds exact numbers', async () => {
    const dark = changed(original, () => 100 / 255);
    const light = changed(original, () => 101 / 255);
    expect(await compareRenders(dark, light)).toEqual({
      same: false,
      reason: 'beyond-tolerance',
      difference: {
        kind: 'perceptual',
        width: W,
        height: H,
        meanError: (3 * 257) / (4 * 65_535),
        maxError: 257 / 65_535,
        outliers: 0,
        ssim: expect.closeTo((2 * 100 * 101 + 6.5025) / (100 ** 2 + 101 ** 2 + 6.5025), 9) as number,
      },
    });
  });
});

function noisyRender(seed: number): TestImage {
  const random = randomOf(seed);
  return changed(original, (sample) => sample + 0.1 * (random() - 0.5));
}

function swapped({ width, height, samples }: TestImage): TestImage {
  const from = [2, 0, -2, 0];
  return { width, height, samples: samples.map((_, i) => samples[i + from[i % 4]!]!) };
}

describe('each threshold', () => {
  const flat = (value: number): TestImage => changed(scene(20, 20), () => value);
  const one = (value: number): TestImage => changed(flat(0), (sample, i) => (i === 0 ? value : sample));

  test('of the mean error counts to the last step', async () => {
    const found = { ...strict, pixelErrorPpm: 250_000, minSsimPpm: 500_000 };
    // Three of four samples are 1/255 off: a mean of 2941.2 millionths.
    const files = [pngOf(flat(0)), pngOf(flat(1 / 255))] as const;
    expect((await comparePerceptual({ ...found, maxMeanErrorPpm: 2_942 }, ...files)).same).toBe(true);
    expect((await comparePerceptual({ ...found, maxMeanErrorPpm: 2_941 }, ...files)).same).toBe(false);
  });

  test('of a pixel and of the share of pixels count to the last one', async () => {
    const found = { ...strict, maxMeanErrorPpm: 100_000, minSsimPpm: 500_000 };
    const files = [pngOf(flat(0)), pngOf(one(1 / 255))] as const;
    // One step of 8 bits is 3921.57 millionths; one pixel of 400 is 2500.
    expect((await comparePerceptual({ ...found, pixelErrorPpm: 3_922 }, ...files)).same).toBe(true);
    expect((await comparePerceptual({ ...found, pixelErrorPpm: 3_921 }, ...files)).same).toBe(false);
    expect((await comparePerceptual({ ...found, pixelErrorPpm: 3_921, outliersPpm: 2_500 }, ...files)).same).toBe(true);
    expect((await comparePerceptual({ ...found, pixelErrorPpm: 3_921, outliersPpm: 2_499 }, ...files)).same).toBe(
      false,
    );
  });

  test('of the similarity counts as the published formula says', async () => {
    const loose = { ...strict, maxMeanErrorPpm: 100_000, pixelErrorPpm: 250_000, outliersPpm: 100_000 };
    const files = [pngOf(original), pngOf(noisyRender(4))] as const;
    const { difference } = await comparePerceptual({ ...loose, minSsimPpm: 500_000 }, ...files);
    const ssim = difference.kind === 'perceptual' ? difference.ssim : NaN;
    expect(ssim).toBeCloseTo(publishedSsim(rgba8(original), rgba8(noisyRender(4)), W, H), 7);
    const ppm = Math.floor(ssim * 1e6);
    expect((await comparePerceptual({ ...loose, minSsimPpm: ppm }, ...files)).same).toBe(true);
    expect((await comparePerceptual({ ...loose, minSsimPpm: ppm + 1 }, ...files)).same).toBe(false);
  });
});

test('an image smaller than the window is continued by its last row and column', async () => {
  const random = randomOf(8);
  const small = changed(scene(3, 2), () => random());
  const other = changed(small, (sample, i) => (i % 3 === 0 ? sample * 0.9 : sample));
  const continued = ({ samples }: TestImage): TestImage => ({
    width: 11,
    height: 11,
    samples: Float64Array.from({ length: 4 * 121 }, (_, i) => {
      const [x, y] = [Math.min(2, Math.floor(i / 4) % 11), Math.min(1, Math.floor(i / 44))];
      return samples[4 * (3 * y + x) + (i % 4)]!;
    }),
  });
  const { difference } = await comparePerceptual(strict, pngOf(continued(small)), pngOf(continued(other)));
  const ssim = difference.kind === 'perceptual' ? difference.ssim : NaN;
  expect(ssim).toBeLessThan(0.999);
  expect(await comparePerceptual(strict, pngOf(small), pngOf(other))).toMatchObject({ difference: { ssim } });
});

/** The formula as it is printed: one two-dimensional window at a time, on 0 … 255. */
function publishedSsim(left: Uint8Array, right: Uint8Array, width: number, height: number): number {
  const luma = (image: Uint8Array, i: number): number =>
    0.299 * image[4 * i]! + 0.587 * image[4 * i + 1]! + 0.114 * image[4 * i + 2]!;
  const window = Array.from({ length: 121 }, (_, i) =>
    Math.exp(-((Math.floor(i / 11) - 5) ** 2 + ((i % 11) - 5) ** 2) / (2 * 1.5 ** 2)),
  );
  const total = window.reduce((sum, weight) => sum + weight, 0);
  const mean = (value: (i: number) => number): number =>
    window.reduce((sum, weight, i) => sum + (weight / total) * value(i), 0);
  let sum = 0;
  for (let y = 0; y + 11 <= height; y++) {
    for (let x = 0; x + 11 <= width; x++) {
      const at = (i: number): number => (y + Math.floor(i / 11)) * width + x + (i % 11);
      const [a, b] = [mean((i) => luma(left, at(i))), mean((i) => luma(right, at(i)))];
      const varianceA = mean((i) => (luma(left, at(i)) - a) ** 2);
      const varianceB = mean((i) => (luma(right, at(i)) - b) ** 2);
      const covariance = mean((i) => (luma(left, at(i)) - a) * (luma(right, at(i)) - b));
      sum +=
        ((2 * a * b + 6.5025) * (2 * covariance + 58.5225)) /
        ((a * a + b * b + 6.5025) * (varianceA + varianceB + 58.5225));
    }
  }
  return sum / ((width - 10) * (height - 10));
}

describe('two files', () => {
  test('of the same pixels are the same, however they are packed and whatever was written beside them', async () => {
    const grey = {
      width: 3,
      height: 2,
      depth: 8,
      colour: 0,
      rows: packRows([0, 17, 34, 51, 68, 255], { width: 3, height: 2 }, 1, 8),
    };
    const nibbles = { ...grey, depth: 4, rows: packRows([0, 1, 2, 3, 4, 15], { width: 3, height: 2 }, 1, 4) };
    const date = chunk('tEXt', new TextEncoder().encode('Date\0now'));
    expect(await comparePerceptual(strict, png(grey), png({ ...nibbles, before: [date] }))).toEqual({
      same: true,
      reason: 'within-tolerance',
      difference: { kind: 'perceptual', width: 3, height: 2, meanError: 0, maxError: 0, outliers: 0, ssim: 1 },
    });
  });

  test('of the same pixels differ when they are to be shown differently', async () => {
    const parts = { width: 1, height: 1, depth: 8, colour: 0, rows: [Uint8Array.of(7)] };
    const gamma = (value: number): Uint8Array[] => [chunk('gAMA', Uint8Array.of(0, 0, value, 0))];
    expect(await comparePerceptual(strict, png(parts), png({ ...parts, before: gamma(1) }))).toEqual({
      same: false,
      reason: 'different-look',
      difference: { kind: 'look', chunks: ['gAMA'] },
    });
    const files = [gamma(1), gamma(2)].map((before) => png({ ...parts, before })) as [Uint8Array, Uint8Array];
    expect((await comparePerceptual(strict, ...files)).reason).toBe('different-look');
  });

  test('of other sizes are never the same', async () => {
    expect(await comparePerceptual(RENDER_COMPARATOR, pngOf(scene(20, 10)), pngOf(scene(10, 20)))).toEqual({
      same: false,
      reason: 'different-shape',
      difference: { kind: 'shape', left: { width: 20, height: 10 }, right: { width: 10, height: 20 } },
    });
  });

  test('of which one is broken in its last row are not the same', async () => {
    const parts = { width: 2, height: 2, depth: 8, colour: 0, rows: [Uint8Array.of(1, 2), Uint8Array.of(3, 4)] };
    const short = png({ ...parts, rows: parts.rows.slice(0, 1) });
    expect(await comparePerceptual(RENDER_COMPARATOR, short, png(parts))).toEqual({
      same: false,
      reason: 'unreadable',
      difference: { kind: 'unreadable', left: 'corrupt' },
    });
    expect((await comparePerceptual(RENDER_COMPARATOR, short, short.slice())).reason).toBe('identical');
  });

  test('of samples without a head are read by the size in the spec', async () => {
    const comparator: PerceptualComparator = { ...RENDER_COMPARATOR, image: { kind: 'rgba8', width: W, height: H } };
    const [left, right] = [rgba8(original), rgba8(noisy(original, 4e-4, 6))];
    right[0]! ^= 1;
    const pieces = comparePerceptual(comparator, inPieces(left, [1000, 1]), inPieces(right, [777]));
    const found = await comparePerceptual(comparator, left, right);
    expect(found).toMatchObject({ same: true, reason: 'within-tolerance' });
    expect(await pieces).toEqual(found);
    expect(await comparePerceptual(comparator, left, right.subarray(1))).toEqual({
      same: false,
      reason: 'unreadable',
      difference: { kind: 'unreadable', right: 'wrong-length' },
    });
  });
});
