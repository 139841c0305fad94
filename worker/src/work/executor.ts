import { setTimeout as sleep } from 'node:timers/promises';

import type { Result } from '@dpu/sdk/lease';
import { encodeManifest, rootOf, unitsOf, type Manifest } from '@dpu/sdk/manifest';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { parseCid } from '@dpu/sdk/storage/cid';

import type { KnownLease } from '../chain/chainBook.ts';
import { DeclineError } from '../planning/declines.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { statedHash } from './privateJob.ts';
import { keptLog, readLog, storable } from './privateOutput.ts';
import { previewOf } from '../gossip/preview.ts';
import type { ProgressFeed } from '../gossip/progressFeed.ts';
import type { DoneShard, LeaseKey, PromiseBook } from '../leases/promiseBook.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { ShardError } from '../runtimes/runtime.ts';
import { leaseSalt } from '../leases/salt.ts';
import { shardRequest } from './shardRequest.ts';
import { needsOf, type Needs } from '../resources/needs.ts';
import type { Resources } from '../resources/resources.ts';
import type { Experience } from '../planning/experience.ts';
import { sha256, type PreparedJob, type Workspace, moduleName } from './workspace.ts';

/** How leases are run. */
export interface ExecutorOptions {
  /** How often a shard is tried when this machine, not the job, is at fault. */
  triesPerShard: number;
  /** Pause after the first failure of a shard on this machine, milliseconds; each further one waits as much longer. */
  retryPauseMs: number;
  /** Part of a lease's time that is kept for proving it, percent, and seconds on top. */
  reservePercent: number;
  reserveSeconds: number;
  /** Most memory that a shard may ask for. */
  memoryBytes: number;
  /** See `saltSecret`. */
  saltSecret: Uint8Array;
}

/** What the executor works with. */
export interface ExecutorDeps {
  /** Runtimes of this machine by the spec's name. */
  runtimes: ReadonlyMap<string, Runtime>;
  workspace: Workspace;
  resources: Resources;
  /** What a shard of a job takes, and seconds, if that is known without its files. */
  workOf: (job: KnownLease['job']) => { needs: Needs; seconds: number } | undefined;
  experience: Pick<Experience, 'learn'>;
  promises: PromiseBook;
  /** This node's own store: from here the result is served. */
  local: StorageBackend;
  log: Log;
  /** Keeps the shards' logs, and tells others how they come along. */
  progress: ProgressFeed;
  /** Called as soon as the result and its salt are on disk. */
  onResult: (lease: KnownLease) => void;
}

/** Name of a lease in maps and logs. */
export function leaseName({ job, first, deadline }: LeaseKey): string {
  return `${job}:${first}:${deadline}`;
}

/** The key of a lease as a promise. */
export function leaseKeyOf({ job, lease: { first, deadline } }: KnownLease): LeaseKey {
  return { job, first, deadline };
}

/** Runs leases: every shard in its sandbox, every output stored before it counts, every result on disk before it is promised. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #deps: ExecutorDeps;
  readonly #running = new Map<string, { promise: Promise<void>; stop: AbortController }>();
  readonly #failed = new Set<string>();

  constructor(options: ExecutorOptions, deps: ExecutorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  isRunning(key: LeaseKey): boolean {
    return this.#running.has(leaseName(key));
  }

  /** Whether this process has given the lease up. */
  hasFailed(key: LeaseKey): boolean {
    return this.#failed.has(leaseName(key));
  }

  /** Leases that run now. */
  get running(): number {
    return this.#running.size;
  }

  /** Starts a lease, or what is left of it. Does not wait. */
  start(lease: KnownLease): void {
    const key = leaseKeyOf(lease);
    const name = leaseName(key);
    if (this.#running.has(name)) return;
    const stop = new AbortController();
    const promise = this.#run(lease, stop.signal)
      .then(() => {
        this.#running.delete(name);
        this.#deps.onResult(lease);
      })
      .catch((error: unknown) => {
        this.#running.delete(name);
        if (!stop.signal.aborted) this.#giveUp(lease, error);
      });
    this.#running.set(name, { promise, stop });
  }

  /** Ends a lease that is of no use any more. */
  cancel(key: LeaseKey): void {
    this.#running.get(leaseName(key))?.stop.abort();
  }

  /** Stops everything; what was finished is on disk. */
  async stop(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ promise }) => promise));
  }

  async #run(lease: KnownLease, signal: AbortSignal): Promise<void> {
    const { promises, workspace, log, resources, workOf } = this.#deps;
    const key = leaseKeyOf(lease);
    const { job, terms } = lease;
    const { first, count, node } = lease.lease;
    const done = promises.shards(job, first, count);
    const missing = Array.from({ length: count }, (_, index) => first + index).filter(
      (shard) => !done.some((known) => known.shard === shard),
    );
    const { reservePercent, reserveSeconds, memoryBytes } = this.#options;
    // Until its files are read, a lease of an earlier process could take any shard's memory, and the GPU.
    const unknown = {
      needs: needsOf(memoryBytes, { vramBytes: resources.capacity.vramBytes }),
      seconds: terms.exec,
    };
    const hold = resources.hold(missing.length, {
      ...(workOf(job) ?? unknown),
      deadline: lease.lease.deadline - (terms.exec * reservePercent) / 100 - reserveSeconds,
    });
    try {
      const prepared = await workspace.prepare(job, terms, signal);
      const runtime = this.#deps.runtimes.get(prepared.spec.runtime);
      if (!runtime) throw new DeclineError('runtime', { runtime: prepared.spec.runtime });
      const { limits, settings } = prepared.spec;
      const seconds = promises.seconds(moduleName(prepared));
      hold.refine({
        needs: needsOf(limits.memoryBytes, runtime.needs?.({ limits, settings }, resources.capacity)),
        ...(seconds === undefined ? {} : { seconds }),
      });
      const failFast = new AbortController();
      const either = AbortSignal.any([signal, failFast.signal]);
      const outcomes = await Promise.allSettled(
        missing.map((shard) =>
          hold
            .run(() => this.#shard(lease, runtime, prepared, shard, either), either)
            .catch((error: unknown) => {
              failFast.abort();
              throw error;
            }),
        ),
      );
      // The shard that failed first says why; the others were only stopped by it.
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
      );
      if (failures.length > 0)
        throw failures.find((error) => error instanceof ShardError && error.reason !== 'killed') ?? failures[0];
      signal.throwIfAborted();
      const result = await this.#store(job, first, node, promises.shards(job, first, count), prepared.secret);
      promises.promise(key, { result, salt: leaseSalt(this.#options.saltSecret, key, result) });
      promises.dropShards(job, first, count);
      log.info('Lease computed', { job, first, count, units: result.units });
    } finally {
      hold.end();
    }
  }

  async #shard(
    lease: KnownLease,
    runtime: Runtime,
    prepared: PreparedJob,
    shard: number,
    signal: AbortSignal,
  ): Promise<DoneShard> {
    const { local, promises, log, experience, progress } = this.#deps;
    const { secret } = prepared;
    for (let attempt = 1; ; attempt += 1) {
      const owner = { job: lease.job, shard, node: lease.lease.node };
      const feed = progress.begin(owner, secret?.readers);
      try {
        let heard = false;
        const onLog = (text: string): void => {
          heard = true;
          feed.log(text);
        };
        const {
          output,
          units,
          log: text,
          wallMs,
        } = await runtime.run(shardRequest(prepared, shard), {
          signal,
          onLog,
          onProgress: (share) => feed.progress(share),
        });
        if (!heard) feed.log(text);
        const preview = previewOf(prepared.spec.output.mediaType, output);
        if (preview) feed.preview(preview);
        const stored = await storable(output, secret, signal);
        const { cid } = await local.addFile(stored, { signal });
        const hash = await statedHash(secret?.salt, shard, sha256(output));
        const kept = await keptLog(feed.end('done', 'done'), secret);
        const done = { shard, hash, cid: cid.toString(), size: stored.length, units, log: kept };
        promises.addShard(lease.job, done);
        const module = moduleName(prepared);
        promises.learn(module, wallMs / 1000);
        experience.learn({ runtime: runtime.name, module, units, seconds: wallMs / 1000 });
        return done;
      } catch (error) {
        feed.end('failed', messageOf(error));
        const again = error instanceof ShardError && error.retryable && attempt < this.#options.triesPerShard;
        if (!again || signal.aborted) throw error;
        log.warn('Shard failed on this machine, trying again', { job: lease.job, shard, reason: error.reason, error });
        // A machine that is short of something now has a chance only after a while.
        await sleep(this.#options.retryPauseMs * attempt, undefined, { signal });
      }
    }
  }

  /** Stores log and manifest; the digest of the manifest and the root over its shards are the result. */
  async #store(
    job: KnownLease['job'],
    first: number,
    node: number,
    shards: readonly DoneShard[],
    secret: PreparedJob['secret'],
  ): Promise<Result> {
    const { local } = this.#deps;
    const logs = await Promise.all(shards.map(({ log }) => readLog(log, secret)));
    const text = logs.join('');
    const log = text === '' ? undefined : await storable(new TextEncoder().encode(text), secret);
    const manifest: Manifest = {
      version: 1,
      job,
      first,
      node,
      shards: shards.map(({ shard, hash, cid, size, units }) => ({
        shard,
        hash,
        cid: parseCid(cid),
        size,
        units: BigInt(units),
      })),
      ...(log ? { log: (await local.addFile(log)).cid } : {}),
      ...(secret ? { private: { version: 1 } } : {}),
    };
    const { cid, digest, bytes } = encodeManifest(manifest);
    await local.putBlock(cid, bytes);
    return { root: rootOf(manifest), units: unitsOf(manifest), manifest: digest };
  }

  #giveUp(lease: KnownLease, error: unknown): void {
    const { job, terms } = lease;
    const jobsFault = error instanceof ShardError && error.fault === 'job';
    this.#failed.add(leaseName(leaseKeyOf(lease)));
    // A job that fails here by its own fault would cost a bond with every claim.
    if (jobsFault) this.#deps.promises.fail(job, `${error.reason}: ${error.message}`, terms.expiry);
    this.#deps.log.error('Lease cannot be computed, part of its bond will be lost', {
      job,
      first: lease.lease.first,
      reason: error instanceof ShardError ? error.reason : messageOf(error),
      error,
    });
  }
}
