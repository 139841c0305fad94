/** Reads the Market's logs in ranges that every RPC provider serves, with the time and gas that belong to them. */
import {
  encodeEventTopics,
  formatLog,
  numberToHex,
  pad,
  parseEventLogs,
  type Address,
  type ContractEventName,
  type Hex,
  type ParseEventLogsReturnType,
  type PublicClient,
  type RpcLog,
} from 'viem';

import { marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';

/** Blocks per `eth_getLogs`: what common providers allow. */
export const LOG_RANGE = 10_000;
/** Blocks and receipts asked for at the same time. */
const PARALLEL = 16;

/** What is needed of a viem public client. */
export type ChainReader = Pick<PublicClient, 'request' | 'getBlock' | 'getBlockNumber' | 'getTransactionReceipt'>;

const JOB_EVENTS = [
  'JobPosted',
  'JobCancelled',
  'JobCompleted',
  'JobClosed',
  'LeaseClaimed',
  'LeaseCommitted',
  'LeaseRevealed',
  'LeaseSettled',
  'LeaseAccepted',
  'LeaseLapsed',
  'BonusSwept',
  'PanelEnded',
  'SeatFaulted',
  'AuditOpened',
  'LeaseJudged',
] as const satisfies ContractEventName<typeof marketAbi>[];
type JobEvent = (typeof JOB_EVENTS)[number];
type Parsed<Name extends JobEvent> = ParseEventLogsReturnType<typeof marketAbi, Name, true>[number];

/** An event of a job, with its block's time (unix seconds) and its transaction's gas. */
export type JobLog = {
  [Name in JobEvent]: Pick<Parsed<Name>, 'eventName' | 'args'> & LogPlace;
}[JobEvent];

/** Where and when a log was written, and what its transaction cost. */
export interface LogPlace {
  blockNumber: bigint;
  transactionHash: Hex;
  logIndex: number;
  timestamp: number;
  gasUsed: bigint | undefined;
}

/** Where to look. */
export interface LogOptions {
  /** First block; the Market's deployment by default. */
  fromBlock?: number;
  /** Last block; the newest by default. */
  toBlock?: number;
  /** Whether to read the receipts that say what each transaction cost. Default true. */
  gas?: boolean;
  signal?: AbortSignal;
}

/** Every event of job `id`, in chain order. */
export async function readJobLogs(
  client: ChainReader,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
  id: Hex,
  options: LogOptions,
): Promise<{ logs: JobLog[]; fromBlock: number; toBlock: number }> {
  const names = JOB_EVENTS.map((eventName) => encodeEventTopics({ abi: marketAbi, eventName })[0]);
  const range = await rangeOf(client, deployment, options);
  const raw = await readRanges(client, deployment.market, [names, lower(id)], range, options.signal);
  const parsed = parseEventLogs({ abi: marketAbi, eventName: [...JOB_EVENTS], logs: raw.map((log) => formatLog(log)) });

  const times = await mapDistinct(
    parsed.map(({ blockNumber }) => blockNumber!),
    async (blockNumber) => Number((await client.getBlock({ blockNumber })).timestamp),
    options.signal,
  );
  const gas =
    options.gas === false
      ? new Map<Hex, bigint>()
      : await mapDistinct(
          parsed.map(({ transactionHash }) => transactionHash!),
          async (hash) => (await client.getTransactionReceipt({ hash })).gasUsed,
          options.signal,
        );
  const logs = parsed.map(
    ({ eventName, args, blockNumber, transactionHash, logIndex }) =>
      ({
        eventName,
        args,
        blockNumber,
        transactionHash,
        logIndex,
        timestamp: times.get(blockNumber!),
        gasUsed: gas.get(transactionHash!),
      }) as JobLog,
  );
  return { logs, ...range };
}

/** Every `JobPosted`, of one requester if asked, in chain order. */
export async function readPostLogs(
  client: ChainReader,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
  options: LogOptions & { requester?: Address },
): Promise<(Pick<Parsed<'JobPosted'>, 'args'> & Pick<LogPlace, 'blockNumber' | 'transactionHash'>)[]> {
  const name = encodeEventTopics({ abi: marketAbi, eventName: 'JobPosted' })[0];
  const topics = options.requester ? [[name], null, pad(lower(options.requester))] : [[name]];
  const range = await rangeOf(client, deployment, options);
  const raw = await readRanges(client, deployment.market, topics, range, options.signal);
  return parseEventLogs({ abi: marketAbi, eventName: 'JobPosted', logs: raw.map((log) => formatLog(log)) }).map(
    ({ args, blockNumber, transactionHash }) => ({
      args,
      blockNumber: blockNumber!,
      transactionHash: transactionHash!,
    }),
  );
}

async function rangeOf(
  client: ChainReader,
  deployment: Pick<Deployment, 'startBlock'>,
  options: LogOptions,
): Promise<{ fromBlock: number; toBlock: number }> {
  return {
    fromBlock: options.fromBlock ?? deployment.startBlock,
    // A cached height would hide the newest steps from someone who has just acted.
    toBlock: options.toBlock ?? Number(await client.getBlockNumber({ cacheTime: 0 })),
  };
}

async function readRanges(
  client: ChainReader,
  address: Address,
  topics: (Hex | Hex[] | null)[],
  { fromBlock, toBlock }: { fromBlock: number; toBlock: number },
  signal?: AbortSignal,
): Promise<RpcLog[]> {
  const logs: RpcLog[] = [];
  for (let from = fromBlock; from <= toBlock; from += LOG_RANGE) {
    signal?.throwIfAborted();
    const to = Math.min(from + LOG_RANGE - 1, toBlock);
    const range = { fromBlock: numberToHex(from), toBlock: numberToHex(to) };
    logs.push(...(await client.request({ method: 'eth_getLogs', params: [{ address, topics, ...range }] })));
  }
  return logs;
}

/** Topics as nodes write them: some providers compare them as text. */
function lower(hex: Hex): Hex {
  return hex.toLowerCase() as Hex;
}

/** Answers `ask` once for each distinct key, a few at a time. */
async function mapDistinct<K, V>(keys: K[], ask: (key: K) => Promise<V>, signal?: AbortSignal): Promise<Map<K, V>> {
  const distinct = [...new Set(keys)];
  const answers = new Map<K, V>();
  for (let at = 0; at < distinct.length; at += PARALLEL) {
    signal?.throwIfAborted();
    await Promise.all(distinct.slice(at, at + PARALLEL).map(async (key) => answers.set(key, await ask(key))));
  }
  return answers;
}
