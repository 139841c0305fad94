import type { Needs } from '../resources/needs.ts';
import { Resources } from '../resources/resources.ts';

/** A machine with `slots` slots and more than enough of everything else. */
export function roomy(slots: number, over: Partial<Needs> = {}): Needs {
  return { slots, cores: 1_024, memoryBytes: 2 ** 40, vramBytes: 0, ...over };
}

/** Its books, by a clock that stands still. */
export function sampleResources(slots: number, over: Partial<Needs> = {}): Resources {
  return new Resources({ capacity: roomy(slots, over) }, { nowSeconds: () => 0 });
}

/** Work that nobody waits for. */
export const anyWork = {
  needs: { slots: 1, cores: 1, memoryBytes: 1, vramBytes: 0 },
  deadline: 1_000_000,
  seconds: 1,
};
