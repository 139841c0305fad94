import { keyOf } from './fileBlockstore.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import { reachable } from './complete.ts';
import type { PinSet } from './pinSet.ts';
import { parseCid } from '../storage/cid.ts';

/** What a collection did. */
export interface Collected {
  readonly blocks: number;
  readonly bytes: number;
}

/**
 * Ends the pins whose time is over, then removes the blocks that no pin reaches and that were not touched for `minAgeMs` milliseconds (uploads under way are
 * younger). Waits for pins being made and holds up new ones while it runs, so that nothing is pinned and swept at once.
 */
export async function collectGarbage(
  { store, pins }: { store: FileBlockstore; pins: PinSet },
  { minAgeMs, nowMs = Date.now() }: { minAgeMs: number; nowMs?: number },
): Promise<Collected> {
  return pins.alone(async () => {
    await pins.expire(nowMs);
    const kept = new Set<string>();
    for (const { cid, walk } of pins.list()) {
      // a damaged pin still keeps what is left of it
      for await (const block of reachable(store, parseCid(cid), walk, () => {})) kept.add(keyOf(block.cid));
    }
    let blocks = 0;
    let bytes = 0;
    for await (const block of store.list()) {
      if (kept.has(block.key) || nowMs - block.modifiedMs < minAgeMs) continue;
      await block.remove();
      blocks += 1;
      bytes += block.bytes;
    }
    return { blocks, bytes };
  });
}
