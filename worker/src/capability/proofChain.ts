import { capabilityProofsAbi } from '@dpu/sdk/abi';
import type { Benchmark } from '@dpu/sdk/capability/benchmarks';
import { createPublicClient, fallback, http, type Address, type Hex } from 'viem';

import { messageOf, TransientError } from '../errors.ts';

/** What the node reads of the contract of capability proofs. Failures to answer are TransientErrors. */
export interface ProofChain {
  /** The contract. */
  readonly address: Address;
  /** What proves `tier`; undefined while the tier is closed. */
  benchmark(tier: number): Promise<Benchmark | undefined>;
  /** The tier that `job` proves; undefined once that is entered, and for what is no proof. */
  tierOf(job: Hex): Promise<number | undefined>;
  /** The nonce in the spec of the proof `job`, which was begun in block `number`; undefined when that block has no such event. */
  nonce(job: Hex, number: number): Promise<Hex | undefined>;
}

/** The contract at `address` behind JSON-RPC endpoints, the preferred one first. `timeoutMs`: longest wait for one answer. */
export function viemProofChain(address: Address, rpc: readonly string[], timeoutMs: number): ProofChain {
  const client = createPublicClient({
    cacheTime: 0,
    transport: fallback(rpc.map((url) => http(url, { retryCount: 0, timeout: timeoutMs }))),
  });
  const contract = { address, abi: capabilityProofsAbi } as const;
  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw new TransientError(`The RPC did not answer ${what}: ${messageOf(error)}`, { what }, error);
    }
  }
  return {
    address,
    benchmark: (tier) =>
      ask('benchmark', async () => {
        const benchmark = await client.readContract({ ...contract, functionName: 'benchmark', args: [tier] });
        return benchmark.exec === 0 ? undefined : benchmark;
      }),
    tierOf: (job) =>
      ask('proof', async () => {
        const [, tier] = await client.readContract({ ...contract, functionName: 'proof', args: [job] });
        return tier === 0 ? undefined : tier;
      }),
    nonce: (job, number) =>
      ask('eth_getLogs', async () => {
        const block = BigInt(number);
        const [event] = await client.getContractEvents({
          ...contract,
          ...{ eventName: 'ProofBegun', args: { job }, fromBlock: block, toBlock: block, strict: true },
        } as const);
        return event?.args.nonce;
      }),
  };
}
