import { DeclineError } from './declines.ts';
import { ShardError, type Runtime } from '../runtimes/runtime.ts';
import { shardRequest } from '../work/shardRequest.ts';
import type { PreparedJob } from '../work/workspace.ts';

/** Work that a trial may cost at most: about a tenth of a second, little beside the bond that it saves. */
const TRIAL_UNITS = 100;
const TRIAL_SECONDS = 5;

/**
 * Starts the first shard of a job before anything is promised. A module that breaks the rules, or fails at once, would cost
 * part of the bond once it is claimed. Passing says little: a job may still fail later, or at another shard.
 * @throws DeclineError `fails`, when every honest node would see the same failure.
 */
export async function tryOut(
  runtimes: ReadonlyMap<string, Pick<Runtime, 'run'>>,
  job: PreparedJob,
  signal: AbortSignal,
): Promise<void> {
  const { spec } = job;
  const { units, seconds } = spec.limits;
  const limits = {
    ...spec.limits,
    units: Math.min(units, TRIAL_UNITS),
    seconds: Math.min(seconds, TRIAL_SECONDS),
  };
  try {
    await runtimes.get(spec.runtime)?.run(shardRequest(job, 0, limits), { signal });
  } catch (error) {
    if (!(error instanceof ShardError)) return;
    // What a shard needs and this machine does not have will not be there in the lease either.
    if (error.fault === 'machine' && error.reason !== 'device-lost') return;
    // The trial's own cap says nothing about the job.
    if (error.reason === 'out-of-units' && limits.units < units) return;
    throw new DeclineError('fails', { reason: error.reason, problem: error.message }, error);
  }
}
