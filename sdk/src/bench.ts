/**
 * The second storage word of a range that several nodes compute: who has sat there, and what they are bound to. Mirrors
 * `src-contracts/types/Bench.sol`: eleven bytes of prints above a chain of 168 bits.
 */
import { encodeAbiParameters, keccak256, size, slice, type Hex } from 'viem';

import { claimedWord, commitmentOf, type CommitmentParts, type Lease, type Result } from './lease.ts';

/** Most nodes that can ever sit on a range. */
export const PLACES = 11;
const CHAIN_BITS = 168;

/** What one seat is bound to, in viem's shape of the struct: what `revealSeat` takes. */
export interface Bound {
  /** Its claim's word. */
  claimed: bigint;
  commitment: Hex;
}

/** What one seat has to say when a panel ends, in viem's shape of the struct: what `agree` takes. */
export interface Said {
  /** Its claim's word. */
  claimed: bigint;
  /** What it computed; root 0 when it shows nothing. */
  result: Result;
  /** The salt of its commitment; where it shows nothing, the commitment itself. */
  salt: Hex;
}

/** Slot of the range that begins at `first`: the job's own when the range is the whole job (`SOLO`). It keys the range's prints. */
export function rangeKey(id: Hex, first: number, solo: boolean): Hex {
  if (solo) return id;
  return keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint32' }], [id, first]));
}

/** The byte of `node` on the bench under `key`; never zero. Two nodes share one by chance, 1 in 255: the later cannot sit there. */
export function printOf(key: Hex, node: number): number {
  const encoded = encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint32' }], [key, node]);
  return Number(BigInt(keccak256(encoded)) % 255n) + 1;
}

/** The place that a node with byte `print` would take; undefined when that byte has sat, or every place was taken. */
export function placeFor(bench: bigint, print: number): number | undefined {
  for (let place = 0; place < PLACES; place += 1) {
    const taken = Number((bench >> BigInt(CHAIN_BITS + 8 * place)) & 0xffn);
    if (taken === 0) return place;
    if (taken === print) return undefined;
  }
  return undefined;
}

/** The chain on a bench. */
export function chainOf(bench: bigint): bigint {
  return BigInt.asUintN(CHAIN_BITS, bench);
}

/** The chain over commitments in their order; empty, it is zero. */
export function chainOver(bound: readonly Bound[]): bigint {
  return bound.reduce((before, { claimed, commitment }) => {
    const encoded = encodeAbiParameters(
      [{ type: 'uint256' }, { type: 'uint256' }, { type: 'bytes32' }],
      [before, claimed, commitment],
    );
    return chainOf(BigInt(keccak256(encoded)));
  }, 0n);
}

/** What a committed seat is bound to. */
export function boundOf(lease: Lease): Bound {
  return { claimed: claimedWord(lease), commitment: lease.commitment };
}

/** What a seat shows, with the salt of its commitment. Seats that were shown by themselves are named so as well. */
export function saidOf(lease: Lease, result: Result, salt: Hex): Said {
  return { claimed: claimedWord(lease), result, salt };
}

/**
 * The salt of a seat that was revealed, out of the calldata of the transaction that showed it: whichever 32 bytes make its commitment. The
 * contract asks for it again when the panel ends, and no event tells it. Undefined when the calldata does not hold it as it is.
 */
export function saltIn(input: Hex, parts: Omit<CommitmentParts, 'salt'>, commitment: Hex): Hex | undefined {
  for (let at = size(input) - 32; at >= 0; at -= 1) {
    const salt = slice(input, at, at + 32);
    if (commitmentOf({ ...parts, salt }) === commitment) return salt;
  }
  return undefined;
}

/** What is said of a seat that shows nothing. */
export function withheldOf(lease: Lease): Said {
  const nothing = { root: `0x${'00'.repeat(32)}`, units: 0n, manifest: `0x${'00'.repeat(32)}` } as const;
  return { claimed: claimedWord(lease), result: nothing, salt: lease.commitment };
}
