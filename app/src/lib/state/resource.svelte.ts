import { untrack } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';

import { Loader } from './loader.ts';

export interface ResourceOptions<Value> {
  load: (signal: AbortSignal) => Promise<Value>;
  /** Calls back whenever the answer may have changed, until the returned function is called. */
  changes?: (notify: () => void) => () => void;
}

/**
 * Something that is fetched and stays fresh while someone looks at it. The last good answer stays visible while a new one
 * is on its way and when the new one fails.
 */
export class Resource<Value> {
  #value = $state.raw<Value>();
  #error = $state.raw<unknown>();
  #loaded = $state(false);
  #loader: Loader<Value>;
  #reader: () => void;

  constructor({ load, changes }: ResourceOptions<Value>) {
    this.#loader = new Loader({
      load,
      onEnd: (outcome) => {
        this.#loaded = true;
        if ('value' in outcome) this.#value = outcome.value;
        this.#error = 'error' in outcome ? outcome.error : undefined;
      },
    });
    this.#reader = createSubscriber(() => {
      this.#loader.start();
      const unsubscribe = changes?.(() => void this.refresh());
      // Not within the read that starts us: a state may not change while a view is computed.
      queueMicrotask(() => void this.refresh());
      return () => {
        unsubscribe?.();
        this.#loader.stop();
      };
    });
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

  /** Asks again. Ends when the answer has come. */
  refresh(): Promise<void> {
    return this.#loader.refresh();
  }
}
