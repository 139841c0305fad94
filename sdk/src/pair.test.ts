import { decodeFunctionData, zeroAddress, type Address } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  amountIn,
  amountOut,
  encodeAddLiquidity,
  encodeSwapExactIn,
  encodeSwapExactOut,
  NoPair,
  NotEnoughLiquidity,
  quoteExactIn,
  quoteExactOut,
  readReserves,
  uniswapRouterAbi,
} from './pair.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [CREDITS, DPU, ROUTER, PAIR, ANN] = [at('1'), at('2'), at('3'), at('4'), at('5')];
const deployment = { credits: CREDITS, token: DPU, exchange: { router: ROUTER, pair: PAIR } };
const RESERVES = { credits: 10_000n, dpu: 2_000n };
const LIMITS = { to: ANN, slippageBps: 100, deadline: 1_900_000_000 };

const decoded = (data: `0x${string}`) => decodeFunctionData({ abi: uniswapRouterAbi, data });

/** A chain on which the pair's first token is `token0`. */
const chain = (token0: Address) =>
  ({
    readContract: ({ functionName }: { functionName: string }) =>
      Promise.resolve(functionName === 'token0' ? token0 : [10_000n, 2_000n, 5]),
  }) as never;

describe('reserves', () => {
  test('are told apart by the order of the tokens in the pair', async () => {
    expect(await readReserves(chain(CREDITS), deployment)).toEqual(RESERVES);
    expect(await readReserves(chain(DPU), deployment)).toEqual({ credits: 2_000n, dpu: 10_000n });
  });

  test('cannot be read where there is no pair', async () => {
    await expect(readReserves(chain(DPU), { token: DPU })).rejects.toThrow(NoPair);
    await expect(readReserves(chain(DPU), { token: DPU, credits: CREDITS })).rejects.toThrow(NoPair);
  });
});

describe('a quote', () => {
  // By hand: 1000 · 997 · 2000 / (10000 · 1000 + 1000 · 997) = 181.3; without fee and slope it would be 200.
  test('for what is given keeps the product after 0.3 %', () => {
    expect(quoteExactIn('sellCredits', 1_000n, RESERVES)).toEqual({
      side: 'sellCredits',
      amountIn: 1_000n,
      amountOut: 181n,
      impactBps: 950,
    });
    expect(quoteExactIn('buyCredits', 100n, RESERVES).amountOut).toBe(474n);
  });

  test('for what is wanted rounds against the trader', () => {
    expect(quoteExactOut('sellCredits', 181n, RESERVES).amountIn).toBe(999n);
    for (const wanted of [1n, 50n, 1_999n]) {
      const { amountIn: given } = quoteExactOut('sellCredits', wanted, RESERVES);
      expect(amountOut(given, 10_000n, 2_000n)).toBeGreaterThanOrEqual(wanted);
      expect(amountOut(given - 1n, 10_000n, 2_000n)).toBeLessThanOrEqual(wanted);
      expect(amountIn(wanted, 10_000n, 2_000n)).toBe(given);
    }
  });

  test('never takes anything out of the product', () => {
    for (const given of [10n, 999n, 1_000_000n]) {
      const out = amountOut(given, 10_000n, 2_000n);
      expect((10_000n + given) * (2_000n - out)).toBeGreaterThanOrEqual(10_000n * 2_000n);
    }
  });

  test('is refused where the pair has too little, or nothing is asked for', () => {
    expect(() => quoteExactIn('sellCredits', 1n, { credits: 0n, dpu: 0n })).toThrow(NotEnoughLiquidity);
    expect(() => quoteExactIn('sellCredits', 1n, RESERVES)).toThrow(NotEnoughLiquidity);
    expect(() => quoteExactOut('sellCredits', 2_000n, RESERVES)).toThrow(
      'The pair holds 10000 wei of credits and 2000 wei of DPU, too little for this trade. Trade less, or add liquidity.',
    );
    expect(() => quoteExactIn('buyCredits', 0n, RESERVES)).toThrow('the amount to give must be more than zero');
    expect(() => quoteExactOut('buyCredits', -1n, RESERVES)).toThrow('the amount to get must be more than zero');
  });
});

describe('a swap', () => {
  const quote = { side: 'sellCredits', amountIn: 1_000n, amountOut: 181n, impactBps: 950 } as const;

  test('gives what was quoted for at least the quote less the slippage', () => {
    const { to, data } = encodeSwapExactIn(deployment, quote, LIMITS);
    expect(to).toBe(ROUTER);
    expect(decoded(data)).toEqual({
      functionName: 'swapExactTokensForTokens',
      args: [1_000n, 179n, [CREDITS, DPU], ANN, 1_900_000_000n],
    });
  });

  test('gets what was quoted for at most the quote plus the slippage', () => {
    const { data } = encodeSwapExactOut(deployment, { ...quote, side: 'buyCredits' }, LIMITS);
    expect(decoded(data)).toEqual({
      functionName: 'swapTokensForExactTokens',
      args: [181n, 1_010n, [DPU, CREDITS], ANN, 1_900_000_000n],
    });
  });

  test('has a bound and somebody to receive it', () => {
    expect(() => encodeSwapExactIn(deployment, quote, { ...LIMITS, slippageBps: 5_001 })).toThrow(RangeError);
    expect(() => encodeSwapExactIn(deployment, quote, { ...LIMITS, slippageBps: 0.5 })).toThrow(RangeError);
    expect(() => encodeSwapExactIn(deployment, quote, { ...LIMITS, to: zeroAddress })).toThrow('zero address');
    expect(() => encodeSwapExactIn({ token: DPU }, quote, LIMITS)).toThrow(NoPair);
  });
});

test('liquidity is added at the price of the pair', () => {
  const { to, data } = encodeAddLiquidity(deployment, RESERVES, LIMITS);
  expect(to).toBe(ROUTER);
  expect(decoded(data)).toEqual({
    functionName: 'addLiquidity',
    args: [CREDITS, DPU, 10_000n, 2_000n, 9_900n, 1_980n, ANN, 1_900_000_000n],
  });
  expect(() => encodeAddLiquidity(deployment, { credits: 0n, dpu: 1n }, LIMITS)).toThrow('the credits to add');
});
