import type { Testimony } from '@dpu/sdk/court';
import { VERDICTS } from '@dpu/sdk/court';
import { bytesToHex, concat, hexToBytes, numberToHex, stringToBytes, type Hex } from 'viem';
import { createHmac } from 'node:crypto';

/** Domain of juror's salts, so that none is ever equal to a lease's. */
const JUROR = stringToBytes('dpu juror v1');
const CHECK = stringToBytes('dpu check v1');

/**
 * The salt of a juror's commitment: unpredictable without the secret, and the same when it is made again, so that a juror whose journal
 * is lost can compute an exact job once more and still speak.
 */
export function jurorSalt(
  secret: Uint8Array,
  dispute: Hex,
  round: number,
  { verdict, hash, units, evidence }: Omit<Testimony, 'salt'>,
): Hex {
  const vote = numberToHex(VERDICTS.indexOf(verdict), { size: 1 });
  const parts = [dispute, numberToHex(round, { size: 1 }), vote, hash, numberToHex(units, { size: 8 }), evidence];
  return bytesToHex(hmac(secret, JUROR, ...parts));
}

/** What decides whether and where a lease is checked: nobody can know without the secret. */
export interface CheckDraw {
  /** Uniform in 0 ≤ roll < 1. */
  roll: number;
  /** The shard that is checked, within the lease's range. */
  shard: number;
}

/** The draw of this node for a lease that others hold. */
export function checkDraw(
  secret: Uint8Array,
  job: Hex,
  { first, count, node, deadline }: { first: number; count: number; node: number; deadline: number },
): CheckDraw {
  const place = [numberToHex(first, { size: 4 }), numberToHex(node, { size: 4 }), numberToHex(deadline, { size: 5 })];
  const bytes = hmac(secret, CHECK, job, ...place);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { roll: view.getUint32(0) / 2 ** 32, shard: first + (view.getUint32(4) % count) };
}

function hmac(secret: Uint8Array, domain: Uint8Array, ...parts: Hex[]): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', secret)
      .update(domain)
      .update(hexToBytes(concat(parts)))
      .digest(),
  );
}
