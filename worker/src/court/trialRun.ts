import { setTimeout as sleep } from 'node:timers/promises';

import type { JobSpec } from '@dpu/sdk/spec';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import { DeclineError } from '../planning/declines.ts';
import type { Log } from '../log.ts';
import { statedHash, type JobSecret } from '../work/privateJob.ts';
import { ShardError, type Runtime, type ShardFailureReason } from '../runtimes/runtime.ts';
import { shardRequest } from '../work/shardRequest.ts';
import { needsOf } from '../resources/needs.ts';
import type { Resources } from '../resources/resources.ts';
import { sha256, type Workspace } from '../work/workspace.ts';

/** Failures that the job's own module causes, alike on every machine. Running out of time is none of them: machines differ. */
const OF_THE_MODULE: readonly ShardFailureReason[] = [
  'module-rejected',
  'trap',
  'exit-code',
  'out-of-units',
  'out-of-memory',
  'output-limit',
];

/** How single shards are run. */
export interface TrialRunOptions {
  /** How often a shard is tried when this machine, not the job, is at fault. */
  triesPerShard: number;
  /** Pause after the first such failure, milliseconds; each further one waits as much longer. */
  retryPauseMs: number;
}

/** What single shards are run with. */
export interface TrialRunDeps {
  /** Runtimes of this machine by the spec's name. */
  runtimes: ReadonlyMap<string, Runtime>;
  workspace: Pick<Workspace, 'prepare'>;
  resources: Resources;
  log: Log;
}

/** A shard as this node computed it; or that the job's own module fails, twice in the same way. `hash` is salted when there is a `secret`. */
export type OwnShard =
  | {
      kind: 'output';
      spec: JobSpec;
      output: Uint8Array;
      hash: Hex;
      units: bigint;
      secret?: JobSecret | undefined;
      /** How its runtime compares; by the spec's comparator alone when absent. */
      compare?: Runtime['compare'];
    }
  | { kind: 'fault'; spec: JobSpec; reason: ShardFailureReason };

/** Runs one shard of somebody else's lease, in a slot like any work. Nothing of it is promised to anyone. */
export class TrialRun {
  readonly #options: TrialRunOptions;
  readonly #deps: TrialRunDeps;

  constructor(options: TrialRunOptions, deps: TrialRunDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Computes `shard`, if others wait too in the order of their deadlines: `deadline` is the last second, block time, at which it is of use.
   * @throws ShardError when this machine cannot, DeclineError or TransientError when spec or inputs cannot be had: none is a verdict.
   */
  async run(
    job: Hex,
    terms: Terms,
    shard: number,
    signal: AbortSignal,
    deadline: number = Infinity,
  ): Promise<OwnShard> {
    const { resources, workspace, runtimes } = this.#deps;
    const hold = resources.hold(1, { needs: needsOf(0), deadline, seconds: terms.exec });
    try {
      const prepared = await workspace.prepare(job, terms, signal);
      const { spec, secret } = prepared;
      const runtime = runtimes.get(spec.runtime);
      if (!runtime) throw new DeclineError('runtime', { runtime: spec.runtime });
      const { limits, settings } = spec;
      hold.refine({
        needs: needsOf(limits.memoryBytes, runtime.needs?.({ limits, settings }, resources.capacity)),
        seconds: limits.seconds,
      });
      const request = shardRequest(prepared, shard);
      const once = async (): Promise<OwnShard> => {
        try {
          const { output, units } = await runtime.run(request, { signal });
          const hash = await statedHash(secret?.salt, shard, sha256(output));
          const compare: Runtime['compare'] = (...sides) => runtime.compare(...sides);
          return { kind: 'output', spec, output, hash, units: BigInt(units), secret, compare };
        } catch (error) {
          const modules = error instanceof ShardError && error.fault === 'job' && OF_THE_MODULE.includes(error.reason);
          if (!modules) throw error;
          return { kind: 'fault', spec, reason: error.reason };
        }
      };
      return await hold.run(async () => {
        const first = await this.#patiently(once, signal);
        if (first.kind === 'output') return first;
        // To say that a job cannot be done takes two failures of the same kind: one could be this machine's.
        const second = await this.#patiently(once, signal);
        if (second.kind === 'output' || second.reason === first.reason) return second;
        throw new ShardError('sandbox', 'machine', `The shard failed in two ways: ${first.reason}, ${second.reason}.`);
      }, signal);
    } finally {
      hold.end();
    }
  }

  async #patiently(once: () => Promise<OwnShard>, signal: AbortSignal): Promise<OwnShard> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once();
      } catch (error) {
        const again = error instanceof ShardError && error.retryable && attempt < this.#options.triesPerShard;
        if (!again || signal.aborted) throw error;
        this.#deps.log.warn('Shard failed on this machine, trying again', { reason: error.reason, error });
        await sleep(this.#options.retryPauseMs * attempt, undefined, { signal });
      }
    }
  }
}
