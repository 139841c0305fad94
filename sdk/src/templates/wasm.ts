/** The WebAssembly job: a module that a person brings, one run for each shard. */
import { z } from 'zod';

import { problemsOf, type Problem } from '../problems.ts';
import { MAX_SHARDS, type JobSpecInput } from '../spec.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SECONDS = 24 * 60 * 60;
const MAX_MEMORY_MB = 4096;
const MAX_OUTPUT_MB = 2048;
/** `\0asm`, with which every module begins. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
/** Name endings and what they hold; others are plain bytes. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  json: 'application/json',
  png: 'image/png',
  txt: 'text/plain',
};

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z.strictObject({
  shards: whole(1, MAX_SHARDS)
    .default(1)
    .describe('How often it runs; each run is told its number and how many there are'),
  args: z
    .string()
    .max(4096, 'must be at most 4096 characters')
    .default('')
    .describe('Words that follow the two numbers, with spaces between them'),
  output: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .default('output.bin')
    .describe('Name of the file that a shard makes; its ending says what it is'),
  units: whole(1, 1_000_000_000)
    .default(100_000)
    .describe('Most compute units of a shard: a unit is a million operations'),
  memoryMb: whole(1, MAX_MEMORY_MB).default(256).describe('Most memory of a shard, in MiB'),
  outputMb: whole(1, MAX_OUTPUT_MB).default(64).describe('Largest output of a shard, in MiB'),
  seconds: whole(1, MAX_SECONDS).default(600).describe('Longest time of a shard on a slow machine'),
});

const files: readonly TemplateFile[] = [
  { name: 'module.wasm', description: 'A WASI module. It is needed.', accept: ['.wasm'], maxBytes: 64 * MIB },
  { name: 'data.bin', description: 'What every shard finds at /in/data.bin.', accept: ['.bin'], maxBytes: 512 * MIB },
];

/** Runs a module of one's own, once for each shard. */
export const wasm: Template = {
  id: 'wasm',
  title: 'Run a WebAssembly module',
  description: 'Runs a WASI module of yours on every shard, with the same bits on every machine.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...fileProblems(provided)];
    const bytes = provided.get('module.wasm');
    if (!parsed.success || problems.length > 0 || bytes === undefined) throw new TemplateError(wasm.id, problems);
    const { shards, args, output, units, memoryMb, outputMb, seconds } = parsed.data;
    const data = provided.get('data.bin');
    const job: JobSpecInput = {
      version: 1,
      name: 'WebAssembly module',
      runtime: 'wasm',
      module: (await context.addFile(bytes)).cid,
      args: args.split(/\s+/).filter((word) => word !== ''),
      inputs: data ? [{ name: 'data.bin', cid: (await context.addFile(data)).cid, size: data.length }] : [],
      shards,
      output: { name: output, mediaType: MEDIA_TYPES[output.split('.').at(-1) ?? ''] ?? 'application/octet-stream' },
      limits: { memoryBytes: memoryMb * MIB, units, outputBytes: outputMb * MIB, seconds },
      comparator: { kind: 'exact' },
      view: { kind: 'file' },
    };
    return { jobs: [job] };
  },
};

function fileProblems(provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  const problems = [...provided].flatMap(([path, { length }]): Problem[] => {
    const known = files.find(({ name }) => name === path);
    if (!known) return [{ path, sentence: `is not used: bring ${files.map(({ name }) => name).join(' or ')}` }];
    if (length === 0) return [{ path, sentence: 'is empty' }];
    return length > known.maxBytes
      ? [{ path, sentence: `is ${length} bytes long, the most is ${known.maxBytes}` }]
      : [];
  });
  const module = provided.get('module.wasm');
  if (!module) problems.push({ path: 'module.wasm', sentence: 'is missing: bring the module that is to run' });
  else if (module.length > 0 && MAGIC.some((byte, at) => module[at] !== byte))
    problems.push({ path: 'module.wasm', sentence: 'is no WebAssembly: it does not begin as every module does' });
  return problems;
}
