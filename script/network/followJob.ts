import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { jobHistory, type JobHistory } from '@dpu/sdk/history';

import type { Network } from './network.ts';

/** How far the shards of a job are; with several seats every shard counts once for each. */
export interface Progress {
  shards: number;
  claimed: number;
  committed: number;
  revealed: number;
  settled: number;
  state: JobHistory['state'];
}

/** Counts a job's shards by how far they came; later phases count as earlier ones too. */
export function progressOf(history: JobHistory): Progress {
  const progress: Progress = {
    shards: history.terms.shards * history.terms.seats,
    claimed: 0,
    committed: 0,
    revealed: 0,
    settled: 0,
    state: history.state,
  };
  for (const { state, lease } of history.leases) {
    if (state === 'lapsed') continue;
    progress.claimed += lease.count;
    if (state !== 'claimed') progress.committed += lease.count;
    if (state === 'revealed' || state === 'settled') progress.revealed += lease.count;
    if (state === 'settled') progress.settled += lease.count;
  }
  return progress;
}

/** Thrown when a job ended without being complete, or not in time. */
export class JobNotDone extends Error {
  constructor(id: Hex, why: string) {
    super(`Job ${id} ${why}.`);
    this.name = 'JobNotDone';
  }
}

/** Waits until a job is complete, reporting each change. @throws JobNotDone */
export async function followJob(
  network: Network,
  id: Hex,
  options: { onProgress?: (progress: Progress) => void; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<JobHistory> {
  const until = performance.now() + (options.timeoutMs ?? 15 * 60_000);
  let last = '';
  for (;;) {
    options.signal?.throwIfAborted();
    const history = await jobHistory(network.local.publicClient, network.deployment, id, { gas: false });
    const progress = progressOf(history);
    const text = JSON.stringify(progress);
    if (text !== last) options.onProgress?.(progress);
    last = text;
    if (history.state === 'complete') return jobHistory(network.local.publicClient, network.deployment, id);
    if (history.state === 'closed') throw new JobNotDone(id, 'was closed before every shard was settled');
    if (performance.now() > until) throw new JobNotDone(id, 'was not complete in time');
    await sleep(400, undefined, options.signal ? { signal: options.signal } : {});
  }
}
