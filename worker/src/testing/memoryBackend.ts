import { readAll, type StorageBackend } from '@dpu/sdk/storage/backend';
import type { FileSource } from '@dpu/sdk/storage/bytes';
import { parseCid, type CidLike } from '@dpu/sdk/storage/cid';
import { NotFoundError } from '@dpu/sdk/storage/errors';
import { cutFile, type StoredFile } from '@dpu/sdk/storage/unixfs';

/** A store in memory. `calls` lists what was asked of it. */
export class MemoryBackend implements StorageBackend {
  readonly blocks = new Map<string, Uint8Array>();
  readonly #files = new Map<string, Uint8Array>();
  readonly calls: string[] = [];

  async addFile(source: FileSource): Promise<StoredFile> {
    const file = await cutFile(source, async ({ cid, bytes }) => {
      this.blocks.set(cid.toString(), bytes);
    });
    this.calls.push(`add ${file.cid}`);
    if (source instanceof Uint8Array) this.#files.set(file.cid.toString(), source);
    return file;
  }

  async *readFile(
    cid: CidLike,
    { maxBytes = Infinity }: { maxBytes?: number | undefined } = {},
  ): AsyncGenerator<Uint8Array> {
    this.calls.push(`read ${cid}`);
    const bytes = this.#files.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString(), []);
    if (bytes.length > maxBytes) throw Object.assign(new Error('too big'), { name: 'FileTooBigError' });
    yield bytes;
  }

  async putBlock(cid: CidLike, bytes: Uint8Array): Promise<void> {
    this.calls.push(`put ${cid}`);
    this.blocks.set(parseCid(cid).toString(), bytes);
  }

  async getBlock(cid: CidLike): Promise<Uint8Array> {
    this.calls.push(`get ${cid}`);
    const bytes = this.blocks.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString(), []);
    return bytes;
  }

  async has(cid: CidLike): Promise<boolean> {
    return this.blocks.has(cid.toString()) || this.#files.has(cid.toString());
  }

  async pin(cid: CidLike, { walk = 'none' }: { walk?: 'none' | 'links' | undefined } = {}): Promise<void> {
    this.calls.push(`pin ${cid} ${walk}`);
  }

  /** The bytes of a file as text. */
  async text(cid: CidLike): Promise<string> {
    return Buffer.from(await readAll(this, cid, 1_000_000)).toString();
  }
}
