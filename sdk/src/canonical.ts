/** Canonical dag-cbor blocks whose sha2-256 digest stands on chain: the digest and the CID are the same information. */
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { sha256, type Hex } from 'viem';

import { decodeBlock, digestToCid } from './storage/cid.ts';

/** Most bytes of a spec or a manifest. Half of what storage carries, so that every IPFS implementation takes it. */
export const MAX_CANONICAL_BYTES = 1024 * 1024;

/** A block and its two names. */
export interface EncodedBlock {
  /** CIDv1, dag-cbor, sha2-256. */
  cid: CID;
  /** The sha2-256 digest alone, as it stands on chain. */
  digest: Hex;
  bytes: Uint8Array;
}

/** Encodes a plain value to its canonical block. Synchronous, because terms are made of the digest while a form is filled in. */
export function encodeCanonical(value: unknown): EncodedBlock {
  const bytes = dagCbor.encode(value);
  const digest = sha256(bytes);
  return { cid: digestToCid(digest, 'dag-cbor'), digest, bytes };
}

/** Decodes a block, or returns undefined when it is not dag-cbor or not in canonical form. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  try {
    return decodeBlock(bytes);
  } catch {
    return undefined;
  }
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
