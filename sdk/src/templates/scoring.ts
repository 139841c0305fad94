/** The two jobs that run a model on data: one scores every item, one counts the mistakes. */
import type { Comparator } from '../compare/comparator.ts';
import { SCALAR_BYTES, type ScoreType } from '../compare/scalar.ts';
import { isFloat, type TensorType } from '../onnx/types.ts';
import type { OnnxSettings } from '../runtimes/onnx.ts';
import type { JobSpecInput } from '../spec.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Longest execution that the contract allows, in seconds. */
const MAX_SECONDS = 24 * 60 * 60;
/** Most rows of scores are compared by their best class, whose score is clear when it leads by a thousandth. */
const TOLERANCE_PPB = 1_000_000;
const RELATIVE_PPB = 1_000_000;

/** When two results of a model are the same: by the best class, by every number, or by every bit. */
export const COMPARISONS = ['topk', 'numeric', 'exact'] as const;
/** What a confusion matrix is written as: a PNG, a CSV table, or a file of each. */
export type ConfusionReport = 'image' | 'table' | 'both';

/** What is to be computed, once model and data have been looked at. */
export interface ScoringTask {
  readonly settings: OnnxSettings;
  readonly classes: number;
  readonly type: ScoreType;
  /** Of the largest shard. */
  readonly units: number;
  readonly largestShare: number;
  readonly modelBytes: number;
  readonly shards: number;
  readonly compare: (typeof COMPARISONS)[number];
}

/** A file of the spec. */
type Input = JobSpecInput['inputs'][number];

function comparatorOf({ compare, type, classes }: ScoringTask): Comparator {
  if (compare === 'exact') return { kind: 'exact' };
  const tolerance = isFloat(type as TensorType) ? TOLERANCE_PPB : 0;
  if (compare === 'topk') return { kind: 'topk', type, classes, k: 1, absolutePpb: tolerance, outliersPpm: 0 };
  const relative = tolerance === 0 ? 0 : RELATIVE_PPB;
  return { kind: 'numeric', type, absolutePpb: tolerance, relativePpb: relative, outliersPpm: 0 };
}

/** The job that scores: `code` says where its model comes from, which is a file or a result of the job before. */
export function scoreSpec(
  task: ScoringTask,
  code: Pick<JobSpecInput, 'module' | 'after'>,
  data: Omit<Input, 'name'>,
): JobSpecInput {
  const { settings, classes, type, units, largestShare, modelBytes, shards } = task;
  const shareBytes = Math.ceil(data.size / settings.items) * largestShare;
  const outputBytes = largestShare * classes * SCALAR_BYTES[type];
  return {
    version: 1,
    name: `Run a model on ${settings.items} items`,
    runtime: 'onnx',
    settings,
    ...code,
    args: [],
    inputs: [{ name: 'data.bin', ...data }],
    shards,
    output: { name: 'scores.bin', mediaType: 'application/octet-stream' },
    limits: {
      // ONNX Runtime holds a model about three times while it opens it; the rest is for what lies between its layers.
      memoryBytes: Math.min(4 * GIB, 256 * MIB + 6 * modelBytes + 3 * (shareBytes + outputBytes)),
      units,
      outputBytes,
      seconds: Math.min(MAX_SECONDS, 60 + Math.ceil(units / 500)),
    },
    comparator: comparatorOf(task),
    view: { kind: 'file' },
  };
}

const CONFUSION_FILES = [
  { name: 'confusion.png', mediaType: 'image/png' },
  { name: 'confusion.csv', mediaType: 'text/csv' },
] as const;

/** The job that counts the mistakes, by the `labels` in `labels.bin`. */
export function confusionSpec(
  { settings, classes, type, shards }: ScoringTask,
  module: NonNullable<JobSpecInput['module']>,
  labels: Input,
  report: ConfusionReport,
): JobSpecInput {
  const { items } = settings;
  const files = CONFUSION_FILES.filter((_, i) => report === 'both' || (report === 'image') === (i === 0));
  const scores = items * classes * SCALAR_BYTES[type];
  return {
    version: 1,
    name: `Mistakes of a model on ${items} items`,
    runtime: 'wasm',
    module,
    args: [String(shards), String(classes), type, report],
    inputs: [labels],
    after: { name: 'scores' },
    shards: files.length,
    output: { ...files[0]! },
    limits: {
      memoryBytes: Math.min(2 * GIB, 256 * MIB + 2 * (scores + labels.size)),
      units: Math.ceil(5_000 + scores / 10_000),
      outputBytes: 4 * MIB,
      seconds: Math.ceil(60 + scores / MIB),
    },
    comparator: { kind: 'exact' },
    view: files.length === 1 ? { kind: 'file' } : { kind: 'files', files: files.map((file) => ({ ...file })) },
  };
}
