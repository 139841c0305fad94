import { ShardError, type ShardRequest } from '../runtime.ts';
import { isInputName } from './child/files.ts';
import { LIMITS, MAX_UNITS, PAGE_BYTES } from './child/limits.ts';
import { encodeHeader, HEADER_BYTES } from './child/protocol.ts';

const SEED_BYTES = 32;
const MAX_SECONDS = 7 * 24 * 3600;
const MAX_SHARDS = 16_777_215;

/** The failure of a shard whose spec makes no sense. */
export const refuse = (what: string): ShardError =>
  new ShardError('module-rejected', 'job', `The shard cannot be run: ${what}. The spec has to be corrected.`);

const isCount = (value: number, from: number, to: number): boolean =>
  Number.isSafeInteger(value) && value >= from && value <= to;

/** Checks a request at the edge. Throws {@link ShardError}; what passes is safe to hand to a child. */
export function checkRequest(
  { module, args, shard, shards, inputs, seed, limits }: ShardRequest,
  moduleBytes: number = LIMITS.moduleBytes,
): void {
  const units = BigInt(limits.units);
  const names = new Set(inputs.map(({ name }) => name));
  const rules: readonly [holds: boolean, otherwise: string][] = [
    [module.length <= moduleBytes, `its module has ${module.length} bytes, at most ${moduleBytes} are allowed`],
    [isCount(shards, 1, MAX_SHARDS), `${shards} is not a number of shards`],
    [isCount(shard, 0, shards - 1), `there is no shard ${shard} of ${shards}`],
    [seed.length === SEED_BYTES, `its seed has ${seed.length} bytes instead of ${SEED_BYTES}`],
    [isCount(limits.memoryBytes, PAGE_BYTES, 2 ** 32), `${limits.memoryBytes} bytes is not an amount of memory`],
    [isCount(limits.outputBytes, 0, 2 ** 32), `${limits.outputBytes} bytes is not a size of an output`],
    [limits.seconds > 0 && limits.seconds <= MAX_SECONDS, `${limits.seconds} seconds is not a time`],
    [units >= 1n && units <= MAX_UNITS, `${units} is not a number of units`],
    [names.size === inputs.length, 'two inputs have the same name'],
    [args.every((arg) => !arg.includes('\0')), 'an argument contains a zero byte'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken !== undefined) throw refuse(broken[1]);
  for (const name of names) {
    if (!isInputName(name)) throw refuse(`${JSON.stringify(name)} is not a name for an input`);
    const folder = name.split('/')[0]!;
    if (folder !== name && names.has(folder)) throw refuse(`input ${JSON.stringify(folder)} is a file and a folder`);
  }
}

/** The request's header as bytes; the module as it is handed over and the inputs follow it. */
export function requestHeader(
  { args, shard, shards, inputs, seed, limits }: ShardRequest,
  { module, isPrepared }: { readonly module: Uint8Array; readonly isPrepared: boolean },
): Uint8Array {
  const header = encodeHeader({
    module: module.length,
    isPrepared,
    inputs: inputs.map(({ name, bytes }) => ({ name, size: bytes.length })),
    args,
    shard,
    shards,
    seed: Buffer.from(seed).toString('hex'),
    memoryBytes: limits.memoryBytes,
    units: String(limits.units),
    outputBytes: limits.outputBytes,
  });
  if (header.length > HEADER_BYTES) throw refuse(`its arguments and input names take ${header.length} bytes`);
  return header;
}
