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
  'SeatCommitted',
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
/** What happens in a dispute, after its challenge. These events name the dispute alone. */
const COURT_EVENTS = [
  'JurorServed',
  'JurorSpoke',
  'Judged',
  'Appealed',
  'DisputeEnded',
] as const satisfies ContractEventName<typeof marketAbi>[];
type ChainEvent = (typeof JOB_EVENTS)[number] | 'Challenged' | (typeof COURT_EVENTS)[number];
/** What a reader sees: `SeatCommitted` is told as the claim and the commit that it stands for. */
type JobEvent = Exclude<ChainEvent, 'SeatCommitted'>;
type Parsed<Name extends ChainEvent> = ParseEventLogsReturnType<typeof marketAbi, Name, true>[number];

/** An event of a job or of a dispute about it, with its block's time (unix seconds) and its transaction's gas. */
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

/** Every event of job `id` and of the disputes about it, in chain order. */
export async function readJobLogs(
  client: ChainReader,
  deployment: Pick<Deployment, 'market' | 'startBlock'>,
  id: Hex,
  options: LogOptions,
): Promise<{ logs: JobLog[]; fromBlock: number; toBlock: number }> {
  const range = await rangeOf(client, deployment, options);
  const topics = [topicsOf(JOB_EVENTS), lower(id)];
  const about = parse(await readRanges(client, deployment.market, topics, range, options.signal));
  // Nothing can be challenged before it was shown.
  const shown = about.find(({ eventName }) => eventName === 'LeaseRevealed');
  const parsed = shown
    ? inOrder([...about, ...(await readDisputes(client, deployment.market, id, shown.blockNumber!, range, options))])
    : about;

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

/** The events of all disputes about job `id`. A job that nobody challenges costs one question. */
async function readDisputes(
  client: ChainReader,
  market: Address,
  id: Hex,
  since: bigint,
  { toBlock }: { toBlock: number },
  { signal }: LogOptions,
): Promise<ParsedLog[]> {
  const from = { fromBlock: Number(since), toBlock };
  const challenges = parse(await readRanges(client, market, [topicsOf(['Challenged']), null, lower(id)], from, signal));
  const [first] = challenges;
  if (!first) return [];
  const keys = challenges.flatMap((log) => (log.eventName === 'Challenged' ? [lower(log.args.dispute)] : []));
  const later = { fromBlock: Number(first.blockNumber!), toBlock };
  const rest = await readRanges(client, market, [topicsOf(COURT_EVENTS), keys], later, signal);
  return [...challenges, ...parse(rest)];
}

type ParsedLog = Parsed<JobEvent>;

function parse(logs: readonly RpcLog[]): ParsedLog[] {
  const names = [...JOB_EVENTS, 'Challenged', ...COURT_EVENTS] satisfies ChainEvent[];
  return parseEventLogs({ abi: marketAbi, eventName: names, logs: logs.map((log) => formatLog(log)) }).flatMap(apart);
}

/** Who sat down and committed at once did both: one log, two steps. */
function apart(log: Parsed<ChainEvent>): ParsedLog[] {
  if (log.eventName !== 'SeatCommitted') return [log];
  const { claimed, commitment, ...who } = log.args;
  return [
    { ...log, eventName: 'LeaseClaimed', args: { ...who, claimed } },
    { ...log, eventName: 'LeaseCommitted', args: { ...who, commitment } },
  ];
}

function inOrder(logs: ParsedLog[]): ParsedLog[] {
  return logs.sort((a, b) => Number(a.blockNumber! - b.blockNumber!) || a.logIndex! - b.logIndex!);
}

function topicsOf(names: readonly ChainEvent[]): Hex[] {
  return names.map((eventName) => encodeEventTopics({ abi: marketAbi, eventName })[0]);
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

/** Every log of some of the Market's events in `fromBlock … toBlock`, in chain order. */
export async function readMarketLogs(
  client: Pick<ChainReader, 'request'>,
  market: Address,
  names: readonly ContractEventName<typeof marketAbi>[],
  range: { fromBlock: number; toBlock: number },
  signal?: AbortSignal,
): Promise<RpcLog[]> {
  const topics = names.map((eventName) => encodeEventTopics({ abi: marketAbi, eventName })[0] as Hex);
  return readRanges(client, market, [topics], range, signal);
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
  client: Pick<ChainReader, 'request'>,
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
