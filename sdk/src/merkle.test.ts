import { readFileSync } from 'node:fs';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { bytesToHex, concat, encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { MerkleError, merkleProof, merkleRoot, shardLeaf, verifyProof, type ShardLeaf } from './merkle.ts';

const leaf = fc.record({
  shard: fc.nat(0xffff_ffff),
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytesToHex(bytes)),
  units: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
});
const leavesOf = fc.uniqueArray(leaf, { minLength: 1, maxLength: 40, selector: ({ shard }) => shard });

/** The root by the definition of the tree, recursively and on text: node i has the children 2i + 1 and 2i + 2. */
function naiveRoot(leaves: ShardLeaf[]): Hex {
  const sorted = leaves.map(naiveLeaf).sort();
  const total = 2 * sorted.length - 1;
  const node = (at: number): Hex => {
    const fromEnd = total - 1 - at;
    if (fromEnd < sorted.length) return sorted[fromEnd]!;
    return keccak256(concat([node(2 * at + 1), node(2 * at + 2)].sort()));
  };
  return node(0);
}

function naiveLeaf({ shard, hash, units }: ShardLeaf): Hex {
  return keccak256(keccak256(encodeAbiParameters(parseAbiParameters('uint32, bytes32, uint64'), [shard, hash, units])));
}

describe('the tree over a lease', () => {
  test('equals the definition and OpenZeppelin, whatever the leaves', () => {
    fc.assert(
      fc.property(leavesOf, (leaves) => {
        const values = leaves.map(({ shard, hash, units }): [number, Hex, bigint] => [shard, hash, units]);
        const tree = StandardMerkleTree.of(values, ['uint32', 'bytes32', 'uint64']);
        expect(merkleRoot(leaves)).toBe(naiveRoot(leaves));
        expect(merkleRoot(leaves)).toBe(tree.root);
        const [first] = leaves as [ShardLeaf];
        expect(merkleProof(leaves, first.shard)).toEqual(tree.getProof([first.shard, first.hash, first.units]));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('proves each of its leaves and no other', () => {
    fc.assert(
      fc.property(leavesOf, (leaves) => {
        const root = merkleRoot(leaves);
        for (const each of leaves) {
          const proof = merkleProof(leaves, each.shard);
          expect(verifyProof(root, each, proof)).toBe(true);
          expect(verifyProof(root, { ...each, units: each.units ^ 1n }, proof)).toBe(false);
          expect(verifyProof(root, { ...each, shard: (each.shard + 1) % 2 ** 32 }, proof)).toBe(false);
        }
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  test('does not depend on the order of the leaves', () => {
    const leaves = vectors().at(-1)!.leaves;
    expect(merkleRoot([...leaves].reverse())).toBe(merkleRoot(leaves));
  });

  test('agrees with the committed vectors', () => {
    expect(vectors().map(({ size }) => size)).toEqual([1, 2, 3, 5, 64]);
    for (const { root, leaves } of vectors()) {
      expect(merkleRoot(leaves)).toBe(root);
      expect(naiveRoot(leaves)).toBe(root);
      for (const each of leaves) {
        expect(shardLeaf(each)).toBe(each.leaf);
        expect(merkleProof(leaves, each.shard)).toEqual(each.proof);
        expect(verifyProof(root, each, each.proof)).toBe(true);
      }
    }
  });

  test('refuses what has no tree or no leaf', () => {
    const one = vectors()[0]!.leaves[0]!;
    expect(() => merkleRoot([])).toThrow(new MerkleError('A tree needs at least one leaf.'));
    expect(() => merkleProof([one], 5)).toThrow('Shard 5 is not among the 1 leaves of this lease.');
    expect(() => shardLeaf({ ...one, shard: -1 })).toThrow('-1 is no shard index.');
    expect(() => shardLeaf({ ...one, hash: '0x12' })).toThrow('The hash of shard 1000 is not 32 bytes: 0x12');
    expect(() => shardLeaf({ ...one, units: 1n << 64n })).toThrow('The units of shard 1000 are no uint64');
  });
});

function vectors(): { size: number; root: Hex; leaves: (ShardLeaf & { leaf: Hex; proof: Hex[] })[] }[] {
  const text = readFileSync(new URL('../../test/vectors/merkle.json', import.meta.url), 'utf8');
  return JSON.parse(text, (key, value: unknown) => (key === 'units' ? BigInt(value as string) : value)).trees;
}
