import { expect, test } from 'vitest';

import { CURRENCY } from '../testing/samples.ts';
import { earningLines, type Market } from './earnings.ts';

const currencies = [{ address: CURRENCY, symbol: 'DPU', decimals: 2 }] as const;
const job = (runtime: number, minPrice: bigint, maxPrice: bigint): Market['jobs'][number] => ({
  ...{ runtime, currency: CURRENCY, minPrice, maxPrice, settled: 3, shards: 4 },
});
const lines = (market: Market | undefined, working: string[], paces = {}) =>
  earningLines(market, working, paces, [...currencies]);

test('says what is not known in plain words', () => {
  expect(lines(undefined, ['wasm'])).toEqual([
    'What it can earn is not known: the indexer of the network does not answer.',
  ]);
  expect(lines({ stats: { paid: [], unitsSettled: 0n }, jobs: [job(2, 1n, 1n)] }, ['wasm'])).toEqual([
    'wasm: none of the last 1 jobs was for it, so its price is not known.',
    'Nothing has been paid on this network yet, so what an hour brings is not known.',
  ]);
});

test('says what jobs pay, and what an hour would bring at the pace that was measured', () => {
  const stats = { paid: [{ currency: CURRENCY, amount: 500n }], unitsSettled: 2_000_000n };
  const jobs = [job(1, 100n, 200n), job(1, 300n, 400n), job(1, 100n, 250n)];
  expect(lines({ stats, jobs } as Market, ['wasm'], { wasm: 0.002 })).toEqual([
    'wasm: 3 of the last jobs paid between 1 DPU and 2.5 DPU a shard; 9 of 12 shards are paid.',
    'A million units (about a quarter of an hour on one core) brought 2.5 DPU so far.',
    'At the pace measured here an hour of wasm on one slot would bring 4.5 DPU, if there is work.',
  ]);
});
