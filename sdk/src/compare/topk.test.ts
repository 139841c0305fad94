import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TopkComparator } from './comparator.ts';
import { compareTopk } from './topk.ts';
import { inPieces, mirrored } from './testing.ts';

const best2: TopkComparator = { kind: 'topk', type: 'f32', classes: 4, k: 2, absolutePpb: 0, outliersPpm: 0 };
const rows = (...scores: number[]): Uint8Array => new Uint8Array(Float32Array.from(scores).buffer);

describe('a row', () => {
  const tolerance = { absolutePpb: 125_000_000 };
  test.each<[what: string, over: Partial<TopkComparator>, left: number[], right: number[], same: boolean]>([
    ['other scores and the same best', {}, [9, 8, 1, 0], [5, 7, 4, 3], true],
    ['the second place taken by another', {}, [9, 8, 1, 0], [9, 1, 8, 0], false],
    ['the first place taken by another', { k: 1 }, [9, 8, 1, 0], [8, 9, 1, 0], false],
    ['a swap within the tolerance', tolerance, [9, 8.125, 8, 0], [9, 8, 8.125, 0], true],
    ['a swap just beyond the tolerance', tolerance, [9, 8.25, 8, 0], [9, 8, 8.25, 0], false],
    ['a swap that is close on one side', tolerance, [9, 8.5, 8, 0], [9, 8, 8.125, 0], true],
    [
      'a class that is close on one side and hopeless on the other',
      tolerance,
      [9, 7, 8.25, 8.2],
      [9, 8.5, 7, 0],
      false,
    ],
    ['equal scores, of which either is as good', {}, [9, 8, 8, 0], [9, 7, 8, 0], true],
    ['all scores equal on one side', {}, [1, 1, 1, 1], [3, 2, 1, 0], true],
    ['none of the best in common', {}, [9, 9, 1, 1], [1, 1, 9, 9], false],
    [
      'places that are sure on one side each and too many together',
      { classes: 5, k: 3, absolutePpb: 1_000_000_000 },
      [10, 10, 7, 6.5, 6.5],
      [6.5, 6.5, 7, 10, 10],
      false,
    ],
    ['NaN on both sides', {}, [9, 8, NaN, 0], [9, 8, NaN, 1], false],
    ['infinite scores', {}, [Infinity, -Infinity, 1, 0], [9, -9, 2, 0], true],
    ['NaN on one side', { outliersPpm: 100_000 }, [9, 8, NaN, 0], [9, 8, 1, 0], false],
  ])('with %s', async (_what, over, left, right, same) => {
    const comparator = { ...best2, ...over };
    expect((await compareTopk(comparator, rows(...left), rows(...right))).same).toBe(same);
    expect((await compareTopk(comparator, rows(...right), rows(...left))).same).toBe(same);
  });

  test('with NaN agrees with a row of the same bytes, while another row differs', async () => {
    const found = await compareTopk(best2, rows(NaN, 1, 2, 3, 1, 2, 3, 4), rows(NaN, 1, 2, 3, 1, 2, 5, 4));
    expect(found).toEqual({
      same: true,
      reason: 'within-tolerance',
      difference: { kind: 'topk', rows: 2, outliers: 0, firstOutlier: -1 },
    });
  });
});

describe('an output', () => {
  test('may have as many other rows as the share says, and not one more', async () => {
    const comparator = { ...best2, outliersPpm: 100_000 };
    const left = rows(...Array.from({ length: 10 }, () => [9, 8, 1, 0]).flat());
    const withOther = (count: number): Uint8Array =>
      rows(...Array.from({ length: 10 }, (_, i) => (i >= 10 - count ? [0, 1, 8, 9] : [9, 8, 1, 0])).flat());
    expect(await compareTopk(comparator, left, withOther(1))).toEqual({
      same: true,
      reason: 'within-tolerance',
      difference: { kind: 'topk', rows: 10, outliers: 1, firstOutlier: 9 },
    });
    expect(await compareTopk(comparator, left, withOther(2))).toEqual({
      same: false,
      reason: 'beyond-tolerance',
      difference: { kind: 'topk', rows: 10, outliers: 2, firstOutlier: 8 },
    });
  });

  test('of another length is never the same, and half a row cannot be read', async () => {
    expect(await compareTopk(best2, rows(1, 2, 3, 4), rows(1, 2, 3, 4, 5))).toEqual({
      same: false,
      reason: 'different-length',
      difference: { kind: 'length', shorter: 'left', bytes: 16 },
    });
    expect((await compareTopk(best2, rows(1, 2, 3), rows(1, 2, 4))).reason).toBe('unreadable');
    expect((await compareTopk(best2, rows(1, 2, 3), rows(1, 2, 3))).reason).toBe('identical');
    expect((await compareTopk(best2, rows(), rows())).reason).toBe('identical');
  });

  test('compares the same in either order, however its bytes arrive, and as the definition says', async () => {
    const score = fc.integer({ min: 0, max: 6 });
    const row = fc.array(score, { minLength: 5, maxLength: 5 });
    const property = fc.asyncProperty(row, row, fc.integer({ min: 1, max: 4 }), fc.nat(2), async (a, b, k, step) => {
      const comparator = { ...best2, classes: 5, k, absolutePpb: step * 1_000_000_000 };
      const [left, right] = [rows(...a), rows(...b)];
      const found = await compareTopk(comparator, left, right);
      expect(mirrored(await compareTopk(comparator, right, left))).toEqual(found);
      expect(await compareTopk(comparator, inPieces(left, [3]), inPieces(right, [5, 1]))).toEqual(found);
      expect(found.same).toBe(goodSets(a, k, step).some((set) => goodSets(b, k, step).includes(set)));
    });
    await fc.assert(property, { seed: 2, numRuns: 1_000 });
  });
});

/** Every set of `k` of five classes, as bits, that is good for the row by the definition. */
function goodSets(row: readonly number[], k: number, tolerance: number): number[] {
  const last = [...row].sort((a, b) => b - a)[k - 1]!;
  const sets = Array.from({ length: 32 }, (_, set) => set);
  const isIn = (set: number, i: number): boolean => (set & (1 << i)) !== 0;
  return sets
    .filter((set) => row.filter((_, i) => isIn(set, i)).length === k)
    .filter((set) => row.every((score, i) => (isIn(set, i) ? score >= last - tolerance : score <= last + tolerance)));
}
