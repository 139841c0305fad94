/** Canonical dag-cbor blocks whose sha2-256 digest stands on chain: the digest and the CID are the same information. */
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { bytesToHex, hexToBytes, sha256, type Hex } from 'viem';

/** Most bytes of a spec or a manifest: what every IPFS implementation moves as one block. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** multihash code of sha2-256. */
const SHA2_256 = 0x12;

/** A block and its two names. */
export interface EncodedBlock {
  /** CIDv1, dag-cbor, sha2-256. */
  cid: CID;
  /** The sha2-256 digest alone, as it stands on chain. */
  digest: Hex;
  bytes: Uint8Array;
}

/** Encodes a plain value to its canonical block. Fields that are undefined are left out. */
export function encodeCanonical(value: unknown): EncodedBlock {
  const bytes = dagCbor.encode(withoutUndefined(value));
  const digest = sha256(bytes);
  return { cid: cidOfDigest(digest), digest, bytes };
}

/**
 * Decodes a block, or returns undefined when it is not dag-cbor or not in canonical form (so that two different blocks
 * never say the same).
 */
export function decodeCanonical(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch {
    return undefined;
  }
  const again = dagCbor.encode(value);
  return again.length === bytes.length && again.every((byte, index) => byte === bytes[index]) ? value : undefined;
}

/** CID of the dag-cbor block with sha2-256 `digest`: where to find a job's spec or a result's manifest. */
export function cidOfDigest(digest: Hex): CID {
  return CID.createV1(dagCbor.code, Digest.create(SHA2_256, hexToBytes(digest)));
}

/** The sha2-256 digest inside a CID. */
export function digestOfCid(cid: CID): Hex {
  if (cid.multihash.code !== SHA2_256) throw new RangeError(`${cid.toString()} is not of sha2-256.`);
  return bytesToHex(cid.multihash.digest);
}

/** The value without its undefined fields, which dag-cbor cannot say. */
export function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || CID.asCID(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, withoutUndefined(field)]),
  );
}
