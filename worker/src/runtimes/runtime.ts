import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { Needs, StatedNeeds } from '../resources/needs.ts';
import type { ComparedSpec, ShardComparison, ShardOutputs } from './compareShards.ts';

/** One file that a shard can read, at `/in/<name>`. */
export interface ShardInput {
  /** `[A-Za-z0-9._-]{1,64}`, or two of those joined by one slash (results of an earlier job). */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Caps for one shard. Reaching one is a typed failure, never a silent cut. */
export interface ShardLimits {
  /** Linear memory, bytes; rounded down to whole 64 KiB pages. */
  readonly memoryBytes: number;
  /** Metered units; one unit is 1,000,000 charged operations. */
  readonly units: bigint | number;
  /** Bytes the shard may write as its output. */
  readonly outputBytes: number;
  /** Wall clock seconds from the moment the shard is handed to its process. */
  readonly seconds: number;
}

export interface ShardRequest {
  readonly module: Uint8Array;
  /** The spec's settings, by the schema of this runtime in the sdk; undefined for a runtime without. */
  readonly settings?: unknown;
  /** The spec's arguments; the runtime puts the name, the shard and the count before them. */
  readonly args: readonly string[];
  readonly shard: number;
  readonly shards: number;
  readonly inputs: readonly ShardInput[];
  /** 32 bytes, the job's spec digest: together with the shard it seeds everything that looks random. */
  readonly seed: Uint8Array;
  readonly limits: ShardLimits;
}

export interface ShardOutput {
  readonly output: Uint8Array;
  /** Metered units, at least 1. Equal on every honest node. */
  readonly units: number;
  /** What the shard said to people, at most 64 KiB. Not part of the result. */
  readonly log: string;
  /** Wall clock from the request to the last byte, milliseconds. */
  readonly wallMs: number;
  /**
   * Where the time went inside the process, milliseconds; `cpu` is the processor time of all its threads from its start.
   * Measured there, so never trusted for money.
   */
  readonly childMs?: {
    readonly instrument: number;
    readonly compile: number;
    readonly run: number;
    readonly cpu: number;
  };
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called with pieces of the log as they arrive, in order. */
  readonly onLog?: (text: string) => void;
  /** Called with how far the shard is, 0 … 1, where the runtime can tell. Never of use as a proof of anything. */
  readonly onProgress?: (share: number) => void;
}

/** What a runtime can do on this machine, found out by running something whose answer is known. */
export interface RuntimeProbe {
  readonly available: boolean;
  /** How strongly a shard is kept from the machine: `bubblewrap`, `prlimit`, `process`, or `none` when unavailable. */
  readonly isolation: string;
  /** One sentence for the operator. */
  readonly detail: string;
  /** Of a runtime for GPUs: whether there is none, and a driver computes on the processor instead. */
  readonly software?: boolean;
}

/** Something that executes shards. The node advertises only runtimes whose probe succeeded. */
export interface Runtime {
  /** The spec's `runtime` field. */
  readonly name: string;
  /** Runs a self-test with a known answer in the real isolation. Never throws for a machine that cannot. */
  probe(signal?: AbortSignal): Promise<RuntimeProbe>;
  /** Runs one shard. Throws {@link ShardError} and nothing else. */
  run(request: ShardRequest, options?: RunOptions): Promise<ShardOutput>;
  /**
   * What a shard takes of this machine beyond the usual, which is one core and the memory of its spec: a runtime says so that uses
   * several cores, keeps more in memory, or computes on a GPU. `capacity` is all that the node may use. Asked after the probe.
   */
  needs?(shard: Pick<ShardRequest, 'limits' | 'settings'>, capacity: Needs): StatedNeeds;
  /**
   * Whether this node's result of a shard and the one that was shown are the same work, by the spec's comparator: what a
   * juror asks. Rejects only when a source cannot be read or `signal` is aborted; neither is a verdict.
   */
  compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options?: CompareOptions,
  ): Promise<ShardComparison>;
  /** Ends idle processes and removes what was staged on disk. */
  close(): Promise<void>;
}

export type ShardFailureReason =
  | 'module-rejected'
  | 'trap'
  | 'exit-code'
  | 'out-of-units'
  | 'out-of-memory'
  | 'output-limit'
  | 'timeout'
  | 'killed'
  | 'device-lost'
  | 'sandbox';

/**
 * Who is to blame. `job`: every honest node sees the same failure, so it says something about the spec.
 * `machine`: this node, now; the shard may well succeed elsewhere.
 */
export type ShardFault = 'job' | 'machine';

/** The one error that {@link Runtime.run} throws. `reason` is for code, `message` for people. */
export class ShardError extends Error {
  readonly reason: ShardFailureReason;
  readonly fault: ShardFault;
  readonly context: Record<string, unknown>;

  constructor(
    reason: ShardFailureReason,
    fault: ShardFault,
    message: string,
    context: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'ShardError';
    this.reason = reason;
    this.fault = fault;
    this.context = context;
  }

  /** Whether the same shard may succeed on another machine or later. */
  get retryable(): boolean {
    return this.fault === 'machine';
  }
}
