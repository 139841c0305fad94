import type { ShardLimits, ShardRequest } from '../runtimes/runtime.ts';
import type { PreparedJob } from './workspace.ts';

/** What a runtime is asked to do for one shard of a job; `limits` are the spec's unless somebody wants to spend less. */
export function shardRequest(
  { spec, module, inputs, seed }: PreparedJob,
  shard: number,
  limits: ShardLimits = spec.limits,
): ShardRequest {
  const { args, shards, settings } = spec;
  return { module, args, shard, shards, inputs, seed, limits, ...(settings === undefined ? {} : { settings }) };
}
