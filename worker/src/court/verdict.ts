import type { Vote } from '@dpu/sdk/court';
import type { Hex } from 'viem';

import { compareShards, singleOutput } from '../runtimes/compareShards.ts';
import type { OwnShard } from './trialRun.ts';

/** What was shown of the shard. */
export interface ShownShard {
  hash: Hex;
  units: bigint;
  /** The result says that the job cannot be done: nothing is shown. */
  claimsFault: boolean;
  /** The output with that hash; undefined when it is out of reach. */
  bytes: () => Promise<Uint8Array | undefined>;
}

/**
 * What a juror that computed `own` says about what was shown.
 *
 * An exact comparator needs no bytes: another hash is wrong, whoever hides the data; the same hash is right, and `withheld` when
 * the data is out of reach. A comparator that tolerates differences cannot speak about bytes that nobody has: then the shard
 * counts as withheld, which costs its holder more than it is paid.
 */
export async function voteOn(own: OwnShard, shown: ShownShard): Promise<Vote> {
  if (own.kind === 'fault') return 'specFault';
  // Whatever its bytes are: the job can be done.
  if (shown.claimsFault) return 'invalid';
  const exact = own.spec.comparator.kind === 'exact';
  const equal = own.hash === shown.hash && (!exact || own.units === shown.units);
  if (exact && !equal) return 'invalid';
  const bytes = await shown.bytes();
  if (bytes === undefined) return 'withheld';
  if (equal) return 'valid';
  const compare = own.compare ?? compareShards;
  const { same } = await compare(own.spec, singleOutput(own.spec, own.output), singleOutput(own.spec, bytes));
  return same ? 'valid' : 'invalid';
}

/**
 * Whether a node that computed `own` contradicts what was shown strongly enough to stake a bond on it. Undefined when that cannot be told:
 * data out of reach, or a module that fails here.
 */
export async function contradicts(own: OwnShard, shown: ShownShard): Promise<boolean | undefined> {
  const vote = await voteOn(own, shown);
  if (vote === 'invalid') return true;
  if (vote === 'valid') return false;
  return shown.claimsFault && vote === 'specFault' ? false : undefined;
}
