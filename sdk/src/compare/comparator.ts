/**
 * What a spec says about when two results of one shard are the same work. docs/comparators.md says what each kind
 * measures. Every number is a whole number of millionths (`Ppm`) or billionths (`Ppb`), because numbers such
 * as 1.0 have two forms in dag-cbor, and a digest stands on chain.
 */
import * as z from 'zod';

import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from './image.ts';
import { SCALAR_BYTES, SCALAR_TYPES, SCORE_TYPES } from './scalar.ts';

/** One, in millionths. */
export const MILLION = 1_000_000;
/** One, in billionths. */
export const BILLION = 1_000_000_000;
/** Most scores in a row of a classification. */
export const MAX_CLASSES = 1_048_576;

/** Most elements, rows or pixels that may lie outside, of a million: a tenth. */
const MAX_OUTLIERS_PPM = 100_000;
/** Largest relative tolerance: a half. From one on, any two numbers of one sign would be equal. */
const MAX_RELATIVE_PPB = 500_000_000;
/** Largest mean error of an image, as a part of full scale: a tenth. */
const MAX_MEAN_ERROR_PPM = 100_000;
/** Largest error of a pixel that is not counted, as a part of full scale: a quarter. */
const MAX_PIXEL_ERROR_PPM = 250_000;
/** Least similarity that may be asked for: a half. Images of different scenes reach that by chance. */
const MIN_SSIM_PPM = 500_000;

const between = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const outliersPpm = between(0, MAX_OUTLIERS_PPM);
const absolutePpb = between(0, Number.MAX_SAFE_INTEGER);

const exactSchema = z.strictObject({ kind: z.literal('exact') });

const numericSchema = z.strictObject({
  kind: z.literal('numeric'),
  /** What the output is a little-endian array of. */
  type: z.enum(SCALAR_TYPES),
  /** How far apart two elements may be, in billionths of one. */
  absolutePpb,
  /** How far apart two elements may be, in billionths of the larger magnitude of the two. The wider tolerance counts. */
  relativePpb: between(0, MAX_RELATIVE_PPB),
  /** How many elements of a million may be further apart than that. */
  outliersPpm,
});

const topkSchema = z
  .strictObject({
    kind: z.literal('topk'),
    /** What the scores are, little-endian. */
    type: z.enum(SCORE_TYPES),
    /** Scores in a row. */
    classes: between(2, MAX_CLASSES),
    /** How many of the highest scores have to name the same classes. */
    k: between(1, MAX_CLASSES - 1),
    /** How far from the k-th score a class may lie and still take or leave its place, in billionths of one. */
    absolutePpb,
    /** How many rows of a million may disagree. */
    outliersPpm,
  })
  .check(({ value: { k, classes }, issues }) => {
    if (k < classes) return;
    const message = `must be less than the number of classes, ${classes}: otherwise any two rows agree`;
    issues.push({ code: 'custom', path: ['k'], message, input: k });
  });

const imageSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('png') }),
    z
      .strictObject({
        kind: z.literal('rgba8'),
        width: between(1, MAX_IMAGE_SIDE),
        height: between(1, MAX_IMAGE_SIDE),
      })
      .refine(
        ({ width, height }) => width * height <= MAX_IMAGE_PIXELS,
        `must have at most ${MAX_IMAGE_PIXELS} pixels`,
      ),
  ],
  'must be of kind "png" or "rgba8"',
);

const perceptualSchema = z.strictObject({
  kind: z.literal('perceptual'),
  /** How the output holds its image. */
  image: imageSchema,
  /** Least mean structural similarity, in millionths. */
  minSsimPpm: between(MIN_SSIM_PPM, MILLION),
  /** Most mean absolute error over all samples, in millionths of full scale. */
  maxMeanErrorPpm: between(0, MAX_MEAN_ERROR_PPM),
  /** A pixel with a sample further off than this, in millionths of full scale, is an outlier. One step of 8 bits is 3922. */
  pixelErrorPpm: between(0, MAX_PIXEL_ERROR_PPM),
  /** How many pixels of a million may be outliers. */
  outliersPpm,
});

/** Schema of a spec's `comparator`. */
export const comparatorSchema = z.discriminatedUnion(
  'kind',
  [exactSchema, numericSchema, topkSchema, perceptualSchema],
  'must be of kind "exact", "numeric", "topk" or "perceptual"',
);

/** How two results of one shard are compared. */
export type Comparator = z.output<typeof comparatorSchema>;
/** Arrays of numbers with tolerances. */
export type NumericComparator = z.output<typeof numericSchema>;
/** Classifications by their best classes. */
export type TopkComparator = z.output<typeof topkSchema>;
/** Images by how they look. */
export type PerceptualComparator = z.output<typeof perceptualSchema>;

/**
 * What a Cycles render needs that is stored as PNG: honest repeats differ by at most one step in few samples, and
 * a wrong tile, a shift by a pixel or a change of brightness by one step is refused.
 */
export const RENDER_COMPARATOR: PerceptualComparator = {
  kind: 'perceptual',
  image: { kind: 'png' },
  minSsimPpm: 990_000,
  maxMeanErrorPpm: 2_000,
  pixelErrorPpm: 4_000,
  outliersPpm: 1_000,
};

/** Whether the comparator forgives differences: the flag that a job's terms carry, so that the chain compares no roots. */
export function isTolerant(comparator: Comparator): boolean {
  return comparator.kind !== 'exact';
}

/** What a comparator asks of the rest of its spec, as far as `output` breaks it: sentences without a subject. */
export function outputProblems(
  comparator: Comparator,
  output: { readonly mediaType: string; readonly maxBytes: number },
): string[] {
  const least = leastBytes(comparator);
  const problems: string[] = [];
  if (output.maxBytes < least)
    problems.push(`needs an output of at least ${least} bytes, but its limit is ${output.maxBytes}`);
  const isPng = comparator.kind === 'perceptual' && comparator.image.kind === 'png';
  if (isPng && output.mediaType !== 'image/png') problems.push('reads PNG, so each output must be image/png');
  return problems;
}

function leastBytes(comparator: Comparator): number {
  if (comparator.kind === 'topk') return comparator.classes * SCALAR_BYTES[comparator.type];
  if (comparator.kind !== 'perceptual' || comparator.image.kind !== 'rgba8') return 0;
  return comparator.image.width * comparator.image.height * 4;
}
