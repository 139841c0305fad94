import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NumericComparator } from './comparator.ts';
import { compareNumeric } from './numeric.ts';
import { bf16ToNumber, f16ToNumber } from './scalar.ts';
import { inPieces, mirrored } from './testing.ts';

const strict: NumericComparator = { kind: 'numeric', type: 'f64', absolutePpb: 0, relativePpb: 0, outliersPpm: 0 };
const f64 = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const f32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

async function verdict(over: Partial<NumericComparator>, left: Uint8Array, right: Uint8Array): Promise<boolean> {
  return (await compareNumeric({ ...strict, ...over }, left, right)).same;
}

describe('two elements', () => {
  const half = { absolutePpb: 500_000_000 };
  const tenth = { relativePpb: 100_000_000 };
  test.each<[what: string, over: Partial<NumericComparator>, left: number, right: number, same: boolean]>([
    ['apart by the absolute tolerance', half, 1, 1.5, true],
    ['apart by a little more', half, 1, 1.5 + 2 ** -52, false],
    ['apart by the relative tolerance of the larger', tenth, 90, 100, true],
    ['apart by a little more than that', tenth, 89.999, 100, false],
    ['within the wider of both', { ...half, ...tenth }, 0, 0.5, true],
    ['beyond both', { ...half, ...tenth }, 10, 11.2, false],
    ['of opposite sign and any relative tolerance', { relativePpb: 500_000_000 }, -1e-300, 1e-300, false],
    ['zero and minus zero', {}, 0, -0, true],
    ['NaN and zero', { absolutePpb: Number.MAX_SAFE_INTEGER }, NaN, 0, false],
    ['NaN and infinity', half, NaN, Infinity, false],
    ['infinity and minus infinity', half, Infinity, -Infinity, false],
    ['infinity and the largest number', { relativePpb: 500_000_000 }, Infinity, Number.MAX_VALUE, false],
    ['as far apart as doubles cannot say', { relativePpb: 500_000_000 }, -1.7e308, 1.7e308, false],
  ])('that are %s', async (_what, over, left, right, same) => {
    // The last element differs in bytes only, so that arrays are never identical.
    expect(await verdict(over, f64(left, 0), f64(right, -0))).toBe(same);
    expect(await verdict(over, f64(right, 0), f64(left, -0))).toBe(same);
  });

  test('that are NaN of other bits, or the same infinity, agree', async () => {
    const quiet = Uint8Array.of(0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f);
    const other = Uint8Array.of(1, 0, 0xc0, 0xff, 0, 0, 0x80, 0x7f);
    expect(await compareNumeric({ ...strict, type: 'f32' }, quiet, other)).toEqual({
      same: true,
      reason: 'within-tolerance',
      difference: { kind: 'numeric', elements: 2, outliers: 0, firstOutlier: -1, maxAbsolute: 0 },
    });
  });

  test.each<[type: NumericComparator['type'], left: number[], right: number[], distance: number]>([
    ['u8', [1, 255], [1, 254], 1],
    ['i8', [1, 255], [1, 1], 2],
    ['u16', [0, 1], [0, 2], 256],
    ['i16', [0, 0x80], [0, 0], 32_768],
    ['u32', [0, 0, 0, 0x80], [0, 0, 0, 0], 2 ** 31],
    ['i32', [0xff, 0xff, 0xff, 0xff], [1, 0, 0, 0], 2],
    ['u64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0], 2 ** 64],
    ['i64', [0, 0, 0, 0, 0, 0, 0x20, 0], [1, 0, 0, 0, 0, 0, 0x20, 0], 1],
    ['f16', [0, 0x3c], [0, 0x40], 1],
    ['bf16', [0x80, 0x3f], [0, 0x40], 1],
    ['f32', [0, 0, 0x80, 0x3f], [0, 0, 0, 0x40], 1],
    ['f64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [0, 0, 0, 0, 0, 0, 0, 0x40], 1],
  ])('of type %s are read little-endian', async (type, left, right, maxAbsolute) => {
    const { difference } = await compareNumeric({ ...strict, type }, Uint8Array.from(left), Uint8Array.from(right));
    expect(difference).toMatchObject({ kind: 'numeric', outliers: 1, maxAbsolute });
  });

  test('of 64 bits are subtracted before they lose their last digits', async () => {
    const wide = (value: bigint): Uint8Array => new Uint8Array(BigInt64Array.of(value).buffer);
    const one = { type: 'i64', absolutePpb: 1_000_000_000 } as const;
    expect(await verdict(one, wide(2n ** 62n), wide(2n ** 62n + 1n))).toBe(true);
    expect(await verdict(one, wide(2n ** 62n), wide(2n ** 62n + 2n))).toBe(false);
  });
});

describe('two arrays', () => {
  test('may have as many outliers as the share says, and not one more', async () => {
    const zeros = new Float32Array(1000);
    const withOnes = (count: number): Uint8Array => new Uint8Array(zeros.map((_, i) => (i < count ? 1 : 0)).buffer);
    const comparator: NumericComparator = { ...strict, type: 'f32', outliersPpm: 2_000 };
    const left = withOnes(0);
    expect(await compareNumeric(comparator, left, withOnes(2))).toEqual({
      same: true,
      reason: 'within-tolerance',
      difference: { kind: 'numeric', elements: 1000, outliers: 2, firstOutlier: 0, maxAbsolute: 1 },
    });
    expect(await compareNumeric(comparator, left, withOnes(3))).toMatchObject({
      same: false,
      reason: 'beyond-tolerance',
      difference: { outliers: 3 },
    });
  });

  test('of other lengths are never the same', async () => {
    const loose = { ...strict, absolutePpb: Number.MAX_SAFE_INTEGER, outliersPpm: 100_000 };
    expect(await compareNumeric(loose, f64(1, 2), f64(1, 2, 3))).toEqual({
      same: false,
      reason: 'different-length',
      difference: { kind: 'length', shorter: 'left', bytes: 16 },
    });
    expect(await verdict(loose, f64(), f64(1))).toBe(false);
    expect(await verdict(loose, f64(), f64())).toBe(true);
  });

  test('that are no whole number of elements cannot be read, unless they are identical', async () => {
    expect(await compareNumeric(strict, Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 4))).toEqual({
      same: false,
      reason: 'unreadable',
      difference: { kind: 'unreadable', left: 'wrong-length', right: 'wrong-length' },
    });
    expect(await compareNumeric(strict, Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3))).toEqual({
      same: true,
      reason: 'identical',
      difference: { kind: 'none' },
    });
  });

  test('are found to differ beyond the first block', async () => {
    const left = new Float64Array(100_000).fill(3);
    const right = left.slice();
    right[99_999] = 4;
    const found = await compareNumeric(strict, new Uint8Array(left.buffer), new Uint8Array(right.buffer));
    expect(found.difference).toEqual({
      kind: 'numeric',
      elements: 100_000,
      outliers: 1,
      firstOutlier: 99_999,
      maxAbsolute: 1,
    });
  });

  test('compare the same in either order, and however their bytes arrive', async () => {
    const floats = fc.array(fc.float(), { maxLength: 40 });
    const property = fc.asyncProperty(
      floats,
      floats,
      fc.nat(2_000_000_000),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      async (a, b, absolutePpb, sizes) => {
        const comparator: NumericComparator = { ...strict, type: 'f32', absolutePpb, relativePpb: 1_000_000 };
        const [left, right] = [f32(...a), f32(...b)];
        const found = await compareNumeric(comparator, left, right);
        expect(mirrored(await compareNumeric(comparator, right, left))).toEqual(found);
        expect(await compareNumeric(comparator, inPieces(left, sizes), inPieces(right, [7]))).toEqual(found);
        expect((await compareNumeric(comparator, left, left.slice())).same).toBe(true);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 500 });
  });
});

test('halves have the values that IEEE 754 and bfloat16 give them', () => {
  const halves = [0, 0x8000, 1, 0x03ff, 0x0400, 0x3555, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00];
  const values = [0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 0.333251953125, 1, -2, 65_504, Infinity, -Infinity, NaN];
  expect(halves.map(f16ToNumber)).toEqual(values);
  expect([0x3f80, 0xc040, 0x7f80, 0x7fc0].map(bf16ToNumber)).toEqual([1, -3, Infinity, NaN]);
});
