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

/** What a handler is called with, and the block that it belongs to. */
export interface Replayed {
  block: bigint;
  /** Runs the event's handler. */
  apply(context: AnyContext): Promise<void>;
}

/** The part of a handler's context that is no database. */
export function contractsOf(addresses: Addresses): AnyContext['contracts'] {
  const named = Object.entries(addresses).map(([name, address]) => [name, { address }]);
  return Object.fromEntries(named) as unknown as AnyContext['contracts'];
}

/** The events of the blocks `from … to` that have a handler, in the order of the chain, read from there and from nobody's index. */
export async function* eventsOf(
  client: PublicClient,
  addresses: Addresses,
  { from, to }: { from: bigint; to: bigint },
): AsyncGenerator<Replayed> {
  const chainId = await client.getChainId();
  const named = (Object.entries(addresses) as [Contract, Address][]).filter(([, address]) => address !== zeroAddress);
  for (let first = from; first <= to; first += RANGE) {
    const last = first + RANGE - 1n < to ? first + RANGE - 1n : to;
    const address = named.map(([, at]) => at);
    const logs = await client.getLogs({ address, fromBlock: first, toBlock: last });
    const times = new Map<bigint, bigint>();
    for (const log of logs) {
      const contract = named.find(([, address]) => isAddressEqual(address, log.address))![0];
      const [decoded] = parseEventLogs({ abi: ABIS[contract], logs: [log] });
      const handler = decoded && (allHandlers[contract] as unknown as Record<string, unknown>)[decoded.eventName];
      if (!handler) continue;
      const number = log.blockNumber;
      // Newer endpoints tell a log's time; others are asked once for each block.
      const told = log.blockTimestamp ?? times.get(number);
      const timestamp = told ?? (await client.getBlock({ blockNumber: number })).timestamp;
      times.set(number, timestamp);
      const event = {
        id: idOf({ chainId, timestamp, block: number, transaction: log.transactionIndex, log: log.logIndex }),
        args: decoded.args,
        block: { number, timestamp, hash: log.blockHash },
        transaction: { hash: log.transactionHash },
      };
      const run = handler as (input: { event: unknown; context: AnyContext }) => Promise<void>;
      yield {
        block: number,
        apply: (context) => run({ event, context: projecting(context, event as unknown as AnyEvent) }),
      };
    }
  }
}

/** Reads all events from the chain and runs the handlers on an empty database in memory, without Ponder. */
export async function replay(
  client: PublicClient,
  addresses: Addresses,
  range: { from: bigint; to: bigint },
): Promise<MemoryDatabase> {
  const memory = new MemoryDatabase();
  const context = { db: memory.db, contracts: contractsOf(addresses) } as AnyContext;
  for await (const event of eventsOf(client, addresses, range)) await event.apply(context);
  return memory;
}
