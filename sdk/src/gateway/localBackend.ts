import type { CID } from 'multiformats/cid';
import { dataOf, rangeOf } from '../storage/backend.ts';
import type { CallOptions, PinOptions, ReadOptions, StorageBackend } from '../storage/backend.ts';
import type { FileSource } from '../storage/bytes.ts';
import { parseCid } from '../storage/cid.ts';
import type { CidLike } from '../storage/cid.ts';
import { cutFile, walkFile } from '../storage/unixfs.ts';
import type { StoredFile } from '../storage/unixfs.ts';
import { pinComplete } from './complete.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import { OWN } from './pinSet.ts';
import type { PinSet } from './pinSet.ts';

/** What a {@link LocalBackend} stands on; a running gateway has both. */
export interface LocalBackendDeps {
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  /** Until when what is stored here is kept, in Unix milliseconds; for ever if absent. Asked for every file and block. */
  readonly keepUntilMs?: (() => number) | undefined;
}

/** This process's own block store as a backend: where a node puts its results before anybody asks for them. */
export class LocalBackend implements StorageBackend {
  readonly #store: FileBlockstore;
  readonly #deps: LocalBackendDeps;

  constructor(deps: LocalBackendDeps) {
    this.#store = deps.store;
    this.#deps = deps;
  }

  async addFile(source: FileSource, { signal }: CallOptions = {}): Promise<StoredFile> {
    const file = await cutFile(source, ({ cid, bytes }) => this.#store.putVerified(cid, bytes), signal);
    await this.#pin(file.cid, 'none');
    return file;
  }

  async *readFile(cid: CidLike, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const root = parseCid(cid);
    const range = rangeOf(options);
    if (range.from === range.to) return;
    const blocks = walkFile(root, (block) => this.getBlock(block, options), range);
    yield* dataOf(root, blocks, options);
  }

  async putBlock(cid: CidLike, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const parsed = parseCid(cid);
    await this.#store.put(parsed, bytes);
    await this.#pin(parsed, 'none');
  }

  async getBlock(cid: CidLike, { signal }: CallOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    return this.#store.get(parseCid(cid));
  }

  async has(cid: CidLike): Promise<boolean> {
    return this.#store.has(parseCid(cid));
  }

  /** Pins what is here; fetching is the caller's job, so a gap is a `MissingBlockError`. */
  async pin(cid: CidLike, { walk = 'none' }: PinOptions = {}): Promise<void> {
    await this.#pin(parseCid(cid), walk);
  }

  async #pin(root: CID, walk: 'none' | 'links'): Promise<void> {
    const untilMs = this.#deps.keepUntilMs?.() ?? null;
    await pinComplete(this.#deps, root, { walk, hold: ({ bytes }) => ({ by: OWN.by, untilMs, bytes }) });
  }
}
