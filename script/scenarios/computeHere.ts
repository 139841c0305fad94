/** A job computed on this machine with its modules alone: no node, no worker, no chain. What a network's result is compared with. */
import { decodeSpec, type JobSpec } from '@dpu/sdk/spec';
import { readAll, type StorageBackend } from '@dpu/sdk/storage/backend';
import { digestToCid } from '@dpu/sdk/storage/cid';
import type { Terms } from '@dpu/sdk/terms';

import { runModule } from '../../sdk/modules/wasiHost.ts';

/** Most bytes of a module or an input here. */
const MOST_BYTES = 256 * 1024 * 1024;

/** A job that can be computed here. */
export interface HereJob {
  spec: JobSpec;
  module: WebAssembly.Module;
  /** Inputs by their path under `/in`. */
  files: Map<string, Uint8Array>;
}

/** Thrown when a module fails here. */
export class ModuleFailed extends Error {
  constructor(name: string, shard: number, exitCode: number, stderr: string) {
    super(`Shard ${shard} of "${name}" ended with exit code ${exitCode}. It said: ${stderr || 'nothing'}`);
    this.name = 'ModuleFailed';
  }
}

/** Fetches what a job consists of. `before`: the outputs of the job that it follows, by shard. */
export async function jobHere(
  storage: StorageBackend,
  { spec: digest }: Pick<Terms, 'spec'>,
  before: readonly Uint8Array[] = [],
): Promise<HereJob> {
  const spec = decodeSpec(await storage.getBlock(digestToCid(digest, 'dag-cbor')));
  if (spec.module === undefined) throw new RangeError(`The code of "${spec.name}" is the result of another job.`);
  const module = new WebAssembly.Module(Uint8Array.from(await readAll(storage, spec.module, MOST_BYTES)));
  const files = new Map<string, Uint8Array>();
  for (const { name, cid } of spec.inputs) files.set(name, await readAll(storage, cid, MOST_BYTES));
  for (const [shard, bytes] of before.entries()) files.set(`${spec.after?.name}/${shard}`, bytes);
  return { spec, module, files };
}

/** One shard's output. `args`: other arguments than the spec's. @throws ModuleFailed */
export async function shardHere(
  { spec, module, files }: HereJob,
  shard: number,
  args: readonly string[] = spec.args,
): Promise<Uint8Array> {
  const run = { args: [shard, spec.shards, ...args].map(String), files };
  const { exitCode, stdout, stderr } = await runModule(module, run);
  if (exitCode !== 0) throw new ModuleFailed(spec.name, shard, exitCode, stderr);
  return stdout;
}

/** The result of the last of `terms`, each of which follows the one before. @throws ModuleFailed */
export async function resultHere(storage: StorageBackend, terms: readonly Terms[]): Promise<Uint8Array> {
  let outputs: Uint8Array[] = [];
  for (const one of terms) {
    const job = await jobHere(storage, one, outputs);
    outputs = [];
    for (let shard = 0; shard < job.spec.shards; shard += 1) outputs.push(await shardHere(job, shard));
  }
  return Buffer.concat(outputs);
}
