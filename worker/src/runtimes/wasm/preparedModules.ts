import { createHash } from 'node:crypto';
import type { ShardRequest } from '../runtime.ts';
import { MAX_PAGES, PAGE_BYTES } from './child/limits.ts';

const KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Rewritten modules, so that one is made once and not for every shard. They come back from children, which are trusted with
 * nothing, and go to other children only: nothing here reads them. A child that lied could make the shards of its own
 * module wrong, as it could without. Kept by what they were made of: the module's digest and the cap of its memory.
 */
export class PreparedModules {
  readonly #digests = new WeakMap<Uint8Array, string>();
  /** In the order of their last use. */
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;

  /** The rewritten module, when there is one. */
  find(request: Pick<ShardRequest, 'module' | 'limits'>): Uint8Array | undefined {
    const key = this.#key(request);
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  /** Keeps what a child made of the request's module; the least used go when there are too many. */
  keep(request: Pick<ShardRequest, 'module' | 'limits'>, prepared: Uint8Array): void {
    const key = this.#key(request);
    if (this.#kept.has(key) || prepared.length > KEPT_BYTES) return;
    this.#kept.set(key, prepared);
    this.#bytes += prepared.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }

  #key({ module, limits }: Pick<ShardRequest, 'module' | 'limits'>): string {
    let digest = this.#digests.get(module);
    if (digest === undefined) {
      digest = createHash('sha256').update(module).digest('hex');
      this.#digests.set(module, digest);
    }
    return `${digest} ${Math.min(MAX_PAGES, Math.floor(limits.memoryBytes / PAGE_BYTES))}`;
  }
}
