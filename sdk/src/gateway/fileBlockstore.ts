import { hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { base32 } from 'multiformats/bases/base32';
import type { CID } from 'multiformats/cid';
import { checkCid, MAX_BLOCK_BYTES, verifyBlock } from '../storage/cid.ts';
import { CorruptBlockError, NotFoundError, QuotaExceededError } from '../storage/errors.ts';

/** Where blocks are kept and how many. */
export interface FileBlockstoreOptions {
  /** Folder of the blocks; made if absent. One process at a time may own it. */
  readonly dir: string;
  /** Largest block taken, in bytes. */
  readonly maxBlockBytes?: number | undefined;
  /** Bytes of blocks to hold at most; unlimited if absent. */
  readonly quotaBytes?: number | undefined;
}

/** What the store holds. */
export interface StoreSize {
  readonly blocks: number;
  /** Bytes of blocks, without the file system's own rounding. */
  readonly bytes: number;
}

const SUFFIX = '.blk';
const SET_ASIDE = '.bad';

/**
 * Blocks in files, one each, named by their multihash, so one block is kept once whatever codec it is asked by.
 * A file appears under its name only when complete and on the disk's platter (write, fdatasync, rename), and is hashed
 * whenever it is read: disks do tear and rot, and a wrong byte must never leave this class.
 */
export class FileBlockstore {
  readonly #dir: string;
  readonly #maxBlockBytes: number;
  readonly #quotaBytes: number;
  readonly #writing = new Map<string, Promise<void>>();
  readonly #folders = new Set<string>();
  readonly #unsynced = new Set<string>();
  #flushing: Promise<void> = Promise.resolve();
  #blocks = 0;
  #bytes = 0;
  #reserved = 0;
  #serial = 0;

  private constructor(options: FileBlockstoreOptions) {
    this.#dir = options.dir;
    this.#maxBlockBytes = options.maxBlockBytes ?? MAX_BLOCK_BYTES;
    this.#quotaBytes = options.quotaBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Opens the folder, removes what a crash left half-written, and counts what is there. */
  static async open(options: FileBlockstoreOptions): Promise<FileBlockstore> {
    const store = new FileBlockstore(options);
    await mkdir(options.dir, { recursive: true });
    await store.#count();
    return store;
  }

  /** Blocks and bytes held now. */
  get size(): StoreSize {
    return { blocks: this.#blocks, bytes: this.#bytes };
  }

  /** Bytes this store may hold. */
  get quotaBytes(): number {
    return this.#quotaBytes;
  }

  /** Whether a copy is on disk. Does not read it, so a damaged copy still counts until somebody does. */
  async has(cid: CID): Promise<boolean> {
    return (await this.sizeOf(cid)) !== undefined;
  }

  /** The size of the stored block in bytes, or undefined if it is not here. Does not read it. */
  async sizeOf(cid: CID): Promise<number | undefined> {
    try {
      return (await stat(this.#place(cid).file)).size;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** The block's verified bytes. Throws {@link NotFoundError}, or {@link CorruptBlockError} after setting a damaged copy aside. */
  async get(cid: CID): Promise<Uint8Array> {
    const { file } = this.#place(cid);
    let bytes: Buffer;
    try {
      bytes = await readFile(file);
    } catch (error) {
      if (isAbsent(error)) throw new NotFoundError(cid.toString());
      throw error;
    }
    if (isIntact(cid, bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#setAside(file, bytes.byteLength);
    throw new CorruptBlockError(cid.toString());
  }

  /** Whether a good copy is here, read and hashed now. It then counts as young, so that it is not collected before it is pinned. */
  async refresh(cid: CID): Promise<boolean> {
    if (!(await this.#hasIntact(cid))) return false;
    await this.#touch(cid);
    return true;
  }

  /** Verifies and keeps a block. A copy already here is read and kept if it is good, replaced if it is not. */
  async put(cid: CID, bytes: Uint8Array): Promise<void> {
    await verifyBlock(cid, bytes, this.#maxBlockBytes);
    await this.putVerified(cid, bytes);
  }

  /** Like `put` for bytes that the caller has hashed itself, in this process, since they arrived. */
  async putVerified(cid: CID, bytes: Uint8Array): Promise<void> {
    const { file } = this.#place(cid);
    let writing = this.#writing.get(file);
    if (!writing) {
      writing = this.#put(cid, bytes).finally(() => this.#writing.delete(file));
      this.#writing.set(file, writing);
    }
    await writing;
  }

  /** Removes a block; nothing happens if it is not here. */
  async delete(cid: CID): Promise<void> {
    const size = await this.sizeOf(cid);
    if (size === undefined) return;
    await rm(this.#place(cid).file, { force: true });
    this.#forget(size);
  }

  /**
   * Makes the names of everything written so far survive a power cut. To be called before anybody is promised anything.
   * Flushes follow each other, since one that found nothing to do would promise what another is still writing.
   */
  async flush(): Promise<void> {
    const before = this.#flushing;
    // The one before failed for whoever asked for it; its folders are still to be flushed, and are by this one.
    const flushing = before.catch(() => {}).then(() => this.#flush());
    this.#flushing = flushing;
    // Awaited below: this only says that somebody does, should the process look before.
    flushing.catch(() => {});
    await flushing;
  }

  async #flush(): Promise<void> {
    const folders = [...this.#unsynced];
    this.#unsynced.clear();
    try {
      await Promise.all([...folders, this.#dir].map(syncFolder));
    } catch (error) {
      for (const folder of folders) this.#unsynced.add(folder);
      throw error;
    }
  }

  /** The multihash (base32) and age of every block. Blocks written or removed meanwhile may be missed. */
  async *list(): AsyncGenerator<{ key: string; bytes: number; modifiedMs: number; remove: () => Promise<void> }> {
    for (const folder of await readdir(this.#dir, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      for (const name of await readdir(join(this.#dir, folder.name))) {
        if (!name.endsWith(SUFFIX)) continue;
        const file = join(this.#dir, folder.name, name);
        const info = await stat(file).catch(() => undefined);
        if (!info) continue;
        const remove = async (): Promise<void> => {
          await rm(file);
          this.#forget(info.size);
        };
        yield { key: name.slice(0, -SUFFIX.length), bytes: info.size, modifiedMs: Math.floor(info.mtimeMs), remove };
      }
    }
  }

  async #put(cid: CID, bytes: Uint8Array): Promise<void> {
    if (await this.refresh(cid)) return;
    const size = bytes.byteLength;
    if (this.#bytes + this.#reserved + size > this.#quotaBytes) {
      throw new QuotaExceededError(this.#bytes + this.#reserved, this.#quotaBytes);
    }
    this.#reserved += size;
    try {
      await this.#write(cid, bytes);
      this.#blocks += 1;
      this.#bytes += size;
    } finally {
      this.#reserved -= size;
    }
  }

  async #write(cid: CID, bytes: Uint8Array): Promise<void> {
    const { folder, file } = this.#place(cid);
    if (!this.#folders.has(folder)) {
      await mkdir(folder, { recursive: true });
      this.#folders.add(folder);
    }
    const draft = `${file}.${++this.#serial}.tmp`;
    const handle = await open(draft, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    this.#unsynced.add(folder);
  }

  /** Marks a block as young, so that it is not collected between being sent again and being pinned. */
  async #touch(cid: CID): Promise<void> {
    const now = new Date();
    await utimes(this.#place(cid).file, now, now);
  }

  async #hasIntact(cid: CID): Promise<boolean> {
    try {
      await this.get(cid);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError || error instanceof CorruptBlockError) return false;
      throw error;
    }
  }

  /** Kept beside the others for whoever examines the disk, under a name nobody reads. */
  async #setAside(file: string, size: number): Promise<void> {
    try {
      await rename(file, file + SET_ASIDE);
    } catch (error) {
      // another reader was first
      if (isAbsent(error)) return;
      throw error;
    }
    this.#forget(size);
  }

  #forget(size: number): void {
    this.#blocks -= 1;
    this.#bytes -= size;
  }

  #place(cid: CID): { folder: string; file: string } {
    const key = keyOf(cid);
    // the last character of a multihash has few values, the two before it have all
    const folder = join(this.#dir, key.slice(-3, -1));
    return { folder, file: join(folder, key + SUFFIX) };
  }

  async #count(): Promise<void> {
    for (const folder of await readdir(this.#dir, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      const path = join(this.#dir, folder.name);
      for (const name of await readdir(path)) {
        if (name.endsWith('.tmp')) await rm(join(path, name), { force: true });
        if (!name.endsWith(SUFFIX)) continue;
        this.#blocks += 1;
        this.#bytes += (await stat(join(path, name))).size;
      }
    }
  }
}

/** The name under which a block is kept: its multihash, whatever the codec. */
export const keyOf = (cid: CID): string => base32.encode(checkCid(cid).multihash.bytes);

/** Flushes a folder's list of names to disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isIntact = (cid: CID, bytes: Uint8Array): boolean =>
  hash('sha256', bytes, 'buffer').equals(Buffer.from(cid.multihash.digest));

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
