import {
  argumentWord,
  invocationsOf,
  UNIFORM_BYTES,
  wgslMemory,
  wgslOutputBytes,
  wgslSettingsSchema,
  wgslUnits,
  WGSL_LIMITS,
  type WgslSettings,
} from '@dpu/sdk/runtimes/wgsl';
import { kernelProblems } from '@dpu/sdk/runtimes/wgslKernel';
import { problemsOf, type Problem } from '@dpu/sdk/problems';
import { ShardError, type ShardRequest } from '../runtime.ts';
import type { ChildJob } from './child/job.ts';

const SEED_BYTES = 32;
const SEED_AT = 16;
const ARGS_AT = 48;
const MOST_ARGS = 64;
const MAX_SHARDS = 16_777_215;

const refuse = (what: string): ShardError =>
  new ShardError('module-rejected', 'job', `The shard cannot be run: ${what}. The spec has to be corrected.`);

const listed = (problems: readonly Problem[]): string =>
  problems.map(({ path, sentence }) => (path ? `${path} ${sentence}` : sentence)).join('; ');

/** A request that passed every check that needs no device. */
export interface CheckedRequest {
  readonly settings: WgslSettings;
  /** What the shard is charged. */
  readonly units: number;
  /** What the buffers begin with, in their order; only those that begin with something. */
  readonly contents: readonly Uint8Array[];
  readonly job: ChildJob;
}

/** Checks a request and lays out what the child is told. Throws {@link ShardError}, always with the fault `job`. */
export function checkRequest(request: ShardRequest): CheckedRequest {
  const { module, shard, shards, seed, limits, args } = request;
  const parsed = wgslSettingsSchema.safeParse(request.settings, { reportInput: true });
  if (!parsed.success) throw refuse(`its settings are not valid: ${listed(problemsOf(parsed.error))}`);
  const settings = parsed.data;
  const rules: readonly [holds: boolean, otherwise: string][] = [
    [
      module.length <= WGSL_LIMITS.moduleBytes,
      `its module has ${module.length} bytes, at most ${WGSL_LIMITS.moduleBytes} are allowed`,
    ],
    [Number.isSafeInteger(shards) && shards >= 1 && shards <= MAX_SHARDS, `${shards} is not a number of shards`],
    [Number.isSafeInteger(shard) && shard >= 0 && shard < shards, `there is no shard ${shard} of ${shards}`],
    [seed.length === SEED_BYTES, `its seed has ${seed.length} bytes instead of ${SEED_BYTES}`],
    [args.length <= MOST_ARGS, `it has ${args.length} arguments, at most ${MOST_ARGS} are allowed`],
    [limits.seconds > 0, `${limits.seconds} seconds is not a time`],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken !== undefined) throw refuse(broken[1]);
  const misfits = kernelProblems(new TextDecoder().decode(module), settings);
  if (misfits.length > 0) throw refuse(`kernel and settings do not fit: ${listed(misfits)}`);

  const memory = wgslMemory(settings);
  if (memory > limits.memoryBytes)
    throw new ShardError(
      'out-of-memory',
      'job',
      `The shard's buffers need ${memory} bytes, its spec allows ${limits.memoryBytes}.`,
    );
  const output = wgslOutputBytes(settings);
  if (output > limits.outputBytes)
    throw new ShardError(
      'output-limit',
      'job',
      `The shard's output has ${output} bytes, its spec allows ${limits.outputBytes}.`,
    );
  const contents = settings.buffers.map((buffer) => contentOf(buffer, request));
  const units = wgslUnits(settings);
  const job = {
    ...layout(settings, contents),
    module: module.length,
    uniform: Buffer.from(uniformOf(request)).toString('hex'),
    // The trial before a claim pays for little: it still finds out whether the kernel compiles.
    dispatch: BigInt(units) <= BigInt(limits.units),
    introduce: false,
  };
  return { settings, units, contents: contents.filter(({ length }) => length > 0), job };
}

/** The part of an input that a buffer begins with. */
function contentOf({ name, bytes, input }: WgslSettings['buffers'][number], request: ShardRequest): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  const wanted = input.name.replace(/\/shard$/, `/${request.shard}`);
  const file = request.inputs.find((one) => one.name === wanted);
  if (file === undefined) throw refuse(`the buffer ${name} begins with the input ${wanted}, which is not there`);
  const from = (input.offset ?? 0) + (input.stride ?? 0) * request.shard;
  if (from > file.bytes.length)
    throw refuse(`the buffer ${name} begins at byte ${from} of ${wanted}, which has ${file.bytes.length}`);
  return file.bytes.subarray(from, from + bytes);
}

/** Shard, shards, round, step, the seed and the arguments, as docs/jobs.md lays them out; little-endian words. */
export function uniformOf({ shard, shards, seed, args }: ShardRequest): Uint8Array {
  const bytes = new Uint8Array(UNIFORM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, shard, true);
  view.setUint32(4, shards, true);
  bytes.set(seed, SEED_AT);
  args.forEach((arg, i) => {
    const word = argumentWord(arg);
    if (word === undefined) throw refuse(`its argument ${JSON.stringify(arg)} is not a whole number of 32 bits`);
    view.setUint32(ARGS_AT + 4 * i, word, true);
  });
  return bytes;
}

function layout(
  { buffers, passes, rounds = 1, output }: WgslSettings,
  contents: readonly Uint8Array[],
): Pick<ChildJob, 'buffers' | 'passes' | 'rounds' | 'output' | 'picture'> {
  const places = new Map(buffers.map(({ name }, i) => [name, i]));
  const place = (name: string): number => places.get(name)!;
  return {
    buffers: buffers.map(({ bytes }, i) => ({ bytes, content: contents[i]!.length })),
    passes: passes.map((pass) => ({
      entry: pass.entry,
      groups: pass.groups,
      invocations: invocationsOf(pass),
      repeat: pass.repeat ?? 1,
      bind: pass.bind.map(({ binding, buffer, access }) => ({ binding, buffer: place(buffer), access })),
      swap: (pass.swap ?? []).map(([a, b]) => [place(a), place(b)] as const),
    })),
    rounds,
    output: output.buffers.map(place),
    ...(output.picture === undefined ? {} : { picture: output.picture }),
  };
}
