/** The train job: rounds of training in parallel, each followed by an average, as a chain of jobs. The last exports the network. */
import type { CID } from 'multiformats/cid';
import { z } from 'zod';

import { problemsOf, type Problem } from '../problems.ts';
import type { JobSpecInput } from '../spec.ts';
import {
  firstWeights,
  FIRST_WEIGHTS,
  kernelArguments,
  kernelLimits,
  kernelSettings,
  kernelTrainingProblems,
  type KernelTraining,
} from './trainKernel.ts';
import { MAX_ROUNDS, trainLimits, type TrainSizes } from './trainLimits.ts';
import { BUILT_IN, dataFiles, dataProblems, sizesOf } from './trainData.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateContext } from './types.ts';

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

/** Options of a training, by name. */
export const trainFields = {
  rounds: whole(1, MAX_ROUNDS).default(4).describe('How often the shards train and are averaged; two jobs each'),
  shards: whole(1, 256).default(4).describe('Parts of the images that are trained on side by side'),
  epochs: whole(1, 100).default(3).describe('How often a shard goes through its images in a round'),
  hidden: whole(4, 2048)
    .multipleOf(4, 'must be a multiple of 4')
    .default(64)
    .describe('Neurons of the hidden layer, a multiple of 4'),
  rate: whole(1, 1_000).default(200).describe('Learning rate in thousandths: larger learns faster, too large diverges'),
  batch: whole(1, 1_024).default(16).describe('Images between two steps'),
  classes: whole(2, 256).default(10).describe('Kinds of images: labels are below this'),
  device: z
    .enum(['cpu', 'gpu'])
    .default('cpu')
    .describe('Who trains: processors, or GPUs, which train in whole numbers'),
  numbers: z
    .enum(['float', 'fixed'])
    .default('float')
    .describe('What processors train in: floats, or the whole numbers that GPUs train in'),
  seed: whole(0, 0xffffffff).default(1).describe('Chooses the first weights and the order of the images'),
};
const optionsSchema = z.strictObject(trainFields);

/** Options of the train job. */
export type TrainOptions = z.output<typeof optionsSchema>;

/** What the last job's shards make. A job after it finds the model at `/in/<name>/0`. */
export const TRAINED_FILES = [
  { name: 'model.onnx', mediaType: 'application/octet-stream' },
  { name: 'curve.csv', mediaType: 'text/csv' },
  { name: 'curve.png', mediaType: 'image/png' },
  { name: 'answers.csv', mediaType: 'text/csv' },
] as const;

/** Whether a training is one in whole numbers. */
const isFixed = ({ device, numbers }: TrainOptions): boolean => device === 'gpu' || numbers === 'fixed';

/** Options of a training and the sizes of what it learns from. */
function trainingSizes(options: TrainOptions, provided: ReadonlyMap<string, Uint8Array>): KernelTraining {
  return { ...options, ...(provided.size > 0 ? sizesOf(provided) : BUILT_IN) };
}

/** Everything that is wrong between the options and the files, which must be without problems. */
export function trainingProblems(options: TrainOptions, provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  return options.device === 'gpu' ? kernelTrainingProblems(trainingSizes(options, provided)) : [];
}

/** Trains a small network on labelled images: in each round N shards train on their part, then one averages their weights and tests them. */
export const train: Template = {
  id: 'train',
  title: 'Train a classifier',
  description: 'Trains a small network on labelled images in parallel rounds and exports it as an ONNX model.',
  options: optionsSchema,
  files: dataFiles,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [
      ...(parsed.success ? [] : problemsOf(parsed.error)),
      ...dataProblems(provided, parsed.success ? parsed.data.shards : 1),
    ];
    if (parsed.success && problems.length === 0) problems.push(...trainingProblems(parsed.data, provided));
    if (!parsed.success || problems.length > 0) throw new TemplateError(train.id, problems);
    return { jobs: await trainingJobs(parsed.data, provided, context) };
  },
};

/** The chain of a training: two jobs for each round, the last of which makes {@link TRAINED_FILES}. Files must be without problems. */
export async function trainingJobs(
  options: TrainOptions,
  provided: ReadonlyMap<string, Uint8Array>,
  context: TemplateContext,
): Promise<[JobSpecInput, ...JobSpecInput[]]> {
  const sizes = trainingSizes(options, provided);
  const inputs = await storeData(provided, context);
  if (isFixed(options)) {
    const first = firstWeights(sizes);
    inputs.push({ name: FIRST_WEIGHTS, cid: (await context.addFile(first)).cid, size: first.length });
  }
  const [trainer, averager] = [
    (await context.addFile(await context.asset(options.device === 'gpu' ? 'train.wgsl' : 'train.wasm'))).cid,
    (await context.addFile(await context.asset('average.wasm'))).cid,
  ];
  const jobs: JobSpecInput[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    jobs.push(trainSpec(options, round, trainer, inputs, sizes), averageSpec(options, round, averager, inputs, sizes));
  }
  return jobs as [JobSpecInput, ...JobSpecInput[]];
}

async function storeData(
  provided: ReadonlyMap<string, Uint8Array>,
  context: TemplateContext,
): Promise<JobSpecInput['inputs']> {
  const inputs: JobSpecInput['inputs'] = [];
  for (const { name } of dataFiles) {
    const bytes = provided.get(name) ?? (await context.asset(name));
    inputs.push({ name, cid: (await context.addFile(bytes)).cid, size: bytes.length });
  }
  return inputs;
}

/** The files of a `kind`: what a job does not read, its nodes need not fetch. */
function only(kind: 'train' | 'test' | 'first', inputs: JobSpecInput['inputs']): JobSpecInput['inputs'] {
  return inputs.filter(({ name }) => name.startsWith(kind));
}

function trainSpec(
  options: TrainOptions,
  round: number,
  module: CID | string,
  inputs: JobSpecInput['inputs'],
  sizes: KernelTraining,
): JobSpecInput {
  const { rounds, shards, hidden, classes, epochs, batch, rate, seed, device } = options;
  const words = [round, hidden, classes, epochs, batch, rate * 1_000, seed, ...(isFixed(options) ? [1] : [])];
  const engine =
    device === 'gpu'
      ? {
          settings: kernelSettings(sizes, round) as unknown as Record<string, unknown>,
          args: kernelArguments(sizes, round).map(String),
          limits: kernelLimits(sizes, round),
        }
      : { args: words.map(String), limits: trainLimits(sizes, 'train') };
  return {
    version: 1,
    name: `Train, round ${round} of ${rounds}`,
    runtime: 'train',
    module,
    ...engine,
    inputs: [...only('train', inputs), ...(round > 1 ? [] : only('first', inputs))],
    ...(round > 1 && { after: { name: 'weights' } }),
    shards,
    output: { name: 'weights.bin', mediaType: 'application/octet-stream' },
    comparator: { kind: 'exact' },
  };
}

function averageSpec(
  { rounds, shards }: TrainOptions,
  round: number,
  module: CID | string,
  inputs: JobSpecInput['inputs'],
  sizes: TrainSizes,
): JobSpecInput {
  const isLast = round === rounds;
  const [model] = TRAINED_FILES;
  return {
    version: 1,
    name: `${isLast ? 'Average, test and export' : 'Average and test'}, round ${round} of ${rounds}`,
    runtime: 'train',
    module,
    args: [shards, round, rounds].map(String),
    inputs: only('test', inputs),
    after: { name: 'shards' },
    shards: isLast ? TRAINED_FILES.length : 1,
    output: isLast ? { ...model } : { name: 'weights.bin', mediaType: 'application/octet-stream' },
    limits: trainLimits(sizes, 'average'),
    comparator: { kind: 'exact' },
    view: isLast ? { kind: 'files', files: TRAINED_FILES.map((file) => ({ ...file })) } : { kind: 'file' },
  };
}
