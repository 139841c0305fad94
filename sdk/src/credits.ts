/**
 * Compute credits: what the chain says about them, and the calldata of each call. Amounts are wei (1e18), shares are numbers of one (1.5 is one
 * and a half) in what people read and billionths in `creditRules`. Who sends the calldata is up to the caller; `docs/credits.md` has the rules.
 */
import {
  decodeErrorResult,
  encodeFunctionData,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type Hex,
  type PublicClient,
} from 'viem';

import { computeCreditsAbi } from './abi/generated.ts';
import { costOf } from './creditRules.ts';
import type { Deployment } from './deployment.ts';
import { packLease, type Lease, type Result } from './lease.ts';
import { packTerms } from './packedTerms.ts';
import { decodeRevert, revertDataOf, type Revert } from './revert.ts';
import type { Terms } from './terms.ts';

type Reader = Pick<PublicClient, 'readContract'>;
type Contracts = Pick<Deployment, 'credits'>;
type Write = ContractFunctionName<typeof computeCreditsAbi, 'nonpayable'>;

/** The epoch that the time belongs to. */
export interface CreditEpoch {
  number: number;
  /** Its first second, and the first of the next, unix time. */
  startedAt: number;
  endsAt: number;
  /** Credits that were minted for work in it, and the most that may be. */
  minted: bigint;
  cap: bigint;
}

/** What a unit of work earns now. */
export interface CreditRuntime {
  /** Billionths. */
  weight: bigint;
  /** Credits (wei) of a unit at weight one; 0: nothing. */
  perUnit: bigint;
  /** Fees of the current epoch, in millionths of a credit, and the mean pressure of them in billionths; undefined without fees. */
  fees: bigint;
  pressure: bigint | undefined;
}

/** What governance has set. */
export interface CreditSettings {
  /** Target pressure, least and greatest weight, billionths. */
  target: bigint;
  least: bigint;
  most: bigint;
  /** DPU wei at which the contract sells a credit. */
  offer: bigint;
}

/** A call that is ready to be sent. */
export interface CreditCall {
  to: Address;
  data: Hex;
}

/** Burning credits for a job, as its owner signs it. */
export interface Prioritization {
  owner: Address;
  job: Hex;
  amount: bigint;
  /** The owner's next nonce in the credits contract, shared with its permits. */
  nonce: bigint;
  /** Last second at which it is good, unix time. */
  deadline: bigint;
}

/** Thrown when a deployment names no credits: one from before there were any. */
export class NoCredits extends Error {
  constructor() {
    super('This deployment names no credits. Deploy again, or use a deployment file that has "credits".');
    this.name = 'NoCredits';
  }
}

/** The deployment's credits contract. @throws NoCredits */
export function creditsOf({ credits }: Contracts): Address {
  if (!credits) throw new NoCredits();
  return credits;
}

/* READS */

/** Credits that `account` holds. @throws NoCredits */
export function readCredits(client: Reader, deployment: Contracts, account: Address): Promise<bigint> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  return client.readContract({ ...contract, functionName: 'balanceOf', args: [account] });
}

/** All credits that exist. @throws NoCredits */
export function readSupply(client: Reader, deployment: Contracts): Promise<bigint> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  return client.readContract({ ...contract, functionName: 'totalSupply' });
}

/** The current epoch, rolled or not. @throws NoCredits */
export async function readEpoch(client: Reader, deployment: Contracts): Promise<CreditEpoch> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  const [number, startedAt, endsAt, minted, cap] = await client.readContract({ ...contract, functionName: 'epoch' });
  return { number, startedAt: Number(startedAt), endsAt: Number(endsAt), minted, cap };
}

/** What a runtime's units earn, moved by every epoch that is over. @throws NoCredits */
export async function readRuntime(client: Reader, deployment: Contracts, runtime: number): Promise<CreditRuntime> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi, args: [runtime] } as const;
  const [weight, [perUnit, fees, pressures]] = await Promise.all([
    client.readContract({ ...contract, functionName: 'weightOf' }),
    client.readContract({ ...contract, functionName: 'runtimeOf' }),
  ]);
  return { weight, perUnit, fees, pressure: fees === 0n ? undefined : pressures / fees };
}

/** What governance has set. @throws NoCredits */
export async function readCreditSettings(client: Reader, deployment: Contracts): Promise<CreditSettings> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  const [target, least, most, offer] = await client.readContract({ ...contract, functionName: 'settings' });
  return { target: BigInt(target), least: BigInt(least), most: BigInt(most), offer };
}

/** Credits for 1e18 smallest units of fee in `currency`; 0: none. @throws NoCredits */
export function readRate(client: Reader, deployment: Contracts, currency: Address): Promise<bigint> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  return client.readContract({ ...contract, functionName: 'rateOf', args: [currency] });
}

/** Credits that were burnt for a job. @throws NoCredits */
export function readPriority(client: Reader, deployment: Contracts, job: Hex): Promise<bigint> {
  const contract = { address: creditsOf(deployment), abi: computeCreditsAbi } as const;
  return client.readContract({ ...contract, functionName: 'priorityOf', args: [job] });
}

/** What `amount` credits cost at the standing offer now, in DPU wei. @throws NoCredits */
export async function readCost(client: Reader, deployment: Contracts, amount: bigint): Promise<bigint> {
  return costOf(amount, (await readCreditSettings(client, deployment)).offer);
}

/* CALLS */

/** Mints for settled leases of one job. Anyone may send it. @throws NoCredits; RangeError when a field does not fit */
export function encodeMint(
  deployment: Contracts,
  terms: Terms,
  leases: readonly Lease[],
  results: readonly Result[],
): CreditCall {
  return encode(deployment, 'mint', [packTerms(terms), leases.map(packLease), results]);
}

/**
 * Mints for a range of several seats: all who were paid in full, in the order of their commitments. Anyone may send it. @throws NoCredits;
 * RangeError when a field does not fit
 */
export function encodeMintPanel(
  deployment: Contracts,
  terms: Terms,
  seats: readonly Lease[],
  results: readonly Result[],
): CreditCall {
  return encode(deployment, 'mintPanel', [packTerms(terms), seats.map(packLease), results]);
}

/** Settles leases of one job and mints for them. Anyone may send it. @throws NoCredits; RangeError when a field does not fit */
export function encodeSettleAndMint(
  deployment: Contracts,
  terms: Terms,
  leases: readonly Lease[],
  results: readonly Result[],
): CreditCall {
  return encode(deployment, 'settleAndMint', [packTerms(terms), leases.map(packLease), results]);
}

/** Burns the sender's credits for a job. @throws NoCredits */
export function encodePrioritize(deployment: Contracts, job: Hex, amount: bigint): CreditCall {
  return encode(deployment, 'prioritize', [job, amount]);
}

/** Burns the signer's credits for a job. Anyone may send it. `v`, `r`, `s`: see `splitSignature`. @throws NoCredits */
export function encodePrioritizeWithSignature(
  deployment: Contracts,
  { owner, job, amount, deadline }: Prioritization,
  { v, r, s }: { v: number; r: Hex; s: Hex },
): CreditCall {
  return encode(deployment, 'prioritizeWithSignature', [owner, job, amount, deadline, v, r, s]);
}

/** Buys credits at the standing offer, for at most `mostCost` DPU, which must be approved to the credits contract. @throws NoCredits */
export function encodeBuy(deployment: Contracts, amount: bigint, to: Address, mostCost: bigint): CreditCall {
  return encode(deployment, 'buy', [amount, to, mostCost]);
}

/** Begins the epoch that the time belongs to. Anyone may send it. @throws NoCredits */
export function encodeRoll(deployment: Contracts): CreditCall {
  return encode(deployment, 'roll', []);
}

/** Brings weights up to date, for those who read events only. Anyone may send it. @throws NoCredits */
export function encodeUpdateWeights(deployment: Contracts, runtimes: readonly number[]): CreditCall {
  return encode(deployment, 'updateWeights', [runtimes]);
}

/** What the owner signs so that anyone may burn its credits for this job: pass it to `signTypedData`. */
export function prioritizeTypedData(chainId: number, credits: Address, message: Prioritization) {
  return {
    domain: { name: 'DPU Compute Credit', version: '1', chainId, verifyingContract: credits },
    types: {
      Prioritize: [
        { name: 'owner', type: 'address' },
        { name: 'job', type: 'bytes32' },
        { name: 'amount', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'Prioritize',
    message,
  } as const;
}

/** The error of the credits, or of the Market behind them, inside whatever was thrown; undefined when it is no known revert. */
export function creditsRevertOf(error: unknown): Revert | undefined {
  const data = revertDataOf(error);
  if (data === undefined) return undefined;
  try {
    const { errorName, args } = decodeErrorResult({ abi: computeCreditsAbi, data });
    return { name: errorName, args: (args as readonly unknown[] | undefined) ?? [] };
  } catch {
    return decodeRevert(data);
  }
}

function encode<Name extends Write>(
  deployment: Contracts,
  functionName: Name,
  args: ContractFunctionArgs<typeof computeCreditsAbi, 'nonpayable', Name>,
): CreditCall {
  const call = { abi: computeCreditsAbi, functionName, args } as Parameters<typeof encodeFunctionData>[0];
  return { to: creditsOf(deployment), data: encodeFunctionData(call) };
}
