import { create } from 'kubo-rpc-client';
import type { KuboRPCClient } from 'kubo-rpc-client';
import type { CID } from 'multiformats/cid';
import { dataOf, rangeOf } from './backend.ts';
import type { CallOptions, PinOptions, ReadOptions, StorageBackend } from './backend.ts';
import { chunksOf, iterate } from './bytes.ts';
import type { FileSource } from './bytes.ts';
import { codecOf, parseCid, UNIXFS_V1_2025, verifyBlock } from './cid.ts';
import type { CidLike } from './cid.ts';
import { GatewayError, NotFoundError, reasonOf, StorageError, WrongCidError } from './errors.ts';
import { cutFile, walkFile } from './unixfs.ts';
import type { StoredFile } from './unixfs.ts';

/** Which Kubo node to use. */
export interface KuboBackendOptions {
  /** The RPC API's URL, such as `http://127.0.0.1:5001`. It must not be open to strangers: it can do anything. */
  readonly url: string;
  /**
   * Longest time to look for one block, in milliseconds; 30 s if absent. Kubo searches the network for ever, so a
   * block that is not found in this time counts as not found.
   */
  readonly blockMs?: number;
}

/** Kubo's own option names, of which the client's types lack the newer ones. */
const ADD_OPTIONS = {
  cidVersion: UNIXFS_V1_2025.cidVersion,
  rawLeaves: UNIXFS_V1_2025.rawLeaves,
  chunker: `size-${UNIXFS_V1_2025.chunkBytes}`,
  maxFileLinks: UNIXFS_V1_2025.maxLinks,
  pin: true,
} as const;

/**
 * A Kubo node by its RPC API, so that public IPFS can serve and pin everything. The node is not believed: a file's CID
 * is computed here while it is added, and every block read is hashed.
 */
export class KuboBackend implements StorageBackend {
  readonly #client: KuboRPCClient;
  readonly #url: string;
  readonly #blockMs: number;

  constructor({ url, blockMs = 30_000 }: KuboBackendOptions) {
    this.#client = create({ url });
    this.#url = url;
    this.#blockMs = blockMs;
  }

  async addFile(source: FileSource, { signal }: CallOptions = {}): Promise<StoredFile> {
    const copy = new TransformStream<Uint8Array, Uint8Array>();
    const hashing = cutFile(iterate(copy.readable), async () => {}, signal);
    hashing.catch(() => {});
    const [added, file] = await this.#call(signal, async () => [
      await this.#client.add(tee(source, copy.writable, signal), { ...ADD_OPTIONS, ...(signal && { signal }) }),
      await hashing,
    ]);
    checkSame(file.cid, added.cid);
    return file;
  }

  async *readFile(cid: CidLike, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const root = parseCid(cid);
    const range = rangeOf(options);
    if (range.from === range.to) return;
    const blocks = walkFile(root, (block) => this.getBlock(block, options), { ...range, ahead: 8 });
    yield* dataOf(root, blocks, options);
  }

  async putBlock(cid: CidLike, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<void> {
    const parsed = parseCid(cid);
    await verifyBlock(parsed, bytes);
    const options = { version: 1, mhtype: 'sha2-256', pin: true, cidCodec: codecOf(parsed), ...(signal && { signal }) };
    const stored = await this.#call(signal, () => this.#client.block.put(bytes, options as object));
    checkSame(parsed, stored);
  }

  async getBlock(cid: CidLike, { signal }: CallOptions = {}): Promise<Uint8Array> {
    const parsed = parseCid(cid);
    const bytes = await this.#find(parsed, signal, (until) => this.#client.block.get(parsed, { signal: until }));
    await verifyBlock(parsed, bytes);
    return bytes;
  }

  async has(cid: CidLike, { signal }: CallOptions = {}): Promise<boolean> {
    const parsed = parseCid(cid);
    try {
      await this.#find(parsed, signal, (until) => this.#client.block.stat(parsed, { signal: until }));
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /** Pins recursively; Kubo always follows the links of dag-cbor blocks, whatever `walk` says. */
  async pin(cid: CidLike, { signal }: PinOptions = {}): Promise<void> {
    const parsed = parseCid(cid);
    await this.#call(signal, () => this.#client.pin.add(parsed, signal ? { signal } : {}), parsed);
  }

  async #find<T>(cid: CID, signal: AbortSignal | undefined, ask: (until: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(this.#blockMs);
    const until = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await this.#call(signal, () => ask(until), cid);
    } catch (error) {
      if (timeout.aborted) throw new NotFoundError(cid.toString(), [this.#url]);
      throw error;
    }
  }

  /** Runs a call and gives its failure a type; Kubo itself has only texts. */
  async #call<T>(signal: AbortSignal | undefined, call: () => Promise<T>, cid?: CID): Promise<T> {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof StorageError) throw error;
      if (cid && /not found|could not find/i.test(reasonOf(error))) {
        throw new NotFoundError(cid.toString(), [this.#url]);
      }
      throw new GatewayError(this.#url, reasonOf(error), error);
    }
  }
}

function checkSame(expected: CID, actual: CID): void {
  const [want, got] = [expected.toString(), actual.toString()];
  if (want !== got) throw new WrongCidError(want, got);
}

/** Passes `source` through while writing it to `copy` too, at the pace of the slower. */
async function* tee(
  source: FileSource,
  copy: WritableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = copy.getWriter();
  try {
    // Kubo's client makes no file of a source without chunks
    yield new Uint8Array(0);
    for await (const chunk of chunksOf(source, signal)) {
      await writer.write(chunk);
      yield chunk;
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}
