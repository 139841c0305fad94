import {
  createPublicClient,
  createTestClient,
  defineChain,
  http,
  type Chain,
  type PublicClient,
  type TestClient,
} from 'viem';

import { nativeBinary } from '../native.mjs';
import type { ProcessTree, Running } from './processTree.ts';
import { ACCOUNTS, MNEMONIC } from './people.ts';

/** A local chain that runs. */
export interface LocalChain {
  process: Running;
  rpcUrl: string;
  chain: Chain;
  publicClient: PublicClient;
  testClient: TestClient;
}

export const LOCAL_CHAIN_ID = 31_337;

/** Describes a local chain for viem. */
export function describeChain(rpcUrl: string, id = LOCAL_CHAIN_ID): Chain {
  return defineChain({
    id,
    name: 'DPU local',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** Starts anvil with a block every `blockSeconds`, by its native binary (the npm wrapper orphans it). */
export async function startChain(
  tree: ProcessTree,
  options: { port: number; blockSeconds?: number },
): Promise<LocalChain> {
  const rpcUrl = `http://127.0.0.1:${options.port}`;
  const args = ['--port', String(options.port), '--host', '127.0.0.1', '--mnemonic', MNEMONIC];
  args.push('--accounts', String(ACCOUNTS), '--hardfork', 'prague', '--chain-id', String(LOCAL_CHAIN_ID), '--silent');
  if (options.blockSeconds) args.push('--block-time', String(options.blockSeconds));
  const process_ = tree.start({ name: 'chain', file: nativeBinary('anvil'), args });
  const chain = describeChain(rpcUrl);
  const transport = http(rpcUrl, { maxResponseBodySize: false } as Parameters<typeof http>[1]);
  // No memory of the block number: the one that viem kept may be older than the receipt that was just awaited.
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 100, cacheTime: 0 });
  const testClient = createTestClient({ chain, transport, mode: 'anvil' });
  await tree.ready(process_, async () => (await publicClient.getChainId()) === LOCAL_CHAIN_ID, 30_000);
  return { process: process_, rpcUrl, chain, publicClient, testClient };
}
