import {
  capabilityProofsAbi,
  computeCreditsAbi,
  dpuGovernorAbi,
  dpuTimelockAbi,
  dpuTokenAbi,
  marketAbi,
} from '@dpu/sdk/abi';
import { isAddressEqual, parseEventLogs, zeroAddress, type Abi, type Address, type PublicClient } from 'viem';
import { allHandlers } from '../handlers.ts';
import { projecting } from '../projector.ts';
import type { AnyContext, AnyEvent, Contract } from '../types.ts';
import { MemoryDatabase } from './memory.ts';

const ABIS: Readonly<Record<Contract, Abi>> = {
  Market: marketAbi,
  Token: dpuTokenAbi,
  Credits: computeCreditsAbi,
  Governor: dpuGovernorAbi,
  Timelock: dpuTimelockAbi,
  Proofs: capabilityProofsAbi,
};

/** Blocks of one question for logs: public endpoints refuse more. */
const RANGE = 2_000n;

/** Where the contracts are; at the zero address is none. */
export type Addresses = Readonly<Record<Contract, Address>>;

/** Ponder's id of an event: time, chain, block, transaction, kind and number of the log. */
function idOf(at: { timestamp: bigint; chainId: number; block: bigint; transaction: number; log: number }): string {
  const digits = (value: bigint | number, length: number) => String(value).padStart(length, '0');
  const block = `${digits(at.timestamp, 10)}${digits(at.chainId, 16)}${digits(at.block, 16)}`;
  return `${block}${digits(at.transaction, 16)}5${digits(at.log, 16)}`;
}

/** Reads all events from the chain and runs the handlers on an empty database in memory, without Ponder. */
export async function replay(
  client: PublicClient,
  addresses: Addresses,
  { from, to }: { from: bigint; to: bigint },
): Promise<MemoryDatabase> {
  const memory = new MemoryDatabase();
  const contracts = Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, { address }]));
  const context = { db: memory.db, contracts } as unknown as AnyContext;
  const chainId = await client.getChainId();
  const named = (Object.entries(addresses) as [Contract, Address][]).filter(([, address]) => address !== zeroAddress);
  for (let first = from; first <= to; first += RANGE) {
    const last = first + RANGE - 1n < to ? first + RANGE - 1n : to;
    const logs = await client.getLogs({
      address: named.map(([, address]) => address),
      fromBlock: first,
      toBlock: last,
    });
    for (const log of logs) {
      const contract = named.find(([, address]) => isAddressEqual(address, log.address))![0];
      const [decoded] = parseEventLogs({ abi: ABIS[contract], logs: [log] });
      const handler = decoded && (allHandlers[contract] as unknown as Record<string, unknown>)[decoded.eventName];
      if (!handler) continue;
      const block = await blockOf(client, log.blockNumber);
      const at = { chainId, timestamp: block.timestamp, block: log.blockNumber };
      const event = {
        id: idOf({ ...at, transaction: log.transactionIndex, log: log.logIndex }),
        args: decoded.args,
        ...{ block, transaction: { hash: log.transactionHash } },
      };
      const run = handler as (input: { event: unknown; context: AnyContext }) => Promise<void>;
      await run({ event, context: projecting(context, event as unknown as AnyEvent) });
    }
  }
  return memory;
}

const blocks = new WeakMap<PublicClient, { number: bigint; block: Awaited<ReturnType<PublicClient['getBlock']>> }>();

/** A block; logs come in order, so the last one asked for is kept. */
async function blockOf(client: PublicClient, number: bigint) {
  const kept = blocks.get(client);
  if (kept?.number === number) return kept.block;
  const block = await client.getBlock({ blockNumber: number });
  blocks.set(client, { number, block });
  return block;
}
