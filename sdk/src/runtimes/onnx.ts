/** What a spec of the onnx runtime says: which numbers go in, how the model is run, and which come out. docs/jobs.md has the format. */
import * as z from 'zod';

import type { Comparator } from '../compare/comparator.ts';
import { SCALAR_BYTES } from '../compare/scalar.ts';
import { ONNX_LIMITS } from '../onnx/limits.ts';
import { isFloat, TENSOR_TYPES } from '../onnx/types.ts';
import type { Problem } from '../problems.ts';

/** What ONNX Runtime may do to the graph before it runs. Another level gives other last digits, so it is part of the spec. */
export const OPTIMIZATIONS = ['disabled', 'basic', 'extended', 'all'] as const;
/** Who computes: the processor, or a graphics card by WebGPU. */
export const PROVIDERS = ['cpu', 'webgpu'] as const;

/** Most items of a job. */
const MAX_ITEMS = 2 ** 31 - 1;
const MAX_BATCH = 65_536;
const MAX_THREADS = 64;
const MAX_TENSORS = 16;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const tensorName = z
  .string()
  .min(1, 'must not be empty')
  .max(ONNX_LIMITS.nameBytes, `must be at most ${ONNX_LIMITS.nameBytes} characters`);

const fileName = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,64}(\/(0|[1-9]\d{0,7}))?$/,
    'must be the name of an input, or of a result such as name/0 of the job before',
  );

const type = z.enum(TENSOR_TYPES);

/** Schema of `settings` of the runtime `onnx`. What may be absent has the default that its line names. */
export const onnxSettingsSchema = z
  .strictObject({
    /** The model, when the job before makes it: `<after name>/<shard>`. Else the spec's `module` is the model. */
    model: z.exactOptional(fileName),
    /** Default `cpu`. */
    provider: z.exactOptional(z.enum(PROVIDERS)),
    optimization: z.enum(OPTIMIZATIONS),
    /** Threads of one operator. Default 1: more may add up in another order. */
    threads: z.exactOptional(whole(1, MAX_THREADS)),
    /** Items of the whole job; each shard takes its share of them, in order. */
    items: whole(1, MAX_ITEMS),
    /** Items of one run of the model; the last one may have fewer. */
    batch: whole(1, MAX_BATCH),
    /** What the model is fed: each file holds one tensor for each item, one after the other. */
    inputs: z
      .array(
        z.strictObject({
          name: tensorName,
          type,
          /** Sides of one item, without the first side of the model's input, which counts items. */
          shape: z
            .array(whole(1, ONNX_LIMITS.elements))
            .max(ONNX_LIMITS.sides - 1, `must be at most ${ONNX_LIMITS.sides - 1} sides`)
            .refine((sides) => sides.reduce((all, side) => all * side, 1) <= ONNX_LIMITS.elements, 'is too large'),
          file: fileName,
        }),
      )
      .min(1, 'must name at least one input')
      .max(MAX_TENSORS, `must be at most ${MAX_TENSORS} inputs`),
    /** What is written, in this order, each for all items of the shard. */
    outputs: z
      .array(z.strictObject({ name: tensorName, type }))
      .min(1, 'must name at least one output')
      .max(MAX_TENSORS, `must be at most ${MAX_TENSORS} outputs`),
  })
  .check(({ value, issues }) => {
    for (const list of ['inputs', 'outputs'] as const) {
      const names = value[list].map(({ name }) => name);
      const twice = names.find((name, i) => names.indexOf(name) !== i);
      if (twice === undefined) continue;
      issues.push({ code: 'custom', path: [list], message: `name ${JSON.stringify(twice)} twice`, input: value });
    }
  });

/** Settings of the onnx runtime. Sizes are elements, `items` and `batch` items. */
export type OnnxSettings = z.output<typeof onnxSettingsSchema>;

/** What the rules below look at; a whole spec has it. */
interface RuledSpec {
  readonly settings?: unknown;
  readonly after?: { readonly name: string };
  readonly shards: number;
  readonly comparator: Comparator;
}

/** What is wrong between the settings and the rest of a spec, with paths below `settings`. Settings must fit their schema. */
export function onnxProblems({ settings, after, shards, comparator }: RuledSpec): Problem[] {
  const { model, items, outputs } = settings as OnnxSettings;
  const problems: Problem[] = [];
  const report = (path: string, sentence: string): void => void problems.push({ path: `settings.${path}`, sentence });
  if (model !== undefined && !(after !== undefined && model.startsWith(`${after.name}/`))) {
    report('model', 'must be a result of the job before, such as name/0 with name from after');
  }
  if (items < shards) report('items', `must be at least one for each of the ${shards} shards`);
  const floats = outputs.find(({ type: each }) => isFloat(each));
  if (comparator.kind === 'exact') {
    if (floats === undefined) return problems;
    report(
      'outputs',
      `have fractions (${floats.name}), whose last digits differ between machines: compare by numeric or topk`,
    );
  } else if (comparator.kind === 'perceptual') {
    report('outputs', 'are no images: compare by exact, numeric or topk');
  } else {
    const other = outputs.find(({ type: each }) => each !== comparator.type);
    if (other !== undefined) {
      report('outputs', `are all compared as ${comparator.type}, but ${other.name} is ${other.type}`);
    }
  }
  return problems;
}

/** The part of a job that one shard computes. */
export interface Share {
  /** First item. */
  readonly first: number;
  readonly count: number;
}

/** The items of a shard: neighbouring shares differ by one item at most, and all together are all items in order. */
export function shareOf(items: number, shard: number, shards: number): Share {
  const first = Number((BigInt(items) * BigInt(shard)) / BigInt(shards));
  const next = Number((BigInt(items) * BigInt(shard + 1)) / BigInt(shards));
  return { first, count: next - first };
}

/** Bytes of one item in the file of an input. */
export function itemBytes({ type: each, shape }: OnnxSettings['inputs'][number]): number {
  return shape.reduce((product, side) => product * side, SCALAR_BYTES[each]);
}

/**
 * The file of the earlier job that is the code, as `<after name>/<shard>`; undefined when the spec's `module` is. Only the onnx
 * runtime knows such a thing.
 */
export function moduleFile(spec: { readonly runtime: string; readonly settings?: unknown }): string | undefined {
  if (spec.runtime !== 'onnx' || typeof spec.settings !== 'object' || spec.settings === null) return undefined;
  const { model } = spec.settings as { model?: unknown };
  return typeof model === 'string' ? model : undefined;
}
