/* eslint-disable svelte/prefer-svelte-reactivity -- nobody watches the list of listeners */
import { createApi, type Api } from '@dpu/sdk/api';
import { createSubscriber } from 'svelte/reactivity';

import type { Block } from '../chain/rpc.ts';

/** Milliseconds between two tries to reach an indexer that does not answer. */
const RETRY_MS = 3_000;
/** Milliseconds after which an answer is not awaited any more. */
const MOST_MS = 10_000;
/** Milliseconds between two looks at how far it is. */
const LOOK_MS = 5_000;
/** So many failures of the server one after the other, and it counts as one that does not answer. */
const FAILURES = 2;

/** How far an indexer is: Ponder's `/status`, by chain. */
type Status = Record<string, { id?: unknown; block?: { number?: unknown; timestamp?: unknown } }>;

/**
 * The indexer's API, whether it answers, and one live stream that everything on the page shares. When the indexer comes
 * back after an outage, whoever listens is told once, because changes were missed.
 */
export class Feed {
  readonly api: Api;
  readonly url: string;
  #down = $state(false);
  #listeners = new Set<() => void>();
  #stop: (() => void) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch = createSubscriber(() => () => undefined);
  #failures = 0;
  #chainId: number;
  #indexed = $state.raw<Block>();
  #alone = $state(false);
  #looking = createSubscriber(() => {
    const look = (): void => void (document.visibilityState === 'visible' && this.#look());
    const timer = setInterval(look, LOOK_MS);
    look();
    return () => clearInterval(timer);
  });

  constructor(url: string, chainId: number) {
    this.url = url.replace(/\/+$/, '');
    this.#chainId = chainId;
    this.api = createApi(url, { fetch: (input, init) => this.fetch(input, init) });
  }

  /** The indexer did not answer when it was last asked. */
  get down(): boolean {
    this.#watch();
    return this.#down;
  }

  /** The newest block that the indexer has worked off; undefined while it has not said. Asked for while someone reads it. */
  get indexed(): Block | undefined {
    this.#looking();
    return this.#indexed;
  }

  /** The person has decided to go on by the chain alone: what the indexer tells otherwise stops nobody any more. */
  get alone(): boolean {
    return this.#alone;
  }

  goAlone(): void {
    this.#alone = true;
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

  async #look(): Promise<void> {
    const answer = await this.fetch(`${this.url}/status`).catch(() => undefined);
    const status = answer?.ok ? ((await answer.json().catch(() => undefined)) as Status | undefined) : undefined;
    const { number, timestamp } = Object.values(status ?? {}).find(({ id }) => id === this.#chainId)?.block ?? {};
    if (typeof number === 'number' && typeof timestamp === 'number') this.#indexed = { number, timestamp };
  }

  /** As the platform's; takes note of whether the indexer answers. */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const limit = AbortSignal.timeout(MOST_MS);
    try {
      const response = await fetch(input, {
        ...init,
        signal: init?.signal ? AbortSignal.any([init.signal, limit]) : limit,
      });
      if (response.status < 500) this.#answered();
      else if ((this.#failures += 1) >= FAILURES) this.#silent();
      return response;
    } catch (error) {
      if (!init?.signal?.aborted) this.#silent();
      throw error;
    }
  }

  #answered(): void {
    this.#failures = 0;
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
      void this.fetch(`${this.url}/v1/stats`).catch(() => undefined);
    }, RETRY_MS);
  }
}
