/** The benchmarks behind the tiers: the job spec of each, the two pieces of it that the contract keeps, and how long a node has. docs/capability.md. */
import type { CID } from 'multiformats/cid';
import {
  bytesToHex,
  concatBytes,
  encodeAbiParameters,
  hexToBytes,
  parseEther,
  sha256,
  stringToBytes,
  type Hex,
} from 'viem';

import { capabilityProofsAbi } from '../abi/generated.ts';
import { wgslMemory, wgslOutputBytes, wgslUnits, type WgslSettings } from '../runtimes/wgsl.ts';
import { decodeSpec, encodeSpec, type EncodedSpec, type JobSpec, type JobSpecInput } from '../spec.ts';
import { digestToCid } from '../storage/cid.ts';
import { RUNTIMES } from '../terms.ts';
import { LANE_BYTES, type Walk } from './lanes.ts';

/** One tier: what is computed, by which runtime, and in what time. */
export interface Tier {
  /** 1 to 255; a node of a tier may do what asks for a lower one. */
  tier: number;
  runtime: 'wasm' | 'wgsl';
  walk: Walk;
  /** Steps of one dispatch of the kernel; divides the steps. */
  dispatchSteps?: number;
  /** Seconds to claim after the nonce is known, from claim to result, to challenge, and for which the tier counts. */
  claimFor: number;
  exec: number;
  window: number;
  validFor: number;
  /** DPU wei at risk. */
  bond: bigint;
}

/** What the contract takes for a tier: see `Benchmark` in ICapabilityProofs.sol. */
export interface Benchmark {
  runtime: number;
  claimFor: number;
  exec: number;
  window: number;
  validFor: number;
  bond: bigint;
  head: Hex;
  tail: Hex;
}

const DAY = 86_400;
const MEBIBYTE = 2 ** 20;

/**
 * The tiers that we propose. A word of the buffer is four bytes: 2^26 words are 256 MiB, 2^27 are 512 MiB. Each is many times what a node may take:
 * they tell a machine that can do such work from one that cannot, not a fast one from a faster one.
 */
export const TIERS: readonly Tier[] = [
  {
    tier: 1,
    runtime: 'wasm',
    walk: { wordBits: 26, lanes: 65_536, steps: 1_024 },
    claimFor: 60,
    exec: 60,
    window: 3_600,
    validFor: 30 * DAY,
    bond: parseEther('100'),
  },
  {
    tier: 2,
    runtime: 'wgsl',
    walk: { wordBits: 27, lanes: 1_048_576, steps: 8_192 },
    dispatchSteps: 256,
    claimFor: 30,
    exec: 60,
    window: 3_600,
    validFor: 30 * DAY,
    bond: parseEther('500'),
  },
];

/** The same on a local network: small, so that any machine passes in a second, and with a short window. */
export const LOCAL_TIERS: readonly Tier[] = TIERS.map((tier) => ({
  ...tier,
  walk: { wordBits: 18, lanes: 1_024, steps: 256 },
  ...(tier.dispatchSteps === undefined ? {} : { dispatchSteps: 64 }),
  window: 10,
  validFor: DAY,
}));

/** The nonce as the contract writes it, at its longest: every nonce is as long. */
const NO_NONCE: Hex = `0x${'0'.repeat(64)}`;
const GROUP = 64;
/** Workgroups in a row; the kernel's ROW. */
const ROW_GROUPS = 4_096;

/** The spec of the job that proves `tier` with `nonce`. `module`: the file of the benchmark, capability.wasm or capability.wgsl. */
export function proofSpec(tier: Tier, module: CID, nonce: Hex): JobSpecInput {
  const { walk } = tier;
  const bytes = LANE_BYTES * walk.lanes;
  const common: Omit<JobSpecInput, 'runtime' | 'args' | 'limits'> = {
    version: 1,
    name: `Capability proof of tier ${tier.tier}, ${nonce}`,
    module,
    inputs: [],
    shards: 1,
    output: { name: 'lanes.bin', mediaType: 'application/octet-stream' },
    comparator: { kind: 'exact' },
  };
  if (tier.runtime === 'wasm') {
    return {
      ...common,
      runtime: 'wasm',
      args: [walk.wordBits, walk.lanes, walk.steps].map(String),
      limits: {
        // The buffer, the lanes' ends, and the module itself.
        memoryBytes: 4 * 2 ** walk.wordBits + bytes + MEBIBYTE,
        // A word and a step are some forty operations each; this leaves room for another compiler.
        units: Math.ceil((64 * (2 ** walk.wordBits + walk.lanes * walk.steps)) / 1_000_000),
        outputBytes: bytes,
        seconds: tier.exec,
      },
    };
  }
  const settings = kernelSettings(tier);
  return {
    ...common,
    runtime: 'wgsl',
    settings: settings as unknown as Record<string, unknown>,
    args: [walk.wordBits, tier.dispatchSteps ?? walk.steps].map(String),
    limits: {
      memoryBytes: wgslMemory(settings),
      units: wgslUnits(settings),
      outputBytes: wgslOutputBytes(settings),
      seconds: tier.exec,
    },
  };
}

/** Four quarters of the buffer and the lanes; as many dispatches of the walk as its steps need. */
function kernelSettings({ walk, dispatchSteps = walk.steps }: Tier): WgslSettings {
  const quarters = ['b0', 'b1', 'b2', 'b3'];
  const bind = [...quarters, 'lanes'].map((buffer, i) => ({
    binding: i + 1,
    buffer,
    access: 'read_write' as const,
  }));
  const groupsOf = (invocations: number): [number, number, number] => {
    const groups = Math.ceil(invocations / GROUP);
    return [Math.min(groups, ROW_GROUPS), Math.ceil(groups / ROW_GROUPS), 1];
  };
  const size: [number, number, number] = [GROUP, 1, 1];
  return {
    buffers: [
      ...quarters.map((name) => ({ name, bytes: 2 ** walk.wordBits })),
      { name: 'lanes', bytes: LANE_BYTES * walk.lanes },
    ],
    passes: [
      { entry: 'fill', size, groups: groupsOf(2 ** walk.wordBits / 1_024), bind: bind.slice(0, 4) },
      { entry: 'walk', size, groups: groupsOf(walk.lanes), repeat: walk.steps / dispatchSteps, bind },
    ],
    output: { buffers: ['lanes'] },
  };
}

/** The canonical spec for `nonce`, byte for byte what the contract hashes. */
export function proofBytes(tier: Tier, module: CID, nonce: Hex): Uint8Array {
  return encodeSpec(proofSpec(tier, module, nonce)).bytes;
}

/** What governance sets for a tier: the spec is cut where the nonce stands. */
export function benchmarkOf(tier: Tier, module: CID): Benchmark {
  const bytes = proofBytes(tier, module, NO_NONCE);
  const mark = stringToBytes(NO_NONCE);
  const at = indexOf(bytes, mark);
  const { claimFor, exec, window, validFor, bond } = tier;
  return {
    runtime: RUNTIMES[tier.runtime],
    claimFor,
    exec,
    window,
    validFor,
    bond,
    head: bytesToHex(bytes.subarray(0, at)),
    tail: bytesToHex(bytes.subarray(at + mark.length)),
  };
}

/** The job's spec and its block, as a benchmark and a nonce make them; the block's digest is `Terms.spec` of the proof's job. */
export function specOf(
  { head, tail }: Pick<Benchmark, 'head' | 'tail'>,
  nonce: Hex,
): { spec: JobSpec; block: EncodedSpec } {
  const bytes = concatBytes([hexToBytes(head), stringToBytes(nonce), hexToBytes(tail)]);
  const digest = sha256(bytes);
  return { spec: decodeSpec(bytes), block: { bytes, digest, cid: digestToCid(digest, 'dag-cbor') } };
}

/** Benchmarks as the deployment takes them: `DPU_BENCHMARKS`, `abi.encode(uint8[] tiers, Benchmark[] benchmarks)`. */
export function encodeBenchmarks(tiers: readonly { tier: number; benchmark: Benchmark }[]): Hex {
  const setter = capabilityProofsAbi.find((entry) => entry.type === 'function' && entry.name === 'setBenchmark');
  const struct = setter!.inputs[1]!;
  return encodeAbiParameters(
    [{ type: 'uint8[]' }, { ...struct, name: 'benchmarks', type: 'tuple[]' }],
    [tiers.map(({ tier }) => tier), tiers.map(({ benchmark }) => benchmark)],
  );
}

/** The seed that the job's runtime gives to the benchmark, from the digest of its spec. */
export function seedOf(runtime: Tier['runtime'], spec: Uint8Array): Uint8Array {
  // GPU kernels get the digest; modules the first block of `random_get`: the digest, shard 0, block 0 (docs/jobs.md).
  return runtime === 'wgsl' ? spec : sha256(concatBytes([spec, new Uint8Array(12)]), 'bytes');
}

/** The walk of a spec that proves a tier, as its limits and arguments say it. */
export function walkOf(spec: Pick<JobSpec, 'runtime' | 'args' | 'settings' | 'limits'>): Walk {
  const numbers = spec.args.map(Number);
  const [wordBits = 0, second = 0, third = 0] = numbers;
  if (spec.runtime === 'wasm') return { wordBits, lanes: second, steps: third };
  const passes = (spec.settings as unknown as WgslSettings).passes;
  return { wordBits, lanes: spec.limits.outputBytes / LANE_BYTES, steps: second * (passes[1]?.repeat ?? 1) };
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error('the spec does not contain its nonce');
}
