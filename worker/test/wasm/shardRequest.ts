import { ShardError, type ShardOutput, type ShardRequest } from '../../src/runtimes/runtime.ts';
import { command } from './wat.ts';

const MIB = 1024 * 1024;

/** The only shard of a job with generous limits. */
export function request(
  module: Uint8Array,
  over: Partial<ShardRequest> = {},
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return {
    module,
    args: [],
    shard: 0,
    shards: 1,
    inputs: [],
    seed: new Uint8Array(32),
    ...over,
    limits: { memoryBytes: 16 * MIB, units: 1_000, outputBytes: MIB, seconds: 60, ...limits },
  };
}

/** The failure of a shard as `reason (fault): message`, or `ok`. */
export async function failure(running: Promise<ShardOutput>): Promise<string> {
  try {
    await running;
  } catch (error) {
    if (error instanceof ShardError) return `${error.reason} (${error.fault}): ${error.message}`;
    throw error;
  }
  return 'ok';
}

/** Says hello to the log and, with a line's end, as its output. */
export const hello = command(
  '(call $say (i32.const 2) (i32.const 64) (i32.const 5)) (call $say (i32.const 1) (i32.const 64) (i32.const 6))',
  {
    fields: '(data (i32.const 64) "hello\\n")',
  },
);
