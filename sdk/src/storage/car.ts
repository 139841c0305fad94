import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { concat } from './bytes.ts';
import { MAX_BLOCK_BYTES } from './cid.ts';
import { BlockTooBigError, MalformedCarError } from './errors.ts';

/** One block as it travels: not verified until somebody hashes it. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** A reader of one CAR: its roots, then its blocks in the order of the stream. */
export interface CarReader {
  readonly roots: readonly CID[];
  readonly blocks: AsyncGenerator<Block, void, undefined>;
}

const MAX_HEADER_BYTES = 64 * 1024;
/** Room for the CID before a block's bytes; ours have 36 bytes. */
const MAX_CID_BYTES = 128;

/** The bytes a CARv1 starts with. */
export function carHeader(roots: readonly CID[]): Uint8Array {
  const header = dagCbor.encode({ roots, version: 1 });
  return concat([varint(header.byteLength), header]);
}

/** What stands before a block's bytes in a CAR: the section's length and the CID. */
export function carSectionHead({ cid, bytes }: Block): Uint8Array {
  return concat([varint(cid.bytes.byteLength + bytes.byteLength), cid.bytes]);
}

/**
 * Reads a CARv1 from a byte stream. Own reader because the library's believes any length it is told and would buffer
 * gigabytes: here no section is buffered beyond `maxBlockBytes`. Blocks own their memory. Nothing is verified.
 */
export async function readCar(
  source: AsyncIterable<Uint8Array>,
  maxBlockBytes: number = MAX_BLOCK_BYTES,
): Promise<CarReader> {
  const reader = new ByteReader(source);
  try {
    const length = await reader.varint();
    if (length === undefined) throw new MalformedCarError('it is empty');
    if (length > MAX_HEADER_BYTES) throw new MalformedCarError(`its header claims ${length} bytes`);
    return { roots: rootsOf(await reader.exactly(length)), blocks: readBlocks(reader, maxBlockBytes) };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function* readBlocks(reader: ByteReader, maxBlockBytes: number): AsyncGenerator<Block, void, undefined> {
  try {
    for (;;) {
      const length = await reader.varint();
      if (length === undefined) return;
      if (length > maxBlockBytes + MAX_CID_BYTES) throw new BlockTooBigError(length, maxBlockBytes);
      const section = await reader.exactly(length);
      const [cid, bytes] = splitSection(section);
      if (bytes.byteLength > maxBlockBytes) throw new BlockTooBigError(bytes.byteLength, maxBlockBytes);
      yield { cid, bytes };
    }
  } finally {
    await reader.close();
  }
}

function splitSection(section: Uint8Array): [CID, Uint8Array] {
  try {
    return CID.decodeFirst(section) as [CID, Uint8Array];
  } catch (error) {
    throw new MalformedCarError('a section does not begin with a CID', error);
  }
}

function rootsOf(bytes: Uint8Array): CID[] {
  let header: unknown;
  try {
    header = dagCbor.decode(bytes);
  } catch (error) {
    throw new MalformedCarError('its header is not dag-cbor', error);
  }
  const { version, roots } = (header ?? {}) as { version?: unknown; roots?: unknown };
  if (version !== 1) throw new MalformedCarError(`version ${String(version)} is not 1`);
  if (!Array.isArray(roots)) throw new MalformedCarError('its header has no roots');
  return roots.map((root: unknown) => {
    const cid = CID.asCID(root);
    if (!cid) throw new MalformedCarError('a root is not a CID');
    return cid;
  });
}

/** Pulls exact byte counts out of chunks of any size, holding one chunk and one result at a time. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk = new Uint8Array(0);
  #offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next unsigned LEB128 number, or undefined at a clean end. */
  async varint(): Promise<number | undefined> {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (!(await this.#fill())) {
        if (i === 0) return undefined;
        throw new MalformedCarError('it ends inside a length');
      }
      const byte = this.#chunk[this.#offset++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value === 0) throw new MalformedCarError('a section of length zero');
        return value;
      }
      scale *= 128;
    }
    throw new MalformedCarError('a length of more than 49 bits');
  }

  /** The next `length` bytes in memory of their own. */
  async exactly(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    let have = 0;
    while (have < length) {
      if (!(await this.#fill())) throw new MalformedCarError(`it ends ${length - have} bytes short`);
      const part = this.#chunk.subarray(this.#offset, this.#offset + length - have);
      out.set(part, have);
      have += part.byteLength;
      this.#offset += part.byteLength;
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#offset >= this.#chunk.byteLength) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#chunk = next.value as Uint8Array<ArrayBuffer>;
      this.#offset = 0;
    }
    return true;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
