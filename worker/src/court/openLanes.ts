import { setImmediate } from 'node:timers/promises';

import { seedOf, walkOf } from '@dpu/sdk/capability/benchmarks';
import { LANE_BYTES, laneOf, openedLanes } from '@dpu/sdk/capability/lanes';
import { claimsFault } from '@dpu/sdk/court';
import { hexToBytes } from 'viem';

import type { Workspace } from '../work/workspace.ts';
import type { Examination, Examined } from './examine.ts';
import type { Shown } from './shown.ts';

/** Lanes that are opened: half of the lanes forged passes once in 65,536 times. */
const OPENED = 16;

/** What proofs are opened with. */
export interface OpenLanesDeps {
  workspace: Pick<Workspace, 'spec'>;
  shown: Pick<Shown, 'manifest' | 'output'>;
}

/**
 * Checks what a node shows as the proof of its tier (docs/capability.md) without the memory and speed that the tier is about: computes random lanes of it again. A
 * lane is computed alike everywhere, so one wrong lane is enough. `unknown`: the proof, or its spec, is out of reach.
 */
export async function openLanes(
  { lease: { job, lease, terms, result }, shard }: Examined,
  { workspace, shown }: OpenLanesDeps,
  signal: AbortSignal,
): Promise<Examination> {
  if (!result || claimsFault(result)) return { finding: 'unknown' };
  const manifest = await shown.manifest({ job, lease, result }, signal);
  const entry = manifest?.shards.find((one) => one.shard === shard);
  const output = entry && (await shown.output(entry, entry.size, signal));
  if (!manifest || !output) return { finding: 'unknown' };
  const spec = await workspace.spec(terms, signal);
  const walk = walkOf(spec);
  const wrong = { finding: 'wrong', leaves: manifest.shards } as const;
  if (output.length !== LANE_BYTES * walk.lanes) return wrong;
  const seed = seedOf(spec.runtime === 'wgsl' ? 'wgsl' : 'wasm', hexToBytes(terms.spec));
  const view = new DataView(output.buffer, output.byteOffset, output.length);
  for (const lane of openedLanes(output, walk.lanes, OPENED)) {
    if (view.getUint32(LANE_BYTES * lane, true) !== laneOf(seed, walk, lane)) return wrong;
    await setImmediate(); // A lane takes milliseconds, during which nothing else is done.
    signal.throwIfAborted();
  }
  return { finding: 'same' };
}
