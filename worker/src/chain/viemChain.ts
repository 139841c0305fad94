import { marketAbi } from '@dpu/sdk/abi';
import { JOB_STATES, PHASES } from '@dpu/sdk/lease';
import { packTerms } from '@dpu/sdk/packedTerms';
import { causesOf, revertOf, shortMessage } from '@dpu/sdk/revert';
import { createPublicClient, http, numberToHex, TransactionReceiptNotFoundError, type Address, type Hex } from 'viem';

import type { Chain, Head, RawLog, Revert, SendVerdict } from './chain.ts';
import { messageOf, TransientError } from '../errors.ts';

/** Where the chain is. */
export interface ViemChainOptions {
  rpcUrl: string;
  market: Address;
  /** Longest wait for one answer, milliseconds. */
  timeoutMs: number;
}

/** Answers of the common clients to a transaction that they refuse, most specific first. */
const REFUSALS: readonly (readonly [RegExp, SendVerdict])[] = [
  [/already known|known transaction|already imported|already exists/i, 'known'],
  [/nonce too low|nonce is too low|nonce.*already.*used|old nonce/i, 'nonceTooLow'],
  [/underpriced|replacement fee too low|replacement transaction/i, 'underpriced'],
  [/less than block base fee|max fee per gas less|fee cap|feecap/i, 'feeTooLow'],
  [/insufficient funds|insufficient balance|overshot/i, 'insufficientFunds'],
];

/** What a client meant by the error text it answered a transaction with. */
export function sendVerdictOf(message: string): SendVerdict {
  return REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? 'rejected';
}

/** What a view of a range's panel answers; zero where the range has none. */
async function ofPanel(answer: Promise<bigint>): Promise<bigint> {
  try {
    return await answer;
  } catch (error) {
    if (revertOf(error)?.name === 'LeaseInPhase') return 0n;
    throw error;
  }
}

/** JSON-RPC codes with which a node says that a call would fail: reverted, refused, rejected. */
const CALL_FAILED = [3, -32000, -32003, -32015];

/** JSON-RPC: the method exists, its parameters are not understood. */
const INVALID_PARAMS = -32_602;

/** Why a dry run would fail; undefined when the RPC did not answer. */
function revertIn(error: unknown): Revert | undefined {
  const known = revertOf(error);
  if (known) return { ...known, message: `${known.name}(${known.args.map(String).join(', ')})` };
  const answered = causesOf(error).some((cause) => CALL_FAILED.includes((cause as { code?: number }).code ?? 0));
  return answered ? { name: 'Unknown', args: [], message: shortMessage(error) } : undefined;
}

/** A chain behind a JSON-RPC endpoint. Every failure to answer is a TransientError that names the call. */
export function viemChain({ rpcUrl, market, timeoutMs }: ViemChainOptions): Chain {
  const client = createPublicClient({
    cacheTime: 0,
    transport: http(rpcUrl, { retryCount: 0, timeout: timeoutMs }),
  });
  const contract = { address: market, abi: marketAbi } as const;

  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw new TransientError(`The RPC did not answer ${what}: ${messageOf(error)}`, { what }, error);
    }
  }

  async function header(tag: Hex | 'latest'): Promise<Head | undefined> {
    const block = await ask('eth_getBlockByNumber', () =>
      client.request({ method: 'eth_getBlockByNumber', params: [tag, false] }),
    );
    if (!block?.hash || !block.number) return undefined;
    return {
      number: Number(block.number),
      hash: block.hash,
      parentHash: block.parentHash,
      timestamp: Number(block.timestamp),
      baseFee: BigInt(block.baseFeePerGas ?? 0),
    };
  }

  let overridesTaken = true;

  /** Estimates in the pending block: a call that is right only from there on must not look wrong here. */
  async function estimate(from: Address, data: Hex, time: number, to: Address): Promise<bigint> {
    const params = [{ from, to, data }, 'pending'];
    const ask = async (more: unknown[]): Promise<bigint> => {
      const request = { method: 'eth_estimateGas', params: [...params, ...more] };
      return BigInt((await client.request(request as never)) as Hex);
    };
    if (!overridesTaken) return ask([]);
    try {
      return await ask([{}, { time: numberToHex(time) }]);
    } catch (error) {
      const refused = causesOf(error).some((cause) => (cause as { code?: number }).code === INVALID_PARAMS);
      if (!refused) throw error;
      // An RPC without block overrides answers for its own idea of the next block's time, which may be a second early.
      overridesTaken = false;
      return ask([]);
    }
  }

  return {
    chainId: () => ask('eth_chainId', () => client.getChainId()),
    async latest() {
      const head = await header('latest');
      if (!head) throw new TransientError('The RPC has no latest block yet.');
      return head;
    },
    block: (number) => header(numberToHex(number)),

    logs: (from, to) =>
      ask('eth_getLogs', async () => {
        const logs = await client.request({
          method: 'eth_getLogs',
          params: [{ address: market, fromBlock: numberToHex(from), toBlock: numberToHex(to) }],
        });
        return logs.map((log): RawLog => {
          const [topic, ...topics] = log.topics;
          if (!topic || log.blockNumber === null || log.blockHash === null || log.logIndex === null) {
            throw new TransientError('The RPC answered with logs of a block that is not mined.');
          }
          return {
            blockNumber: Number(log.blockNumber),
            blockHash: log.blockHash,
            transactionHash: log.transactionHash ?? '0x',
            logIndex: Number(log.logIndex),
            topics: [topic, ...topics],
            data: log.data,
          };
        });
      }),

    async dryRun(from, data, time, to = market) {
      try {
        return { ok: true, gas: await estimate(from, data, time, to) };
      } catch (error) {
        const revert = revertIn(error);
        if (revert) return { ok: false, revert };
        throw new TransientError(`The RPC did not answer eth_estimateGas: ${messageOf(error)}`, {}, error);
      }
    },

    nonce: (account) =>
      ask('eth_getTransactionCount', () => client.getTransactionCount({ address: account, blockTag: 'latest' })),
    balance: (account) => ask('eth_getBalance', () => client.getBalance({ address: account })),
    async sendRaw(raw) {
      try {
        await client.request({ method: 'eth_sendRawTransaction', params: [raw] });
        return { verdict: 'accepted', message: '' };
      } catch (error) {
        const message = messageOf(error);
        // Without a JSON-RPC code nobody answered, so the transaction may be in the pool all the same.
        const answered = causesOf(error).some((cause) => typeof (cause as { code?: unknown }).code === 'number');
        return answered ? { verdict: sendVerdictOf(message), message } : { verdict: 'unknown', message };
      }
    },
    async receipt(hash) {
      try {
        const receipt = await client.getTransactionReceipt({ hash });
        return {
          hash,
          ok: receipt.status === 'success',
          blockNumber: Number(receipt.blockNumber),
          blockHash: receipt.blockHash,
          gasUsed: receipt.gasUsed,
          gasPrice: receipt.effectiveGasPrice,
        };
      } catch (error) {
        if (error instanceof TransactionReceiptNotFoundError) return undefined;
        throw new TransientError(
          `The RPC did not answer eth_getTransactionReceipt: ${messageOf(error)}`,
          { hash },
          error,
        );
      }
    },
    knows: (hash) =>
      ask('eth_getTransactionByHash', async () => {
        const found = await client.request({ method: 'eth_getTransactionByHash', params: [hash] });
        return found !== null;
      }),

    job: (id) =>
      ask('job', async () => {
        const { state, ...rest } = await client.readContract({ ...contract, functionName: 'job', args: [id] });
        return { ...rest, state: JOB_STATES[state] ?? 'none' };
      }),
    lease: (id, first) =>
      ask('lease', async () => {
        const [phase, at] = await client.readContract({ ...contract, functionName: 'lease', args: [id, first] });
        return { phase: PHASES[phase] ?? 'none', at };
      }),
    leaseWord: (id, first) =>
      ask('leaseWord', () => client.readContract({ ...contract, functionName: 'leaseWord', args: [id, first] })),
    seatWord: (id, first, node) =>
      ask('seatWord', () =>
        ofPanel(client.readContract({ ...contract, functionName: 'seatWord', args: [id, first, node] })),
      ),
    bench: (id, first) =>
      ask('bench', () => ofPanel(client.readContract({ ...contract, functionName: 'bench', args: [id, first] }))),
    drawn: (terms, first, node) =>
      ask('drawn', async () => {
        const [now, from] = await client.readContract({
          ...contract,
          functionName: 'drawn',
          args: [packTerms(terms), first, node],
        });
        return { now, from };
      }),
    node: (id) => ask('node', () => client.readContract({ ...contract, functionName: 'node', args: [id] })),
    nodeCount: () => ask('config', async () => (await client.readContract({ ...contract, functionName: 'config' }))[4]),
    nodeOf: (operator) =>
      ask('nodeOf', () => client.readContract({ ...contract, functionName: 'nodeOf', args: [operator] })),
    runtimeStake: (runtime) =>
      ask(
        'runtime',
        async () => (await client.readContract({ ...contract, functionName: 'runtime', args: [runtime] }))[0],
      ),
    config: () =>
      ask('config', async () => {
        const [, pausedUntil, minStake] = await client.readContract({ ...contract, functionName: 'config' });
        return { pausedUntil, minStake };
      }),
    treasury: () => ask('treasury', () => client.readContract({ ...contract, functionName: 'treasury' })),
    marketBalance: (currency, account) =>
      ask('balanceOf', () =>
        client.readContract({ ...contract, functionName: 'balanceOf', args: [currency, account] }),
      ),
  };
}
