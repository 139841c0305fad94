import { marketAbi } from '@dpu/sdk/abi';
import type { Deployment } from '@dpu/sdk/deployment';
import { findJobs, jobHistory, type FoundJob, type JobHistory } from '@dpu/sdk/history';
import { createMarket, permitTypedData, type Market } from '@dpu/sdk/market';
import { unpackTerms } from '@dpu/sdk/packedTerms';
import type { Terms } from '@dpu/sdk/terms';
import {
  createPublicClient,
  erc20Abi,
  http,
  isAddressEqual,
  parseAbi,
  parseEventLogs,
  WaitForTransactionReceiptTimeoutError,
  type Address,
  type Hash,
  type Hex,
  type PublicClient,
  type TransactionReceipt,
  type WalletClient,
} from 'viem';

import { chainOf } from '../wallet/wagmi.ts';
import { LOCAL_CHAIN } from './networks.ts';

const permitAbi = parseAbi([
  'function name() view returns (string)',
  'function nonces(address owner) view returns (uint256)',
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
]);

/** What an account holds of one currency, in its smallest unit. */
export interface Holding {
  currency: Address;
  /** In the wallet. */
  wallet: bigint;
  /** Free in the Market. */
  market: bigint;
}

/** The transaction was included, but the contract refused it. */
export class TransactionFailed extends Error {
  override readonly name = 'TransactionFailed';
  readonly retryable = false;
  readonly hash: Hash;

  constructor(hash: Hash) {
    super(`The transaction ${hash} was included in a block but reverted; nothing changed except its gas.`);
    this.hash = hash;
  }
}

/** The wallet sent something else with the same number, so this transaction never happens. */
export class TransactionReplaced extends Error {
  override readonly name = 'TransactionReplaced';
  readonly retryable = true;
  /** What was sent instead. */
  readonly hash: Hash;
  readonly action: string;

  constructor(hash: Hash, reason: 'cancelled' | 'replaced') {
    super(
      reason === 'cancelled'
        ? 'You cancelled this transaction in your wallet. Nothing happened except for its gas.'
        : 'Your wallet sent another transaction in the place of this one, which therefore never happens.',
    );
    this.hash = hash;
    this.action =
      reason === 'cancelled' ? 'Try again if you want it after all.' : 'Look at it in your wallet, then try again.';
  }
}

/** No block has taken the transaction in for a long time. */
export class TransactionPending extends Error {
  override readonly name = 'TransactionPending';
  readonly retryable = false;
  readonly hash: Hash;
  readonly action =
    'It may still come through. Speed it up or cancel it in your wallet; sending it again could do the same thing twice.';

  constructor(hash: Hash) {
    super(`The transaction ${hash} was sent, but no block has taken it in for ${PENDING_MS / 60_000} minutes.`);
    this.hash = hash;
  }
}

/** How long a transaction is awaited, milliseconds. */
const PENDING_MS = 300_000;

/** The chain by RPC: what pages show about money and state before anything is signed comes from here. */
export interface Chain {
  client: PublicClient;
  /** Reads, and writes when a wallet is given. */
  market(wallet?: WalletClient): Market;
  /** A job's whole life from logs. `fromBlock` saves looking at blocks before its post. */
  history(id: Hex, options?: { fromBlock?: number; signal?: AbortSignal }): Promise<JobHistory>;
  /** Every post, newest first. */
  posts(): Promise<FoundJob[]>;
  isJob(id: string): Promise<boolean>;
  /** The job that a transaction is about, if it is about one. */
  jobOfTransaction(hash: string): Promise<Hex | undefined>;
  /** All jobs that the transaction posted. */
  postedTogether(transaction: Hash | undefined): Promise<{ id: Hex; terms: Terms }[]>;
  holdings(account: Address): Promise<Holding[]>;
  /** What `owner` signs to let the Market take `amount`, or undefined when the token knows no permits. */
  permitData(
    token: Address,
    owner: Address,
    amount: bigint,
    deadline: bigint,
  ): Promise<ReturnType<typeof permitTypedData> | undefined>;
  allowance(token: Address, owner: Address): Promise<bigint>;
  /** Waits for the receipt. Throws when the transaction reverted. */
  included(hash: Hash): Promise<TransactionReceipt>;
}

/** The chain of one deployment. */
export function createChain(deployment: Deployment): Chain {
  const local = deployment.chainId === LOCAL_CHAIN;
  const client: PublicClient = createPublicClient({
    chain: chainOf(deployment),
    transport: http(deployment.rpcUrl, { batch: true }),
    pollingInterval: local ? 300 : 3_000,
    cacheTime: 0,
  });
  const reader = createMarket({ publicClient: client, deployment });
  const currencies = [
    ...new Map(
      [...deployment.currencies.map(({ address }) => address), deployment.token].map((address) => [
        address.toLowerCase(),
        address,
      ]),
    ).values(),
  ];

  return {
    client,
    market: (wallet) => (wallet ? createMarket({ publicClient: client, walletClient: wallet, deployment }) : reader),

    history: (id, options = {}) => jobHistory(client, deployment, id, options),

    posts: () => findJobs(client, deployment),

    async isJob(id) {
      const { state } = await reader.job(id as Hex);
      return state !== 0;
    },

    async jobOfTransaction(hash) {
      const receipt = await client.getTransactionReceipt({ hash: hash as Hash }).catch(() => undefined);
      const ours = receipt?.logs.filter(({ address }) => isAddressEqual(address, deployment.market)) ?? [];
      for (const { args } of parseEventLogs({ abi: marketAbi, logs: ours })) {
        if (args && 'id' in args && typeof args.id === 'string') return args.id;
      }
      return undefined;
    },

    async postedTogether(hash) {
      if (!hash) return [];
      const { logs } = await client.getTransactionReceipt({ hash });
      const ours = logs.filter(({ address }) => isAddressEqual(address, deployment.market));
      return parseEventLogs({ abi: marketAbi, eventName: 'JobPosted', logs: ours }).map(({ args }) => ({
        id: args.id,
        terms: unpackTerms(args.terms),
      }));
    },

    holdings: (account) =>
      Promise.all(
        currencies.map(async (currency) => {
          const [wallet, market] = await Promise.all([
            client.readContract({ abi: erc20Abi, address: currency, functionName: 'balanceOf', args: [account] }),
            reader.balanceOf(currency, account),
          ]);
          return { currency, wallet, market };
        }),
      ),

    async permitData(token, owner, amount, deadline) {
      try {
        const [nonce, domain] = await Promise.all([
          client.readContract({ abi: permitAbi, address: token, functionName: 'nonces', args: [owner] }),
          client.readContract({ abi: permitAbi, address: token, functionName: 'eip712Domain' }),
        ]);
        const [, name, version] = domain;
        const identity = { address: token, name, version, chainId: deployment.chainId };
        return permitTypedData(identity, owner, deployment.market, amount, nonce, deadline);
      } catch {
        return undefined;
      }
    },

    allowance: (token, owner) =>
      client.readContract({
        abi: erc20Abi,
        address: token,
        functionName: 'allowance',
        args: [owner, deployment.market],
      }),

    async included(hash) {
      // A wallet may speed a transaction up (then the new one counts) or send something else in its place.
      let replaced: TransactionReplaced | undefined;
      const receipt = await client
        .waitForTransactionReceipt({
          hash,
          timeout: PENDING_MS,
          onReplaced: ({ reason, transaction }) => {
            if (reason !== 'repriced') replaced = new TransactionReplaced(transaction.hash, reason);
          },
        })
        .catch((error: unknown) => {
          throw error instanceof WaitForTransactionReceiptTimeoutError ? new TransactionPending(hash) : error;
        });
      if (replaced) throw replaced;
      if (receipt.status === 'reverted') throw new TransactionFailed(hash);
      return receipt;
    },
  };
}
