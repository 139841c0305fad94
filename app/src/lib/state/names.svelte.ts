/* eslint-disable svelte/prefer-svelte-reactivity -- reading a name may not subscribe to the list of asked ones */
import { SvelteMap } from 'svelte/reactivity';

export interface NamesOptions {
  /** Reads the name in the spec with this digest. */
  load: (digest: string) => Promise<string>;
  /** How many specs are fetched at the same time. */
  parallel?: number;
}

/** Names of jobs by their spec's digest. The chain knows digests only; names are fetched behind the page and may stay unknown. */
export class Names {
  #options: Required<NamesOptions>;
  #known = new SvelteMap<string, string>();
  #asked = new Set<string>();
  #queue: string[] = [];
  #running = 0;

  constructor(options: NamesOptions) {
    this.#options = { parallel: 3, ...options };
  }

  /** The name, once it is known. Text of a stranger: show it, never interpret it. */
  of(digest: string): string | undefined {
    const known = this.#known.get(digest);
    if (known === undefined && !this.#asked.has(digest)) {
      this.#asked.add(digest);
      this.#queue.push(digest);
      // Not within the read: a view is being computed.
      queueMicrotask(() => this.#work());
    }
    return known;
  }

  #work(): void {
    while (this.#running < this.#options.parallel) {
      const digest = this.#queue.shift();
      if (digest === undefined) return;
      this.#running += 1;
      void this.#options
        .load(digest)
        .then((name) => this.#known.set(digest, name))
        .catch(() => undefined)
        .finally(() => {
          this.#running -= 1;
          this.#work();
        });
    }
  }
}
