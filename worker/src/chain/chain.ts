import type { Lease, Phase } from '@dpu/sdk/lease';
import type { JobState } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

/** A block's header, as far as the node needs it. Block time is the only clock that decides. */
export interface Head {
  number: number;
  hash: Hex;
  parentHash: Hex;
  /** Unix seconds. */
  timestamp: number;
  /** Wei per gas. */
  baseFee: bigint;
}

/** A raw log of the Market. */
export interface RawLog {
  blockNumber: number;
  blockHash: Hex;
  transactionHash: Hex;
  logIndex: number;
  topics: [Hex, ...Hex[]];
  data: Hex;
}

/** What became of a transaction. */
export interface Receipt {
  hash: Hex;
  ok: boolean;
  blockNumber: number;
  blockHash: Hex;
  gasUsed: bigint;
  /** Wei per gas that was paid. */
  gasPrice: bigint;
}

/**
 * How a node answered `eth_sendRawTransaction`. `accepted` and `known`: it is in the pool. `unknown`: no answer, so it may or may not
 * be. The others: it is not.
 */
export type SendVerdict =
  'accepted' | 'known' | 'nonceTooLow' | 'underpriced' | 'feeTooLow' | 'insufficientFunds' | 'rejected' | 'unknown';

/** What the sender needs of a chain. */
export interface SenderChain {
  /** Nonce of `account` after the latest block. */
  nonce(account: Address): Promise<number>;
  /** Balance of `account` in wei after the latest block. */
  balance(account: Address): Promise<bigint>;
  /** Sends a signed transaction. Never throws: silence is the verdict `unknown`. */
  sendRaw(raw: Hex): Promise<{ verdict: SendVerdict; message: string }>;
  /** Receipt of a mined transaction; undefined when it is not mined on the current chain. */
  receipt(hash: Hex): Promise<Receipt | undefined>;
  /** Whether the pool or the chain knows the transaction. */
  knows(hash: Hex): Promise<boolean>;
}

/** A revert with the contract's own error. */
export interface Revert {
  /** Name of the custom error, or `Unknown`. */
  name: string;
  args: readonly unknown[];
  message: string;
}

/** Outcome of a dry run in the next block. */
export type DryRun = { ok: true; gas: bigint } | { ok: false; revert: Revert };

/** A job's word. */
export interface JobView {
  state: JobState;
  /** Unix seconds of the post, or of the end once complete or closed. */
  at: number;
  atBlock: number;
  /** Next shard that was never claimed. */
  cursor: number;
  busy: number;
  done: number;
  left: bigint;
}

/** A node's record on chain. */
export interface NodeView {
  stake: bigint;
  locked: bigint;
  queued: bigint;
  /** Unix seconds of the last change of stake or runtimes. */
  since: number;
  /** Basis points. */
  record: number;
  operator: Address;
  owner: Address;
  /** Bit r: offers runtime r. */
  runtimes: number;
  tier: number;
  tierUntil: number;
  unstakeAt: number;
  /** X25519 public key to which private jobs are sealed; zero for none. */
  key: Hex;
  endpoint: string;
}

/** Everything that the node reads of a chain and its Market, and the one way to write. Failures are TransientErrors. */
export interface Chain extends SenderChain {
  chainId(): Promise<number>;
  latest(): Promise<Head>;
  /** Header of block `number`; undefined when the chain is shorter. */
  block(number: number): Promise<Head | undefined>;
  /** Logs of the Market in blocks `from … to`, in order. */
  logs(from: number, to: number): Promise<RawLog[]>;
  /** Runs a call of the Market, or of contract `to`, in the block after the latest one, at block time `time`, without sending it. */
  dryRun(from: Address, data: Hex, time: number, to?: Address): Promise<DryRun>;
  job(id: Hex): Promise<JobView>;
  lease(id: Hex, first: number): Promise<{ phase: Phase; at: number }>;
  /** Storage word of a range: a lease's, or a panel's where several nodes sit. */
  leaseWord(id: Hex, first: number): Promise<bigint>;
  /** Storage word of a node's seat on a range; zero when it has none, or when nobody sits there any more. */
  seatWord(id: Hex, first: number, node: number): Promise<bigint>;
  /** Second word of a range with a panel; zero when it has none. */
  bench(id: Hex, first: number): Promise<bigint>;
  /** Whether `node` may take the lease now, and from when it may (0: never). */
  drawn(terms: Terms, first: number, node: number): Promise<{ now: boolean; from: number }>;
  node(id: number): Promise<NodeView>;
  /** Nodes that were ever registered; their ids are 1 … this. */
  nodeCount(): Promise<number>;
  /** Node that `operator` works for; 0 for none. */
  nodeOf(operator: Address): Promise<number>;
  /** Stake of all nodes that offer `runtime`. */
  runtimeStake(runtime: number): Promise<bigint>;
  config(): Promise<{ pausedUntil: number; minStake: bigint }>;
  /** Who receives the protocol's fees, and pays its audits. */
  treasury(): Promise<Address>;
  /** Free balance inside the Market. */
  marketBalance(currency: Address, account: Address): Promise<bigint>;
}

/** A lease together with its job. */
export interface LeaseRef {
  job: Hex;
  lease: Lease;
}
