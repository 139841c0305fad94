import { RENDER_COMPARATOR } from '@dpu/sdk/compare/comparator';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareShards, describeShards, singleOutput, type ComparedSpec } from './compareShards.ts';
import { WasmRuntime } from './wasm/wasmRuntime.ts';

const OUTPUT = { name: 'scores.bin', mediaType: 'application/octet-stream' };
const spec: ComparedSpec = {
  output: OUTPUT,
  comparator: { kind: 'numeric', type: 'f32', absolutePpb: 1_000_000, relativePpb: 0, outliersPpm: 0 },
};
const exact: ComparedSpec = { output: OUTPUT, comparator: { kind: 'exact' } };
const f32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const IDENTICAL = { same: true, reason: 'identical', difference: { kind: 'none' } };

describe('two results of a shard', () => {
  test('are the same within the tolerance of the spec, and not beyond', async () => {
    const own = singleOutput(spec, f32(1, 2));
    expect(await compareShards(spec, own, singleOutput(spec, f32(1.0005, 2)))).toMatchObject({
      same: true,
      files: [{ name: 'scores.bin', same: true, comparison: { reason: 'within-tolerance' } }],
    });
    const beyond = await compareShards(spec, own, singleOutput(spec, f32(1.25, 2)));
    expect(beyond).toMatchObject({ same: false, files: [{ comparison: { difference: { outliers: 1 } } }] });
    expect(describeShards(beyond)).toMatch(
      /^scores\.bin: The results differ: 1 of 2 elements are beyond the tolerance, the largest distance is 0\.25\.$/,
    );
  });

  test('are the same only byte for byte when the spec is exact', async () => {
    const own = singleOutput(exact, f32(1, 2));
    expect((await compareShards(exact, own, singleOutput(exact, f32(1, 2)))).same).toBe(true);
    expect((await compareShards(exact, own, singleOutput(exact, f32(1.0005, 2)))).same).toBe(false);
  });

  test('differ when one file of several does', async () => {
    const files = (...values: number[]) =>
      new Map(values.map((value, i) => [i === 0 ? 'scores.bin' : 'b', f32(value)]));
    const found = await compareShards(spec, files(1, 5), files(1, 6));
    expect(found).toMatchObject({
      same: false,
      files: [
        { name: 'b', same: false },
        { name: 'scores.bin', same: true },
      ],
    });
  });

  test('differ when one side has a file that the other has not', async () => {
    const own = singleOutput(spec, f32(1));
    const more = new Map([...own, ['extra', f32(2)] as const]);
    expect(await compareShards(spec, own, more)).toEqual({
      same: false,
      files: [
        { name: 'extra', same: false, missing: 'own' },
        { name: 'scores.bin', same: true, comparison: IDENTICAL },
      ],
    });
    const none = await compareShards(spec, own, new Map());
    expect(none).toEqual({ same: false, files: [{ name: 'scores.bin', same: false, missing: 'shown' }] });
    expect(describeShards(none)).toBe('scores.bin: The results differ: it was not shown.');
  });

  test('are not the same when neither has the file that the spec names', async () => {
    const found = await compareShards(spec, new Map(), new Map());
    expect(found).toEqual({ same: false, files: [{ name: 'scores.bin', same: false, missing: 'both' }] });
  });

  test('get no verdict while the shown one cannot be reached', async () => {
    async function* gone(): AsyncGenerator<Uint8Array> {
      yield f32(1);
      throw new Error('nobody has it');
    }
    const shown = singleOutput(spec, gone());
    await expect(compareShards(spec, singleOutput(spec, f32(1, 2)), shown)).rejects.toThrow('nobody has it');
  });

  test('get the same verdict from both sides, whatever the bytes are', async () => {
    const bytes = fc.uint8Array({ maxLength: 24 });
    const image = { output: OUTPUT, comparator: RENDER_COMPARATOR };
    const property = fc.asyncProperty(fc.constantFrom(spec, exact, image), bytes, bytes, async (one, a, b) => {
      const [left, right] = [singleOutput(one, a), singleOutput(one, b)];
      const { same } = await compareShards(one, left, right);
      expect((await compareShards(one, right, left)).same).toBe(same);
      expect((await compareShards(one, left, left)).same).toBe(true);
    });
    await fc.assert(property, { seed: 11, numRuns: 2_000 });
  });
});

test('the wasm runtime compares by the spec without starting anything', async () => {
  const runtime = new WasmRuntime();
  const own = singleOutput(spec, f32(1));
  expect((await runtime.compare(spec, own, singleOutput(spec, f32(1.0005)))).same).toBe(true);
  expect((await runtime.compare(spec, own, singleOutput(spec, f32(2)))).same).toBe(false);
  const stop = AbortSignal.abort(new Error('enough'));
  await expect(runtime.compare(spec, own, own, { signal: stop })).rejects.toThrow('enough');
});
