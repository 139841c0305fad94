import { createSubscriber } from 'svelte/reactivity';

import { latestBlock, type Block } from './rpc.ts';

export interface HeadOptions {
  rpcUrl: string;
  /** Milliseconds between two looks at the chain. */
  everyMs: number;
}

/** The newest block as reactive state, asked for only while someone reads it and the page is visible. */
export class Head {
  #options: HeadOptions;
  #block = $state.raw<Block>();
  #failed = $state(false);
  #reader = createSubscriber(() => {
    const stop = new AbortController();
    void this.#follow(stop.signal);
    return () => stop.abort();
  });

  constructor(options: HeadOptions) {
    this.#options = options;
  }

  get block(): Block | undefined {
    this.#reader();
    return this.#block;
  }

  /** The last look failed: what is shown may be old. */
  get failed(): boolean {
    this.#reader();
    return this.#failed;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    while (!signal.aborted) {
      if (document.visibilityState === 'visible') await this.#look(signal);
      await pause(this.#options.everyMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      const block = await latestBlock(this.#options.rpcUrl, signal);
      if (block.number !== this.#block?.number) this.#block = block;
      this.#failed = false;
    } catch {
      if (!signal.aborted) this.#failed = true;
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
