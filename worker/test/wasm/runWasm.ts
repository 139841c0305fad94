import { execute, type ExecuteRequest } from '../../src/runtimes/wasm/child/execute.ts';
import type { Outcome } from '../../src/runtimes/wasm/child/protocol.ts';

export interface Ran {
  readonly outcome: Outcome;
  readonly output: Buffer;
  readonly log: string;
}

/** Runs a module in this process with generous limits: what a child does, without the child. */
export function runWasm(module: Uint8Array<ArrayBuffer>, over: Partial<Omit<ExecuteRequest, 'module'>> = {}): Ran {
  const output: Buffer[] = [];
  const log: Buffer[] = [];
  const outcome = execute(
    {
      module,
      args: [],
      shard: 0,
      shards: 1,
      inputs: [],
      seed: new Uint8Array(32),
      memoryBytes: 16 * 1024 * 1024,
      units: 1_000n,
      outputBytes: 1024 * 1024,
      ...over,
    },
    { output: (bytes) => output.push(Buffer.from(bytes)), log: (bytes) => log.push(Buffer.from(bytes)) },
  );
  return { outcome, output: Buffer.concat(output), log: Buffer.concat(log).toString() };
}

/** The failure of a run as `reason (fault): message`, or `ok`. */
export function verdict({ outcome }: Ran): string {
  return outcome.ok ? 'ok' : `${outcome.reason} (${outcome.fault}): ${outcome.message}`;
}
