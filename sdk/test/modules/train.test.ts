import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildModules, built, readPng, run } from './testing.ts';

beforeAll(buildModules, 60_000);

const HEAD = 32;
/** Options of a small training: hidden, classes, epochs, batch, rate in millionths, seed. */
const OPTIONS = [8, 2, 2, 4, 100_000, 7] as const;

/** An IDX file of bytes. */
function idx(sizes: readonly number[], bytes: ArrayLike<number>): Uint8Array {
  const file = new Uint8Array(4 + 4 * sizes.length + bytes.length);
  const view = new DataView(file.buffer);
  [0x0800 + sizes.length, ...sizes].forEach((value, index) => view.setUint32(4 * index, value));
  file.set(bytes, file.length - bytes.length);
  return file;
}

/** Images of 2 × 4 pixels; those of class 1 are bright on the left. */
function examples(kind: 'train' | 'test', count: number): Record<string, Uint8Array> {
  const labels = Array.from({ length: count }, (_, i) => ((i * 7) % 3) % 2);
  const pixels = labels.flatMap((label, i) =>
    Array.from({ length: 8 }, (_, p) => ((i * 31 + p * 17) % 90) + (label === Number(p % 4 < 2) ? 150 : 0)),
  );
  return {
    [`${kind}-images.idx`]: idx([count, 2, 4], pixels),
    [`${kind}-labels.idx`]: idx([count], labels),
  };
}

/** A file of weights as docs/jobs.md describes it: a network of `inputs`, `hidden`, `classes`. */
function weightsFile(
  [inputs, hidden, classes]: readonly [number, number, number],
  values: (index: number) => number,
  { rounds = 0, trainLoss = 0 } = {},
): Uint8Array {
  const count = hidden * (inputs + 1) + classes * (hidden + 1);
  const file = new Uint8Array(HEAD + 16 * rounds + 4 * count);
  const view = new DataView(file.buffer);
  [0x57555044, 1, inputs, hidden, classes, rounds, trainLoss, 0].forEach((value, i) =>
    view.setUint32(4 * i, value, true),
  );
  for (let i = 0; i < count; i += 1) view.setFloat32(HEAD + 16 * rounds + 4 * i, values(i), true);
  return file;
}

const floats = (file: Uint8Array, rounds = 1): Float32Array => new Float32Array(file.slice(HEAD + 16 * rounds).buffer);
const SHAPE = [8, 4, 2] as const;
const COUNT = 4 * 9 + 2 * 5;

describe('training', () => {
  const data = examples('train', 40);
  const first = (shard: number, seed = 7) => run('train', [shard, 2, 1, ...OPTIONS.slice(0, 5), seed], data);

  test('gives the same bytes twice, others for another shard and another seed', async () => {
    const [one, again, other, seeded] = [await first(0), await first(0), await first(1), await first(0, 8)];
    expect(one.stderr).toMatch(/^round 1: 20 images from 0, 2 times, loss \d+ millionths\n$/);
    expect(one.stdout).toEqual(again.stdout);
    expect(other.stderr).toMatch(/^round 1: 20 images from 20,/);
    expect(one.stdout).not.toEqual(other.stdout);
    expect(one.stdout).not.toEqual(seeded.stdout);
  });

  test('goes on from the weights of the round before, and keeps its history', async () => {
    const before = weightsFile([8, 8, 2], (i) => Math.sin(i) / 4, { rounds: 1 });
    const args = [0, 2, 2, ...OPTIONS];
    const { stdout } = await run('train', args, { ...data, 'weights/0': before });
    expect(stdout.slice(HEAD, HEAD + 16)).toEqual(before.slice(HEAD, HEAD + 16));
    expect(floats(stdout)).not.toEqual(floats(before));
    const still = await run('train', [...args.slice(0, 7), 1, 7], { ...data, 'weights/0': before });
    const moved = floats(still.stdout).map((value, i) => Math.abs(value - (floats(before)[i] ?? 0)));
    expect(Math.max(...moved), 'a rate of a millionth hardly moves them').toBeLessThan(1e-4);
  });

  test('one step is the gradient of the loss, by differences', async () => {
    const [images, labels] = [idx([1, 2, 4], [0, 255, 60, 128, 9, 200, 17, 90]), idx([1], [1])];
    const start = weightsFile(SHAPE, (i) => Math.cos(3 * i) / 2, { rounds: 1 });
    const files = { 'train-images.idx': images, 'train-labels.idx': labels, 'weights/0': start };
    const rate = 1_000_000;
    const { stdout } = await run('train', [0, 1, 2, 4, 2, 1, 1, rate, 7], files);
    const [w, after] = [Float64Array.from(floats(start)), floats(stdout)];
    const x = [...images.subarray(16)].map((byte) => byte / 255);
    const loss = (at: Float64Array): number => {
      const h = [0, 1, 2, 3].map((j) =>
        Math.max(
          0,
          x.reduce((sum, v, i) => sum + v * at[8 * j + i]!, at[32 + j]!),
        ),
      );
      const s = [0, 1].map((k) => h.reduce((sum, v, j) => sum + v * at[36 + 4 * k + j]!, at[44 + k]!));
      return Math.log(Math.exp(s[0]!) + Math.exp(s[1]!)) - s[1]!;
    };
    for (let i = 0; i < COUNT; i += 1) {
      const [up, down] = [w.slice(), w.slice()];
      up[i]! += 1e-6;
      down[i]! -= 1e-6;
      expect(w[i]! - after[i]!, `weight ${i}`).toBeCloseTo((loss(up) - loss(down)) / 2e-6, 4);
    }
    expect(new DataView(stdout.buffer).getUint32(24, true)).toBe(Math.round(loss(w) * 1e6));
  });

  test.each([
    ['no images', {}, [0, 1, 1, ...OPTIONS], '/in/train-images.idx is missing'],
    ['no weights in the second round', data, [0, 1, 2, ...OPTIONS], '/in/weights/0 is missing'],
    [
      'weights of another network',
      { ...data, 'weights/0': weightsFile(SHAPE, () => 0, { rounds: 1 }) },
      [0, 1, 2, ...OPTIONS],
      '/in/weights/0: these weights are of another network',
    ],
    [
      'weights of another round',
      { ...data, 'weights/0': weightsFile([8, 8, 2], () => 0, { rounds: 1 }) },
      [0, 1, 3, ...OPTIONS],
      '/in/weights/0: these weights are of another round',
    ],
    [
      'a label above the classes',
      { ...data, 'train-labels.idx': idx([40], Array(40).fill(2)) },
      [0, 1, 1, ...OPTIONS],
      '/in/train-labels.idx: label 2 is not below 2',
    ],
    ['more shards than images', examples('train', 2), [0, 3, 1, ...OPTIONS], 'there are more shards than images'],
    ['a hidden layer of six', data, [0, 1, 1, 6, ...OPTIONS.slice(1)], 'argument hidden must be a multiple of 4'],
    [
      'weights that are no numbers',
      { ...data, 'weights/0': weightsFile([8, 8, 2], () => Number.NaN, { rounds: 1 }) },
      [0, 1, 2, ...OPTIONS],
      'the training diverged: the loss is no number any more. Choose a lower rate.',
    ],
  ] as [string, Record<string, Uint8Array>, number[], string][])('refuses %s', async (_what, files, args, message) => {
    const { exitCode, stdout, stderr } = await run('train', args, files);
    expect({ exitCode, stderr, bytes: stdout.length }).toEqual({
      exitCode: 2,
      stderr: `error: ${message}\n`,
      bytes: 0,
    });
  });
});

describe('averaging', () => {
  const data = examples('test', 12);
  const parts = (values: readonly ((i: number) => number)[]): Record<string, Uint8Array> =>
    Object.fromEntries(
      values.map((value, i) => [`shards/${i}`, weightsFile(SHAPE, value, { trainLoss: 1_000 * (i + 1) })]),
    );

  test('adds the shards from first to last and multiplies once, to the bit', async () => {
    const f32 = fc.float({ noNaN: true, min: -100, max: 100 });
    const property = fc.asyncProperty(fc.array(f32, { minLength: 5 * COUNT, maxLength: 5 * COUNT }), async (values) => {
      const shards = [0, 1, 2, 3, 4].map((shard) => (i: number) => values[shard * COUNT + i]!);
      const { stdout } = await run('average', [0, 1, 5, 1, 2], { ...data, ...parts(shards) });
      const expected = Float32Array.from({ length: COUNT }, (_, i) => {
        const sum = shards.reduce((all, shard) => Math.fround(all + shard(i)), 0);
        return Math.fround(sum * Math.fround(1 / 5));
      });
      expect(floats(stdout)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test('in another order gives other bits where sums round', async () => {
    const values = [() => 1e8, () => -1e8, () => 0.5];
    const mean = async (order: readonly number[]): Promise<number> => {
      const shards = parts(order.map((index) => values[index]!));
      const { stdout } = await run('average', [0, 1, 3, 1, 2], { ...data, ...shards });
      return floats(stdout)[0]!;
    };
    expect(await mean([0, 1, 2])).toBe(Math.fround(0.5 * Math.fround(1 / 3)));
    expect(await mean([0, 2, 1])).toBe(0);
  });

  test('notes the mean of the training’s losses and what the test brought', async () => {
    const zero = parts([() => 0, () => 0]);
    const { stdout, stderr } = await run('average', [0, 1, 2, 1, 2], { ...data, ...zero });
    const row = new Uint32Array(stdout.slice(HEAD, HEAD + 16).buffer);
    // Without weights both classes are as likely: ln 2; and the first of equals is the answer.
    expect([...row]).toEqual([1_500, 693_147, 8, 12]);
    expect(stderr).toBe('round 1: 8 of 12 right, loss 0.693147\n');
  });

  test('after the last round makes a file for each shard', async () => {
    const shards = parts([(i) => Math.sin(i), (i) => Math.cos(i)]);
    const file = async (shard: number): Promise<Uint8Array> =>
      (await run('average', [shard, 4, 2, 1, 1], { ...data, ...shards })).stdout;
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    expect(text(await file(1))).toMatch(
      /^round,training loss,test loss,correct,tested,accuracy\n1,0\.001500,\d\.\d{6},\d+,12,[01]\.\d{4}\n$/,
    );
    expect(readPng(await file(2))).toMatchObject({ width: 720, height: 400 });
    expect(text(await file(3))).toMatch(/^image,label,answer\n0,0,[01]\n1,1,[01]\n[\d,\n]*\n11,[01],[01]\n$/);
    expect(text((await file(0)).subarray(0, 40))).toContain('dpu');
  });

  const two = parts([() => 1, () => 1]);
  test.each([
    ['a missing shard', { ...data, ...two }, [0, 1, 3, 1, 2], '/in/shards/2 is missing'],
    ['one shard where files are made', { ...data, ...two }, [0, 1, 2, 1, 1], 'round 1 of 1 has 4 shards'],
    ['another round', { ...data, ...two }, [0, 1, 2, 2, 3], '/in/shards/0: these weights are of another round'],
    [
      'shards of two networks',
      { ...data, ...two, 'shards/1': weightsFile([8, 8, 2], () => 1) },
      [0, 1, 2, 1, 2],
      '/in/shards/1: these weights are of another network',
    ],
    [
      'weights cut short',
      { ...data, ...two, 'shards/1': two['shards/1']!.subarray(0, 99) },
      [0, 1, 2, 1, 2],
      '/in/shards/1: it has another size than its head says',
    ],
    [
      'something else',
      { ...data, ...two, 'shards/1': new Uint8Array(99) },
      [0, 1, 2, 1, 2],
      '/in/shards/1: not the weights of a training',
    ],
  ] as [string, Record<string, Uint8Array>, number[], string][])('refuses %s', async (_what, files, args, message) => {
    const { exitCode, stdout, stderr } = await run('average', args, files);
    expect({ exitCode, stderr, bytes: stdout.length }).toEqual({
      exitCode: 2,
      stderr: `error: ${message}\n`,
      bytes: 0,
    });
  });
});

test('the built-in images show every digit about as often', () => {
  const labels = built('test-labels.idx').subarray(8);
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label]! += 1;
  expect(Math.min(...counts)).toBeGreaterThan(150);
  expect(readFileSync(new URL('../../modules/build/train-images.idx', import.meta.url)).length).toBe(16 + 8_000 * 256);
});
