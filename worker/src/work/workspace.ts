import { createHash } from 'node:crypto';

import type { Result } from '@dpu/sdk/lease';
import { decodeManifest, ManifestError, rootOf } from '@dpu/sdk/manifest';
import type { Identity } from '@dpu/sdk/privacy/identity';
import { moduleFile } from '@dpu/sdk/runtimes/onnx';
import { MODULES } from '@dpu/sdk/runtimes/settings';
import { decodeSpec, SpecError, type JobSpec } from '@dpu/sdk/spec';
import { readAll, type StorageBackend } from '@dpu/sdk/storage/backend';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { NotFoundError } from '@dpu/sdk/storage/errors';
import type { Terms } from '@dpu/sdk/terms';
import type { CID } from 'multiformats/cid';
import { bytesToHex, hexToBytes, zeroHash, type Hex } from 'viem';

import { DeclineError } from '../planning/declines.ts';
import { messageOf, TransientError } from '../errors.ts';
import type { Log } from '../log.ts';
import { openEarlierOutput, openJobFile, openPrivateJob, statedHash, type JobSecret } from './privateJob.ts';
import type { ShardInput } from '../runtimes/runtime.ts';

/** Everything that a shard of a job needs, checked against the chain's digests. */
export interface PreparedJob {
  spec: JobSpec;
  /** The code: the spec's module, or the result of an earlier job that its settings name; empty where the settings are all the code. */
  module: Uint8Array;
  inputs: readonly ShardInput[];
  /** The spec's digest. */
  seed: Uint8Array;
  /** There when the job is private: `spec`, `module` and `inputs` are then the opened ones. */
  secret?: JobSecret | undefined;
}

/** The settled result of one lease of an earlier job. */
export interface ParentLease {
  first: number;
  node: number;
  result: Result;
}

/** Everything that an earlier job produced. */
export interface ParentResults {
  /** Shards of that job. */
  shards: number;
  leases: readonly ParentLease[];
}

/** Limits of what is fetched. */
export interface WorkspaceOptions {
  /** Most bytes of a job's module and inputs together. */
  maxInputBytes: number;
  /** Longest time for one job's fetching, milliseconds. */
  fetchMs: number;
  /** Jobs whose files stay in memory. */
  keptJobs: number;
}

/** What the workspace works with. */
export interface WorkspaceDeps {
  /** This node's own disk. What was fetched is kept there. */
  local: StorageBackend;
  /** The network's gateways. */
  remote: StorageBackend;
  /** What was settled of an earlier job, from the chain. */
  parentResults: (job: Hex) => Promise<ParentResults>;
  /** This node's key, if it takes private jobs. */
  identity?: Identity | undefined;
  /** The envelope that came for a job after it was posted, if one did. */
  envelopeOf?: (job: Hex) => Uint8Array | undefined;
  log: Log;
  /** Told about every file that a job has used. */
  onUsed?: (cid: CID) => void;
}

/** Fetches and checks what jobs are made of, before anything is promised and again when a lease is resumed. */
export class Workspace {
  readonly #options: WorkspaceOptions;
  readonly #deps: WorkspaceDeps;
  readonly #specs = new Map<Hex, Promise<JobSpec>>();
  readonly #jobs = new Map<Hex, Promise<PreparedJob>>();

  constructor(options: WorkspaceOptions, deps: WorkspaceDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The job's spec. @throws DeclineError when it is not for us; TransientError when it cannot be had now. */
  spec(terms: Terms, signal: AbortSignal): Promise<JobSpec> {
    return remembered(this.#specs, terms.spec, 256, () => this.#fetchSpec(terms, this.#limited(signal)));
  }

  /** Spec, module and inputs of a job. Repeated calls share the work. */
  prepare(job: Hex, terms: Terms, signal: AbortSignal): Promise<PreparedJob> {
    return remembered(this.#jobs, job, this.#options.keptJobs, () => this.#fetchJob(job, terms, signal));
  }

  /** Whether a job's files are in memory, or about to be. */
  isWarm(job: Hex): boolean {
    return this.#jobs.has(job);
  }

  /** Frees what is in memory for a job. */
  drop(job: Hex): void {
    this.#jobs.delete(job);
  }

  #limited(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#options.fetchMs)]);
  }

  async #fetchSpec(terms: Terms, signal: AbortSignal): Promise<JobSpec> {
    const bytes = await this.#had('specUnavailable', () => this.#block(digestToCid(terms.spec, 'dag-cbor'), signal));
    let spec: JobSpec;
    try {
      spec = decodeSpec(bytes);
    } catch (error) {
      if (error instanceof SpecError) throw new DeclineError('specInvalid', { problem: error.message }, error);
      throw error;
    }
    if (spec.shards !== terms.shards) {
      throw new DeclineError('specInvalid', { problem: `it has ${spec.shards} shards, the terms ${terms.shards}` });
    }
    if ((spec.after !== undefined) !== (terms.afterJob !== zeroHash)) {
      throw new DeclineError('specInvalid', { problem: 'spec and terms disagree about an earlier job' });
    }
    return spec;
  }

  async #fetchJob(job: Hex, terms: Terms, signal: AbortSignal): Promise<PreparedJob> {
    const posted = await this.spec(terms, signal);
    const secret = await openPrivateJob(posted, job, this.#deps.identity, this.#deps.envelopeOf?.(job));
    const spec = secret?.spec ?? posted;
    const limited = this.#limited(signal);
    return this.#had('inputsUnavailable', async () => {
      const stated = spec.inputs.reduce((sum, { size }) => sum + size, 0);
      const budget = { left: this.#options.maxInputBytes };
      if (stated > budget.left) throw new DeclineError('inputsTooBig', { bytes: stated, most: budget.left });
      const code = spec.module === undefined ? undefined : await this.#file(spec.module, budget, limited);
      const given = code && secret?.moduleSealed ? await openJobFile(code, secret) : code;
      const inputs: ShardInput[] = [];
      for (const { name, cid, size } of spec.inputs) {
        const stored = await this.#file(cid, budget, limited);
        const bytes = secret ? await openJobFile(stored, secret) : stored;
        if (bytes.length !== size) {
          throw new DeclineError('specInvalid', { problem: `input ${name} has ${bytes.length} bytes, not ${size}` });
        }
        inputs.push({ name, bytes });
      }
      if (spec.after) inputs.push(...(await this.#results(terms.afterJob, spec.after.name, budget, limited, secret)));
      const file = moduleFile(spec);
      const none = file === undefined && MODULES[spec.runtime] !== undefined ? new Uint8Array() : undefined;
      const module = given ?? none ?? inputs.find(({ name }) => name === file)?.bytes;
      if (module === undefined) {
        throw new DeclineError('specInvalid', {
          problem: `the job before has no result ${file ?? 'that is its code'}`,
        });
      }
      return { spec, module, inputs, seed: hexToBytes(terms.spec), secret };
    });
  }

  /** Every shard of the earlier job, checked from the chain's root down to the bytes. */
  async #results(
    job: Hex,
    name: string,
    budget: { left: number },
    signal: AbortSignal,
    secret: JobSecret | undefined,
  ): Promise<ShardInput[]> {
    const inputs: ShardInput[] = [];
    const { shards, leases } = await this.#deps.parentResults(job);
    for (const { first, node, result } of leases) {
      const manifest = decodeManifest(await this.#block(digestToCid(result.manifest, 'dag-cbor'), signal));
      if (
        manifest.job !== job ||
        manifest.first !== first ||
        manifest.node !== node ||
        rootOf(manifest) !== result.root
      ) {
        throw new DeclineError('inputsUnavailable', {
          problem: `the manifest of shard ${first} is not what was settled`,
        });
      }
      for (const entry of manifest.shards) {
        const { shard, hash } = entry;
        const stored = await this.#file(entry.cid, budget, signal);
        const { bytes, salt } = manifest.private
          ? await openEarlierOutput(entry, stored, secret)
          : { bytes: stored, salt: undefined };
        if ((await statedHash(salt, shard, sha256(bytes))) !== hash) {
          throw new DeclineError('inputsUnavailable', {
            problem: `the output of shard ${shard} is not what was settled`,
          });
        }
        inputs.push({ name: `${name}/${shard}`, bytes });
      }
    }
    if (inputs.length !== shards) {
      throw new DeclineError('inputsUnavailable', {
        problem: `the earlier job has ${shards} shards, ${inputs.length} are known`,
      });
    }
    return inputs;
  }

  async #block(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    const { local, remote } = this.#deps;
    if (await local.has(cid, { signal })) return local.getBlock(cid, { signal });
    const bytes = await remote.getBlock(cid, { signal });
    await local.putBlock(cid, bytes, { signal });
    return bytes;
  }

  async #file(cid: CID, budget: { left: number }, signal: AbortSignal): Promise<Uint8Array> {
    const { local, remote, log } = this.#deps;
    let bytes: Uint8Array | undefined;
    if (await local.has(cid, { signal })) {
      bytes = await readAll(local, cid, budget.left, { signal }).catch((error: unknown) => {
        // Half of a file that was being fetched when the power went: fetch it again.
        log.warn('A stored file is incomplete, fetching it again', { cid: cid.toString(), error });
        return undefined;
      });
    }
    if (bytes === undefined) {
      bytes = await readAll(remote, cid, budget.left, { signal });
      await local.addFile(bytes, { signal });
    }
    budget.left -= bytes.length;
    this.#deps.onUsed?.(cid);
    return bytes;
  }

  async #had<T>(code: 'specUnavailable' | 'inputsUnavailable', fetching: () => Promise<T>): Promise<T> {
    try {
      return await fetching();
    } catch (error) {
      if (error instanceof DeclineError || error instanceof TransientError) throw error;
      if (error instanceof NotFoundError) throw new DeclineError(code, { problem: error.message }, error);
      if (error instanceof ManifestError) throw new DeclineError(code, { problem: error.message }, error);
      if (error instanceof Error && error.name === 'FileTooBigError') {
        throw new DeclineError('inputsTooBig', { problem: error.message }, error);
      }
      throw new TransientError(`A job's files cannot be fetched now: ${messageOf(error)}`, {}, error);
    }
  }
}

/** What a node's experience with the times of a job's code goes under: the code's CID, or the spec's digest when an earlier job makes the code. */
export function moduleName({ spec, seed }: Pick<PreparedJob, 'spec' | 'seed'>): string {
  return spec.module?.toString() ?? bytesToHex(seed);
}

/** sha2-256 as hex. */
export function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

/** One piece of work per key; a failure is forgotten, so that it can be tried again. */
function remembered<K, V>(map: Map<K, Promise<V>>, key: K, kept: number, work: () => Promise<V>): Promise<V> {
  const known = map.get(key);
  if (known) return known;
  const fresh = work();
  map.set(key, fresh);
  fresh.catch(() => map.delete(key));
  for (const oldest of map.keys()) {
    if (map.size <= kept) break;
    map.delete(oldest);
  }
  return fresh;
}
