import { claimsFault } from '@dpu/sdk/court';
import type { ManifestShard } from '@dpu/sdk/manifest';
import { merkleRoot, type ShardLeaf } from '@dpu/sdk/merkle';
import { zeroHash } from 'viem';

import type { KnownLease } from '../chain/chainBook.ts';
import type { Log } from '../log.ts';
import type { Shown } from './shown.ts';
import type { TrialRun } from './trialRun.ts';
import { voteOn } from './verdict.ts';

/** Most shards of a lease that are computed to show that a hidden manifest is the right one. */
const MOST_HIDDEN = 16;

/** What is examined: one shard of a lease that others have shown. */
export interface Examined {
  lease: KnownLease;
  shard: number;
  /** Leaves of the lease, where it was found right but out of reach before: then only its data is asked for again. */
  leaves?: readonly ShardLeaf[];
}

/** What was found. `wrong` and `hidden` come with what proves the shard; there are no leaves where the result says that the job cannot be done. */
export type Examination =
  { finding: 'same' | 'unknown' } | { finding: 'wrong' | 'hidden'; leaves: readonly ShardLeaf[] };

/** What shards are examined with. */
export interface ExamineDeps {
  trial: TrialRun;
  shown: Shown;
  log: Log;
}

/**
 * Computes a shard again and compares it with what was shown. `wrong` takes two runs that say so, because a bond hangs on it. `hidden`: this node
 * computes what the chain says, and the data cannot be had.
 */
export async function examine(examined: Examined, deps: ExamineDeps, signal: AbortSignal): Promise<Examination> {
  const { shown } = deps;
  const { lease: known, shard, leaves } = examined;
  const { job, lease, result } = known;
  if (!result) return { finding: 'unknown' };
  if (claimsFault(result)) return compare(examined, undefined, deps, signal);
  const manifest = await shown.manifest({ job, lease, result }, signal);
  const entry = manifest?.shards.find((one) => one.shard === shard);
  if (leaves) {
    const bytes = entry && (await shown.output(entry, entry.size, signal));
    return bytes ? { finding: 'same' } : { finding: 'hidden', leaves };
  }
  if (!manifest || !entry) return computeAll(examined, deps, signal);
  const found = await compare(examined, entry, deps, signal);
  return 'leaves' in found ? { ...found, leaves: manifest.shards } : found;
}

async function compare(
  { lease: { job, terms }, shard }: Examined,
  entry: ManifestShard | undefined,
  { trial, shown }: ExamineDeps,
  signal: AbortSignal,
): Promise<Examination> {
  for (let time = 0; time < 2; time += 1) {
    const own = await trial.run(job, terms, shard, signal);
    const vote = await voteOn(own, {
      hash: entry?.hash ?? zeroHash,
      units: entry?.units ?? 0n,
      claimsFault: entry === undefined,
      bytes: async () =>
        entry && own.kind === 'output'
          ? shown.output(entry, own.spec.limits.outputBytes, signal, own.secret)
          : undefined,
    });
    if (vote === 'valid' || (vote === 'specFault' && entry === undefined)) return { finding: 'same' };
    // What nobody has cannot be compared within a tolerance; the very bytes need no comparison.
    if (vote === 'withheld' && own.kind === 'output' && own.hash === entry?.hash)
      return { finding: 'hidden', leaves: [] };
    if (vote !== 'invalid') return { finding: 'unknown' };
  }
  return { finding: 'wrong', leaves: [] };
}

/** Without its manifest a result can only be proven by who has the same: so the whole lease is computed. */
async function computeAll(
  { lease: { job, terms, lease, result } }: Examined,
  { trial, log }: ExamineDeps,
  signal: AbortSignal,
): Promise<Examination> {
  const facts = { job, first: lease.first, node: lease.node };
  log.warn('A result of another node is out of reach', facts);
  if (lease.count > MOST_HIDDEN) return { finding: 'unknown' };
  const leaves: ShardLeaf[] = [];
  for (let shard = lease.first; shard < lease.first + lease.count; shard += 1) {
    const own = await trial.run(job, terms, shard, signal);
    if (own.kind === 'fault') return { finding: 'unknown' };
    leaves.push({ shard, hash: own.hash, units: own.units });
  }
  if (merkleRoot(leaves) === result?.root) return { finding: 'hidden', leaves };
  log.error('A result of another node differs and is hidden: nobody can prove which shard is wrong', facts);
  return { finding: 'unknown' };
}
