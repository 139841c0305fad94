import { RpcError } from './rpc.ts';

/**
 * A few reads of the chain by plain JSON-RPC, for the first page: its code must be there at once, and viem is ten times as large as all of
 * it. Selectors and topics are constants that a test holds against the ABI.
 */
export const SELECTORS = {
  epoch: '0x900cf0cf',
  weightOf: '0xdea49e48',
  totalSupply: '0x18160ddd',
} as const;

/** The first topic of `Judged`. */
export const JUDGED_TOPIC = '0xdae3fe5246894af80b2354e908f227c8a685a6ac18ef3e51e647f118584ca284';

/** Blocks that one question about logs may span. */
const LOG_RANGE = 10_000;

/** One call and its argument, a whole number. */
export interface WordCall {
  to: string;
  call: keyof typeof SELECTORS;
  argument?: number;
}

/** Answers of contracts, as words of 32 bytes each; all in one request. @throws RpcError */
export async function readWords(rpcUrl: string, calls: readonly WordCall[], signal: AbortSignal): Promise<bigint[][]> {
  const answers = await ask(
    rpcUrl,
    calls.map(({ to, call, argument }) => ({
      method: 'eth_call',
      params: [{ to, data: SELECTORS[call] + (argument === undefined ? '' : hex64(argument)) }, 'latest'],
    })),
    signal,
  );
  return answers.map((answer) => wordsOf(String(answer)));
}

/** A verdict as the chain's newest blocks tell it. */
export interface RecentVerdict {
  /** Key of the dispute. */
  key: string;
  /** Index of what stands, see the sdk's `VERDICTS`. */
  verdict: number;
  block: number;
}

/** Verdicts of the newest blocks, newest first. @throws RpcError */
export async function recentVerdicts(
  rpcUrl: string,
  market: string,
  head: number,
  signal: AbortSignal,
): Promise<RecentVerdict[]> {
  const fromBlock = `0x${Math.max(0, head - LOG_RANGE + 1).toString(16)}`;
  const filter = { address: market, topics: [JUDGED_TOPIC], fromBlock, toBlock: `0x${head.toString(16)}` };
  const [logs] = await ask(rpcUrl, [{ method: 'eth_getLogs', params: [filter] }], signal);
  return (logs as { topics: string[]; data: string; blockNumber: string }[])
    .map(({ topics, data, blockNumber }) => {
      const [, , stands = 0n] = wordsOf(data);
      return { key: topics[1] ?? '', verdict: Number(stands), block: Number(blockNumber) };
    })
    .reverse();
}

async function ask(
  rpcUrl: string,
  calls: readonly { method: string; params: unknown[] }[],
  signal: AbortSignal,
): Promise<unknown[]> {
  let response: Response;
  try {
    response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call }))),
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new RpcError('The chain cannot be reached. Check your connection.', 0, cause);
  }
  const body = (await response.json().catch(() => undefined)) as { id: number; result?: unknown }[] | undefined;
  if (!Array.isArray(body)) throw new RpcError(`The chain's answer cannot be read: ${response.status}`, 0);
  return calls.map((_, id) => {
    const { result } = body.find((one) => one.id === id) ?? {};
    if (result === undefined) throw new RpcError("The chain's answer cannot be read.", 0);
    return result;
  });
}

/** The words of an answer. */
export function wordsOf(data: string): bigint[] {
  return (data.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`));
}

const hex64 = (value: number): string => value.toString(16).padStart(64, '0');
