/** What a comparison finds: a verdict, its reason, and the numbers behind it. */

/**
 * Why. `identical`: byte for byte, which is the same work whatever the bytes are. `within-tolerance` and
 * `beyond-tolerance`: measured. `different-look`: the images' metadata show equal samples differently.
 */
export type Reason =
  | 'identical'
  | 'within-tolerance'
  | 'beyond-tolerance'
  | 'different-bytes'
  | 'different-length'
  | 'different-shape'
  | 'different-look'
  | 'unreadable';

/** Why the bytes of one side cannot be read as what the comparator says they are. */
export type UnreadableReason =
  /** Not a whole number of elements, rows or pixels, or not the number that the spec fixes. */
  | 'wrong-length'
  /** Not a PNG file at all. */
  | 'not-png'
  /** A PNG with a broken checksum, structure or stream. */
  | 'corrupt'
  /** A PNG that uses what the comparator does not read: interlacing, animation, unknown critical chunks. */
  | 'unsupported'
  /** More pixels or bytes than a comparison holds. */
  | 'too-large';

/** The side of a comparison; only words for people and logs, as no metric prefers one. */
export type Side = 'left' | 'right';

/** The numbers of a comparison. */
export type Difference =
  /** Nothing differs. */
  | { readonly kind: 'none' }
  /** First byte that differs, from 0. */
  | { readonly kind: 'bytes'; readonly offset: number }
  /** One side ends after `bytes`, the other goes on. */
  | { readonly kind: 'length'; readonly shorter: Side; readonly bytes: number }
  | {
      readonly kind: 'numeric';
      readonly elements: number;
      /** Elements beyond both tolerances. */
      readonly outliers: number;
      /** Position of the first of them, or -1. */
      readonly firstOutlier: number;
      /** Largest distance between two finite elements. */
      readonly maxAbsolute: number;
    }
  | {
      readonly kind: 'topk';
      readonly rows: number;
      /** Rows whose best classes are not the same. */
      readonly outliers: number;
      /** The first of them, or -1. */
      readonly firstOutlier: number;
    }
  | {
      readonly kind: 'perceptual';
      readonly width: number;
      readonly height: number;
      /** Mean absolute error of a sample, 0 … 1 of full scale. */
      readonly meanError: number;
      /** Largest error of a sample, 0 … 1 of full scale. */
      readonly maxError: number;
      /** Pixels with an error beyond the comparator's. */
      readonly outliers: number;
      /** Mean structural similarity of the luma, at most 1. */
      readonly ssim: number;
    }
  | { readonly kind: 'shape'; readonly left: ImageShape; readonly right: ImageShape }
  /** Chunk types whose content differs. */
  | { readonly kind: 'look'; readonly chunks: readonly string[] }
  | { readonly kind: 'unreadable'; readonly left?: UnreadableReason; readonly right?: UnreadableReason };

/** Size of an image in pixels. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
}

/** The answer of a comparison. `same`: both are the work that the spec asked for, as far as its comparator can tell. */
export interface Comparison {
  readonly same: boolean;
  readonly reason: Reason;
  readonly difference: Difference;
}

/** Both sides hold the same bytes. */
export const IDENTICAL: Comparison = { same: true, reason: 'identical', difference: { kind: 'none' } };

/** The verdict on something measured. */
export function measured(same: boolean, difference: Difference): Comparison {
  return { same, reason: same ? 'within-tolerance' : 'beyond-tolerance', difference };
}

/** One side, or both, cannot be read; undefined for a side that can. They are not the same bytes, so never the same work. */
export function unreadable(left: UnreadableReason | undefined, right: UnreadableReason | undefined): Comparison {
  const difference = { kind: 'unreadable' as const, ...(left && { left }), ...(right && { right }) };
  return { same: false, reason: 'unreadable', difference };
}

/** Whether `count` of `total` is at most `ppm` millionths of it. Exact: whole numbers beyond 2^53 do not round. */
export function isWithinShare(count: number, total: number, ppm: number): boolean {
  return BigInt(count) * 1_000_000n <= BigInt(ppm) * BigInt(total);
}
