/** The training in whole numbers: what its kernel works on, and the weights that it begins with. docs/jobs.md, "The train job". */
import type { Problem } from '../problems.ts';
import { WGSL_LIMITS, wgslMemory, wgslOutputBytes, wgslUnits, type WgslSettings } from '../runtimes/wgsl.ts';
import type { JobSpecInput } from '../spec.ts';
import { weightsOf, type TrainSizes } from './trainLimits.ts';

/** "DPUW", little endian; the version of weights that are whole numbers; bytes of the head, and of a round's row behind it. */
const MAGIC = 0x57555044;
const FIXED = 2;
const HEAD_BYTES = 32;
const ROW_BYTES = 16;
/** Weights have 24 bits after the point. */
const ONE = 2 ** 24;
/** Images of one shard: one invocation puts them in order, and drivers end long loops. Losses of as many fit 32 bits. */
const MOST_IMAGES = 16_384;
const IMAGES_HEAD = 16;
const LABELS_HEAD = 8;
const LANES = 64;
const MAX_SECONDS = 24 * 60 * 60;
/** Multiplications in a second, and dispatches, of a driver in software on a busy machine. */
const SLOW = { products: 5_000_000, dispatches: 100 } as const;

/** What the kernel must know beyond the sizes. */
export interface KernelTraining extends TrainSizes {
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
}

const words = (bytes: number): number => 4 * Math.ceil(bytes / 4);

/** Most images of a shard, and steps of one epoch. */
function shape({ train, shards, batch }: KernelTraining): { images: number; steps: number } {
  const images = Math.ceil(train / shards);
  return { images, steps: Math.ceil(images / batch) };
}

/** Everything that a kernel cannot do of what the options ask for. */
export function kernelTrainingProblems(training: KernelTraining): Problem[] {
  const { images } = shape(training);
  const { train, pixels, classes, batch, hidden } = training;
  const problems: Problem[] = [];
  if (images > MOST_IMAGES)
    problems.push({ path: 'shards', sentence: `leave ${images} images to each, on a GPU the most is ${MOST_IMAGES}` });
  if (train * pixels > WGSL_LIMITS.bufferBytes)
    problems.push({
      path: 'device',
      sentence: `cannot be gpu: the images take more than ${WGSL_LIMITS.bufferBytes} bytes`,
    });
  if (problems.length > 0) return problems;
  const settings = kernelSettings(training, 1);
  const most = Math.max(...settings.passes.map(({ groups, size }) => groups[0] * size[0]));
  if (weightsOf(training) * 4 > WGSL_LIMITS.bufferBytes || most > WGSL_LIMITS.invocations - LANES)
    problems.push({
      path: 'hidden',
      sentence: `and batch are too large for a GPU: ${hidden} neurons, ${batch} images, ${classes} classes`,
    });
  const dispatches = (settings.rounds ?? 1) * settings.passes.length;
  if (dispatches > WGSL_LIMITS.dispatches)
    problems.push({
      path: 'epochs',
      sentence: `make ${dispatches} dispatches of each shard, the most is ${WGSL_LIMITS.dispatches}: choose fewer epochs, more shards or a larger batch`,
    });
  return problems;
}

/** Buffers and passes of a shard's training in a round from 1 on: each time through the passes is a step. */
export function kernelSettings(training: KernelTraining, round: number): WgslSettings {
  const { train, pixels, hidden, classes, epochs, batch } = training;
  const { images, steps } = shape(training);
  const weights = weightsOf(training);
  const head = HEAD_BYTES + ROW_BYTES * (round - 1);
  const file = round === 1 ? FIRST_WEIGHTS : 'weights/0';
  const items = Math.min(batch, images);
  const buffers = [
    { name: 'images', bytes: words(train * pixels), input: { name: 'train-images.idx', offset: IMAGES_HEAD } },
    { name: 'labels', bytes: words(train), input: { name: 'train-labels.idx', offset: LABELS_HEAD } },
    { name: 'weights', bytes: 4 * weights, input: { name: file, offset: head } },
    { name: 'head', bytes: head, input: { name: file } },
    { name: 'order', bytes: 4 * (images + 1 + items) },
    { name: 'middle', bytes: 4 * items * hidden },
    { name: 'far', bytes: 4 * items * classes },
    { name: 'back', bytes: 4 * items * hidden },
  ];
  const pass = (
    entry: string,
    invocations: number,
    used: readonly string[],
    lanes = LANES,
  ): WgslSettings['passes'][number] => ({
    entry,
    size: [lanes, 1, 1],
    groups: [Math.ceil(invocations / lanes), 1, 1],
    bind: used.map((buffer) => ({
      binding: 1 + buffers.findIndex(({ name }) => name === buffer),
      buffer,
      access: buffer === 'images' || buffer === 'labels' ? ('read' as const) : ('read_write' as const),
    })),
  });
  return {
    buffers,
    passes: [
      pass('shuffle', 1, ['order'], 1),
      pass('forward', items * hidden, ['images', 'weights', 'order', 'middle']),
      pass('score', items * classes, ['weights', 'middle', 'far']),
      pass('compare', items, ['labels', 'order', 'far']),
      pass('blame', items * hidden, ['weights', 'middle', 'far', 'back']),
      pass('learn', weights, ['images', 'weights', 'head', 'order', 'middle', 'far', 'back']),
    ],
    rounds: epochs * steps,
    output: { buffers: ['head', 'weights'] },
  };
}

/** Arguments of the kernel, as its words name them. */
export function kernelArguments(training: KernelTraining, round: number): number[] {
  const { train, pixels, hidden, classes, epochs, batch, rate, seed } = training;
  return [train, pixels, hidden, classes, epochs, batch, fixedRate(rate), seed, round, shape(training).steps];
}

/** A rate in thousandths with 16 bits after the point. */
const fixedRate = (rate: number): number => Math.round((rate * 65_536) / 1_000);

/** Just what the settings need; time for a driver in software, which a GPU does not take. */
export function kernelLimits(training: KernelTraining, round: number): JobSpecInput['limits'] {
  const settings = kernelSettings(training, round);
  const { images } = shape(training);
  const products = 3 * images * training.epochs * weightsOf(training);
  const dispatches = (settings.rounds ?? 1) * settings.passes.length;
  return {
    memoryBytes: wgslMemory(settings),
    units: wgslUnits(settings),
    outputBytes: wgslOutputBytes(settings),
    seconds: Math.min(MAX_SECONDS, Math.ceil(60 + products / SLOW.products + dispatches / SLOW.dispatches)),
  };
}

/** Name of the file that a training in whole numbers begins with. */
export const FIRST_WEIGHTS = 'first.bin';

/** Its content: even between ± √(6 / inputs of the layer), as He et al. 2015 advise for rectifiers; biases 0. */
export function firstWeights({
  pixels,
  hidden,
  classes,
  seed,
}: Pick<KernelTraining, 'pixels' | 'hidden' | 'classes' | 'seed'>): Uint8Array {
  const file = new Uint8Array(HEAD_BYTES + 4 * weightsOf({ pixels, hidden, classes }));
  const view = new DataView(file.buffer);
  [MAGIC, FIXED, pixels, hidden, classes, 0, 0, 0].forEach((word, i) => view.setUint32(4 * i, word, true));
  let state = seed >>> 0;
  let at = HEAD_BYTES;
  const layer = (count: number, inputs: number): void => {
    const most = Math.round(Math.sqrt(6 / inputs) * ONE);
    for (let i = 0; i < count; i += 1, at += 4) {
      state = scramble(state);
      // 24 bits of chance: the product stays a whole number that a double can hold.
      view.setInt32(at, Math.floor(((state >>> 8) * (2 * most + 1)) / ONE) - most, true);
    }
  };
  layer(hidden * pixels, pixels);
  at += 4 * hidden;
  layer(classes * hidden, hidden);
  return file;
}

/** PCG-RXS-M-XS, 32 bits. */
function scramble(x: number): number {
  const state = (Math.imul(x, 747_796_405) + 2_891_336_453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277_803_737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
