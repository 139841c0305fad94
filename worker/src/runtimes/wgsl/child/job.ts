/** What the child is told of one shard: a header as JSON, the module, then the contents of buffers one after the other. */

export interface ChildBuffer {
  readonly bytes: number;
  /** Bytes that it begins with, sent after the module; the rest are zeros. */
  readonly content: number;
}

export interface ChildPass {
  readonly entry: string;
  readonly groups: readonly [number, number, number];
  readonly invocations: number;
  readonly repeat: number;
  /** Buffers by their place in the list of buffers. */
  readonly bind: readonly {
    readonly binding: number;
    readonly buffer: number;
    readonly access: 'read' | 'read_write';
  }[];
  readonly swap: readonly (readonly [number, number])[];
}

export interface ChildJob {
  /** Bytes of the module. */
  readonly module: number;
  readonly buffers: readonly ChildBuffer[];
  readonly passes: readonly ChildPass[];
  readonly rounds: number;
  readonly output: readonly number[];
  readonly picture?: { readonly width: number; readonly height: number };
  /** Hex of the uniform; `round` and `step` at {@link COUNTERS_AT} are counted by the child. */
  readonly uniform: string;
  /** False to compile and bind only: the spec does not pay for the dispatches. */
  readonly dispatch: boolean;
  /** Whether to say as the log what adapter this is. */
  readonly introduce: boolean;
}

/** Where two words for the round and the step stand in the uniform. */
export const COUNTERS_AT = 8;

/** What the child says of its adapter, as JSON. */
export interface AdapterFacts {
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly software: boolean;
  readonly subgroups: readonly [number, number];
  readonly bufferBytes: number;
}
