import type { CID } from 'multiformats/cid';
import { dataOf, missingBlockOf, rangeOf } from './backend.ts';
import type { CallOptions, PinOptions, ReadOptions, StorageBackend } from './backend.ts';
import { isRepeatable } from './bytes.ts';
import type { FileSource } from './bytes.ts';
import { parseCid, verifyBlock } from './cid.ts';
import type { CidLike } from './cid.ts';
import { downloadBlock, downloadFile } from './download.ts';
import type { DownloadDeps, GetHolders } from './download.ts';
import { DEFAULT_PATIENCE, GatewayRequest } from './gatewayRequest.ts';
import type { Patience } from './gatewayRequest.ts';
import { cutFile } from './unixfs.ts';
import type { StoredFile } from './unixfs.ts';
import { DEFAULT_UPLOAD, GatewayWriter, ShardSender } from './upload.ts';
import type { UploadOptions, WriterDeps } from './upload.ts';

/** Where an {@link HttpBackend} reads and writes. */
export interface HttpBackendOptions {
  /** Gateways to read a CID from, best first; asked again whenever one fails. */
  readonly getHolders: GetHolders;
  /** The gateway that takes our uploads and pins. */
  readonly writeTo: string;
  readonly patience?: Partial<Patience>;
  readonly upload?: Partial<UploadOptions>;
  /** Longest time for a pin that has to pull content from others, in milliseconds; 10 minutes if absent. */
  readonly pinMs?: number;
}

/** What an {@link HttpBackend} uses of the world; all optional. */
export interface HttpBackendDeps extends Partial<WriterDeps> {
  readonly onFailure?: DownloadDeps['onFailure'];
}

/**
 * The trustless-gateway client, in browsers and in Node: uploads in verified CAR shards, downloads that hash every block
 * and move on to another holder in mid-file.
 */
export class HttpBackend implements StorageBackend {
  readonly #options: HttpBackendOptions;
  readonly #patience: Patience;
  readonly #upload: UploadOptions;
  readonly #deps: DownloadDeps;
  readonly #writer: GatewayWriter;

  constructor(options: HttpBackendOptions, deps: HttpBackendDeps = {}) {
    // bound late, since browsers refuse to call fetch as another object's method
    const fetcher: typeof fetch = deps.fetch ?? ((input, init) => fetch(input, init));
    this.#options = options;
    this.#patience = { ...DEFAULT_PATIENCE, ...options.patience };
    this.#upload = { ...DEFAULT_UPLOAD, ...options.upload };
    this.#deps = { getHolders: options.getHolders, fetch: fetcher, onFailure: deps.onFailure };
    this.#writer = new GatewayWriter(options.writeTo, this.#upload, { fetch: fetcher, headers: deps.headers });
  }

  /**
   * Uploads a file and has it pinned. If the gateway says in the end that a block is missing (it restarted, or an earlier
   * upload of the same file was cut short), a source that can be read twice is sent again, skipping what is there.
   */
  async addFile(source: FileSource, { signal }: CallOptions = {}): Promise<StoredFile> {
    const file = await this.#send(source, undefined, signal);
    try {
      await this.#commit(file.cid, {}, signal);
      return file;
    } catch (error) {
      if (!missingBlockOf(error) || !isRepeatable(source)) throw error;
    }
    await this.#send(source, (cid) => this.#exists(this.#options.writeTo, cid, signal), signal);
    await this.#commit(file.cid, {}, signal);
    return file;
  }

  async *readFile(cid: CidLike, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const root = parseCid(cid);
    const range = rangeOf(options);
    if (range.from === range.to) return;
    yield* dataOf(root, downloadFile(root, range, this.#patience, this.#deps, options.signal), options);
  }

  async putBlock(cid: CidLike, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<void> {
    const parsed = parseCid(cid);
    await verifyBlock(parsed, bytes);
    const sender = new ShardSender(this.#writer, this.#upload, signal);
    await sender.add({ cid: parsed, bytes });
    await sender.finish();
    await this.#commit(parsed, {}, signal);
  }

  async getBlock(cid: CidLike, { signal }: CallOptions = {}): Promise<Uint8Array> {
    return downloadBlock(parseCid(cid), this.#patience, this.#deps, signal);
  }

  async has(cid: CidLike, { signal }: CallOptions = {}): Promise<boolean> {
    const parsed = parseCid(cid);
    for (const holder of await this.#options.getHolders(parsed.toString())) {
      if (await this.#exists(holder, parsed, signal)) return true;
    }
    return false;
  }

  /** Has the write gateway keep `cid`, pulling what it lacks from the other holders. */
  async pin(cid: CidLike, { signal, walk = 'none' }: PinOptions = {}): Promise<void> {
    const parsed = parseCid(cid);
    const holders = await this.#options.getHolders(parsed.toString());
    const origins = holders.filter((holder) => holder !== this.#options.writeTo);
    const body = JSON.stringify({ cid: parsed.toString(), origins, walk });
    await this.#writer.post('/pins', 'application/json', body, signal, this.#options.pinMs ?? 600_000);
  }

  async #send(source: FileSource, skip?: (cid: CID) => Promise<boolean>, signal?: AbortSignal): Promise<StoredFile> {
    const sender = new ShardSender(this.#writer, this.#upload, signal);
    try {
      const file = await cutFile(
        source,
        async (block) => {
          if (skip && (await skip(block.cid))) return;
          await sender.add(block);
        },
        signal,
      );
      await sender.finish();
      return file;
    } catch (error) {
      await sender.settled();
      throw error;
    }
  }

  async #commit(cid: CID, { walk = 'none' }: PinOptions, signal?: AbortSignal): Promise<void> {
    await this.#writer.post(`/v1/commit/${cid}?walk=${walk}`, 'application/json', '{}', signal);
  }

  async #exists(holder: string, cid: CID, signal?: AbortSignal): Promise<boolean> {
    const request = new GatewayRequest(holder, `/ipfs/${cid}?format=raw`, this.#patience, this.#deps.fetch, signal);
    try {
      return await request.exists();
    } catch {
      // a holder that does not answer does not have it; only the caller's own abort is an error
      signal?.throwIfAborted();
      return false;
    } finally {
      request.close();
    }
  }
}
