import { untrack } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';

export interface ResourceOptions<Value> {
  load: (signal: AbortSignal) => Promise<Value>;
  /** Calls back whenever the answer may have changed, until the returned function is called. */
  changes?: (notify: () => void) => () => void;
}

/**
 * Something that is fetched and stays fresh while someone looks at it. The last good answer stays visible while a new one
 * is on its way and when the new one fails. Loads never overlap: changes that arrive meanwhile lead to one more load.
 */
export class Resource<Value> {
  #options: ResourceOptions<Value>;
  #value = $state.raw<Value>();
  #error = $state.raw<unknown>();
  #loaded = $state(false);
  #busy = false;
  #again = false;
  #stop: AbortController | undefined;
  #reader = createSubscriber(() => {
    this.#stop = new AbortController();
    const unsubscribe = this.#options.changes?.(() => void this.refresh());
    // Not within the read that starts us: a state may not change while a view is computed.
    queueMicrotask(() => void this.refresh());
    return () => {
      unsubscribe?.();
      this.#stop?.abort();
      this.#stop = undefined;
      this.#busy = false;
      this.#again = false;
    };
  });

  constructor(options: ResourceOptions<Value>) {
    this.#options = options;
  }

  /** The last good answer. */
  get value(): Value | undefined {
    this.#reader();
    return this.#value;
  }

  /** The last good answer, for code that only wants to look: it neither starts loading nor is told of changes. */
  get latest(): Value | undefined {
    return untrack(() => this.#value);
  }

  /** Why the last load failed; undefined after a good one. */
  get error(): unknown {
    this.#reader();
    return this.#error;
  }

  /** No answer yet, good or bad. */
  get pending(): boolean {
    this.#reader();
    return !this.#loaded;
  }

  async refresh(): Promise<void> {
    const stop = this.#stop;
    if (!stop) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      const value = await this.#options.load(stop.signal);
      if (stop.signal.aborted) return;
      this.#value = value;
      this.#error = undefined;
    } catch (error) {
      if (stop.signal.aborted) return;
      this.#error = error;
    } finally {
      if (!stop.signal.aborted) {
        this.#loaded = true;
        this.#busy = false;
      }
    }
    if (this.#again && !stop.signal.aborted) {
      this.#again = false;
      await this.refresh();
    }
  }
}
