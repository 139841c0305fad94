/** The learn job: a training whose model is put to work at once, on drawings that it has not learnt from. All of it is one chain. */
import { z } from 'zod';

import { encodeModel, tensor } from '../onnx/writeModel.ts';
import { readModel } from '../onnx/readModel.ts';
import { unitsOf } from '../onnx/work.ts';
import { MAX_CHAIN } from '../posting.ts';
import { problemsOf } from '../problems.ts';
import { shareOf, type OnnxSettings } from '../runtimes/onnx.ts';
import { confusionSpec, scoreSpec, type ScoringTask } from './scoring.ts';
import { TRAINED_FILES, trainFields, trainingJobs, trainingProblems, type TrainOptions } from './train.ts';
import { dataFiles, dataProblems, imagesOf } from './trainData.ts';
import { TemplateError, type PreparedJobs, type Template } from './types.ts';

/** Jobs that follow the rounds: one runs the model, one counts its mistakes. */
const FOLLOWING = 2;
const MOST_ROUNDS = (MAX_CHAIN - FOLLOWING) / 2;
/** Name of the training's last results among the files of the job that uses them. */
const TRAINED = 'trained';
/** Images of one run of the model. */
const BATCH = 64;
const PIXEL_BYTES = 4;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z.strictObject({
  ...trainFields,
  rounds: whole(1, MOST_ROUNDS).default(3).describe('How often the shards train and are averaged; two jobs each'),
  scorers: whole(1, 256).default(4).describe('Parts of the unseen images that are classified side by side'),
});

/** Trains a classifier in rounds, lets it classify images that it has not seen, and draws which it takes for which. */
export const learn: Template = {
  id: 'learn',
  title: 'Train a classifier and use it',
  description: 'Trains a network in rounds, then runs the model on images that it has not seen and shows its mistakes.',
  options: optionsSchema,
  files: dataFiles,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [
      ...(parsed.success ? [] : problemsOf(parsed.error)),
      ...dataProblems(provided, parsed.success ? parsed.data.shards : 1),
    ];
    if (parsed.success && problems.length === 0) problems.push(...trainingProblems(parsed.data, provided));
    if (!parsed.success || problems.length > 0) throw new TemplateError(learn.id, problems);
    const { scorers, ...training } = parsed.data;

    const test = imagesOf(
      provided.get('test-images.idx') ?? (await context.asset('test-images.idx')),
      provided.get('test-labels.idx') ?? (await context.asset('test-labels.idx')),
    );
    const task = taskOf(training, scorers, test);
    const jobs = await trainingJobs(training, provided, context);
    const pixels = floatsOf(test.bytes);
    const data = await context.addFile(pixels);
    const labels = await context.addFile(test.labels);
    const counter = await context.addFile(await context.asset('confusion.wasm'));
    return {
      jobs: [
        ...jobs,
        // The model is not there yet, so no CID can name it: it is the first result of the job before.
        scoreSpec(task, { after: { name: TRAINED } }, { cid: data.cid, size: pixels.length }),
        confusionSpec(task, counter.cid, { name: 'labels.bin', cid: labels.cid, size: test.labels.length }, 'both'),
      ],
    };
  },
};

/** What the model will have to do: its size and its work follow from the network's shape. @throws TemplateError */
function taskOf(
  { hidden, classes }: Pick<TrainOptions, 'hidden' | 'classes'>,
  shards: number,
  { count, pixels }: { readonly count: number; readonly pixels: number },
): ScoringTask {
  if (count < shards)
    throw new TemplateError(learn.id, [{ path: 'scorers', sentence: `are more than the ${count} unseen images` }]);
  const settings: OnnxSettings = {
    model: `${TRAINED}/${TRAINED_FILES.findIndex(({ name }) => name === 'model.onnx')}`,
    optimization: 'all',
    items: count,
    batch: BATCH,
    inputs: [{ name: 'pixels', type: 'f32', shape: [pixels], file: 'data.bin' }],
    outputs: [{ name: 'scores', type: 'f32' }],
  };
  const model = sampleModel(pixels, hidden, classes);
  const counts = [0, shards - 1].map((shard) => shareOf(count, shard, shards).count);
  const work = Math.max(...counts.map((items) => unitsOf(readModel(model), settings, model.length, items)));
  return {
    settings,
    classes,
    type: 'f32',
    // Another writer's names take other bytes, and each counts as an operation: one unit is room enough for all of them.
    units: work + 1,
    largestShare: Math.max(...counts),
    modelBytes: model.length,
    shards,
    compare: 'topk',
  };
}

/** A network of the shape that the training exports, with nothing learnt. */
function sampleModel(pixels: number, hidden: number, classes: number): Uint8Array {
  const zeros = (...dims: [number, ...number[]]) =>
    tensor('f32', dims, new Array<number>(dims.reduce((product, side) => product * side, 1)).fill(0));
  const transposed = { transB: { int: 1 } };
  return encodeModel({
    inputs: [{ name: 'pixels', type: 'f32', dims: ['images', pixels] }],
    outputs: [{ name: 'scores', type: 'f32', dims: ['images', classes] }],
    constants: { w1: zeros(hidden, pixels), b1: zeros(hidden), w2: zeros(classes, hidden), b2: zeros(classes) },
    nodes: [
      { op: 'Gemm', inputs: ['pixels', 'w1', 'b1'], outputs: ['sums'], attributes: transposed },
      { op: 'Relu', inputs: ['sums'], outputs: ['hidden'] },
      { op: 'Gemm', inputs: ['hidden', 'w2', 'b2'], outputs: ['scores'], attributes: transposed },
    ],
  });
}

/** Bytes as the model takes them: 32-bit floats from 0 to 1, little endian. */
function floatsOf(bytes: Uint8Array): Uint8Array {
  const floats = new Uint8Array(PIXEL_BYTES * bytes.length);
  const view = new DataView(floats.buffer);
  bytes.forEach((byte, i) => view.setFloat32(PIXEL_BYTES * i, byte / 255, true));
  return floats;
}
