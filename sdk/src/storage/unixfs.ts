import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { importByteStream } from 'ipfs-unixfs-importer';
import { balanced } from 'ipfs-unixfs-importer/layout';
import type { CID } from 'multiformats/cid';
import { chunksOf, rechunk } from './bytes.ts';
import type { FileSource } from './bytes.ts';
import type { Block } from './car.ts';
import { checkCid, CODECS, UNIXFS_V1_2025 } from './cid.ts';
import { MalformedBlockError, NotAFileError, StorageError } from './errors.ts';

/** What came of storing a file: its CID and its bytes. */
export interface StoredFile {
  readonly cid: CID;
  /** Bytes of the file itself, without the tree around it. */
  readonly size: number;
}

/** Leaves hashed and written at once while a file is cut: bounds the memory of an upload. */
const WRITES_AT_ONCE = 8;

/** No honest tree is deeper: 174 links a node, Kubo's old default, reach 10^26 leaves in twelve levels. */
const MAX_DEPTH = 12;

/** Cuts `source` by the unixfs-v1-2025 profile and hands every block to `put`, leaves first. Holds a few MiB at a time. */
export async function cutFile(
  source: FileSource,
  put: (block: Block) => Promise<void>,
  signal?: AbortSignal,
): Promise<StoredFile> {
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(source, signal)) {
      size += chunk.byteLength;
      yield chunk;
    }
  }
  const sink = {
    async put(cid: CID, bytes: unknown): Promise<CID> {
      signal?.throwIfAborted();
      await put({ cid, bytes: bytes as Uint8Array });
      return cid;
    },
  };
  // the profile's parts are spelled out so that a new default of the library cannot move our CIDs
  const { cid } = await importByteStream(counted(), sink, {
    profile: 'unixfs-v1-2025',
    cidVersion: UNIXFS_V1_2025.cidVersion,
    rawLeaves: UNIXFS_V1_2025.rawLeaves,
    reduceSingleLeafToSelf: true,
    chunker: (bytes) => rechunk(bytes, UNIXFS_V1_2025.chunkBytes),
    layout: balanced({ maxChildrenPerNode: UNIXFS_V1_2025.maxLinks }),
    blockWriteConcurrency: WRITES_AT_ONCE,
  });
  return { cid, size };
}

interface Expected {
  readonly cid: CID;
  /** Offset of the node's first byte in the file. */
  readonly start: number;
  /** File bytes under the node; undefined for the root, whose block says so itself. */
  readonly size: number | undefined;
  readonly depth: number;
}

/**
 * Walks the tree of one file depth first and says which block must come next for the bytes [from, to). The same rule
 * orders a gateway's CAR and a client's expectation of it, so a stranger's stream is checked block by block: a block
 * out of place, a wrong size or an endless tree is an error at once, and no more than one path of nodes is held.
 */
export class FileCursor {
  readonly #root: CID;
  readonly #from: number;
  readonly #to: number;
  readonly #stack: Expected[];
  #size: number | undefined;

  constructor(root: CID, from = 0, to = Number.POSITIVE_INFINITY) {
    this.#root = root;
    this.#from = from;
    this.#to = to;
    this.#stack = [{ cid: root, start: 0, size: undefined, depth: 0 }];
  }

  /** The block that must come next, or undefined when all have come. */
  get next(): CID | undefined {
    return this.#stack.at(-1)?.cid;
  }

  /** Up to `count` blocks that will be needed soon, the next one first. */
  upcoming(count: number): CID[] {
    return this.#stack
      .slice(-count)
      .reverse()
      .map((expected) => expected.cid);
  }

  /** The size of the whole file in bytes; known once the root has been taken. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Takes the verified bytes of `next`. Returns the file's bytes it contributes to the range (empty for an inner node). */
  take(bytes: Uint8Array): Uint8Array {
    const expected = this.#stack.pop();
    if (!expected) throw new NotAFileError(this.#root.toString(), 'more blocks came than the file has');
    if (expected.cid.code === CODECS.raw) return this.#content(expected, bytes, bytes.byteLength);
    if (expected.cid.code !== CODECS['dag-pb']) throw new NotAFileError(this.#root.toString(), 'it is structured data');
    return this.#node(expected, bytes);
  }

  #node(expected: Expected, bytes: Uint8Array): Uint8Array {
    const { links, sizes, data } = this.#decode(expected.cid, bytes);
    if (expected.depth >= MAX_DEPTH)
      throw new NotAFileError(this.#root.toString(), `its tree is over ${MAX_DEPTH} deep`);

    let position = expected.start + data.byteLength;
    const children: Expected[] = [];
    links.forEach((cid, i) => {
      const size = sizes[i]!;
      const overlaps = position + size > this.#from && position < this.#to;
      if (overlaps) children.push({ cid, start: position, size, depth: expected.depth + 1 });
      position += size;
    });
    const content = this.#content(expected, data, position - expected.start);
    for (const child of children.reverse()) this.#stack.push(child);
    return content;
  }

  #content(expected: Expected, data: Uint8Array, size: number): Uint8Array {
    // a node that lies about its children's sizes would shift every byte after it
    if (expected.size !== undefined && expected.size !== size) {
      throw new NotAFileError(
        this.#root.toString(),
        `${expected.cid} has ${size} bytes, its parent says ${expected.size}`,
      );
    }
    this.#size ??= size;
    return data.subarray(Math.max(0, this.#from - expected.start), Math.max(0, this.#to - expected.start));
  }

  #decode(cid: CID, bytes: Uint8Array): { links: CID[]; sizes: number[]; data: Uint8Array } {
    const root = this.#root.toString();
    try {
      const node = dagPb.decode(bytes);
      if (!node.Data) throw new NotAFileError(root, `${cid} is not UnixFS`);
      const unixfs = UnixFS.unmarshal(node.Data);
      if (unixfs.type !== 'file' && unixfs.type !== 'raw') throw new NotAFileError(root, `it is a ${unixfs.type}`);
      const sizes = unixfs.blockSizes.map(Number);
      if (sizes.length !== node.Links.length)
        throw new NotAFileError(root, `${cid} does not give its children's sizes`);
      // children without bytes would let a small tree be walked for ever
      if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
        throw new NotAFileError(root, `${cid} has a child of an impossible size`);
      }
      return {
        links: node.Links.map((link) => checkCid(link.Hash as CID)),
        sizes,
        data: unixfs.data ?? new Uint8Array(0),
      };
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw new MalformedBlockError(`${cid} does not decode as a UnixFS node`, error);
    }
  }
}

/** A verified block on a file's path, and the bytes of the file it holds in the asked range. */
export interface FileBlock extends Block {
  readonly data: Uint8Array;
  /** Size of the whole file in bytes. */
  readonly fileSize: number;
}

/**
 * Walks the bytes [from, to) of a file by asking `read` for single verified blocks, `ahead` of them at a time, and yields
 * the blocks in the file's order.
 */
export async function* walkFile(
  root: CID,
  read: (cid: CID) => Promise<Uint8Array>,
  { from = 0, to = Number.POSITIVE_INFINITY, ahead = 4 }: { from?: number; to?: number; ahead?: number } = {},
): AsyncGenerator<FileBlock, void, undefined> {
  const cursor = new FileCursor(root, from, to);
  const asked = new Map<string, Promise<Uint8Array>>();
  const ask = (cid: CID): Promise<Uint8Array> => {
    const key = cid.toString();
    let reading = asked.get(key);
    if (!reading) {
      reading = read(cid);
      // a read that was asked ahead and is never needed must not count as unhandled
      reading.catch(() => {});
      asked.set(key, reading);
    }
    return reading;
  };
  for (let cid = cursor.next; cid; cid = cursor.next) {
    for (const soon of cursor.upcoming(ahead)) void ask(soon);
    const bytes = await ask(cid);
    const data = cursor.take(bytes);
    // keep it only when the same block is needed again at once (runs of equal chunks)
    if (!cursor.next?.equals(cid)) asked.delete(cid.toString());
    yield { cid, bytes, data, fileSize: cursor.size! };
  }
}
