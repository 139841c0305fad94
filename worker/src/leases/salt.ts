import { createHmac } from 'node:crypto';

import type { Result } from '@dpu/sdk/lease';
import { bytesToHex, concat, hexToBytes, keccak256, numberToHex, stringToBytes, type Hex } from 'viem';

import type { LeaseKey } from './promiseBook.ts';

/**
 * The secret that salts are made of: derived from the operator's key, so that it needs no backup of its own, and one-way, so
 * that salts which were shown say nothing about the key.
 */
export function saltSecret(privateKey: Hex): Uint8Array {
  return hexToBytes(keccak256(concat([stringToBytes('dpu node salt v1'), hexToBytes(privateKey)])));
}

/**
 * The salt of a lease's commitment: unpredictable without the secret, different for every lease and result, and the same when it is made
 * again. So a node whose journal is lost computes an exact job once more and can still reveal.
 */
export function leaseSalt(secret: Uint8Array, { job, first, deadline }: LeaseKey, result: Result): Hex {
  const message = concat([
    job,
    numberToHex(first, { size: 4 }),
    numberToHex(deadline, { size: 5 }),
    result.root,
    numberToHex(result.units, { size: 8 }),
    result.manifest,
  ]);
  return bytesToHex(createHmac('sha256', secret).update(hexToBytes(message)).digest());
}
