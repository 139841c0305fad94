import { marketAbi } from '@dpu/sdk/abi';
import type { Deployment } from '@dpu/sdk/deployment';
import { readVotingPower, type VotingPower } from '@dpu/sdk/governanceReads';
import { LOG_RANGE } from '@dpu/sdk/logs';
import { getAbiItem, type Address, type PublicClient } from 'viem';

import type { StakedNode } from '../stake/exit.ts';

/** Everything about an owner's stake, read from the chain in one go. DPU wei, seconds. */
export interface Stakes {
  nodes: StakedNode[];
  power: VotingPower;
  /** Least stake of a node that takes work. */
  minStake: bigint;
  /** Of exits queued now. */
  unbonding: number;
}

const NODE_SET = getAbiItem({ abi: marketAbi, name: 'NodeSet' });

/** Reads the stakes of owners. Which nodes an owner has is known from the logs, and kept. */
export function createStakes(client: PublicClient, deployment: Deployment): (owner: Address) => Promise<Stakes> {
  const known = new Map<Address, { ids: Set<number>; next: bigint }>();

  async function nodesOf(owner: Address): Promise<number[]> {
    const { ids, next } = known.get(owner) ?? { ids: new Set<number>(), next: BigInt(deployment.startBlock) };
    const last = await client.getBlockNumber({ cacheTime: 0 });
    for (let from = next; from <= last; from += BigInt(LOG_RANGE)) {
      const end = from + BigInt(LOG_RANGE) - 1n;
      const logs = await client.getLogs({
        address: deployment.market,
        event: NODE_SET,
        args: { owner },
        strict: true,
        fromBlock: from,
        toBlock: end < last ? end : last,
      });
      for (const { args } of logs) ids.add(args.node);
    }
    known.set(owner, { ids, next: last + 1n });
    return [...ids].sort((a, b) => a - b);
  }

  return async (owner) => {
    const market = { address: deployment.market, abi: marketAbi } as const;
    const [ids, [, , minStake, unbonding], power] = await Promise.all([
      nodesOf(owner),
      client.readContract({ ...market, functionName: 'config' }),
      readVotingPower(client, deployment, owner),
    ]);
    const nodes = await Promise.all(
      ids.map(async (id): Promise<StakedNode> => {
        const node = await client.readContract({ ...market, functionName: 'node', args: [id] });
        const { stake, locked, queued, unstakeAt, record, tier, tierUntil } = node;
        return { id, stake, locked, queued, unstakeAt, record, tier, tierUntil };
      }),
    );
    return { nodes, power, minStake, unbonding };
  };
}
