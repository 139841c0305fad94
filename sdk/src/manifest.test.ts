import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { keccak256, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  cidsOf,
  decodeManifest,
  encodeManifest,
  ManifestError,
  MAX_LEASE_SHARDS,
  rootOf,
  unitsOf,
} from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { merkleRoot } from './merkle.ts';

const FILE = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
const manifest: Manifest = {
  version: 1,
  job: keccak256(toHex('job')),
  first: 2,
  node: 4,
  shards: [2, 3].map((shard) => ({
    shard,
    hash: keccak256(toHex(`output ${shard}`)),
    cid: FILE,
    size: 5,
    units: shard === 2 ? 1n : (1n << 64n) - 1n,
  })),
  log: FILE,
};

function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ManifestError) return error.problems.map(({ path, sentence }) => `${path}: ${sentence}`);
    throw error;
  }
  return [];
}

describe('a manifest', () => {
  test('becomes one canonical block and comes back', () => {
    const { digest, cid, bytes } = encodeManifest(manifest);
    expect(digest).toBe('0x0daeefbe6a1d46fa8212c7ed2e0b6cf9f73c7e949836676fefb2e04ac14234ad');
    expect(cid.code).toBe(0x71);
    expect(decodeManifest(bytes)).toEqual(manifest);
    const silent = { ...manifest };
    delete silent.log;
    expect(decodeManifest(encodeManifest(silent).bytes)).toEqual(silent);
  });

  test('says root, units and files', () => {
    expect(rootOf(manifest)).toBe(merkleRoot(manifest.shards));
    expect(unitsOf(manifest)).toBe(1n << 64n);
    expect(cidsOf(manifest)).toEqual([FILE, FILE, FILE]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['no shard', { shards: [] }, ['shards: must have at least one shard']],
    [
      'a gap',
      { first: 1 },
      [
        "shards[0].shard: must be 1: shards stand in order from the lease's first, without a gap",
        "shards[1].shard: must be 2: shards stand in order from the lease's first, without a gap",
      ],
    ],
    ['a short id', { job: '0x12' }, ['job: must be 32 bytes']],
    ['no node', { node: 0 }, ['node: must be at least 1']],
    [
      'units that are too many',
      { shards: [{ ...manifest.shards[0], units: 1n << 64n }] },
      ['shards[0].units: must fit in 64 bits'],
    ],
    ['an unknown field', { note: 1 }, [': has an unknown field: note']],
  ])('with %s is refused', (_what, over, problems) => {
    expect(problemsOf(() => encodeManifest({ ...manifest, ...over } as Manifest))).toEqual(problems);
  });

  test('holds 8,000 shards within a megabyte whatever their values, and says so when it is too much', () => {
    const many = (count: number): Manifest => ({
      ...manifest,
      first: 16_000_000,
      shards: Array.from({ length: count }, (_, index) => ({
        ...manifest.shards[0]!,
        shard: 16_000_000 + index,
        size: Number.MAX_SAFE_INTEGER,
        units: (1n << 64n) - 1n,
      })),
    });
    expect(encodeManifest(many(MAX_LEASE_SHARDS)).bytes.length).toBe(1_000_120);
    expect(problemsOf(() => encodeManifest(many(9_000)))).toEqual([
      ': it is 1125120 bytes long, the most is 1048576; claim fewer shards per lease',
    ]);
  });

  test('is refused when a hash is only text', () => {
    const block = dagCbor.encode({ ...manifest, job: manifest.job });
    expect(problemsOf(() => decodeManifest(block))).toEqual([': a CID or a hash is written as text']);
  });

  test('is refused unless its block is canonical', () => {
    expect(problemsOf(() => decodeManifest(Uint8Array.of(0xff)))).toEqual([': the block is not canonical dag-cbor']);
  });
});
