/** Arrays of numbers with tolerances. */
import type { FileSource } from '../storage/bytes.ts';
import { BILLION, type NumericComparator } from './comparator.ts';
import { differentLength } from './exact.ts';
import { IDENTICAL, isWithinShare, measured, unreadable, type Comparison } from './outcome.ts';
import { SCALAR_BYTES, scoreReader, viewOf, wideReader } from './scalar.ts';
import { blockPairs, firstDifference, type CompareOptions } from './source.ts';

/** A whole number of elements of every type. */
const BLOCK_BYTES = 256 * 1024;

/** Two elements: how far apart they are, and whether that is too far. Only finite distances count for the maximum. */
interface Gap {
  readonly distance: number;
  readonly isOutlier: boolean;
}

const NO_GAP: Gap = { distance: 0, isOutlier: false };
const NO_MEASURE: Gap = { distance: 0, isOutlier: true };

/**
 * Compares two arrays of `comparator.type`. Two elements agree when their distance is at most the wider of the absolute
 * tolerance and the relative one, which counts from the larger magnitude; so the order of the sides does not matter.
 * NaN agrees with NaN of any bits, an infinity with itself, -0 with 0; NaN or an infinity with anything else is an
 * outlier. Arrays of different lengths are never the same. Holds 256 KiB and one piece of each side.
 *
 * Only sums, products and comparisons of doubles decide: IEEE 754 rounds them in one way on every machine.
 */
export async function compareNumeric(
  comparator: NumericComparator,
  left: FileSource,
  right: FileSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const size = SCALAR_BYTES[comparator.type];
  const gapAt = gapReader(comparator);
  let isIdentical = true;
  let bytes = 0;
  let outliers = 0;
  let firstOutlier = -1;
  let maxAbsolute = 0;
  for await (const pair of blockPairs(left, right, BLOCK_BYTES, options)) {
    const unequal = differentLength(pair, bytes);
    if (unequal) return unequal;
    if (firstDifference(pair.left, pair.right) >= 0) {
      isIdentical = false;
      const views = [viewOf(pair.left), viewOf(pair.right)] as const;
      for (let offset = 0; offset + size <= pair.left.length; offset += size) {
        const { distance, isOutlier } = gapAt(...views, offset);
        if (distance > maxAbsolute) maxAbsolute = distance;
        if (!isOutlier) continue;
        if (outliers++ === 0) firstOutlier = (bytes + offset) / size;
      }
    }
    bytes += pair.left.length;
  }
  if (isIdentical) return IDENTICAL;
  if (bytes % size !== 0) return unreadable('wrong-length', 'wrong-length');
  const elements = bytes / size;
  const difference = { kind: 'numeric' as const, elements, outliers, firstOutlier, maxAbsolute };
  return measured(isWithinShare(outliers, elements, comparator.outliersPpm), difference);
}

function gapReader({
  type,
  absolutePpb,
  relativePpb,
}: NumericComparator): (left: DataView, right: DataView, offset: number) => Gap {
  const absolute = absolutePpb / BILLION;
  const relative = relativePpb / BILLION;
  const judge = (distance: number, magnitude: number): Gap => ({
    distance,
    isOutlier: !(distance <= absolute || distance <= relative * magnitude),
  });
  if (type === 'u64' || type === 'i64') {
    const read = wideReader(type);
    return (left, right, offset) => {
      const [a, b] = [read(left, offset), read(right, offset)];
      if (a === b) return NO_GAP;
      const magnitude = Math.max(Math.abs(Number(a)), Math.abs(Number(b)));
      return judge(Number(a > b ? a - b : b - a), magnitude);
    };
  }
  const read = scoreReader(type);
  return (left, right, offset) => {
    const [a, b] = [read(left, offset), read(right, offset)];
    if (a === b || (a !== a && b !== b)) return NO_GAP;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return NO_MEASURE;
    const distance = Math.abs(a - b);
    // Two doubles of opposite sign may be further apart than doubles reach.
    if (distance === Infinity) return NO_MEASURE;
    return judge(distance, Math.max(Math.abs(a), Math.abs(b)));
  };
}
