import type { Status } from '@dpu/sdk/api';

/** How long an index may stay at a block that the chain has left behind: no block takes so long. */
export const STILL_MS = 120_000;

/** Tells when an index does not move although the chain does: after a connection to the database broke, Ponder may wait for ever. */
export class Standstill {
  readonly #now: () => number;
  #block = -1;
  #since = 0;

  /** @param deps `now`: milliseconds of a clock that never goes back. */
  constructor(deps: { now: () => number }) {
    this.#now = deps.now;
  }

  /** Takes the next look; true when it has stood still for too long. */
  look({ indexing, block, head }: Pick<Status, 'indexing' | 'block' | 'head'>): boolean {
    const isBehind = !indexing && head !== null && head.number > block;
    if (!isBehind || block !== this.#block) {
      this.#block = block;
      this.#since = this.#now();
      return false;
    }
    return this.#now() - this.#since >= STILL_MS;
  }
}
