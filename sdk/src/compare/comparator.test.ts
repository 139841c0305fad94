import { describe, expect, test } from 'vitest';
import { problemsOf } from '../problems.ts';
import { comparatorSchema, isTolerant, outputProblems, RENDER_COMPARATOR, type Comparator } from './comparator.ts';

const numeric = { kind: 'numeric', type: 'f32', absolutePpb: 1, relativePpb: 1, outliersPpm: 1 } as const;
const topk = { kind: 'topk', type: 'f32', classes: 10, k: 5, absolutePpb: 1, outliersPpm: 1 } as const;
const raw = { ...RENDER_COMPARATOR, image: { kind: 'rgba8', width: 64, height: 32 } } as const;

/** What is wrong, as `path: sentence`. */
function problems(comparator: unknown): string[] {
  const parsed = comparatorSchema.safeParse(comparator, { reportInput: true });
  return parsed.success ? [] : problemsOf(parsed.error).map(({ path, sentence }) => `${path}: ${sentence}`);
}

describe('a comparator', () => {
  test.each<[comparator: Comparator, tolerant: boolean]>([
    [{ kind: 'exact' }, false],
    [numeric, true],
    [{ ...numeric, absolutePpb: 0, relativePpb: 0, outliersPpm: 0 }, true],
    [topk, true],
    [RENDER_COMPARATOR, true],
    [raw, true],
  ])('is taken as it is: %j', (comparator, tolerant) => {
    expect(comparatorSchema.parse(comparator)).toEqual(comparator);
    expect(isTolerant(comparator)).toBe(tolerant);
  });

  test.each<[what: string, comparator: object, problems: string[]]>([
    ['no kind', {}, ['kind: must be of kind "exact", "numeric", "topk" or "perceptual"']],
    ['an unknown field', { kind: 'exact', outliersPpm: 1 }, [': has an unknown field: outliersPpm']],
    ['a missing tolerance', { ...numeric, absolutePpb: undefined }, ['absolutePpb: is missing']],
    ['a fraction', { ...numeric, absolutePpb: 0.5 }, ['absolutePpb: must be a whole number']],
    ['a negative tolerance', { ...numeric, absolutePpb: -1 }, ['absolutePpb: must be at least 0']],
    ['NaN', { ...numeric, relativePpb: NaN }, ['relativePpb: must be a whole number']],
    [
      'a tolerance of more than a half',
      { ...numeric, relativePpb: 500_000_001 },
      ['relativePpb: must be at most 500000000'],
    ],
    ['more outliers than a tenth', { ...numeric, outliersPpm: 100_001 }, ['outliersPpm: must be at most 100000']],
    [
      'an unknown type',
      { ...numeric, type: 'f128' },
      [
        'type: must be "u8" or "i8" or "u16" or "i16" or "u32" or "i32" or "u64" or "i64" or "f16" or "bf16" or "f32" or "f64"',
      ],
    ],
    ['one class', { ...topk, classes: 1, k: 0 }, ['classes: must be at least 2', 'k: must be at least 1']],
    [
      'as many best classes as classes',
      { ...topk, k: 10 },
      ['k: must be less than the number of classes, 10: otherwise any two rows agree'],
    ],
    ['too many classes', { ...topk, classes: 1_048_577 }, ['classes: must be at most 1048576']],
    [
      'scores that doubles do not hold',
      { ...topk, type: 'i64' },
      ['type: must be "u8" or "i8" or "u16" or "i16" or "u32" or "i32" or "f16" or "bf16" or "f32" or "f64"'],
    ],
    ['an unknown image', { ...raw, image: { kind: 'webp' } }, ['image.kind: must be of kind "png" or "rgba8"']],
    ['an image of no height', { ...raw, image: { ...raw.image, height: 0 } }, ['image.height: must be at least 1']],
    [
      'an image of too many pixels',
      { ...raw, image: { kind: 'rgba8', width: 8192, height: 4097 } },
      ['image: must have at most 33554432 pixels'],
    ],
    [
      'thresholds that mean nothing',
      { ...raw, minSsimPpm: 499_999, maxMeanErrorPpm: 100_001, pixelErrorPpm: 250_001 },
      [
        'minSsimPpm: must be at least 500000',
        'maxMeanErrorPpm: must be at most 100000',
        'pixelErrorPpm: must be at most 250000',
      ],
    ],
    ['a similarity above one', { ...raw, minSsimPpm: 1_000_001 }, ['minSsimPpm: must be at most 1000000']],
  ])('with %s is refused', (_what, comparator, expected) => {
    expect(problems(comparator)).toEqual(expected);
  });

  test.each<[what: string, comparator: Comparator, bytes: number]>([
    ['a row of scores', topk, 40],
    ['an image without a head', raw, 8192],
  ])('of %s needs an output that can hold it', (_what, comparator, bytes) => {
    const output = { mediaType: 'application/octet-stream', maxBytes: bytes };
    expect(outputProblems(comparator, output)).toEqual([]);
    expect(outputProblems(comparator, { ...output, maxBytes: bytes - 1 })).toEqual([
      `needs an output of at least ${bytes} bytes, but its limit is ${bytes - 1}`,
    ]);
  });

  test('of PNG files needs an output of that type', () => {
    expect(outputProblems(RENDER_COMPARATOR, { mediaType: 'image/png', maxBytes: 1 })).toEqual([]);
    expect(outputProblems(RENDER_COMPARATOR, { mediaType: 'image/jpeg', maxBytes: 1 })).toEqual([
      'reads PNG, so each output must be image/png',
    ]);
  });
});
