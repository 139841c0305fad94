/** What the spec of a GPU job says beyond what every job says: buffers, passes and output. docs/jobs.md, "wgsl ABI". */
import * as z from 'zod';

import type { Problem } from '../problems.ts';

/**
 * Bounds of version 1. None is above what every WebGPU device has without being asked (its default limits), so that no machine
 * refuses a job that another one takes; those of a dispatch keep it short, because drivers give up on long ones.
 */
export const WGSL_LIMITS = {
  moduleBytes: 256 * 1024,
  buffers: 16,
  bufferBytes: 128 * 1024 * 1024,
  passes: 16,
  bindings: 8,
  /** Workgroups in one direction. */
  groups: 65_535,
  /** Invocations in one direction of a workgroup, and in all of it. */
  groupSize: [256, 256, 64],
  groupInvocations: 256,
  /** Memory that the invocations of a workgroup share. */
  groupBytes: 16_384,
  /** Invocations of one dispatch. */
  invocations: 16_777_216,
  /** Dispatches of a shard. */
  dispatches: 65_536,
  pictureSide: 8192,
} as const;

/** Invocations that count as one unit: an invocation is taken for 1,000 operations, whatever it does. */
export const INVOCATIONS_PER_UNIT = 1_000;
/** Bytes of the uniform that every entry point finds at group 0, binding 0. */
export const UNIFORM_BYTES = 304;
/** Bytes of output that are on their way from the device at a time. */
export const STAGING_BYTES = 4 * 1024 * 1024;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const word = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, 'must be a letter and at most 31 letters, digits or _');
const words = (bytes: z.ZodInt) => bytes.multipleOf(4, 'must be a multiple of 4');

/** A file of the spec, one shard's file of an earlier job (`tiles/7`), or the one of the same number (`tiles/shard`). */
const INPUT = /^[A-Za-z0-9._-]{1,64}(\/(0|[1-9]\d{0,7}|shard))?$/;

const bufferSchema = z.strictObject({
  name: word,
  bytes: words(whole(4, WGSL_LIMITS.bufferBytes)),
  /** What it begins with; zeros without. The buffer is filled up with zeros where the file ends. */
  input: z.exactOptional(
    z.strictObject({
      name: z.string().regex(INPUT, 'must be the name of an input, or that and a slash and a number or "shard"'),
      /** First byte that is read, and how much further each shard begins. */
      offset: z.exactOptional(whole(0, 2 ** 40)),
      stride: z.exactOptional(whole(0, 2 ** 40)),
    }),
  ),
});

const passSchema = z.strictObject({
  /** Function of the module. */
  entry: word,
  /** What the function's `@workgroup_size` says. */
  size: z.tuple([
    whole(1, WGSL_LIMITS.groupSize[0]),
    whole(1, WGSL_LIMITS.groupSize[1]),
    whole(1, WGSL_LIMITS.groupSize[2]),
  ]),
  /** Workgroups that are dispatched. */
  groups: z.tuple([whole(1, WGSL_LIMITS.groups), whole(1, WGSL_LIMITS.groups), whole(1, WGSL_LIMITS.groups)]),
  /** How often it is dispatched before the next pass. */
  repeat: z.exactOptional(whole(1, WGSL_LIMITS.dispatches)),
  /** Storage buffers of group 0; binding 0 is the uniform. */
  bind: z
    .array(
      z.strictObject({
        binding: whole(1, 63),
        buffer: word,
        access: z.enum(['read', 'read_write']),
      }),
    )
    .min(1, 'must bind a buffer')
    .max(WGSL_LIMITS.bindings, `must bind at most ${WGSL_LIMITS.bindings} buffers`),
  /** Pairs of buffers that change places after each dispatch of this pass. */
  swap: z.exactOptional(z.array(z.tuple([word, word])).max(WGSL_LIMITS.buffers / 2)),
});

const side = whole(1, WGSL_LIMITS.pictureSide);

/** Schema of the settings of a GPU job. */
export const wgslSettingsSchema = z
  .strictObject({
    buffers: z
      .array(bufferSchema)
      .min(1, 'must have a buffer')
      .max(WGSL_LIMITS.buffers, `must be at most ${WGSL_LIMITS.buffers} buffers`),
    passes: z
      .array(passSchema)
      .min(1, 'must have a pass')
      .max(WGSL_LIMITS.passes, `must be at most ${WGSL_LIMITS.passes} passes`),
    /** How often the list of passes is gone through. */
    rounds: z.exactOptional(whole(1, WGSL_LIMITS.dispatches)),
    output: z.strictObject({
      /** Buffers whose bytes, one after the other, are the shard's output. */
      buffers: z.array(word).min(1, 'must name a buffer').max(WGSL_LIMITS.buffers),
      /** Makes a PNG of one buffer instead: four bytes a pixel, red first, row by row; the fourth is not used. */
      picture: z.exactOptional(z.strictObject({ width: side, height: side })),
    }),
  })
  .check(({ value, issues }) => {
    for (const { path, sentence } of problemsWithin(value)) {
      issues.push({ code: 'custom', path: [...path], message: sentence, input: value });
    }
  });

/** Settings of a GPU job. Sizes are bytes. */
export type WgslSettings = z.output<typeof wgslSettingsSchema>;

type Found = { path: PropertyKey[]; sentence: string };

/** What no field shows alone. */
function problemsWithin({ buffers, passes, rounds = 1, output }: WgslSettings): Found[] {
  const found: Found[] = [];
  const bytesOf = new Map<string, number>();
  buffers.forEach(({ name, bytes }, i) => {
    if (bytesOf.has(name)) found.push({ path: ['buffers', i, 'name'], sentence: `is there twice: ${name}` });
    bytesOf.set(name, bytes);
  });
  const isKnown = (name: string, path: PropertyKey[]): boolean => {
    if (!bytesOf.has(name)) found.push({ path, sentence: `is no buffer: ${name}` });
    return bytesOf.has(name);
  };
  passes.forEach((pass, i) => {
    const [bindings, bound] = [new Set<number>(), new Set<string>()];
    pass.bind.forEach(({ binding, buffer }, j) => {
      const path = ['passes', i, 'bind', j];
      isKnown(buffer, [...path, 'buffer']);
      if (bindings.has(binding)) found.push({ path, sentence: `binds ${binding} twice` });
      // Two names for the same bytes, one of them written: WebGPU forbids it, and the result would depend on the machine.
      if (bound.has(buffer)) found.push({ path, sentence: `binds the buffer ${buffer} twice` });
      bindings.add(binding);
      bound.add(buffer);
    });
    pass.swap?.forEach(([a, b], j) => {
      const path = ['passes', i, 'swap', j];
      if (!isKnown(a, path) || !isKnown(b, path)) return;
      if (bytesOf.get(a) !== bytesOf.get(b)) found.push({ path, sentence: `swaps buffers of different sizes` });
    });
    const [x, y, z] = pass.size;
    const inGroup = x * y * z;
    if (inGroup > WGSL_LIMITS.groupInvocations)
      found.push({
        path: ['passes', i, 'size'],
        sentence: `is ${inGroup} invocations, a workgroup has at most ${WGSL_LIMITS.groupInvocations}`,
      });
    const invocations = invocationsOf(pass);
    if (invocations > WGSL_LIMITS.invocations)
      found.push({
        path: ['passes', i, 'groups'],
        sentence: `makes ${invocations} invocations, a dispatch has at most ${WGSL_LIMITS.invocations}: split it`,
      });
  });
  const dispatches = rounds * passes.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
  if (dispatches > WGSL_LIMITS.dispatches)
    found.push({
      path: ['passes'],
      sentence: `are ${dispatches} dispatches, a shard has at most ${WGSL_LIMITS.dispatches}`,
    });
  output.buffers.forEach((name, i) => isKnown(name, ['output', 'buffers', i]));
  if (output.picture) {
    const needed = output.picture.width * output.picture.height * 4;
    const [name] = output.buffers;
    if (output.buffers.length !== 1)
      found.push({ path: ['output', 'buffers'], sentence: 'must be one buffer, as the output is a picture' });
    else if (name !== undefined && bytesOf.has(name) && bytesOf.get(name) !== needed)
      found.push({
        path: ['output', 'picture'],
        sentence: `needs a buffer of ${needed} bytes, ${name} has ${bytesOf.get(name)}`,
      });
  }
  return found;
}

/** Invocations of one dispatch of a pass. */
export function invocationsOf({ size, groups }: Pick<WgslSettings['passes'][number], 'size' | 'groups'>): number {
  return [...size, ...groups].reduce((product, factor) => product * factor, 1);
}

/** What a shard is charged: one unit for 1,000 invocations of all its dispatches together, rounded up. */
export function wgslUnits({ passes, rounds = 1 }: WgslSettings): number {
  const invocations = passes.reduce((sum, pass) => sum + invocationsOf(pass) * (pass.repeat ?? 1), 0) * rounds;
  return Math.max(1, Math.ceil(invocations / INVOCATIONS_PER_UNIT));
}

/** Memory of the device that a shard needs, bytes: its buffers, the uniform, and what carries the output away. */
export function wgslMemory({ buffers }: WgslSettings): number {
  return buffers.reduce((sum, { bytes }) => sum + bytes, UNIFORM_BYTES + STAGING_BYTES);
}

/** Size of a shard's output, bytes. */
export function wgslOutputBytes({ buffers, output }: WgslSettings): number {
  if (output.picture) return pictureBytes(output.picture);
  return output.buffers.reduce((sum, name) => sum + (buffers.find((one) => one.name === name)?.bytes ?? 0), 0);
}

/** Most bytes of a stored block of deflate, RFC 1951, section 3.2.4. */
export const STORED_BYTES = 65_535;

/** Size of a PNG whose data are stored as they are: every machine writes the same one, no compressor has a say. */
export function pictureBytes({ width, height }: { width: number; height: number }): number {
  const data = (width * 3 + 1) * height;
  const stream = 2 + data + 5 * Math.ceil(data / STORED_BYTES) + 4;
  return 8 + 25 + 12 + stream + 12;
}

/** An argument as the 32 bits that a kernel finds; undefined when it is not a whole number of 32 bits. */
export function argumentWord(arg: string): number | undefined {
  if (!/^-?\d{1,10}$/.test(arg)) return undefined;
  const value = Number(arg);
  return value >= -(2 ** 31) && value < 2 ** 32 ? value >>> 0 : undefined;
}

/** The part of a spec that its settings have to fit. */
interface FittingSpec {
  readonly settings?: unknown;
  readonly args: readonly string[];
  readonly inputs: readonly { readonly name: string }[];
  readonly after?: { readonly name: string };
  readonly output: { readonly mediaType: string };
  readonly limits: { readonly memoryBytes: number; readonly units: number; readonly outputBytes: number };
}

/** Where a spec contradicts its own settings, which are valid: such a job would fail everywhere. */
export function wgslProblems(spec: FittingSpec): Problem[] {
  const settings = spec.settings as WgslSettings;
  const { limits } = spec;
  const problems: Problem[] = [];
  const atLeast = (name: keyof typeof limits, needed: number): void => {
    if (limits[name] < needed)
      problems.push({ path: `limits.${name}`, sentence: `must be at least ${needed}, which the settings need` });
  };
  atLeast('memoryBytes', wgslMemory(settings));
  atLeast('units', wgslUnits(settings));
  atLeast('outputBytes', wgslOutputBytes(settings));
  spec.args.forEach((arg, i) => {
    if (argumentWord(arg) === undefined)
      problems.push({ path: `args[${i}]`, sentence: 'must be a whole number of 32 bits: a kernel reads no text' });
  });
  const names = new Set([...spec.inputs.map(({ name }) => name)]);
  settings.buffers.forEach(({ input }, i) => {
    if (input === undefined) return;
    const [first, number] = input.name.split('/');
    const isThere = number === undefined ? names.has(input.name) : spec.after?.name === first;
    if (!isThere) problems.push({ path: `settings.buffers[${i}].input`, sentence: `is no input: ${input.name}` });
  });
  if (settings.output.picture && spec.output.mediaType !== 'image/png')
    problems.push({ path: 'output.mediaType', sentence: 'must be image/png, as the settings make a picture' });
  return problems;
}
