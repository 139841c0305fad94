/** The nodes of a network, from the Market's events: who operates each, where its gateway is, and what it has at stake. */
import { formatLog, parseEventLogs, type Address, type ContractEventName } from 'viem';

import { marketAbi } from '../abi/generated.ts';
import type { Deployment } from '../deployment.ts';
import { readMarketLogs, type ChainReader } from '../logs.ts';

/** A registered node. */
export interface ChainNode {
  id: number;
  operator: Address;
  /** Base URL of its gateway, as it stands on chain. */
  endpoint: string;
  /** DPU wei. */
  stake: bigint;
}

/** Where nodes are read from: all of them, or those that changed since the last time. */
export type NodeSource = (signal?: AbortSignal) => Promise<readonly ChainNode[]>;

const EVENTS = ['NodeSet', 'Staked', 'Unstaked', 'NodeSlashed'] as const satisfies ContractEventName<
  typeof marketAbi
>[];
/** Blocks that are read again each time: a reorganisation may have changed them. */
const REREAD_BLOCKS = 64;

/** Follows the nodes of a network: one `eth_getLogs` for each question, of the blocks since the last one. */
export function chainNodes(
  client: Pick<ChainReader, 'request' | 'getBlockNumber'>,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
): NodeSource {
  const nodes = new Map<number, ChainNode>();
  let next = deployment.startBlock;
  return async (signal) => {
    const toBlock = Number(await client.getBlockNumber({ cacheTime: 0 }));
    const fromBlock = Math.max(deployment.startBlock, Math.min(next, toBlock) - REREAD_BLOCKS);
    const raw = await readMarketLogs(client, deployment.market, EVENTS, { fromBlock, toBlock }, signal);
    // Every event says what is true from then on, so reading one twice changes nothing.
    for (const { eventName, args } of parseEventLogs({
      abi: marketAbi,
      eventName: [...EVENTS],
      logs: raw.map((log) => formatLog(log)),
    })) {
      const known = nodes.get(args.node);
      if (eventName === 'NodeSet') {
        const { node: id, operator, endpoint } = args;
        nodes.set(id, { id, operator, endpoint, stake: known?.stake ?? 0n });
      } else if (known) nodes.set(args.node, { ...known, stake: args.stake });
    }
    next = toBlock + 1;
    return [...nodes.values()];
  };
}
