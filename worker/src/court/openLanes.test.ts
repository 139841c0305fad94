import { LOCAL_TIERS, proofSpec, seedOf, type Tier } from '@dpu/sdk/capability/benchmarks';
import { laneOf } from '@dpu/sdk/capability/lanes';
import { SPEC_FAULT } from '@dpu/sdk/lease';
import type { Manifest } from '@dpu/sdk/manifest';
import { decodeSpec, encodeSpec } from '@dpu/sdk/spec';
import { CID } from 'multiformats/cid';
import { hexToBytes } from 'viem';
import { expect, test } from 'vitest';

import { RESULT, sampleLease, sampleTerms } from '../testing/samples.ts';
import { sha256 } from '../work/workspace.ts';
import { openLanes } from './openLanes.ts';

const MODULE = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
const tier: Tier = { ...LOCAL_TIERS[0]!, walk: { wordBits: 14, lanes: 16, steps: 8 } };
const block = encodeSpec(proofSpec(tier, MODULE, `0x${'5a'.repeat(32)}`));
const terms = sampleTerms({ spec: block.digest, shards: 1, window: 600 });
const seed = seedOf('wasm', hexToBytes(block.digest));

/** What an honest node shows. */
const right = new Uint8Array(
  Uint32Array.from({ length: tier.walk.lanes }, (_, lane) => laneOf(seed, tier.walk, lane)).buffer,
);

/** Opens `output`; undefined is out of reach. */
function open(output: Uint8Array | undefined, over: { manifest?: boolean; result?: typeof RESULT } = {}) {
  const shards = [{ shard: 0, hash: sha256(right), size: 64, units: 1n, cid: undefined }];
  const manifest = { shards } as unknown as Manifest;
  const found = openLanes(
    { lease: sampleLease({ terms, phase: 'revealed', result: over.result ?? RESULT }), shard: 0 },
    {
      workspace: { spec: async () => decodeSpec(block.bytes) },
      shown: { manifest: async () => (over.manifest === false ? undefined : manifest), output: async () => output },
    },
    new AbortController().signal,
  );
  return found.then((examination) =>
    'leaves' in examination ? [examination.finding, examination.leaves] : examination.finding,
  );
}

test('what the benchmark says is the same', async () => {
  expect(await open(right)).toBe('same');
});

test('one wrong lane is found and proven by the manifest', async () => {
  const forged = right.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
  expect(await open(forged)).toEqual(['wrong', [expect.objectContaining({ shard: 0, hash: sha256(right) })]]);
});

test('another number of lanes is wrong', async () => {
  expect(await open(right.subarray(4))).toEqual(['wrong', [expect.objectContaining({ shard: 0 })]]);
});

test('what is out of reach, or claims to be impossible, is unknown', async () => {
  expect(await open(undefined)).toBe('unknown');
  expect(await open(right, { manifest: false })).toBe('unknown');
  expect(await open(right, { result: { ...RESULT, root: SPEC_FAULT } })).toBe('unknown');
});
