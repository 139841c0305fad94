/** How much, and how often. */
export interface BucketOptions {
  /** Uses that are possible at once. */
  readonly burst: number;
  /** Uses that come back per second. */
  readonly perSecond: number;
}

/** A token bucket per key. Keys whose bucket is full again are forgotten, so that strangers cannot fill the memory. */
export class Buckets {
  readonly #options: BucketOptions;
  readonly #mostKeys: number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param mostKeys Keys that are followed at once; the one that was used longest ago goes first. */
  constructor(options: BucketOptions, mostKeys = 16_384) {
    this.#options = options;
    this.#mostKeys = mostKeys;
  }

  /** Takes one use at time `now` (milliseconds); false when there is none. */
  take(key: string, now: number): boolean {
    const { burst, perSecond } = this.#options;
    const known = this.#buckets.get(key);
    const passed = known ? Math.max(0, now - known.at) : 0;
    const left = known ? Math.min(burst, known.left + (passed * perSecond) / 1_000) : burst;
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, at: now });
    this.#forget(now);
    return left >= 1;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Walks from the key that was used longest ago and stops at the first that still counts. */
  #forget(now: number): void {
    const { burst, perSecond } = this.#options;
    for (const [key, { left, at }] of this.#buckets) {
      const full = left + ((now - at) * perSecond) / 1_000 >= burst;
      if (!full && this.#buckets.size <= this.#mostKeys) return;
      this.#buckets.delete(key);
    }
  }
}
