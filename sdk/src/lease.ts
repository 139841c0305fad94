/** A lease as calldata needs it, and the storage word that the contract keeps of it. Mirrors `src-contracts/types/Lease.sol`. */
import { encodeAbiParameters, keccak256, stringToBytes, zeroHash, type Hex } from 'viem';

import type { Terms } from './terms.ts';
import { packWord, unpackWord, type Layout } from './words.ts';

/** A lease as its holder describes it; `packLease` makes calldata of it. */
export interface Lease {
  /** First shard of the range. */
  first: number;
  /** Number of shards. */
  count: number;
  /** Node that holds it. */
  node: number;
  /** Agreed price of one shard, in the job's currency. */
  price: bigint;
  /** DPU carried over from failed holders, in gwei (1e9 wei). */
  bonus: bigint;
  /** Last second for commit or submit. */
  deadline: number;
  /** `SOLO`, `DIRECT` and `SEAT`, as they stand in its storage word. */
  flags: number;
  /** What was committed; zero bytes before. */
  commitment: Hex;
  /** Block of the commit; zero before. */
  committedBlock: number;
}

/** A lease as the contract takes it, in viem's shape of the struct. */
export interface PackedLease {
  claimed: bigint;
  place: bigint;
  commitment: Hex;
}

/** What a node says it computed for a lease. */
export interface Result {
  /** Merkle root over the leaves (shard, hash, units). */
  root: Hex;
  /** Sum of the shards' compute units. */
  units: bigint;
  /** sha2-256 of the dag-cbor manifest; the same 32 bytes are its CID. */
  manifest: Hex;
}

/**
 * Where a lease stands, in the order of the contract's enum. `none` also stands for a lease that ended, `seated` for a range on
 * which several nodes sit: its word is a panel's, see `readPanel`. `disputed`: a jury looks at one of its shards; `convicted`: a seat
 * that a jury found wrong. `settled`: it was paid, and its word is a receipt for credits until they are minted.
 */
export const PHASES = [
  ...(['none', 'claimed', 'committed', 'revealed', 'lapsed', 'seated'] as const),
  ...(['disputed', 'convicted', 'settled', 'excused'] as const),
] as const;

/** Where a lease stands on chain. */
export type Phase = (typeof PHASES)[number];

/** Where a job stands, in the order of the contract's enum. `leased`: one living lease covers the whole job. */
export const JOB_STATES = ['none', 'open', 'cancelled', 'complete', 'closed', 'leased'] as const;

/** Where a job stands on chain. */
export type JobState = (typeof JOB_STATES)[number];

/** Flag of a lease that covers its whole job and lives in the job's own slot. */
export const SOLO = 0x80;
/** Flag of a lease of a direct job. */
export const DIRECT = 0x40;
/** Flag of one of several seats: its word is under a key of range and node, and the range's own word is a panel's. */
export const SEAT = 0x20;
/** Flag of a lease of whose bond a jury has taken a part. */
export const TRIMMED = 0x10;

const TOP = [
  ['top', 8],
  ['at', 40],
  ['body', 208],
] as const satisfies Layout<string>;
const BODY = [
  ['node', 32],
  ['count', 16],
  ['price', 96],
  ['bonus', 64],
] as const satisfies Layout<keyof Lease>;
const PLACE = [
  ['committedBlock', 40],
  ['first', 32],
] as const satisfies Layout<keyof Lease>;

/** The root of a node that found that the job cannot be done as it is described: keccak256 of `DPU spec fault`. */
export const SPEC_FAULT = keccak256(stringToBytes('DPU spec fault'));

/** Flags of a lease of `count` shards under `terms`. */
export function flagsOf(terms: Pick<Terms, 'shards' | 'direct' | 'seats'>, count: number): number {
  return (count === terms.shards ? SOLO : 0) | (terms.direct ? DIRECT : 0) | (terms.seats > 1 ? SEAT : 0);
}

/** Whether the lease is one of several seats on its range. */
export function isSeat({ flags }: Pick<Lease, 'flags'>): boolean {
  return (flags & SEAT) !== 0;
}

/** The lease as calldata. @throws RangeError that names the field that does not fit */
export function packLease(lease: Lease): PackedLease {
  return { claimed: claimedWord(lease), place: packWord('lease', PLACE, lease), commitment: lease.commitment };
}

/**
 * The lease that a claimed word and its first shard tell of, as `LeaseClaimed` gives them: not committed yet.
 * @throws RangeError when the word is not one of a claimed lease.
 */
export function leaseOfWord(first: number, claimed: bigint): Lease {
  const { phase, at, flags, holder } = readWord(claimed);
  if (phase !== 'claimed' || !holder) throw new RangeError(`The word 0x${claimed.toString(16)} is no claim.`);
  return { first, ...holder, deadline: at, flags, commitment: zeroHash, committedBlock: 0 };
}

/** The lease as it was right after the claim: without commitment. */
export function asClaimed(lease: Lease): Lease {
  return { ...lease, commitment: zeroHash, committedBlock: 0 };
}

/** Storage word while claimed: `at` is the deadline and the body is readable. */
export function claimedWord(lease: Lease): bigint {
  return word(lease.flags, 'claimed', lease.deadline, packWord('lease', BODY, lease));
}

/** Storage word after the commit at second `at`: the body is a hash over the claimed word, the commitment and its block. */
export function committedWord(lease: Lease, at: number): bigint {
  const preimage = encodeAbiParameters(
    [{ type: 'uint256' }, { type: 'bytes32' }, { type: 'uint256' }],
    [claimedWord(lease), lease.commitment, BigInt(lease.committedBlock)],
  );
  return word(lease.flags, 'committed', at, BigInt(keccak256(preimage)) >> 48n);
}

/** Storage word after the reveal (or submit) at second `at`: the body is a hash over the claimed word and the result. */
export function revealedWord(lease: Lease, result: Result, at: number): bigint {
  const preimage = encodeAbiParameters(
    [{ type: 'uint256' }, { type: 'bytes32' }, { type: 'uint64' }, { type: 'bytes32' }],
    [claimedWord(lease), result.root, result.units, result.manifest],
  );
  return word(lease.flags, 'revealed', at, BigInt(keccak256(preimage)) >> 48n);
}

/** Storage word after the lease lapsed at second `at`: node, count and bonus stay readable. `bonus` is in gwei. */
export function lapsedWord({ node, count, bonus }: Pick<Lease, 'node' | 'count' | 'bonus'>, at: number): bigint {
  return word(0, 'lapsed', at, packWord('lease', BODY, { node, count, price: 0n, bonus }));
}

/**
 * Storage word of a living lease: revealed when `result` is given, committed when the lease carries a commitment, else
 * claimed. `at` is the second of the commit or reveal (of no meaning while claimed: the deadline stands there).
 */
export function leaseWordOf(lease: Lease, at: number, result?: Result): bigint {
  if (result) return revealedWord(lease, result, at);
  return lease.commitment === zeroHash ? claimedWord(lease) : committedWord(lease, at);
}

/**
 * Whether a storage word stands for `lease` with `result` once it was revealed: as it was shown, or while shards of it are before juries
 * (the last 16 bits then count them). A jury may have marked it `TRIMMED`.
 */
export function standsFor(leaseWord: bigint, lease: Lease, result: Result): boolean {
  const { top, body } = unpackWord(TOP, leaseWord);
  const phase = PHASES[Number(top) & 0x0f];
  if (phase !== 'revealed' && phase !== 'disputed') return false;
  const shift = phase === 'disputed' ? 16n : 0n;
  return body >> shift === unpackWord(TOP, revealedWord(lease, result, 0)).body >> shift;
}

/** What a storage word says without its preimage. */
export interface WordFacts {
  phase: Phase;
  /** Unix seconds: the deadline while claimed, otherwise when the phase began. */
  at: number;
  flags: number;
  /** Who holds (or lost) it; only while claimed or lapsed, a hash stands there otherwise. */
  holder?: { node: number; count: number; price: bigint; bonus: bigint };
}

/** Reads a storage word. A word of zero is a lease that never was, or that has ended. */
export function readWord(leaseWord: bigint): WordFacts {
  const { top, at, body } = unpackWord(TOP, leaseWord);
  const phase = PHASES[Number(top) & 0x0f];
  if (!phase)
    throw new RangeError(
      `The word 0x${leaseWord.toString(16)} is no lease: phase ${Number(top) & 0x0f} does not exist.`,
    );
  const facts: WordFacts = { phase, at: Number(at), flags: Number(top) & 0xf0 };
  if (phase !== 'claimed' && phase !== 'lapsed') return facts;
  const { node, count, price, bonus } = unpackWord(BODY, body);
  return { ...facts, holder: { node: Number(node), count: Number(count), price, bonus } };
}

/** What a commitment is made of. */
export interface CommitmentParts {
  /** The job's id. */
  id: Hex;
  /** The lease's first shard. */
  first: number;
  /** The seat; 0 for the holder of the lease. */
  seat?: number;
  /** The node that commits. */
  node: number;
  result: Result;
  /** 32 random bytes, kept until the reveal. Whoever loses them loses the bond. */
  salt: Hex;
}

/** What a node commits to, equal to the contract's `commitmentOf`. */
export function commitmentOf({ id, first, seat = 0, node, result, salt }: CommitmentParts): Hex {
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'bytes32' },
        { type: 'uint32' },
        { type: 'uint8' },
        { type: 'uint32' },
        { type: 'bytes32' },
        { type: 'uint64' },
        { type: 'bytes32' },
        { type: 'bytes32' },
      ],
      [id, first, seat, node, result.root, result.units, result.manifest, salt],
    ),
  );
}

function word(flags: number, phase: Phase, at: number, body: bigint): bigint {
  return packWord('lease', TOP, { top: flags | PHASES.indexOf(phase), at, body });
}
