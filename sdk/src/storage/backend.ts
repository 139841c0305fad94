import type { CID } from 'multiformats/cid';
import { concat } from './bytes.ts';
import type { FileSource } from './bytes.ts';
import type { CidLike } from './cid.ts';
import { parseCid } from './cid.ts';
import { FileTooBigError, MissingBlockError } from './errors.ts';
import type { StoredFile } from './unixfs.ts';

/** Options of calls that may wait for a network or a disk. */
export interface CallOptions {
  /** Ends the call with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Which bytes of a file to read. */
export interface ReadOptions extends CallOptions {
  /** First byte; 0 if absent. Past the end of the file nothing is read. */
  readonly offset?: number | undefined;
  /** Most bytes to read; to the end of the file if absent. */
  readonly length?: number | undefined;
  /** Throws {@link FileTooBigError} before any data when the part to read is larger than this. */
  readonly maxBytes?: number | undefined;
}

/** How far a pin reaches from a dag-cbor block. Files are always pinned whole. */
export interface PinOptions extends CallOptions {
  /**
   * `none` (default): a spec or manifest is complete by itself; the files it names have pins of their own.
   * `links`: everything it links to must be there too. Kubo always walks links.
   */
  readonly walk?: 'none' | 'links' | undefined;
}

/**
 * Where content lives: gateways of this network, a Kubo node, or this process's own disk. All make the same CIDs of the
 * same bytes, and none hands out a byte that does not hash to the CID it was asked for.
 */
export interface StorageBackend {
  /** Stores a file (unixfs-v1-2025), complete and pinned when this returns. */
  addFile(source: FileSource, options?: CallOptions): Promise<StoredFile>;
  /** Streams the bytes of a file as they are verified. Throws `NotFoundError` if nobody has it. */
  readFile(cid: CidLike, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Stores and pins one block (a spec, a manifest) after checking it against its CID. */
  putBlock(cid: CidLike, bytes: Uint8Array, options?: CallOptions): Promise<void>;
  /** Reads one verified block. Throws `NotFoundError` if nobody has it. */
  getBlock(cid: CidLike, options?: CallOptions): Promise<Uint8Array>;
  /** Whether the block `cid` itself can be had. Says nothing of the blocks under it. */
  has(cid: CidLike, options?: CallOptions): Promise<boolean>;
  /** Keeps everything under `cid`, fetching what is missing; throws if it cannot be had completely. */
  pin(cid: CidLike, options?: PinOptions): Promise<void>;
}

/** Reads a whole file of at most `maxBytes` into memory. */
export async function readAll(
  backend: StorageBackend,
  cid: CidLike,
  maxBytes: number,
  options: CallOptions = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of backend.readFile(cid, { ...options, maxBytes })) parts.push(part);
  return parts.length === 1 ? parts[0]! : concat(parts);
}

/** The half-open range of bytes that `options` ask for. */
export function rangeOf({ offset = 0, length }: ReadOptions): { from: number; to: number } {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset ${offset} is not a whole number ≥ 0`);
  if (length === undefined) return { from: offset, to: Number.POSITIVE_INFINITY };
  if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`length ${length} is not a whole number ≥ 0`);
  return { from: offset, to: offset + length };
}

/** Refuses, by the size its root states, a read of more than the caller's limit. */
export function checkReadSize(cid: CID, fileSize: number, options: ReadOptions): void {
  if (options.maxBytes === undefined) return;
  const { from, to } = rangeOf(options);
  const size = Math.max(0, Math.min(to, fileSize) - from);
  if (size > options.maxBytes) throw new FileTooBigError(cid.toString(), size, options.maxBytes);
}

/** The data of verified file blocks as they come, after the size limit was checked. */
export async function* dataOf(
  cid: CID,
  blocks: AsyncIterable<{ readonly data: Uint8Array; readonly fileSize: number }>,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { data, fileSize } of blocks) {
    checkReadSize(cid, fileSize, options);
    if (data.byteLength > 0) yield data;
  }
}

/** The block that a failed commit or pin says is missing, if that is what `error` says. */
export const missingBlockOf = (error: unknown): CID | undefined =>
  error instanceof MissingBlockError ? parseCid(error.missing) : undefined;
