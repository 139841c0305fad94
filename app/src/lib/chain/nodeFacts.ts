import { capabilityProofsAbi } from '@dpu/sdk/abi';
import type { Deployment } from '@dpu/sdk/deployment';
import { LOG_RANGE } from '@dpu/sdk/logs';
import { getAbiItem, type Address, type Hash, type Hex } from 'viem';

import type { Chain } from './chain.ts';

/** How a node came by its tier. */
export interface TierProof {
  tier: number;
  /** The job whose result is the proof. */
  job: Hex;
  /** Last second at which it counts. */
  until: number;
  transaction: Hash;
}

/** What a node's page reads from the chain. DPU and coin in wei, times in unix seconds. */
export interface NodeFacts {
  owner: Address;
  operator: Address;
  stake: bigint;
  locked: bigint;
  queued: bigint;
  /** When `queued` may leave; 0 when nothing does. */
  unstakeAt: number;
  record: number;
  /** Bits of runtime ids. */
  runtimes: number;
  tier: number;
  tierUntil: number;
  key: Hex;
  /** Text of the node: show it, never interpret it. */
  endpoint: string;
  /** Least stake of a node that takes work. */
  minStake: bigint;
  /** Coin of the operator's key, and what a unit of gas costs now. */
  coin: bigint;
  gasPrice: bigint;
  /** Newest proof of a tier that the network's benchmark contract accepted. */
  proof: TierProof | undefined;
}

const FINISHED = getAbiItem({ abi: capabilityProofsAbi, name: 'ProofFinished' });

/** Reads node `id`; undefined when there is none. */
export async function readNodeFacts(
  chain: Chain,
  deployment: Pick<Deployment, 'proofs' | 'startBlock'>,
  id: number,
): Promise<NodeFacts | undefined> {
  const market = chain.market();
  const [node, { minStake }, gasPrice] = await Promise.all([
    market.node(id),
    market.config(),
    chain.client.getGasPrice(),
  ]);
  if (/^0x0+$/.test(node.owner)) return undefined;
  const [coin, proof] = await Promise.all([
    chain.client.getBalance({ address: node.operator }),
    node.tier > 0 ? newestProof(chain, deployment, id) : undefined,
  ]);
  return { ...node, minStake, coin, gasPrice, proof };
}

/** Looks back from the newest block, since a tier is proven again and again. */
async function newestProof(
  { client }: Chain,
  { proofs, startBlock }: Pick<Deployment, 'proofs' | 'startBlock'>,
  node: number,
): Promise<TierProof | undefined> {
  if (!proofs) return undefined;
  const first = BigInt(startBlock);
  for (let to = await client.getBlockNumber({ cacheTime: 0 }); to >= first; to -= BigInt(LOG_RANGE)) {
    const from = to - BigInt(LOG_RANGE) + 1n;
    const logs = await client.getLogs({
      ...{ address: proofs, event: FINISHED, args: { node }, strict: true },
      ...{ fromBlock: from > first ? from : first, toBlock: to },
    });
    const newest = logs.at(-1);
    if (newest) {
      const { tier, job, until } = newest.args;
      return { tier, job, until, transaction: newest.transactionHash };
    }
  }
  return undefined;
}
