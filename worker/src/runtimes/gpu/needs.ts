import type { Needs, StatedNeeds } from '../../resources/needs.ts';

/**
 * What a shard on a graphics card takes. On hardware its `memoryBytes` lie in the card's memory, and once more in ours on their way; a software adapter keeps
 * both in ours, and computes on every core. `besideBytes` is what the process holds without a shard. Memory of a card that no tool tells of cannot be counted:
 * its driver refuses what does not fit.
 */
export function cardNeeds(
  { memoryBytes, besideBytes, software }: { memoryBytes: number; besideBytes: number; software: boolean },
  capacity: Needs,
): StatedNeeds {
  const held = { memoryBytes: 2 * memoryBytes + besideBytes };
  if (software) return { ...held, cores: capacity.cores };
  return capacity.vramBytes === 0 ? held : { ...held, vramBytes: memoryBytes };
}
