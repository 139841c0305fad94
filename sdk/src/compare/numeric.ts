/** Arrays of numbers with tolerances. */
import type { FileSource } from '../storage/bytes.ts';
import { BILLION, type NumericComparator } from './comparator.ts';
import { differentLength } from './exact.ts';
import { IDENTICAL, isWithinShare, measured, unreadable, type Comparison } from './outcome.ts';
import { readScores, readWide, SCALAR_BYTES } from './scalar.ts';
import { blockPairs, firstDifference, type BlockPair, type CompareOptions } from './source.ts';

/** A whole number of elements of every type. */
const BLOCK_BYTES = 256 * 1024;

/** What is found while the blocks pass. */
interface Findings {
  outliers: number;
  /** Position of the first, or -1. */
  firstOutlier: number;
  /** Largest distance between two finite elements. */
  maxAbsolute: number;
}

/**
 * Compares two arrays of `comparator.type`. Two elements agree when their distance is at most the wider of the absolute
 * tolerance and the relative one, which counts from the larger magnitude; so the order of the sides does not matter.
 * NaN agrees with NaN of any bits, an infinity with itself, -0 with 0; NaN or an infinity with anything else is an
 * outlier. Arrays of different lengths are never the same. Holds 256 KiB and one piece of each side, and 3 MiB of numbers.
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
  const measure = blockMeasure(comparator);
  const findings: Findings = { outliers: 0, firstOutlier: -1, maxAbsolute: 0 };
  let isIdentical = true;
  let bytes = 0;
  for await (const pair of blockPairs(left, right, BLOCK_BYTES, options)) {
    const unequal = differentLength(pair, bytes);
    if (unequal) return unequal;
    if (firstDifference(pair.left, pair.right) >= 0) {
      isIdentical = false;
      measure(pair, bytes / size, findings);
    }
    bytes += pair.left.length;
  }
  if (isIdentical) return IDENTICAL;
  if (bytes % size !== 0) return unreadable('wrong-length', 'wrong-length');
  const elements = bytes / size;
  const same = isWithinShare(findings.outliers, elements, comparator.outliersPpm);
  return measured(same, { kind: 'numeric', elements, ...findings });
}

/** How to add the whole elements of a block, of which the first has this position, to the findings. */
function blockMeasure({
  type,
  absolutePpb,
  relativePpb,
}: NumericComparator): (pair: BlockPair, position: number, findings: Findings) => void {
  const tolerance = { absolute: absolutePpb / BILLION, relative: relativePpb / BILLION };
  return type === 'u64' || type === 'i64'
    ? ({ left, right }, ...rest) => measureWide(readWide(type, left), readWide(type, right), tolerance, ...rest)
    : ({ left, right }, ...rest) => measureDoubles(readScores(type, left), readScores(type, right), tolerance, ...rest);
}

interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

function measureDoubles(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  { absolute, relative }: Tolerance,
  position: number,
  findings: Findings,
): void {
  for (let i = 0; i < left.length; i++) {
    const a = left[i]!;
    const b = right[i]!;
    if (a === b || (a !== a && b !== b)) continue;
    // Not finite when an element is not, or when two of opposite sign are further apart than doubles reach.
    const distance = Math.abs(a - b);
    const isMeasured = distance < Infinity;
    if (isMeasured && distance > findings.maxAbsolute) findings.maxAbsolute = distance;
    if (isMeasured && (distance <= absolute || distance <= relative * Math.max(Math.abs(a), Math.abs(b)))) continue;
    if (findings.outliers++ === 0) findings.firstOutlier = position + i;
  }
}

function measureWide(
  left: ArrayLike<bigint>,
  right: ArrayLike<bigint>,
  { absolute, relative }: Tolerance,
  position: number,
  findings: Findings,
): void {
  for (let i = 0; i < left.length; i++) {
    const a = left[i]!;
    const b = right[i]!;
    if (a === b) continue;
    // Subtracted before it becomes a double: the difference of close numbers is exact, the numbers are not.
    const distance = Number(a > b ? a - b : b - a);
    if (distance > findings.maxAbsolute) findings.maxAbsolute = distance;
    const magnitude = Math.max(Math.abs(Number(a)), Math.abs(Number(b)));
    if (distance <= absolute || distance <= relative * magnitude) continue;
    if (findings.outliers++ === 0) findings.firstOutlier = position + i;
  }
}
