import { quoteRequestSchema, type Quote } from '@dpu/sdk/apiQuote';
import { TERMS } from '@dpu/sdk/testing';
import { expect, test } from 'vitest';

import { askForecast, ForecastRefuted, quoteRequestOf, readQuote } from './forecast.ts';

const { minPrice, maxPrice } = TERMS;
const EXCLUDED = {
  ...{ allowlist: 0, runtime: 2, tier: 0, minStake: 0, freeStake: 1, key: 0, offline: 0, busy: 0, price: 0 },
};
const point = (name: 'half' | 'asked' | 'double', most: bigint, p50: bigint, over: object = {}) => ({
  ...{ point: name, maxPrice: most, escrow: most, taken: 1, startsIn: { p50: 4, p90: 9 } },
  ...{ price: { p50, p90: null }, ...over },
});
const quote = (points: object[], over: object = {}): Quote =>
  ({
    ...{ eligibility: { eligible: 3, excludedBy: EXCLUDED }, basis: 'history', samples: 20, points },
    ...over,
  }) as unknown as Quote;

test('asks about the first job in words that the API takes', () => {
  const request = quoteRequestOf({ ...TERMS, expiry: 1_600, start: 0 }, { readers: [2], now: 1_000 });
  expect(request).toMatchObject({ openFor: 600, private: true, allow: [2], maxPrice: String(maxPrice), seats: 1 });
  expect(quoteRequestSchema.safeParse(request).success).toBe(true);
  const open = quoteRequestOf({ ...TERMS, expiry: 1_600, start: 1_599 }, { readers: undefined, now: 1_700 });
  expect(open).toMatchObject({ openFor: 1 });
  expect(open).not.toHaveProperty('allow');
  expect(
    quoteRequestSchema.safeParse(quoteRequestOf(TERMS, { readers: [], now: TERMS.expiry - 60 })).success,
    'no reader yet',
  ).toBe(true);
});

test('keeps what a quote says, and only those obstacles that keep somebody away', () => {
  const told = readQuote(quote([point('asked', maxPrice, minPrice)]), TERMS);
  expect(told).toMatchObject({ eligible: 3, obstacles: { runtime: 2, freeStake: 1 } });
  expect(Object.keys(told.obstacles)).toEqual(['runtime', 'freeStake']);
  expect(told.forecast).toMatchObject({ basis: 'history', samples: 20, points: [{ taken: 1 }] });
  expect(readQuote(quote([], { basis: 'none' }), TERMS).forecast).toBeUndefined();
});

test.each([
  ['about another highest price', [point('asked', maxPrice + 1n, minPrice)]],
  ['above its highest price', [point('asked', maxPrice, maxPrice + 1n)]],
  ['below the start of the ramp', [point('asked', maxPrice, minPrice - 1n)]],
  [
    'above it in one of ten cases',
    [point('asked', maxPrice, minPrice, { price: { p50: minPrice, p90: maxPrice + 1n } })],
  ],
  ['slower for half than for most', [point('asked', maxPrice, minPrice, { startsIn: { p50: 9, p90: 4 } })]],
])('a forecast %s is refuted', (_what, points) => {
  expect(() => readQuote(quote(points), TERMS)).toThrow(ForecastRefuted);
});

test('the ends of the ramp are within it', () => {
  const ends = [point('half', maxPrice / 2n, maxPrice / 2n), point('asked', maxPrice, maxPrice)];
  expect(readQuote(quote(ends), TERMS).forecast?.points).toHaveLength(2);
});

test('asks by POST, and says why there is no answer', async () => {
  const calls: [string, RequestInit | undefined][] = [];
  const asker = {
    url: 'http://indexer',
    fetch: async (input: string, init?: RequestInit) => {
      calls.push([input, init]);
      return new Response(JSON.stringify({ type: 'x', title: 'x', status: 500, detail: 'our fault' }), { status: 500 });
    },
  };
  await expect(askForecast(asker, { terms: [TERMS] }, 0)).rejects.toMatchObject({
    ...{ name: 'ApiError', status: 500, message: 'our fault' },
  });
  expect(calls[0]?.[0]).toBe('http://indexer/v1/quote');
  expect(calls[0]?.[1]?.method).toBe('POST');
});
