/**
 * Typed client of the Market: a method for every call and read of the contract, named and ordered as there, with terms and
 * leases in their readable form. A write is simulated first, so that a revert becomes a `MarketRevert` before anything is
 * signed; then it is sent.
 */
import {
  defineChain,
  isAddressEqual,
  parseEventLogs,
  parseSignature,
  type AbiParameterToPrimitiveType,
  type Address,
  type Chain,
  type ContractEventName,
  type Hash,
  type Hex,
  type Log,
  type ParseEventLogsReturnType,
  type PublicClient,
  type WalletClient,
} from 'viem';

import { marketAbi } from './abi/generated.ts';
import {
  marketCalls,
  packArgs,
  type Inputs,
  type MarketArgs,
  type MarketEncoders,
  type ReadName,
  type WriteName,
} from './calls.ts';
import type { Deployment } from './deployment.ts';
import { MarketRevert, revertOf } from './revert.ts';
import type { Terms } from './terms.ts';

type MarketAbi = typeof marketAbi;
type Outputs<Name extends ReadName> = Extract<MarketAbi[number], { type: 'function'; name: Name }>['outputs'];
type Bare<Name> = Name extends `${infer Base}_` ? Base : Name;

/** One output stands for itself, several become an object by their names (without the underscore that Solidity needs). */
type ReadResult<Outs extends readonly unknown[]> = Outs extends readonly [infer Only extends Outs[number]]
  ? AbiParameterToPrimitiveType<Only & { type: string }>
  : {
      [
        Out in Outs[number] as Bare<Out extends { name: infer N extends string } ? N : never>
      ]: AbiParameterToPrimitiveType<Out & { type: string }>;
    };

/** Calls that change state: each simulates, sends, and returns the transaction's hash. */
export type MarketWrites = {
  [Name in WriteName]: (...args: MarketArgs<'nonpayable', Name>) => Promise<Hash>;
};

/** Reads of the newest block. */
export type MarketReads = {
  [Name in ReadName]: (...args: MarketArgs<'view' | 'pure', Name>) => Promise<ReadResult<Outputs<Name>>>;
};

/** A transaction that is ready to be sent. */
export interface MarketRequest {
  to: Address;
  data: Hex;
  value?: bigint;
}

/** A signed EIP-2612 permit for the Market. */
export interface SignedPermit {
  /** Last second at which the permit is good. */
  deadline: bigint;
  /** 65-byte signature over `permitTypedData`. */
  signature: Hex;
}

/** Money to deposit by permit, and terms to post, in one transaction. */
export interface DepositAndPost extends SignedPermit {
  currency: Address;
  /** In the currency's smallest unit. */
  amount: bigint;
  terms: Terms;
}

/**
 * Gas on top of every estimate. An estimate is made in the second of the last block: a second later a price may have to be worked
 * out or a new checkpoint of votes written, and what others do in the same block may touch slots for the first time.
 */
export const SPARE_GAS = 100_000n;

/** What the Market client works with. */
export interface MarketOptions {
  publicClient: Pick<PublicClient, 'call' | 'readContract' | 'estimateGas'>;
  /** Signs and sends writes. Without it (and without `send`) only reads and `encode` work. */
  walletClient?: WalletClient;
  deployment: Pick<Deployment, 'chainId' | 'market' | 'rpcUrl'>;
  /** Sends writes instead of the wallet client, for programs with a transaction sender of their own. */
  send?: (request: MarketRequest) => Promise<Hash>;
  /**
   * Block that writes are simulated in. `latest` (default) is understood everywhere, but it is the block before the one that
   * will hold the transaction: a claim that opens with the next block is refused one block too long. A node uses `pending`.
   */
  simulateIn?: 'latest' | 'pending';
  /** Who writes are simulated as; the wallet client's account by default. */
  account?: Address;
}

/** A typed event of the Market. */
export type MarketEvent = ParseEventLogsReturnType<MarketAbi, ContractEventName<MarketAbi>, true>[number];

/** The Market, ready to be read and called. */
export interface Market extends MarketReads, MarketWrites {
  readonly address: Address;
  /** Calldata without sending. */
  readonly encode: MarketEncoders;
  /** Permit, deposit and post in one transaction. Returns its hash. */
  depositPermitAndPost(request: DepositAndPost): Promise<Hash>;
  /** Simulates and sends calldata made by `encode` (one, or several through `multicall`). */
  sendData(data: Hex): Promise<Hash>;
  /** The Market's events among a receipt's logs, typed. */
  eventsOf(receipt: { logs: Log[] }): MarketEvent[];
}

/** Thrown when a write is asked of a client that has nobody to sign it. */
export class NoSigner extends Error {
  constructor(call: string) {
    super(`Nobody can sign ${call}: connect a wallet first.`);
    this.name = 'NoSigner';
  }
}

/** Builds the client of one deployment's Market. */
export function createMarket(options: MarketOptions): Market {
  const { publicClient, walletClient, deployment } = options;
  const address = deployment.market;
  const blockTag = options.simulateIn ?? 'latest';
  const account = options.account ?? walletClient?.account?.address;
  const functions = marketAbi.filter((item) => item.type === 'function');
  const reads = functions.filter(({ stateMutability }) => stateMutability !== 'nonpayable');

  const dispatch = async (call: string, data: Hex): Promise<Hash> => {
    if (!options.send && !walletClient?.account) throw new NoSigner(call);
    const request: MarketRequest = { to: address, data };
    try {
      await publicClient.call({ ...request, blockTag, ...(account ? { account } : {}) });
    } catch (error) {
      throw asRevert(call, error);
    }
    if (options.send) return options.send(request);
    if (!walletClient?.account) throw new NoSigner(call);
    try {
      const gas = SPARE_GAS + (await publicClient.estimateGas({ ...request, account: walletClient.account }));
      return await walletClient.sendTransaction({
        ...request,
        gas,
        account: walletClient.account,
        chain: chainOf(walletClient, deployment),
      });
    } catch (error) {
      throw asRevert(call, error);
    }
  };

  const read = async (
    name: string,
    inputs: Inputs,
    outputs: readonly { name: string }[],
    given: readonly unknown[],
  ): Promise<unknown> => {
    const args = packArgs(inputs, given);
    try {
      const result = await publicClient.readContract({ abi: marketAbi, address, functionName: name, args } as never);
      if (outputs.length === 1) return result;
      const values = result as readonly unknown[];
      return Object.fromEntries(outputs.map((output, index) => [output.name.replace(/_$/, ''), values[index]]));
    } catch (error) {
      throw asRevert(name, error);
    }
  };

  const calls = Object.fromEntries(
    Object.entries<(...args: never[]) => Hex>(marketCalls).map(([name, encode]) => [
      name,
      // Asynchronous, so that an argument that does not fit is a rejection like every other failure.
      async (...args: never[]) => dispatch(name, encode(...args)),
    ]),
  ) as unknown as MarketWrites;
  const views = Object.fromEntries(
    reads.map(({ name, inputs, outputs }) => [name, (...args: unknown[]) => read(name, inputs, outputs, args)]),
  ) as unknown as MarketReads;

  return {
    ...calls,
    ...views,
    address,
    encode: marketCalls,
    async depositPermitAndPost({ currency, amount, deadline, signature, terms }) {
      const { v, r, s } = splitSignature(signature);
      const data = marketCalls.multicall([
        marketCalls.permit(currency, amount, deadline, v, r, s),
        marketCalls.deposit(currency, terms.requester, amount),
        marketCalls.post(terms),
      ]);
      return dispatch('depositPermitAndPost', data);
    },
    sendData: (data) => dispatch('a prepared call', data),
    eventsOf({ logs }) {
      const ours = logs.filter((log) => isAddressEqual(log.address, address));
      return parseEventLogs({ abi: marketAbi, logs: ours });
    },
  };
}

/** The parts of a 65-byte signature, as the contract's `permit` takes them. */
export function splitSignature(signature: Hex): { v: number; r: Hex; s: Hex } {
  const { r, s, yParity } = parseSignature(signature);
  return { v: 27 + yParity, r, s };
}

/** A token as EIP-2612 signs it. `version` is 1 unless the token says otherwise. */
export interface PermitToken {
  address: Address;
  name: string;
  version?: string;
  chainId: number;
}

/** What `owner` signs so that `spender` may take `value` of `token`: pass it to `signTypedData`. */
export function permitTypedData(
  token: PermitToken,
  owner: Address,
  spender: Address,
  value: bigint,
  nonce: bigint,
  deadline: bigint,
) {
  return {
    domain: {
      name: token.name,
      version: token.version ?? '1',
      chainId: token.chainId,
      verifyingContract: token.address,
    },
    types: permitTypes,
    primaryType: 'Permit',
    message: { owner, spender, value, nonce, deadline },
  } as const;
}

/** EIP-712 type of an EIP-2612 permit. */
export const permitTypes = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const;

function asRevert(call: string, error: unknown): unknown {
  const revert = revertOf(error);
  return revert && !(error instanceof MarketRevert) ? new MarketRevert(call, revert, error) : error;
}

/** The wallet's own chain when it is the right one; otherwise the deployment's, so that viem refuses to send elsewhere. */
function chainOf(wallet: WalletClient, deployment: MarketOptions['deployment']): Chain {
  if (wallet.chain?.id === deployment.chainId) return wallet.chain;
  return defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
}
