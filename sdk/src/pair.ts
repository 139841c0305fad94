/**
 * Trading credits for DPU on a Uniswap v2 pair: what a trade gives, and the calldata for it. Amounts are wei of the token they belong to;
 * who sends the calldata is up to the caller. The pair belongs to nobody here: it is the canonical code, on a local network deployed from
 * Uniswap's packages.
 */
import {
  encodeFunctionData,
  isAddressEqual,
  parseAbi,
  zeroAddress,
  type Address,
  type Hex,
  type PublicClient,
} from 'viem';

import type { Deployment } from './deployment.ts';

/** The parts of Uniswap v2 that trading needs. */
export const uniswapPairAbi = parseAbi([
  'function token0() view returns (address)',
  'function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast)',
  'function totalSupply() view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
]);
export const uniswapFactoryAbi = parseAbi([
  'function getPair(address, address) view returns (address)',
  'function createPair(address, address) returns (address)',
]);
export const uniswapRouterAbi = parseAbi([
  'function factory() view returns (address)',
  'function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline) returns (uint256[] amounts)',
  'function swapTokensForExactTokens(uint256 amountOut, uint256 amountInMax, address[] path, address to, uint256 deadline) returns (uint256[] amounts)',
  'function addLiquidity(address tokenA, address tokenB, uint256 amountADesired, uint256 amountBDesired, uint256 amountAMin, uint256 amountBMin, address to, uint256 deadline) returns (uint256 amountA, uint256 amountB, uint256 liquidity)',
]);

const BPS = 10_000n;
/** Uniswap v2 keeps 0.3 % of what comes in. */
const KEPT = 997n;
const OF = 1_000n;

/** Which way a trade goes. */
export type Side = 'sellCredits' | 'buyCredits';

/** What lies in the pair, in wei. */
export interface Reserves {
  credits: bigint;
  dpu: bigint;
}

/** What a trade would do now. */
export interface Quote {
  side: Side;
  amountIn: bigint;
  amountOut: bigint;
  /** What the trade loses against the price before it, the pair's 0.3 % included, in basis points, rounded up. */
  impactBps: number;
}

/** How far a trade may turn out worse than quoted, and until when it may be made. */
export interface TradeLimits {
  to: Address;
  /** Basis points, at most 5,000. */
  slippageBps: number;
  /** Last second at which the trade may be made, unix time. */
  deadline: number;
}

/** A call that is ready to be sent. */
export interface Call {
  to: Address;
  data: Hex;
}

type Reader = Pick<PublicClient, 'readContract'>;
type Trading = Pick<Deployment, 'credits' | 'token' | 'exchange'>;

/** Thrown when a deployment names no credits, or no pair to trade them on. */
export class NoPair extends Error {
  constructor() {
    super(
      'This deployment names no pair for credits. Deploy one, and name "credits" and "exchange" in the deployment file.',
    );
    this.name = 'NoPair';
  }
}

/** Thrown when a pair has too little in it for a trade. */
export class NotEnoughLiquidity extends Error {
  readonly reserves: Reserves;

  constructor(reserves: Reserves) {
    super(
      `The pair holds ${reserves.credits} wei of credits and ${reserves.dpu} wei of DPU, too little for this trade. Trade less, or add liquidity.`,
    );
    this.name = 'NotEnoughLiquidity';
    this.reserves = reserves;
  }
}

/** The deployment's credits, router and pair. @throws NoPair */
export function pairOf({ credits, token, exchange }: Trading): {
  credits: Address;
  token: Address;
  router: Address;
  pair: Address;
} {
  if (!credits || !exchange) throw new NoPair();
  return { credits, token, ...exchange };
}

/** Reads what lies in the pair. @throws NoPair */
export async function readReserves(client: Reader, deployment: Trading): Promise<Reserves> {
  const { credits, pair } = pairOf(deployment);
  const contract = { address: pair, abi: uniswapPairAbi } as const;
  const [token0, [reserve0, reserve1]] = await Promise.all([
    client.readContract({ ...contract, functionName: 'token0' }),
    client.readContract({ ...contract, functionName: 'getReserves' }),
  ]);
  return isAddressEqual(token0, credits) ? { credits: reserve0, dpu: reserve1 } : { credits: reserve1, dpu: reserve0 };
}

/* QUOTES */

/** What comes out for `amountIn`: x · y stays, after 0.3 % of what comes in. Rounded down, as in `UniswapV2Library.getAmountOut`. */
export function amountOut(amountIn: bigint, reserveIn: bigint, reserveOut: bigint): bigint {
  const kept = amountIn * KEPT;
  return (kept * reserveOut) / (reserveIn * OF + kept);
}

/** What must go in for `out`, which must be less than the reserve. Rounded up, as in `UniswapV2Library.getAmountIn`. */
export function amountIn(out: bigint, reserveIn: bigint, reserveOut: bigint): bigint {
  return (reserveIn * out * OF) / ((reserveOut - out) * KEPT) + 1n;
}

/** What giving exactly `given` would bring. @throws RangeError, NotEnoughLiquidity */
export function quoteExactIn(side: Side, given: bigint, reserves: Reserves): Quote {
  requirePositive('the amount to give', given);
  const [reserveIn, reserveOut] = sides(side, reserves);
  if (reserveIn === 0n || reserveOut === 0n) throw new NotEnoughLiquidity(reserves);
  const out = amountOut(given, reserveIn, reserveOut);
  if (out === 0n) throw new NotEnoughLiquidity(reserves);
  return { side, amountIn: given, amountOut: out, impactBps: impactOf(given, out, reserveIn, reserveOut) };
}

/** What getting exactly `wanted` would take. @throws RangeError, NotEnoughLiquidity */
export function quoteExactOut(side: Side, wanted: bigint, reserves: Reserves): Quote {
  requirePositive('the amount to get', wanted);
  const [reserveIn, reserveOut] = sides(side, reserves);
  if (reserveIn === 0n || wanted >= reserveOut) throw new NotEnoughLiquidity(reserves);
  const given = amountIn(wanted, reserveIn, reserveOut);
  return { side, amountIn: given, amountOut: wanted, impactBps: impactOf(given, wanted, reserveIn, reserveOut) };
}

/* CALLS: the token that goes in must be approved to the router first */

/** Gives exactly what was quoted, for at least the quote less the slippage. @throws NoPair, RangeError */
export function encodeSwapExactIn(deployment: Trading, quote: Quote, limits: TradeLimits): Call {
  const { router } = pairOf(deployment);
  const least = (quote.amountOut * (BPS - slippageOf(limits))) / BPS;
  const args = [quote.amountIn, least, pathOf(deployment, quote.side), limits.to, BigInt(limits.deadline)] as const;
  const data = encodeFunctionData({ abi: uniswapRouterAbi, functionName: 'swapExactTokensForTokens', args });
  return { to: router, data };
}

/** Gets exactly what was quoted, for at most the quote plus the slippage, rounded down. @throws NoPair, RangeError */
export function encodeSwapExactOut(deployment: Trading, quote: Quote, limits: TradeLimits): Call {
  const { router } = pairOf(deployment);
  const most = (quote.amountIn * (BPS + slippageOf(limits))) / BPS;
  const args = [quote.amountOut, most, pathOf(deployment, quote.side), limits.to, BigInt(limits.deadline)] as const;
  const data = encodeFunctionData({ abi: uniswapRouterAbi, functionName: 'swapTokensForExactTokens', args });
  return { to: router, data };
}

/** Adds liquidity at the pair's price, or sets it when the pair is empty. Both tokens must be approved. @throws NoPair, RangeError */
export function encodeAddLiquidity(deployment: Trading, amounts: Reserves, limits: TradeLimits): Call {
  const { router, credits, token } = pairOf(deployment);
  requirePositive('the credits to add', amounts.credits);
  requirePositive('the DPU to add', amounts.dpu);
  const least = (amount: bigint): bigint => (amount * (BPS - slippageOf(limits))) / BPS;
  const { dpu } = amounts;
  const data = encodeFunctionData({
    abi: uniswapRouterAbi,
    functionName: 'addLiquidity',
    args: [
      ...([credits, token, amounts.credits, dpu, least(amounts.credits), least(dpu)] as const),
      ...([limits.to, BigInt(limits.deadline)] as const),
    ],
  });
  return { to: router, data };
}

function pathOf(deployment: Trading, side: Side): readonly Address[] {
  const { credits, token } = pairOf(deployment);
  return side === 'sellCredits' ? [credits, token] : [token, credits];
}

function sides(side: Side, { credits, dpu }: Reserves): [reserveIn: bigint, reserveOut: bigint] {
  return side === 'sellCredits' ? [credits, dpu] : [dpu, credits];
}

function impactOf(given: bigint, out: bigint, reserveIn: bigint, reserveOut: bigint): number {
  const fair = given * reserveOut;
  return Number(((fair - out * reserveIn) * BPS + fair - 1n) / fair);
}

function slippageOf({ slippageBps, to }: TradeLimits): bigint {
  if (!Number.isInteger(slippageBps) || slippageBps < 0 || slippageBps > 5_000) {
    throw new RangeError(`a slippage of ${slippageBps} basis points is not in 0 … 5000`);
  }
  if (isAddressEqual(to, zeroAddress)) throw new RangeError('a trade for the zero address would burn what it brings');
  return BigInt(slippageBps);
}

function requirePositive(what: string, amount: bigint): void {
  if (amount <= 0n) throw new RangeError(`${what} must be more than zero`);
}
