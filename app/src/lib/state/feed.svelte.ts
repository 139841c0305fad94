/* eslint-disable svelte/prefer-svelte-reactivity -- nobody watches the list of listeners */
import { createApi, type Api } from '@dpu/sdk/api';
import { createSubscriber } from 'svelte/reactivity';

/** Milliseconds between two tries to reach an indexer that does not answer. */
const RETRY_MS = 3_000;

/**
 * The indexer's API, whether it answers, and one live stream that everything on the page shares. When the indexer comes
 * back after an outage, whoever listens is told once, because changes were missed.
 */
export class Feed {
  readonly api: Api;
  #url: string;
  #down = $state(false);
  #listeners = new Set<() => void>();
  #stop: (() => void) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch = createSubscriber(() => () => undefined);

  constructor(url: string) {
    this.#url = url;
    this.api = createApi(url, { fetch: (input, init) => this.#fetch(input, init) });
  }

  /** The indexer did not answer when it was last asked. */
  get down(): boolean {
    this.#watch();
    return this.#down;
  }

  /** Calls `notify` after every change on chain, until the returned function is called. */
  readonly changes = (notify: () => void): (() => void) => {
    this.#listeners.add(notify);
    this.#stop ??= this.api.live(() => this.#tell());
    return () => {
      this.#listeners.delete(notify);
      // Navigation drops the last listener a moment before the next page adds its own.
      setTimeout(() => {
        if (this.#listeners.size) return;
        this.#stop?.();
        this.#stop = undefined;
      }, 1_000);
    };
  };

  #tell(): void {
    for (const notify of [...this.#listeners]) notify();
  }

  async #fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    try {
      const response = await fetch(input, init);
      this.#answered();
      return response;
    } catch (error) {
      if (!init?.signal?.aborted) this.#silent();
      throw error;
    }
  }

  #answered(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (!this.#down) return;
    this.#down = false;
    this.#tell();
  }

  #silent(): void {
    this.#down = true;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.#fetch(`${this.#url}/ready`).catch(() => undefined);
    }, RETRY_MS);
  }
}
