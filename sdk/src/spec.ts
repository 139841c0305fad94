/** The off-chain description of a job: one canonical dag-cbor block. docs/jobs.md says what every field means. */
import { CID } from 'multiformats/cid';
import { sha256 } from 'viem';
import * as z from 'zod';

import {
  decodeCanonical,
  encodeCanonical,
  MAX_CANONICAL_BYTES,
  withoutUndefined,
  type EncodedBlock,
} from './canonical.ts';
import { comparatorSchema, outputProblems } from './compare/comparator.ts';
import { openlySaid, privateSpecSchema } from './privacy/schema.ts';
import { problemsOf, type Problem } from './problems.ts';
import { moduleFile } from './runtimes/onnx.ts';
import { FITTING, MODULES, SETTINGS } from './runtimes/settings.ts';
import { RUNTIME_NAMES } from './terms.ts';

/** Most shards of a job. */
export const MAX_SHARDS = 16_777_215;
const MAX_ARGS_BYTES = 4096;
/** What a 32-bit wasm memory can hold at most. */
const MAX_MEMORY_BYTES = 4 * 1024 ** 3;
/** Longest execution that the contract allows, in seconds. */
const MAX_SECONDS = 24 * 60 * 60;
/** CID codecs of a file: one raw block, or dag-pb (unixfs) for more. */
const FILE_CODECS = [0x55, 0x70];

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const text = (most: number) =>
  z
    .string()
    .refine((value) => value.isWellFormed(), 'must be valid Unicode')
    .refine((value) => [...value].length >= 1, 'must not be empty')
    .refine((value) => [...value].length <= most, `must be at most ${most} characters`);

/** Schema of a CID of a file, given as a CID or as text: version 1, sha2-256, a raw block or unixfs. */
export const fileCidSchema = z.unknown().transform((value, context): CID => {
  const cid = toCid(value);
  if (!cid) context.addIssue({ code: 'custom', message: 'must be a CID' });
  else if (cid.version !== 1) context.addIssue({ code: 'custom', message: 'must be a CID of version 1' });
  else if (cid.multihash.code !== 0x12) context.addIssue({ code: 'custom', message: 'must use sha2-256' });
  else if (!FILE_CODECS.includes(cid.code)) {
    context.addIssue({ code: 'custom', message: 'must be a file: a raw or a dag-pb CID' });
  }
  return cid ?? z.NEVER;
});

/** Schema of a name that becomes a file name inside the sandbox. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
  .refine((name) => name !== '.' && name !== '..', 'must not be . or ..');

const outputSchema = z.strictObject({
  name: nameSchema,
  mediaType: z.string().regex(/^[\w.+-]+\/[\w.+-]+(;[ -~]*)?$/, 'must be a media type such as image/png'),
});

const viewSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('tiles'),
      width: whole(1),
      height: whole(1),
      tileWidth: whole(1),
      tileHeight: whole(1),
    }),
    z.strictObject({ kind: z.literal('file') }),
    z.strictObject({
      kind: z.literal('files'),
      files: z.array(outputSchema).max(64, 'must be at most 64 files'),
    }),
  ],
  'must be of kind "tiles", "file" or "files"',
);

/** Schema of a job spec. */
export const specSchema = z
  .strictObject({
    version: z.literal(1),
    /** Shown to people, never interpreted. */
    name: text(120),
    /** Who executes a shard. */
    runtime: z.enum(RUNTIME_NAMES),
    /** What this runtime alone wants to know: see `runtimes/settings.ts`. */
    settings: z.exactOptional(z.record(z.string(), z.unknown())),
    /** The code. Absent when the settings name a file of the job before instead (see `moduleFile`), or are all the code (see `MODULES`). */
    module: z.exactOptional(fileCidSchema),
    /** Passed to the module after the shard's index and count. */
    args: z
      .array(
        z
          .string()
          .refine((value) => value.isWellFormed(), 'must be valid Unicode')
          .refine((value) => !value.includes('\0'), 'must not contain a zero character, which would end it early'),
      )
      .max(64, 'must be at most 64 arguments'),
    /** Files that every shard sees at `/in/<name>`. `size` is in bytes. */
    inputs: z
      .array(z.strictObject({ name: nameSchema, cid: fileCidSchema, size: whole(0) }))
      .max(64, 'must be at most 64 files'),
    /** The results of the job named by `Terms.afterJob`, as files `/in/<name>/<shard>`. */
    after: z.exactOptional(z.strictObject({ name: nameSchema })),
    /** Number of independent pieces; equals `Terms.shards`. */
    shards: whole(1, MAX_SHARDS),
    /** What one shard's output is, for people and viewers. */
    output: outputSchema,
    /** Caps per shard: exceeding one is a failure of the shard. */
    limits: z.strictObject({
      memoryBytes: whole(65_536, MAX_MEMORY_BYTES),
      units: whole(1),
      outputBytes: whole(0),
      seconds: whole(1, MAX_SECONDS),
    }),
    /** How two results of one shard are compared. */
    comparator: comparatorSchema,
    /** How the job page may show shards while they arrive. */
    view: z.exactOptional(viewSchema),
    /** Makes it a private job: what only those with its key can read. */
    private: z.exactOptional(privateSpecSchema),
  })
  .check(({ value: spec, issues }) => {
    const report = (path: PropertyKey[], message: string): void => {
      issues.push({ code: 'custom', path, message, input: spec });
    };
    const argBytes = spec.args.reduce((sum, arg) => sum + new TextEncoder().encode(arg).length, 0);
    if (argBytes > MAX_ARGS_BYTES)
      report(['args'], `must be at most ${MAX_ARGS_BYTES} bytes together, not ${argBytes}`);

    const settings = SETTINGS[spec.runtime];
    if (settings) {
      const checked = settings.safeParse(spec.settings, { reportInput: true });
      for (const { path, sentence } of checked.success ? [] : problemsOf(checked.error)) {
        report(path === '' ? ['settings'] : ['settings', path], sentence);
      }
      const fitting = checked.success ? (FITTING[spec.runtime]?.(spec) ?? []) : [];
      for (const { path, sentence } of fitting) report([path], sentence);
    } else if (spec.settings !== undefined)
      report(['settings'], `are not for the runtime ${spec.runtime}, which has none`);

    const file = moduleFile(spec);
    const need = MODULES[spec.runtime];
    if (spec.module === undefined && file === undefined && need === undefined)
      report(['module'], 'is missing: every job needs its code');
    if (spec.module !== undefined && need === 'absent')
      report(['module'], `must be absent: the settings of the runtime ${spec.runtime} say all`);
    if (spec.module !== undefined && file !== undefined) {
      report(['module'], `must be absent, because the settings say that ${file} is the code`);
    }

    const names = new Set<string>();
    spec.inputs.forEach(({ name }, index) => {
      if (names.has(name))
        report(['inputs', index, 'name'], `must differ from the other inputs: ${name} is there twice`);
      names.add(name);
    });
    if (spec.after && names.has(spec.after.name)) report(['after', 'name'], `is taken by an input: ${spec.after.name}`);

    const output = { mediaType: spec.output.mediaType, maxBytes: spec.limits.outputBytes };
    for (const sentence of outputProblems(spec.comparator, output)) report(['comparator'], sentence);
    for (const [path, sentence] of openlySaid(spec)) report([path], sentence);

    if (spec.view?.kind === 'files') {
      const { files } = spec.view;
      if (files.length !== spec.shards) {
        report(['view', 'files'], `has ${files.length} files, but the job has ${spec.shards} shards`);
      }
      if (new Set(files.map(({ name }) => name)).size !== files.length) {
        report(['view', 'files'], 'names a file twice');
      }
    }
    if (spec.view?.kind !== 'tiles') return;
    const { width, height, tileWidth, tileHeight } = spec.view;
    const tiles = Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
    if (tiles !== spec.shards) report(['view'], `has ${tiles} tiles, but the job has ${spec.shards} shards`);
    if (spec.output.mediaType !== 'image/png') report(['view'], 'shows tiles, so each output must be image/png');
  });

/** A job spec. CIDs are `CID` objects; sizes are bytes, times seconds, units millions of charged operations. */
export type JobSpec = z.output<typeof specSchema>;

/** What `encodeSpec` takes: a spec in which CIDs may also be text. */
export type JobSpecInput = Omit<JobSpec, 'module' | 'inputs'> & {
  module?: CID | string;
  inputs: (Omit<JobSpec['inputs'][number], 'cid'> & { cid: CID | string })[];
};

/** What the output of `shard` is: the shards of a view of files differ, those of every other job are all of one kind. */
export function outputOf({ view, output }: Pick<JobSpec, 'view' | 'output'>, shard: number): JobSpec['output'] {
  return (view?.kind === 'files' ? view.files[shard] : undefined) ?? output;
}

/** Thrown when a spec breaks the rules. `problems` lists everything that is wrong. */
export class SpecError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const list = problems.map(({ path, sentence }) => (path ? `${path}: ${sentence}` : sentence)).join('; ');
    super(`The job spec is not valid: ${list}.`);
    this.name = 'SpecError';
    this.problems = problems;
  }
}

/** An encoded spec: `digest` goes into `Terms.spec`, the block `bytes` is stored under `cid`. */
export type EncodedSpec = EncodedBlock;

/**
 * Checks a spec and encodes it to its canonical block.
 * @throws SpecError that lists every problem.
 */
export function encodeSpec(spec: JobSpecInput): EncodedSpec {
  const block = encodeCanonical(parse(withoutUndefined(spec)));
  checkSize(block.bytes);
  return block;
}

/**
 * Reads a spec from its block and checks every rule, the canonical form included.
 * @throws SpecError that lists every problem.
 */
export function decodeSpec(bytes: Uint8Array): JobSpec {
  checkSize(bytes);
  const value = decodeCanonical(bytes);
  if (value === undefined) throw new SpecError([{ path: '', sentence: 'the block is not canonical dag-cbor' }]);
  const spec = parse(value);
  // The schema takes CIDs as text too, for those who write specs; a block says each thing in one way only.
  if (encodeCanonical(spec).digest === sha256(bytes)) return spec;
  throw new SpecError([{ path: '', sentence: 'a CID is written as text instead of a link' }]);
}

function parse(value: unknown): JobSpec {
  const parsed = specSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new SpecError(problemsOf(parsed.error));
  return parsed.data;
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_CANONICAL_BYTES) return;
  throw new SpecError([{ path: '', sentence: `it is ${bytes.length} bytes long, the most is ${MAX_CANONICAL_BYTES}` }]);
}

function toCid(value: unknown): CID | undefined {
  try {
    return (typeof value === 'string' ? CID.parse(value) : CID.asCID(value)) ?? undefined;
  } catch {
    return undefined;
  }
}
