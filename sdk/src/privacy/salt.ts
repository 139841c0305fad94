/**
 * Result hashes that only those with the job's key can compute. The answer to a private question may be one of a few (yes or no, a
 * class, an empty picture), and then its sha2-256 on chain would give it away.
 *
 * ```
 * salt   = HKDF-SHA256(ikm = the job key's 32 secret bytes, salt = job id, info = "dpu/v1/result-salt", 32 bytes)
 * hash   = HMAC-SHA256(key = salt, shard as uint32 big-endian ‖ sha2-256 of the output's plaintext)
 * leaf   = keccak256(keccak256(abi.encode(uint32 shard, bytes32 hash, uint64 units)))      as for any job: merkle.ts
 * ```
 *
 * Every node of the job has the same salt, so equal answers still make equal roots. The shard is in the hash so that two
 * shards with the same output do not look alike.
 */
import { bytesToHex, concatBytes, hexToBytes, isHex, numberToBytes, sha256, type Hex } from 'viem';

import type { JobKey } from './envelope.ts';

const INFO = new TextEncoder().encode('dpu/v1/result-salt');

/** The salt of a job's result hashes, 32 bytes. A secret of those who have the job's key. */
export async function saltOf(jobKey: JobKey, jobId: Hex): Promise<Hex> {
  const secret = await crypto.subtle.importKey('raw', jobKey.bytes(), 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: bytes32(jobId, 'job id'), info: INFO };
  return bytesToHex(new Uint8Array(await crypto.subtle.deriveBits(parameters, secret, 256)));
}

/**
 * The hash of a private shard's output as it stands in the manifest and under the root.
 * @param plain sha2-256 of the output before it was sealed.
 */
export async function saltedHash(salt: Hex, shard: number, plain: Hex): Promise<Hex> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes32(salt, 'salt'), algorithm, false, ['sign']);
  const message = concatBytes([numberToBytes(shard, { size: 4 }), bytes32(plain, 'hash of the output')]);
  return bytesToHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, Uint8Array.from(message))));
}

/** The salted hash of an output that is in memory. */
export function saltedHashOf(salt: Hex, shard: number, output: Uint8Array): Promise<Hex> {
  return saltedHash(salt, shard, sha256(output));
}

function bytes32(hex: Hex, what: string): Uint8Array<ArrayBuffer> {
  if (!isHex(hex) || hex.length !== 66) throw new RangeError(`The ${what} must be 32 bytes.`);
  return Uint8Array.from(hexToBytes(hex));
}
