/** Classifications: rows of scores whose best classes have to agree. */
import type { FileSource } from '../storage/bytes.ts';
import { BILLION, type TopkComparator } from './comparator.ts';
import { differentLength } from './exact.ts';
import { IDENTICAL, isWithinShare, measured, unreadable, type Comparison } from './outcome.ts';
import { readScores, SCALAR_BYTES } from './scalar.ts';
import { blockPairs, firstDifference, type CompareOptions } from './source.ts';

/**
 * Compares two arrays of rows by their `k` best classes. A set of k classes is good for a row when it holds every class
 * whose score is more than the tolerance above the k-th score, and none that is more than the tolerance below. Two rows
 * agree when some set is good for both. A row with NaN agrees only with a row of the same bytes. Scores themselves are not
 * compared. Holds two rows and their sorted copies: at most 64 MiB, for a million doubles.
 */
export async function compareTopk(
  comparator: TopkComparator,
  left: FileSource,
  right: FileSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const size = comparator.classes * SCALAR_BYTES[comparator.type];
  const agree = rowJudge(comparator);
  let isIdentical = true;
  let rows = 0;
  let outliers = 0;
  let firstOutlier = -1;
  for await (const pair of blockPairs(left, right, size, options)) {
    const unequal = differentLength(pair, rows * size);
    if (unequal) return unequal;
    const isEqual = firstDifference(pair.left, pair.right) < 0;
    isIdentical &&= isEqual;
    // A part of a row at the end, which no row of the spec has.
    if (pair.left.length < size) return isIdentical ? IDENTICAL : unreadable('wrong-length', 'wrong-length');
    if (!isEqual && !agree(pair.left, pair.right) && outliers++ === 0) firstOutlier = rows;
    rows++;
  }
  if (isIdentical) return IDENTICAL;
  const difference = { kind: 'topk' as const, rows, outliers, firstOutlier };
  return measured(isWithinShare(outliers, rows, comparator.outliersPpm), difference);
}

/** A row's scores, and from and up to where a class may or may not have a place among the best. */
interface Ranking {
  readonly scores: Float64Array;
  /** Above this a class must be in. */
  readonly must: number;
  /** From this on a class may be in. */
  readonly may: number;
}

function rowJudge({ type, classes, k, absolutePpb }: TopkComparator): (left: Uint8Array, right: Uint8Array) => boolean {
  const tolerance = absolutePpb / BILLION;
  const buffers = [new Float64Array(classes), new Float64Array(classes)] as const;
  const sorted = new Float64Array(classes);

  const rank = (row: Uint8Array, scores: Float64Array): Ranking => {
    scores.set(readScores(type, row));
    sorted.set(scores);
    const last = sorted.sort()[classes - k]!;
    return { scores, must: last + tolerance, may: last - tolerance };
  };

  return (leftRow, rightRow) => {
    const left = rank(leftRow, buffers[0]);
    const right = rank(rightRow, buffers[1]);
    let must = 0;
    let may = 0;
    for (let i = 0; i < classes; i++) {
      const a = left.scores[i]!;
      const b = right.scores[i]!;
      const mayBe = a >= left.may && b >= right.may;
      if (mayBe) may++;
      // NaN is not at most anything, and may not be among the best either: its row disagrees.
      if (a <= left.must && b <= right.must) continue;
      if (!mayBe) return false;
      must++;
    }
    return must <= k && may >= k;
  };
}
