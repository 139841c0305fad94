import * as dagCbor from '@ipld/dag-cbor';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { sha256 } from 'multiformats/hashes/sha2';
import {
  BlockTooBigError,
  HashMismatchError,
  InvalidCidError,
  MalformedBlockError,
  UnsupportedCidError,
} from './errors.ts';

/** A CID, or its text. */
export type CidLike = CID | string;

/** The codecs blocks may have. Files are `raw` up to one chunk and `dag-pb` above; specs and manifests are `dag-cbor`. */
export type Codec = 'raw' | 'dag-pb' | 'dag-cbor';

/** Multicodec numbers, as they stand on chain. */
export const CODECS = { raw: raw.code, 'dag-pb': dagPb.code, 'dag-cbor': dagCbor.code } as const satisfies Record<
  Codec,
  number
>;

/** The `unixfs-v1-2025` profile (IPIP-499): every file of this network is cut like this, so equal bytes have equal CIDs. */
export const UNIXFS_V1_2025 = {
  cidVersion: 1,
  rawLeaves: true,
  /** Bytes in a leaf. */
  chunkBytes: 1024 * 1024,
  /** Children of one inner node. */
  maxLinks: 1024,
} as const;

/** The largest block anybody sends, takes or keeps, in bytes: the limit of IPFS itself. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

const SHA2_256_BYTES = 32;

/** Parses a CID's text and checks that it is one of ours (see {@link checkCid}). */
export function parseCid(cid: CidLike): CID {
  return checkCid(typeof cid === 'string' ? parse(cid) : cid);
}

function parse(text: string): CID {
  try {
    return CID.parse(text);
  } catch (error) {
    throw new InvalidCidError(text, error);
  }
}

/** Returns `cid` if its hash is sha2-256 and its codec raw, dag-pb or dag-cbor. Else throws {@link UnsupportedCidError}. */
export function checkCid(cid: CID): CID {
  if (cid.multihash.code !== sha256.code || cid.multihash.digest.length !== SHA2_256_BYTES) {
    throw new UnsupportedCidError(cid.toString(), 'the hash is not sha2-256');
  }
  if (codecName(cid.code) === undefined) {
    throw new UnsupportedCidError(cid.toString(), `codec 0x${cid.code.toString(16)} is not raw, dag-pb or dag-cbor`);
  }
  return cid;
}

/** The name of a CID's codec. */
export function codecOf(cid: CidLike): Codec {
  return codecName(parseCid(cid).code)!;
}

function codecName(code: number): Codec | undefined {
  return (Object.keys(CODECS) as Codec[]).find((name) => CODECS[name] === code);
}

/** The CIDv1 of the sha2-256 `digest` (a bytes32 from the chain, `0x` and 64 hex digits) with the given codec. */
export function digestToCid(digest: string, codec: Codec): CID {
  if (!/^0x[0-9a-fA-F]{64}$/.test(digest)) throw new InvalidCidError(digest);
  const bytes = Uint8Array.from({ length: SHA2_256_BYTES }, (_, i) =>
    Number.parseInt(digest.slice(2 + 2 * i, 4 + 2 * i), 16),
  );
  return CID.createV1(CODECS[codec], Digest.create(sha256.code, bytes));
}

/** The sha2-256 digest inside a CID, as the bytes32 that goes on chain. */
export function cidToDigest(cid: CidLike): `0x${string}` {
  const { digest } = parseCid(cid).multihash;
  return `0x${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The CIDv1 that `bytes` have as one block of `codec`. */
export async function cidOfBlock(bytes: Uint8Array, codec: Codec): Promise<CID> {
  if (bytes.byteLength > MAX_BLOCK_BYTES) throw new BlockTooBigError(bytes.byteLength, MAX_BLOCK_BYTES);
  return CID.createV1(CODECS[codec], await sha256.digest(bytes));
}

/** Encodes `value` as one canonical dag-cbor block. Links are `CID` objects, bytes are `Uint8Array`; `undefined` is refused. */
export async function encodeBlock(value: unknown): Promise<{ cid: CID; bytes: Uint8Array }> {
  let bytes: Uint8Array;
  try {
    bytes = dagCbor.encode(value);
  } catch (error) {
    throw new MalformedBlockError(`the value has no dag-cbor form (${(error as Error).message})`, error);
  }
  return { cid: await cidOfBlock(bytes, 'dag-cbor'), bytes };
}

/**
 * Decodes a dag-cbor block and refuses one that is not in canonical form, since the same value under two CIDs would
 * let two parties agree on the content and still disagree on the digest. The caller validates the shape.
 */
export function decodeBlock(bytes: Uint8Array): unknown {
  if (bytes.byteLength > MAX_BLOCK_BYTES) throw new BlockTooBigError(bytes.byteLength, MAX_BLOCK_BYTES);
  let value: unknown;
  let canonical: Uint8Array;
  try {
    value = dagCbor.decode(bytes);
    canonical = dagCbor.encode(value);
  } catch (error) {
    throw new MalformedBlockError(`not dag-cbor (${(error as Error).message})`, error);
  }
  if (!equalBytes(bytes, canonical)) throw new MalformedBlockError('the dag-cbor is not in canonical form');
  return value;
}

/**
 * Checks that `bytes` are the block `cid` names: sha2-256, an allowed codec, at most `maxBytes`, and the right hash.
 * Nothing that came from a wire or a disk is used before this.
 */
export async function verifyBlock(cid: CID, bytes: Uint8Array, maxBytes: number = MAX_BLOCK_BYTES): Promise<void> {
  checkCid(cid);
  if (bytes.byteLength > maxBytes) throw new BlockTooBigError(bytes.byteLength, maxBytes);
  const { digest } = await sha256.digest(bytes);
  if (!equalBytes(digest, cid.multihash.digest)) throw new HashMismatchError(cid.toString());
}

/** The CIDs a block points at, in order. Raw blocks have none. */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  try {
    if (cid.code === CODECS['dag-pb']) return dagPb.decode(bytes).Links.map((link) => link.Hash as CID);
    if (cid.code === CODECS['dag-cbor']) return [...cborLinks(dagCbor.decode(bytes))];
    return [];
  } catch (error) {
    throw new MalformedBlockError(`${cid} does not decode as ${codecOf(cid)}`, error);
  }
}

function* cborLinks(value: unknown): Generator<CID> {
  const stack = [value];
  while (stack.length > 0) {
    const item = stack.pop();
    const cid = CID.asCID(item);
    if (cid) yield cid;
    else if (item !== null && typeof item === 'object' && !ArrayBuffer.isView(item)) {
      stack.push(...Object.values(item).reverse());
    }
  }
}

/** Whether two byte strings are equal. Not constant time: everything compared here is public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
