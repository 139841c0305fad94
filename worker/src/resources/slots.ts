/**
 * Bounded parallelism. Claiming promises shards, running takes a slot for each; a claim is made only for what fits, so that no bond
 * hangs on a machine that is busy with something else.
 */
export class Slots {
  readonly #capacity: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #promised = 0;

  /** `capacity`: how many shards run at once. */
  constructor({ capacity }: { capacity: number }) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Shards that run right now. */
  get running(): number {
    return this.#running;
  }

  /** Slots that no promised shard will need. */
  get free(): number {
    return Math.max(0, this.#capacity - this.#promised);
  }

  /** Promises `count` shards; the function that it answers with takes back one of them, each time. */
  promise(count: number): () => void {
    let left = count;
    this.#promised += count;
    return () => {
      if (left === 0) return;
      left -= 1;
      this.#promised -= 1;
    };
  }

  /** Runs `task` as soon as a slot is free. Gives up waiting when aborted. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire(signal);
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    while (this.#running >= this.#capacity) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          const at = this.#waiting.indexOf(wake);
          if (at >= 0) this.#waiting.splice(at, 1);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    signal.throwIfAborted();
    this.#running += 1;
  }
}
