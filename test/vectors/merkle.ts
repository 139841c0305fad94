// Writes test/vectors/merkle.json: trees that the sdk and the contract must agree on, byte for byte.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { merkleProof, merkleRoot, shardLeaf, type ShardLeaf } from '@dpu/sdk/merkle';
import { keccak256, toHex } from 'viem';

/** Leaves of a made-up lease of `size` shards. The largest tree ends with the largest values. */
function leavesOf(size: number): ShardLeaf[] {
  return Array.from({ length: size }, (_, index) => ({
    shard: size === 64 && index === 63 ? 0xffff_ffff : size * 1000 + index,
    hash: keccak256(toHex(`output ${index} of ${size}`)),
    units: size === 64 && index === 63 ? (1n << 64n) - 1n : BigInt(index) * 1_000_003n,
  }));
}

const trees = [1, 2, 3, 5, 64].map((size) => {
  const leaves = leavesOf(size);
  return {
    size,
    root: merkleRoot(leaves),
    leaves: leaves.map((leaf) => ({
      shard: leaf.shard,
      hash: leaf.hash,
      units: leaf.units.toString(),
      leaf: shardLeaf(leaf),
      proof: merkleProof(leaves, leaf.shard),
    })),
  };
});

writeFileSync(join(import.meta.dirname, 'merkle.json'), `${JSON.stringify({ trees }, null, 2)}\n`);
