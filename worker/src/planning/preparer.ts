import { runtimeName, type Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { Head } from '../chain/chain.ts';
import { DeclineError, type DeclineCode } from './declines.ts';
import type { Needs } from '../resources/needs.ts';
import type { Experience } from './experience.ts';
import type { Preparation } from './plan.ts';
import type { PromiseBook } from '../leases/promiseBook.ts';
import { moduleName, type PreparedJob, type Workspace } from '../work/workspace.ts';

/** How jobs are prepared. */
export interface PreparerOptions {
  /** Most memory that a shard may ask for. */
  memoryBytes: number;
  /** Jobs that are prepared at the same time. */
  preparing: number;
}

/** What the preparer works with. */
export interface PreparerDeps {
  promises: PromiseBook;
  experience: Pick<Experience, 'unitsOf' | 'secondsPerUnit'>;
  workspace: Pick<Workspace, 'prepare' | 'isWarm'>;
  /** What a shard of the job takes of this machine. */
  needsOf: (job: PreparedJob) => Needs;
  /** Starts a job for a moment. @throws DeclineError when it fails at once. */
  tryOut: (job: PreparedJob, signal: AbortSignal) => Promise<void>;
}

/** What a job is made of, as far as it decides about it. */
interface Inside {
  state: 'ready';
  runtime: string;
  module: string;
  units: number;
  seconds: number;
  memoryBytes: number;
  needs: Needs;
}

/** What was found out about a job's inside. */
type Prepared =
  | { state: 'waiting' }
  | Inside
  | {
      state: 'declined';
      error: DeclineError;
      /** Block time after which it is tried again. */
      until: number;
    };

/** What looking again cannot change. */
const FINAL: ReadonlySet<DeclineCode> = new Set([
  'specInvalid',
  'inputsTooBig',
  'fails',
  'noKey',
  'notRecipient',
  'privateUnsound',
]);
/** Seconds after which a job whose files could not be had is looked at again, at most; a job that is open for a short time is looked at ten times. */
const RETRY_SECONDS = 15;
const RETRIES = 10;

/** How much slower than the average of its runtime a module may be that never ran here. */
const CAUTION = 2;

/** Looks inside jobs, in the background: what is there is there when the draw lets the node in. */
export class Preparer {
  readonly #options: PreparerOptions;
  readonly #deps: PreparerDeps;
  readonly #prepared = new Map<Hex, Prepared>();

  constructor(options: PreparerOptions, deps: PreparerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Whether this node has finished a shard of the job's module before. */
  isProven(id: Hex): boolean {
    const prepared = this.#prepared.get(id);
    return prepared?.state === 'ready' && this.#deps.promises.seconds(prepared.module) !== undefined;
  }

  /** What a shard of a job takes, and seconds, if its inside was looked at since the start. */
  workOf(id: Hex): { needs: Needs; seconds: number } | undefined {
    const known = this.#prepared.get(id);
    return known?.state === 'ready' ? { needs: known.needs, seconds: this.#shardSeconds(known) } : undefined;
  }

  /** Looks again at a job that was declined: something has come that it lacked. */
  lookAgain(id: Hex): void {
    if (this.#prepared.get(id)?.state !== 'ready') this.#prepared.delete(id);
  }

  /** What is known of a job's inside; begins to look when nothing is. */
  preparation(id: Hex, terms: Terms, head: Head, signal: AbortSignal): Preparation {
    const known = this.#prepared.get(id);
    if (known?.state === 'ready') {
      const { memoryBytes, needs, module, units } = known;
      return {
        state: 'ready',
        shardSeconds: this.#shardSeconds(known),
        shardUnits: this.#deps.experience.unitsOf(module) ?? units,
        memoryBytes,
        needs,
        warm: this.#deps.workspace.isWarm(id),
      };
    }
    if (known?.state === 'waiting') return { state: 'waiting' };
    if (known?.state === 'declined' && head.timestamp < known.until) {
      return { state: 'declined', code: known.error.code, detail: known.error.detail };
    }
    const busy = [...this.#prepared.values()].filter(({ state }) => state === 'waiting').length;
    if (busy < this.#options.preparing) {
      const waiting: Prepared = { state: 'waiting' };
      this.#prepared.set(id, waiting);
      // What was begun before something came that the job lacked says nothing any more.
      const isWanted = (): boolean => this.#prepared.get(id) === waiting;
      void this.#prepare(id, terms, head.timestamp, signal, isWanted);
    }
    return { state: 'waiting' };
  }

  async #prepare(id: Hex, terms: Terms, now: number, signal: AbortSignal, isWanted: () => boolean): Promise<void> {
    try {
      const job = await this.#deps.workspace.prepare(id, terms, signal);
      const { spec } = job;
      const { units, seconds, memoryBytes } = spec.limits;
      if (spec.runtime !== runtimeName(terms.runtime)) {
        throw new DeclineError('specInvalid', {
          problem: `it is for ${spec.runtime}, the terms for runtime ${terms.runtime}`,
        });
      }
      // What this machine would not run anyway is declined by the plan, with its own reason.
      if (memoryBytes <= this.#options.memoryBytes) await this.#deps.tryOut(job, signal);
      const needs = this.#deps.needsOf(job);
      const module = moduleName(job);
      if (!isWanted()) return;
      this.#prepared.set(id, { state: 'ready', runtime: spec.runtime, module, units, seconds, memoryBytes, needs });
    } catch (error) {
      if (!isWanted()) return;
      const declined =
        error instanceof DeclineError
          ? error
          : new DeclineError('inputsUnavailable', { problem: String(error) }, error);
      const final = FINAL.has(declined.code);
      this.#prepared.set(id, {
        state: 'declined',
        error: declined,
        until: final ? terms.expiry + 1 : now + retryAfter(terms.expiry - now),
      });
    }
    // Only while they can matter: a long life sees many jobs.
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size <= 512) break;
      this.#prepared.delete(oldest);
    }
  }

  /**
   * By experience with the module; else by experience with its runtime, if the shard spends all that it may and takes twice as long as others;
   * else the spec's own cap, which is what the requester grants it at most.
   */
  #shardSeconds({ runtime, module, units, seconds }: Inside): number {
    const known = this.#deps.promises.seconds(module);
    const pace = this.#deps.experience.secondsPerUnit(runtime);
    const guess = pace === undefined ? seconds : Math.min(seconds, units * pace * CAUTION);
    return Math.max(0.05, known ?? guess);
  }
}

function retryAfter(left: number): number {
  return Math.min(RETRY_SECONDS, Math.max(1, Math.floor(left / RETRIES)));
}
