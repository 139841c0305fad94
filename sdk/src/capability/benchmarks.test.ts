import { CID } from 'multiformats/cid';
import { decodeAbiParameters, hexToBytes, parseEther, sha256, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';

import { decodeSpec, encodeSpec } from '../spec.ts';
import {
  benchmarkOf,
  encodeBenchmarks,
  LOCAL_TIERS,
  proofBytes,
  proofSpec,
  seedOf,
  specOf,
  TIERS,
  walkOf,
} from './benchmarks.ts';

const MODULE = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
const NONCE: Hex = `0x${'0123456789abcdef'.repeat(4)}`;

describe.each([...TIERS, ...LOCAL_TIERS])('tier $tier, $walk.lanes lanes', (tier) => {
  test('its spec is valid and says its walk', () => {
    const spec = decodeSpec(proofBytes(tier, MODULE, NONCE));
    expect(spec.name).toBe(`Capability proof of tier ${tier.tier}, ${NONCE}`);
    expect(spec.shards).toBe(1);
    expect(walkOf(spec)).toEqual(tier.walk);
  });

  test('the contract makes the same spec of the two pieces and the nonce', () => {
    const benchmark = benchmarkOf(tier, MODULE);
    const { spec, block } = specOf(benchmark, NONCE);
    expect(block).toEqual(encodeSpec(proofSpec(tier, MODULE, NONCE)));
    expect(spec.module).toEqual(MODULE);
  });

  test('is within the bounds of the contract', () => {
    const { claimFor, exec, window, validFor, bond, head, tail } = benchmarkOf(tier, MODULE);
    expect(Math.max(claimFor, exec)).toBeLessThanOrEqual(3_600);
    expect(Math.min(claimFor, exec, window)).toBeGreaterThanOrEqual(1);
    expect(window).toBeLessThanOrEqual(86_400);
    expect(validFor).toBeGreaterThanOrEqual(3_600);
    expect(validFor).toBeLessThanOrEqual(90 * 86_400);
    expect(bond).toBeGreaterThan(0n);
    expect(hexToBytes(head).length + hexToBytes(tail).length).toBeLessThanOrEqual(4_096);
  });
});

test('another nonce is another job, for module and kernel', () => {
  for (const tier of LOCAL_TIERS) {
    expect(sha256(proofBytes(tier, MODULE, NONCE))).not.toBe(sha256(proofBytes(tier, MODULE, `0x${'0'.repeat(64)}`)));
  }
});

test('the steps of a kernel are its dispatches', () => {
  const spec = decodeSpec(proofBytes(TIERS[1]!, MODULE, NONCE));
  expect(spec.settings).toMatchObject({ passes: [{ entry: 'fill' }, { entry: 'walk', repeat: 32 }] });
});

test('a module is seeded by the first block of its stream, a kernel by the digest', () => {
  const digest = sha256(proofBytes(LOCAL_TIERS[0]!, MODULE, NONCE), 'bytes');
  expect(seedOf('wgsl', digest)).toEqual(digest);
  expect(seedOf('wasm', digest)).toEqual(sha256(new Uint8Array([...digest, ...new Uint8Array(12)]), 'bytes'));
});

test('benchmarks are encoded as the deployment reads them', () => {
  const benchmark = { ...benchmarkOf(LOCAL_TIERS[0]!, MODULE), head: '0x01', tail: '0x0203' } as const;
  const [tiers, list] = decodeAbiParameters(
    [
      { type: 'uint8[]' },
      {
        type: 'tuple[]',
        components: [
          { type: 'uint8' },
          { type: 'uint32' },
          { type: 'uint32' },
          { type: 'uint32' },
          { type: 'uint32' },
          { type: 'uint96' },
          { type: 'bytes' },
          { type: 'bytes' },
        ],
      },
    ],
    encodeBenchmarks([{ tier: 9, benchmark }]),
  );
  expect(tiers).toEqual([9]);
  expect(list).toEqual([[1, 60, 60, 10, 86_400, parseEther('100'), '0x01', '0x0203']]);
});

test('a spec is made for the tier alone', () => {
  expect(proofSpec(LOCAL_TIERS[0]!, MODULE, NONCE).args).toEqual(['18', '1024', '256']);
});
