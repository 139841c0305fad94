/**
 * The tree over a lease's shards: OpenZeppelin's standard tree with leaves `['uint32', 'bytes32', 'uint64']`. Written here on
 * viem's keccak256 because the npm package brings a second keccak and a second ABI coder into the browser; it is the
 * oracle of the tests.
 */
import { bytesToHex, hexToBytes, isHex, keccak256, type Hex } from 'viem';

/** What one shard contributes to a result. */
export interface ShardLeaf {
  /** Index of the shard in its job. */
  shard: number;
  /** sha2-256 of the shard's output. */
  hash: Hex;
  /** Compute units the shard took. */
  units: bigint;
}

/** Thrown when there is no tree over the given leaves, or no leaf of the asked shard. */
export class MerkleError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MerkleError';
  }
}

/** Hash of a leaf: `keccak256(keccak256(abi.encode(uint32 shard, bytes32 hash, uint64 units)))`. */
export function shardLeaf(leaf: ShardLeaf): Hex {
  return bytesToHex(leafHash(leaf));
}

/**
 * Root over `leaves`, whatever their order.
 * @throws MerkleError when there is none, or a leaf does not fit its types.
 */
export function merkleRoot(leaves: readonly ShardLeaf[]): Hex {
  return bytesToHex(build(leaves.map(leafHash))[0]!);
}

/**
 * Proof that the leaf of `shard` is under the root of `leaves`, from the leaf up.
 * @throws MerkleError when no leaf is of that shard.
 */
export function merkleProof(leaves: readonly ShardLeaf[], shard: number): Hex[] {
  const index = leaves.findIndex((leaf) => leaf.shard === shard);
  if (index < 0) throw new MerkleError(`Shard ${shard} is not among the ${leaves.length} leaves of this lease.`);
  const hashes = leaves.map(leafHash);
  const tree = build(hashes);
  const proof: Hex[] = [];
  for (let at = tree.indexOf(hashes[index]!); at > 0; at = (at - 1) >> 1) {
    proof.push(bytesToHex(tree[at % 2 === 0 ? at - 1 : at + 1]!));
  }
  return proof;
}

/** Whether `proof` leads from `leaf` to `root`, as the contract's `isShardOf` decides. */
export function verifyProof(root: Hex, leaf: ShardLeaf, proof: readonly Hex[]): boolean {
  const top = proof.reduce((hash, sibling) => pairHash(hash, hexToBytes(sibling)), leafHash(leaf));
  return bytesToHex(top) === root.toLowerCase();
}

/** The tree in an array: the root at 0, the children of `i` at `2i + 1` and `2i + 2`, the leaves sorted from the end. */
function build(leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 0) throw new MerkleError('A tree needs at least one leaf.');
  const size = 2 * leaves.length - 1;
  const tree = new Array<Uint8Array>(size);
  [...leaves].sort(compare).forEach((hash, index) => (tree[size - 1 - index] = hash));
  for (let at = leaves.length - 2; at >= 0; at--) tree[at] = pairHash(tree[2 * at + 1]!, tree[2 * at + 2]!);
  return tree;
}

function leafHash({ shard, hash, units }: ShardLeaf): Uint8Array {
  if (!Number.isInteger(shard) || shard < 0 || shard > 0xffff_ffff)
    throw new MerkleError(`${shard} is no shard index.`);
  if (!isHex(hash) || hash.length !== 66) throw new MerkleError(`The hash of shard ${shard} is not 32 bytes: ${hash}`);
  if (units < 0n || units >= 1n << 64n) throw new MerkleError(`The units of shard ${shard} are no uint64: ${units}`);
  const words = new Uint8Array(96);
  const view = new DataView(words.buffer);
  view.setUint32(28, shard);
  words.set(hexToBytes(hash), 32);
  view.setBigUint64(88, units);
  return keccak256(keccak256(words, 'bytes'), 'bytes');
}

function pairHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  const pair = new Uint8Array(64);
  const ordered = compare(a, b) <= 0;
  pair.set(ordered ? a : b, 0);
  pair.set(ordered ? b : a, 32);
  return keccak256(pair, 'bytes');
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
