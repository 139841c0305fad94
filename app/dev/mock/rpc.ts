/** A chain that only tells: the world's events as logs, and what the contracts answer. Nothing can be sent to it. */
import { computeCreditsAbi, dpuGovernorAbi, dpuTimelockAbi, dpuTokenAbi, marketAbi } from '@dpu/sdk/abi';
import { uniswapPairAbi } from '@dpu/sdk/pair';
import {
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionResult,
  getAbiItem,
  erc20Abi,
  isAddressEqual,
  keccak256,
  numberToHex,
  toFunctionSelector,
  toHex,
  zeroAddress,
  type Abi,
  type AbiEvent,
  type AbiFunction,
  type AbiParameter,
  type Hex,
} from 'viem';

import { block, CREDITS, DPU, hex, ME, nodeFacts, NODES, now, packedRules, rules, START, USD, wei } from './network.ts';
import { deployment } from './network.ts';
import type { WorldEvent } from './world.ts';

const market = marketAbi as Abi;
const ABIS: readonly [address: Hex, abi: Abi][] = [
  [deployment.market, market],
  [deployment.governor, dpuGovernorAbi as Abi],
  [deployment.timelock, dpuTimelockAbi as Abi],
  [CREDITS, computeCreditsAbi as Abi],
  [deployment.exchange.pair, uniswapPairAbi as Abi],
  [DPU, dpuTokenAbi as Abi],
  [USD, erc20Abi as Abi],
];

/** A log as JSON-RPC tells it. */
interface Log {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  transactionHash: Hex;
  logIndex: Hex;
  transactionIndex: Hex;
  blockHash: Hex;
  removed: false;
}

/** What `eth_getLogs` is asked. */
interface LogFilter {
  address?: Hex;
  topics?: (Hex | Hex[] | null)[];
  fromBlock?: Hex;
  toBlock?: Hex;
}

/** The zero of a type: what a contract that knows nothing answers. */
function zero(parameter: AbiParameter): unknown {
  const { type } = parameter;
  if (type.endsWith('[]')) return [];
  if (type === 'tuple') {
    const { components } = parameter as { components: readonly AbiParameter[] };
    return Object.fromEntries(components.map((part) => [part.name, zero(part)]));
  }
  if (type === 'address') return zeroAddress;
  if (type === 'bool') return false;
  if (type === 'string') return '';
  if (type === 'bytes') return '0x';
  if (type.startsWith('bytes')) return `0x${'00'.repeat(Number(type.slice(5)))}`;
  return 0n;
}

const ANSWERS: Readonly<Record<string, (args: readonly unknown[], to: Hex) => unknown>> = {
  config: () => [packedRules, 0, wei(1_000), 604_800, NODES],
  params: () => ({
    ...{ feeBps: rules.feeBps, bondTenths: 40, noShowBps: 2_000, burnBps: 5_000, retryBps: 4_000 },
    ...{ auditRates: rules.auditRates, revealWindow: rules.revealWindow, auditWindow: 1_800, openFor: 60 },
    ...{ drawStep: 30, drawOpenAfter: 1_800 },
  }),
  node: ([id]) => {
    const { key, runtimes, ...node } = nodeFacts(Number(id));
    const bits = runtimes.reduce((sum, one) => sum | (1 << one), 0);
    return { ...node, runtimes: bits, exiting: false, key: key ?? hex('', 0).padEnd(66, '0') };
  },
  worstCaseExit: () => now() + 93_000,
  balanceOf: (args, to) => {
    if (args.length === 2) return isAddressEqual(args[0] as Hex, USD) ? 250_000_000n : wei(420);
    return isAddressEqual(to, USD) ? 1_000_000_000n : isAddressEqual(to, CREDITS) ? wei(184.5) : wei(25_000);
  },
  getVotes: () => wei(31_000),
  surrogateOf: () => hex('surrogate', 20),
  delegates: () => ME,
  allowance: () => 0n,
  totalSupply: (_args, to) => (isAddressEqual(to, CREDITS) ? wei(41_820) : wei(10_000_000)),
  epoch: () => [141, now() - 52_000, now() + 34_400, wei(3_140), wei(10_000)],
  weightOf: ([runtime]) => BigInt(1_000_000_000 + (((Number(runtime) * 137) % 9) - 4) * 45_000_000),
  runtimeOf: ([runtime]) => [Number(runtime) === 1 ? 10_000_000_000_000n : 0n, 4_000_000n, 1_240_000_000_000_000n],
  settings: () => [250_000_000n, 500_000_000n, 4_000_000_000n, wei(0.2)],
  rateOf: ([currency]) => (isAddressEqual(currency as Hex, DPU) ? wei(1) : 0n),
  getReserves: () => [wei(10_000), wei(1_500), now()],
  token0: () => CREDITS,
  token1: () => DPU,
  votingDelay: () => 172_800n,
  votingPeriod: () => 432_000n,
  lateQuorumVoteExtension: () => 86_400,
  proposalThreshold: () => wei(10_000),
  quorumNumerator: () => 4n,
  getMinDelay: () => 172_800n,
  owner: () => deployment.timelock,
  treasury: () => deployment.timelock,
  runtime: () => [wei(32_000), true],
  credits: () => CREDITS,
  decimals: () => 18,
};

/** Answers JSON-RPC from the events that have happened. */
export class Rpc {
  #events: readonly WorldEvent[];
  #logs: (Log & { at: number })[] | undefined;

  constructor(events: readonly WorldEvent[]) {
    this.#events = events;
  }

  /** The logs so far, in chain order. */
  #told(): (Log & { at: number })[] {
    this.#logs ??= this.#events
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, name, args, tx }, index) => {
        const event = market.find((item): item is AbiEvent => item.type === 'event' && item.name === name);
        if (!event) throw new Error(`The Market has no event ${name}.`);
        const plain = event.inputs.filter(({ indexed }) => !indexed);
        const topics = encodeEventTopics({ abi: [event], eventName: name, args }) as Hex[];
        const data = encodeAbiParameters(
          plain,
          plain.map((input) => args[input.name ?? '']),
        );
        return {
          ...{
            at,
            address: deployment.market,
            topics,
            data,
            blockNumber: numberToHex(at - START),
            transactionHash: tx,
          },
          ...{ logIndex: numberToHex(index), transactionIndex: '0x0' as const, removed: false as const },
          blockHash: hex(`block${at}`),
        };
      });
    const time = now();
    return this.#logs.filter(({ at }) => at <= time);
  }

  /** @throws when the method is not one that pages use for reading. */
  answer(method: string, params: readonly unknown[]): unknown {
    switch (method) {
      case 'eth_chainId':
        return numberToHex(deployment.chainId);
      case 'eth_blockNumber':
        return numberToHex(block());
      case 'eth_getBlockByNumber':
        return blockAt(params[0] as string);
      case 'eth_getLogs':
        return this.#find(params[0] as LogFilter);
      case 'eth_call':
        return call(params[0] as { to: Hex; data: Hex });
      case 'eth_getTransactionReceipt': {
        const logs = this.#told().filter(({ transactionHash }) => transactionHash === params[0]);
        const [first] = logs;
        if (!first) return null;
        return {
          ...{ blockHash: first.blockHash, blockNumber: first.blockNumber, transactionHash: params[0], logs },
          ...{ status: '0x1', type: '0x2', gasUsed: '0x1f0a0', cumulativeGasUsed: '0x1f0a0', transactionIndex: '0x0' },
          ...{
            effectiveGasPrice: '0x3b9aca00',
            from: ME,
            to: deployment.market,
            contractAddress: null,
            logsBloom: '0x',
          },
        };
      }
      case 'eth_gasPrice':
      case 'eth_maxPriorityFeePerGas':
        return '0x3b9aca00';
      case 'eth_estimateGas':
        return '0x3d090';
      case 'eth_getBalance':
        return numberToHex(wei(10_000));
      default:
        throw new Error(`The pretended chain does not know ${method}.`);
    }
  }

  #find(filter: LogFilter): Log[] {
    if (filter.address && isAddressEqual(filter.address, CREDITS)) return weightLogs();
    if (filter.address && !isAddressEqual(filter.address, deployment.market)) return [];
    const from = Number(filter.fromBlock ?? 0);
    const to = filter.toBlock?.startsWith('0x') ? Number(filter.toBlock) : Infinity;
    return this.#told().filter(({ topics, blockNumber }) => {
      const number = Number(blockNumber);
      if (number < from || number > to) return false;
      return (filter.topics ?? []).every((wanted, at) => {
        if (wanted === null) return true;
        return [wanted].flat().some((one) => one.toLowerCase() === topics[at]?.toLowerCase());
      });
    });
  }
}

/** How the weights of two runtimes have moved over the last epochs. */
function weightLogs(): Log[] {
  const event = getAbiItem({ abi: computeCreditsAbi, name: 'WeightMoved' });
  return Array.from({ length: 24 }, (_, index) =>
    [1, 3].map((runtime): Log => {
      const weight = 1_000_000_000 + Math.round(Math.sin(index / 4 + runtime) * 130_000_000 * (1 - index / 60));
      const args = { runtime, epoch: 117 + index };
      return {
        ...{ address: CREDITS, topics: encodeEventTopics({ abi: [event], args }) as Hex[], blockHash: hex('block') },
        data: encodeAbiParameters([{ type: 'uint32' }, { type: 'uint256' }, { type: 'uint256' }], [weight, 0n, 0n]),
        ...{
          blockNumber: numberToHex(block() - 60 + index),
          transactionHash: hex(`w${index}`),
          transactionIndex: '0x0',
        },
        ...{ logIndex: '0x0', removed: false },
      };
    }),
  ).flat();
}

function blockAt(tag: string): Record<string, unknown> {
  const number = tag.startsWith('0x') ? Number(tag) : block();
  return {
    ...{ number: numberToHex(number), timestamp: numberToHex(START + number), hash: hex(`block${START + number}`) },
    ...{ parentHash: hex('parent'), baseFeePerGas: '0x3b9aca00', gasLimit: '0x1c9c380', gasUsed: '0x0' },
    ...{ transactions: [], uncles: [], extraData: '0x', difficulty: '0x0', size: '0x1', nonce: '0x0000000000000000' },
    ...{ logsBloom: null, miner: zeroAddress, stateRoot: hex('state'), receiptsRoot: hex('receipts') },
    ...{ transactionsRoot: hex('transactions'), sha3Uncles: keccak256(toHex('uncles')), mixHash: hex('mix') },
  };
}

function call({ to, data }: { to: Hex; data: Hex }): Hex {
  const abi = ABIS.find(([address]) => isAddressEqual(address, to))?.[1] ?? (erc20Abi as Abi);
  const item = abi.find(
    (one): one is AbiFunction => one.type === 'function' && toFunctionSelector(one) === data.slice(0, 10),
  );
  if (!item) throw new Error(`Nothing at ${to} answers ${data.slice(0, 10)}.`);
  const { args = [] } = decodeFunctionData({ abi: [item], data });
  const known = ANSWERS[item.name];
  if (!known) return encodeAbiParameters(item.outputs, item.outputs.map(zero));
  const result = known(args as readonly unknown[], to);
  return encodeFunctionResult({ abi: [item], functionName: item.name, result: result as readonly unknown[] });
}
