import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import { zeroHash, type Hash, type Hex } from 'viem';

import type { Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { marketOf, mined, now } from './market.ts';

export const DPU = 10n ** 18n;
const MIB = 1024 * 1024;

/** What differs from a job of one shard that costs one DPU. */
export interface JobWish {
  terms?: Partial<Terms>;
  spec?: Partial<JobSpecInput>;
  /** Whether a job with this id will do; another salt makes another. */
  suits?: (id: Hex) => boolean;
}

/** A job that is on chain, or can be brought there. */
export interface TestJob {
  id: Hex;
  terms: Terms;
}

let salts = 0n;

/** Stores a spec that runs `module` and answers its digest. */
export async function storeSpec(
  { storage }: Network,
  module: Uint8Array<ArrayBuffer>,
  spec: Partial<JobSpecInput> = {},
): Promise<Hex> {
  const { cid } = await storage.addFile(module);
  const encoded = encodeSpec({
    version: 1,
    name: 'A test job',
    runtime: 'wasm',
    module: cid,
    args: [],
    inputs: [],
    shards: 1,
    output: { name: 'out.bin', mediaType: 'application/octet-stream' },
    limits: { memoryBytes: 16 * MIB, units: 20_000, outputBytes: 65_536, seconds: 10 },
    comparator: { kind: 'exact' },
    ...spec,
  });
  await storage.putBlock(encoded.cid, encoded.bytes);
  return encoded.digest;
}

/** Terms of one shard for one DPU: half a minute to compute, two seconds to challenge, a minute to claim. */
export async function testTerms(
  network: Network,
  spec: Hex,
  over: Partial<Terms> = {},
  suits: (id: Hex) => boolean = () => true,
): Promise<TestJob> {
  const { deployment } = network;
  const terms: Terms = {
    requester: people.requester.address,
    currency: deployment.token,
    minPrice: DPU,
    maxPrice: DPU,
    bond: 4n * DPU,
    shards: 1,
    maxLease: 64,
    runtime: 1,
    tier: 0,
    seats: 1,
    direct: false,
    tolerant: false,
    auditBps: 0,
    rules: (await marketOf(network, people.requester).config()).rules,
    node: 0,
    start: 0,
    expiry: (await now(network)) + 60,
    ramp: 0,
    exec: 30,
    window: 2,
    spec,
    afterJob: zeroHash,
    salt: 0n,
    ...over,
  };
  for (;;) {
    salts += 1n;
    const salted = { ...terms, salt: over.salt ?? salts };
    const id = jobId(salted, marketDomain(deployment.chainId, deployment.market));
    if (suits(id) || over.salt !== undefined) return { id, terms: salted };
  }
}

/** Posts terms; what they cost must be in the requester's balance. */
export async function postTerms(network: Network, { id, terms }: TestJob): Promise<TestJob & { transaction: Hash }> {
  const transaction = await mined(network, await marketOf(network, people.requester).post(terms));
  return { id, terms, transaction };
}

/** Stores and posts a job that runs `module`. */
export async function postWasm(
  network: Network,
  module: Uint8Array<ArrayBuffer>,
  { terms = {}, spec = {}, suits }: JobWish = {},
): Promise<TestJob & { transaction: Hash }> {
  const shards = spec.shards ?? terms.shards ?? 1;
  const digest = await storeSpec(network, module, { shards, ...spec });
  return postTerms(network, await testTerms(network, digest, { shards, ...terms }, suits));
}
