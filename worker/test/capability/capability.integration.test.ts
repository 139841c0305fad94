import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkLanes, laneOf } from '@dpu/sdk/capability/lanes';
import { LOCAL_TIERS, proofSpec, seedOf, walkOf, type Tier } from '@dpu/sdk/capability/benchmarks';
import { decodeSpec, encodeSpec } from '@dpu/sdk/spec';
import { CID } from 'multiformats/cid';
import { sha256, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Runtime, ShardRequest } from '../../src/runtimes/runtime.ts';
import { WasmRuntime } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { WgslRuntime } from '../../src/runtimes/wgsl/wgslRuntime.ts';

const MODULE = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
const NONCE: Hex = `0x${'5a'.repeat(32)}`;

const wasm = new WasmRuntime();
const wgsl = new WgslRuntime();
const probed = await wgsl.probe();
if (!probed.available) console.warn(`The benchmark of GPUs is not tested on this machine. ${probed.detail}`);
const MODULES = join(import.meta.dirname, '../../../sdk/modules');
beforeAll(() => {
  execFileSync(process.execPath, [join(MODULES, 'build.mjs')], { stdio: 'pipe' });
});
afterAll(() => Promise.all([wasm.close(), wgsl.close()]));

const tierOf = (runtime: Tier['runtime']): Tier => LOCAL_TIERS.find((tier) => tier.runtime === runtime)!;

/** What the spec of a proof asks of its runtime, as a node asks it. */
function requestOf(tier: Tier): { request: ShardRequest; seed: Uint8Array } {
  const { bytes, digest } = encodeSpec(proofSpec(tier, MODULE, NONCE));
  const spec = decodeSpec(bytes);
  expect(walkOf(spec)).toEqual(tier.walk);
  const { args, limits, settings } = spec;
  const module = Uint8Array.from(readFileSync(join(MODULES, 'build', `capability.${tier.runtime}`)));
  const seed = sha256(bytes, 'bytes');
  expect(digest).toBe(sha256(bytes));
  const request = { module, args, shard: 0, shards: 1, inputs: [], seed, limits, ...(settings ? { settings } : {}) };
  return { request, seed: seedOf(tier.runtime, seed) };
}

async function proves(runtime: Runtime, tier: Tier): Promise<void> {
  const { request, seed } = requestOf(tier);
  const { output } = await runtime.run(request);
  const result = Uint8Array.from(output);
  expect(checkLanes(seed, tier.walk, result, tier.walk.lanes)).toEqual([]);
  // One bit of one lane, and only that lane is named.
  result[4 * 700] = result[4 * 700]! ^ 1;
  const right = laneOf(seed, tier.walk, 700);
  expect(checkLanes(seed, tier.walk, result, tier.walk.lanes)).toEqual([
    { lane: 700, shown: (right ^ 1) >>> 0, right },
  ]);
}

test('the benchmark of processors ends each lane where the check says', () => proves(wasm, tierOf('wasm')));

test.skipIf(!probed.available)('the benchmark of graphics cards ends each lane where the check says', () =>
  proves(wgsl, tierOf('wgsl')),
);
