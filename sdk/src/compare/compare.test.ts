import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RENDER_COMPARATOR, type Comparator } from './comparator.ts';
import { compare } from './compare.ts';
import { describeComparison } from './describe.ts';
import { chunk, inPieces, mirrored, png, pngOf, scene } from './testing.ts';

const EXACT: Comparator = { kind: 'exact' };
const COMPARATORS: readonly Comparator[] = [
  EXACT,
  { kind: 'numeric', type: 'f16', absolutePpb: 1_000_000, relativePpb: 1_000_000, outliersPpm: 10_000 },
  { kind: 'numeric', type: 'u64', absolutePpb: 1_000_000, relativePpb: 1_000_000, outliersPpm: 10_000 },
  { kind: 'topk', type: 'bf16', classes: 5, k: 2, absolutePpb: 1_000_000, outliersPpm: 10_000 },
  RENDER_COMPARATOR,
  { ...RENDER_COMPARATOR, image: { kind: 'rgba8', width: 3, height: 2 } },
];
const ABC = Uint8Array.of(1, 2, 3);

describe('exact', () => {
  test.each<[what: string, left: Uint8Array, right: Uint8Array, found: object]>([
    ['equal bytes', ABC, ABC.slice(), { same: true, reason: 'identical', difference: { kind: 'none' } }],
    ['no bytes', ABC.subarray(3), ABC.subarray(3), { same: true, reason: 'identical', difference: { kind: 'none' } }],
    [
      'another byte',
      ABC,
      Uint8Array.of(1, 2, 4),
      { same: false, reason: 'different-bytes', difference: { kind: 'bytes', offset: 2 } },
    ],
    [
      'a byte more',
      Uint8Array.of(1, 2, 3, 4),
      ABC,
      { same: false, reason: 'different-length', difference: { kind: 'length', shorter: 'right', bytes: 3 } },
    ],
  ])('finds %s', async (_what, left, right, found) => {
    expect(await compare(EXACT, left, right)).toEqual(found);
  });

  test('finds a byte beyond the first block', async () => {
    const left = new Uint8Array(600_000);
    const found = { same: false, reason: 'different-bytes', difference: { kind: 'bytes', offset: 599_999 } };
    expect(await compare(EXACT, left, left.with(599_999, 1))).toEqual(found);
    expect(await compare(EXACT, inPieces(left, [70_001]), inPieces(left.with(599_999, 1), [262_144]))).toEqual(found);
  });
});

describe('whatever the bytes are', () => {
  const parts = { width: 4, height: 3, depth: 8, colour: 0, rows: [] };
  const rows = Uint8Array.from({ length: 15 }, (_, i) => (i % 5 === 0 ? 0 : i));
  const image = png({ ...parts, data: deflateSync(rows) });
  const bytes = fc.uint8Array({ maxLength: 48 });
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  const edited = (original: Uint8Array, changes: readonly [number, number][]): Uint8Array => {
    const copy = Uint8Array.from(original);
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return copy;
  };
  /** An image with some bytes changed and the checksums made right again, so that the change gets past them. */
  const mutatedFile = edits.map((changes) => {
    const file = edited(image, changes);
    return Buffer.concat([
      image.subarray(0, 8),
      chunk('IHDR', file.subarray(16, 29)),
      chunk('IDAT', file.subarray(41, image.length - 16)),
      chunk('IEND', new Uint8Array()),
    ]);
  });
  const mutatedRows = edits.map((changes) => png({ ...parts, data: deflateSync(edited(rows, changes)) }));
  const file = fc.oneof(bytes, mutatedFile, mutatedRows);

  test('a comparison answers, in either order the same, and finds each result the same as itself', async () => {
    const property = fc.asyncProperty(fc.constantFrom(...COMPARATORS), file, file, async (comparator, left, right) => {
      const found = await compare(comparator, left, right);
      expect(mirrored(await compare(comparator, right, left))).toEqual(found);
      expect((await compare(comparator, left, Uint8Array.from(left))).reason).toBe('identical');
      if (found.reason === 'unreadable') expect(found.same).toBe(false);
      expect(describeComparison(found)).toMatch(/^The results (differ|are the same work): .+\.$/);
    });
    await fc.assert(property, { seed: 7, numRuns: 5_000 });
  });

  test('an image that cannot be read is not one that can', async () => {
    const reasons = new Set<string>();
    const property = fc.asyncProperty(file, async (found) => {
      const { same, reason, difference } = await compare(RENDER_COMPARATOR, found, image);
      reasons.add(reason);
      if (difference.kind !== 'unreadable') return;
      expect(difference.left).toBeDefined();
      expect(difference.right).toBeUndefined();
      expect(same).toBe(false);
    });
    await fc.assert(property, { seed: 8, numRuns: 1_000 });
    expect([...reasons].sort()).toEqual([
      'beyond-tolerance',
      'different-shape',
      'identical',
      'unreadable',
      'within-tolerance',
    ]);
  });
});

describe('a comparison', () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield ABC;
    throw new Error('the gateway is gone');
  }

  test.each(COMPARATORS.map((comparator) => [comparator.kind, comparator] as const))(
    'of kind %s does not take an unreachable result for a wrong one',
    async (_kind, comparator) => {
      await expect(compare(comparator, failing(), ABC)).rejects.toThrow('the gateway is gone');
      const nothing = new Uint8Array();
      await expect(compare(comparator, nothing, failing())).rejects.toThrow('the gateway is gone');
    },
  );

  test.each(COMPARATORS.map((comparator) => [comparator.kind, comparator] as const))(
    'of kind %s ends when it is asked to, even while a source hangs',
    async (_kind, comparator) => {
      const stop = new AbortController();
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield ABC;
        stop.abort(new Error('enough'));
        await new Promise(() => {});
      }
      await expect(compare(comparator, hanging(), ABC, { signal: stop.signal })).rejects.toThrow('enough');
    },
  );

  test('lets go of a source that it does not read to the end', async () => {
    let closed = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(1000);
      } finally {
        closed++;
      }
    }
    expect((await compare(EXACT, endless(), ABC)).same).toBe(false);
    expect(closed).toBe(1);
  });

  test('is described in one sentence', async () => {
    const sentences = await Promise.all([
      compare(EXACT, ABC, ABC).then(describeComparison),
      compare(EXACT, ABC, ABC.subarray(1)).then(describeComparison),
      compare(RENDER_COMPARATOR, ABC, pngOf(scene(4, 3))).then(describeComparison),
      compare(RENDER_COMPARATOR, pngOf(scene(3, 4)), pngOf(scene(4, 3))).then(describeComparison),
    ]);
    expect(sentences).toEqual([
      'The results are the same work: every byte is equal.',
      'The results differ: byte 0 is the first that differs.',
      'The results differ: the left one is no PNG file.',
      'The results differ: one image has 3 by 4 pixels, the other 4 by 3.',
    ]);
  });
});
