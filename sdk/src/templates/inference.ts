/** The inference job: an ONNX model scores many items, a second job says how often it was right and about what it was wrong. */
import { z } from 'zod';

import { SCORE_TYPES, type ScoreType } from '../compare/scalar.ts';
import { ONNX_LIMITS } from '../onnx/limits.ts';
import { OnnxError, readModel, usesFloats, type OnnxValue } from '../onnx/readModel.ts';
import type { TensorType } from '../onnx/types.ts';
import { unitsOf } from '../onnx/work.ts';
import { problemsOf, type Problem } from '../problems.ts';
import { itemBytes, OPTIMIZATIONS, shareOf, type OnnxSettings } from '../runtimes/onnx.ts';
import { fileProblems } from './ownFiles.ts';
import { COMPARISONS, confusionSpec, scoreSpec, type ScoringTask } from './scoring.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateContext, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SHARDS = 16_384;
/** Most classes of a confusion matrix that is drawn. */
const MAX_LABELLED = 64;
/** Types of scores that the module of the second job reads. */
const COUNTED_TYPES: readonly string[] = ['f32', 'f64', 'i32', 'i8', 'u8'];

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z.strictObject({
  shards: whole(1, MAX_SHARDS).default(16).describe('Pieces of work: each scores its share of the items'),
  batch: whole(1, 65_536).default(64).describe('Items of one run of the model'),
  optimization: z.enum(OPTIMIZATIONS).default('all').describe('What ONNX Runtime may do to the graph before it runs'),
  device: z
    .enum(['cpu', 'gpu'])
    .default('cpu')
    .describe('Who runs the model: processors, or graphics cards by WebGPU, whose last digits differ more'),
  compare: z
    .enum(COMPARISONS)
    .default('topk')
    .describe('When two results are the same: by the best class, by every number, or by every bit'),
  report: z.enum(['image', 'table']).default('image').describe('The confusion matrix as a PNG or as a CSV table'),
});

/** Options of the inference job. */
export type InferenceOptions = z.output<typeof optionsSchema>;

const files: readonly TemplateFile[] = [
  {
    name: 'model.onnx',
    description: 'A model with one input and one output of scores. Without one a classifier of drawn digits is run.',
    accept: ['.onnx'],
    maxBytes: ONNX_LIMITS.modelBytes,
  },
  {
    name: 'data.bin',
    description:
      "The model's inputs: the numbers of one item after the other, little-endian, of the type that it takes.",
    accept: ['.bin'],
    maxBytes: 512 * MIB,
  },
  {
    name: 'labels.bin',
    description: 'The right class of each item, one byte each. With it a second job makes a confusion matrix.',
    accept: ['.bin'],
    maxBytes: 64 * MIB,
  },
];

/** Runs an ONNX model over a data set, one shard for each share of the items, then counts its mistakes. */
export const inference: Template = {
  id: 'inference',
  title: 'Run a model on data',
  description: 'Scores every item of a data set with an ONNX model and shows which classes it takes for which.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...problemsOfFiles(provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(inference.id, problems);
    const options = parsed.data;

    const bytes = await bytesOf(provided, context);
    const task = taskOf(bytes, options);
    const [model, data] = [await context.addFile(bytes.model), await context.addFile(bytes.data)];
    const map = scoreSpec(task, { module: model.cid }, { cid: data.cid, size: bytes.data.length });
    if (bytes.labels === undefined) return { jobs: [map] };
    const labels = await context.addFile(bytes.labels);
    const counter = await context.addFile(await context.asset('confusion.wasm'));
    const input = { name: 'labels.bin', cid: labels.cid, size: bytes.labels.length };
    return { jobs: [map, confusionSpec(task, counter.cid, input, options.report)] };
  },
};

interface Files {
  readonly model: Uint8Array;
  readonly data: Uint8Array;
  readonly labels: Uint8Array | undefined;
}

function problemsOfFiles(provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  const problems = fileProblems(files, provided);
  if (provided.size > 0 && !(provided.has('model.onnx') && provided.has('data.bin'))) {
    problems.push({ path: 'model.onnx', sentence: 'and data.bin belong together: bring both' });
  }
  return problems;
}

async function bytesOf(provided: ReadonlyMap<string, Uint8Array>, context: TemplateContext): Promise<Files> {
  const [model, data] = [provided.get('model.onnx'), provided.get('data.bin')];
  if (model !== undefined && data !== undefined) return { model, data, labels: provided.get('labels.bin') };
  return {
    model: await context.asset('digits.onnx'),
    data: await context.asset('digits.bin'),
    labels: await context.asset('digits-labels.bin'),
  };
}

/** Looks at the model and the data. @throws TemplateError */
function taskOf({ model: file, data, labels }: Files, options: InferenceOptions): ScoringTask {
  const model = taken(() => readModel(file));
  const [input, output] = [onlyOne(model.inputs, 'input'), onlyOne(model.outputs, 'output')];
  const shape = sidesOf(input, 'input');
  const [classes, more] = sidesOf(output, 'output');
  if (classes === undefined || more !== undefined || classes < 2) {
    throw wrong('model.onnx', 'must have an output of items × classes, with at least two classes');
  }
  const type = SCORE_TYPES.find((each) => each === output.type);
  if (type === undefined) throw wrong('model.onnx', `has scores of type ${output.type}, which are not compared`);
  const source = { name: input.name, type: input.type, shape, file: 'data.bin' };
  const size = itemBytes(source);
  const items = data.length / size;
  if (!Number.isInteger(items)) {
    throw wrong('data.bin', `has ${data.length} bytes, which are no whole items of ${size} bytes`);
  }
  if (items < options.shards) throw wrong('shards', `are more than the ${items} items`);
  checkLabels(labels, items, classes, type);
  if (options.compare === 'exact' && usesFloats(model)) {
    throw wrong(
      'compare',
      'cannot be exact: the model computes with fractions, whose last digits differ between machines',
    );
  }
  const settings: OnnxSettings = {
    ...(options.device === 'gpu' ? { provider: 'webgpu' } : {}),
    optimization: options.optimization,
    items,
    batch: typeof input.dims?.[0] === 'number' ? input.dims[0] : options.batch,
    inputs: [source],
    outputs: [{ name: output.name, type: output.type }],
  };
  const { shards, compare } = options;
  const counts = [0, shards - 1].map((shard) => shareOf(items, shard, shards).count);
  const units = taken(() => Math.max(...counts.map((count) => unitsOf(model, settings, file.length, count))));
  const largestShare = Math.max(...counts);
  return { settings, classes, type, units, largestShare, modelBytes: file.length, shards, compare };
}

/** What `look` finds in the model. @throws TemplateError when the model is not taken. */
function taken<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof OnnxError) throw wrong('model.onnx', `is not taken: ${error.message}`);
    throw error;
  }
}

function onlyOne(values: readonly OnnxValue[], what: string): OnnxValue & { readonly type: TensorType } {
  const [value, second] = values;
  if (value === undefined || second !== undefined) {
    throw wrong('model.onnx', `has ${values.length} ${what}s, a job of this kind takes one`);
  }
  const { type } = value;
  if (type === undefined) throw wrong('model.onnx', `has an ${what} of a type that is not taken`);
  return { ...value, type };
}

/** Sides without the first, which counts items. */
function sidesOf({ dims }: OnnxValue, what: string): number[] {
  const sides = dims?.slice(1) ?? [];
  if (dims === undefined || dims.length === 0 || sides.some((side) => typeof side !== 'number')) {
    throw wrong('model.onnx', `must say the sides of its ${what}, all but the first`);
  }
  return sides as number[];
}

function checkLabels(labels: Uint8Array | undefined, items: number, classes: number, type: ScoreType): void {
  if (labels === undefined) return;
  if (labels.length !== items) throw wrong('labels.bin', `has ${labels.length} labels for ${items} items`);
  if (classes > MAX_LABELLED) {
    throw wrong('labels.bin', `is for at most ${MAX_LABELLED} classes, the model has ${classes}: leave it out`);
  }
  if (!COUNTED_TYPES.includes(type)) {
    throw wrong('labels.bin', `is for scores of type ${COUNTED_TYPES.join(', ')}, these are ${type}: leave it out`);
  }
  const unknown = labels.find((label) => label >= classes);
  if (unknown !== undefined)
    throw wrong('labels.bin', `has the label ${unknown}, but the classes are 0 to ${classes - 1}`);
}

const wrong = (path: string, sentence: string): TemplateError => new TemplateError(inference.id, [{ path, sentence }]);
