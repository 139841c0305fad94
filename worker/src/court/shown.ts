import { setTimeout as sleep } from 'node:timers/promises';

import type { Result } from '@dpu/sdk/lease';
import { decodeManifest, rootOf, type Manifest } from '@dpu/sdk/manifest';
import { MAX_HEADER_BYTES } from '@dpu/sdk/privacy/header';
import { openBytes, sealedSize } from '@dpu/sdk/privacy/stream';
import { readAll, type StorageBackend } from '@dpu/sdk/storage/backend';
import { digestToCid } from '@dpu/sdk/storage/cid';
import type { Hex } from 'viem';

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { statedHash, type JobSecret } from '../work/privateJob.ts';
import { sha256 } from '../work/workspace.ts';

/** How what others published is fetched. */
export interface ShownOptions {
  /** How often it is tried before it counts as out of reach. */
  tries: number;
  /** Pause after the first failure, milliseconds; each further one waits as much longer. */
  pauseMs: number;
  /** Longest time of one try, milliseconds. */
  tryMs: number;
}

/** What is needed to fetch what others published. */
export interface ShownDeps {
  /** The network's gateways, and those of nodes that were `reach`ed. */
  remote: StorageBackend;
  /** Adds a node's own gateway to those that are asked. */
  reach: (node: number) => Promise<void>;
  log: Log;
}

/** What a lease's holder showed. */
export interface ShownLease {
  job: Hex;
  lease: { first: number; node: number };
  result: Result;
}

/** Fetches manifests and outputs from their holders and from everybody else, and believes nothing that does not hash to what the chain says. */
export class Shown {
  readonly #options: ShownOptions;
  readonly #deps: ShownDeps;

  constructor(options: ShownOptions, deps: ShownDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The manifest of a revealed lease; undefined when it is out of reach, or is not the one of the root that was shown. */
  async manifest({ job, lease, result }: ShownLease, signal: AbortSignal): Promise<Manifest | undefined> {
    await this.#deps.reach(lease.node);
    return this.#tried(`the manifest of node ${lease.node}`, signal, async (limited) => {
      const cid = digestToCid(result.manifest, 'dag-cbor');
      const manifest = decodeManifest(await this.#deps.remote.getBlock(cid, { signal: limited }));
      const right = manifest.job === job && manifest.first === lease.first && rootOf(manifest) === result.root;
      return right ? manifest : undefined;
    });
  }

  /**
   * The output of a shard with this `hash` and at most `most` bytes; undefined when it is out of reach. Of a private job whose
   * results are not for those who judge it, the sealed file: that it is there is all that can be seen.
   */
  async output(
    { shard, cid, hash }: Pick<Manifest['shards'][number], 'shard' | 'cid' | 'hash'>,
    most: number,
    signal: AbortSignal,
    secret?: JobSecret,
  ): Promise<Uint8Array | undefined> {
    const limit = secret ? sealedSize(most, 0) + MAX_HEADER_BYTES : most;
    const stored = await this.#tried(`the output ${cid.toString()}`, signal, (limited) =>
      readAll(this.#deps.remote, cid, limit, { signal: limited }),
    );
    if (!stored || (secret && !secret.judgeable)) return stored;
    // A file that does not open is as good as none, and asking again does not change it.
    const bytes = secret ? await openBytes(stored, secret.jobKey).catch(() => undefined) : stored;
    return bytes && (await statedHash(secret?.salt, shard, sha256(bytes))) === hash ? bytes : undefined;
  }

  async #tried<T>(
    what: string,
    signal: AbortSignal,
    fetching: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { tries, pauseMs, tryMs } = this.#options;
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await fetching(AbortSignal.any([signal, AbortSignal.timeout(tryMs)]));
      } catch (error) {
        signal.throwIfAborted();
        this.#deps.log.debug('Published data is out of reach', { what, attempt, problem: messageOf(error) });
      }
      if (attempt < tries) await sleep(pauseMs * attempt, undefined, { signal });
    }
    return undefined;
  }
}
