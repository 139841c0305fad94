import { expect, test } from 'vitest';

import { replay, type Past } from './replay.ts';
import { at, DOLLAR, TOKEN } from './testing.ts';

const DPU = 10n ** 18n;
const dpu = { address: TOKEN, symbol: 'DPU', decimals: 18 };
const dollar = { address: DOLLAR, symbol: 'USDL', decimals: 6 };
const job = (over: Partial<Past['jobs'][number]>): Past['jobs'][number] => ({
  currency: DOLLAR,
  paid: 0n,
  fee: 0n,
  maxPrice: DPU,
  bond: 4n * DPU,
  runtime: 1,
  ...over,
});
const past = (over: Partial<Past>): Past => ({
  jobs: [],
  nodes: [],
  votes: [],
  currencyOf: (address) => (address.toLowerCase() === TOKEN ? dpu : dollar),
  dpu,
  ...over,
});

test('another fee is reckoned on what was paid, each currency by itself', () => {
  const jobs = [
    job({ paid: 97_000_000n, fee: 3_000_000n }),
    job({ paid: 9_700_000n, fee: 300_000n }),
    job({ currency: TOKEN, paid: 97n * DPU, fee: 3n * DPU }),
    job({}),
  ];
  expect(replay({ id: 'params.feeBps', from: 300n, to: 250n }, past({ jobs }))).toEqual([
    '2 jobs paid 3.3 USDL to the treasury and 106.7 USDL to nodes. It would have been 2.75 USDL and 107.25 USDL.',
    '1 job paid 3 DPU to the treasury and 97 DPU to nodes. It would have been 2.5 DPU and 97.5 DPU.',
  ]);
});

test('a larger bond shuts out jobs that asked for less; what equals it stays', () => {
  const jobs = [
    job({ currency: TOKEN, bond: 4n * DPU }),
    job({ currency: TOKEN, bond: 5n * DPU }),
    job({ currency: TOKEN, bond: 5n * DPU - 1n }),
    job({}),
  ];
  expect(replay({ id: 'params.bondTenths', from: 40n, to: 50n }, past({ jobs }))).toEqual([
    '2 of 3 jobs paid in DPU asked for a bond that would have been too small.',
  ]);
  expect(replay({ id: 'params.bondTenths', from: 40n, to: 30n }, past({ jobs }))).toEqual([
    'All of 3 jobs paid in DPU could still have been posted; 1 of them asked for the least bond.',
  ]);
});

test('nodes with exactly the least stake work; what is on its way out does not count', () => {
  const leases = { living: 0, settled: 0, lapsed: 0 };
  const nodes = [
    { stake: 1_000n * DPU, queued: 0n, leases },
    { stake: 5_000n * DPU, queued: 0n, leases },
    { stake: 5_000n * DPU, queued: 1n, leases },
  ];
  expect(replay({ id: 'minStake', from: 1_000n * DPU, to: 5_000n * DPU }, past({ nodes }))).toEqual([
    '3 of 3 nodes have enough at stake now; with 5,000 DPU it would be 1.',
  ]);
});

test('votes are counted against the quorum that would have been asked for', () => {
  const votes = [
    { counted: 40n, quorum: 40n },
    { counted: 50n, quorum: 40n },
    { counted: 39n, quorum: 40n },
  ];
  expect(replay({ id: 'quorumPercent', from: 4n, to: 5n }, past({ votes }))).toEqual([
    '2 of 3 proposals reached the quorum; it would have been 1.',
  ]);
});

test('what is opened or closed is told by how many used it', () => {
  const jobs = [job({ runtime: 3 }), job({ currency: TOKEN }), job({})];
  const used = (id: string) => replay({ id, from: true, to: false }, past({ jobs }));
  expect(used('runtime.3')).toEqual(['1 of the newest 3 jobs used it.']);
  expect(used(`currency.${DOLLAR.toLowerCase()}`)).toEqual(['2 of the newest 3 jobs used it.']);
  expect(used(`currency.${at('9')}`)).toEqual(['0 of the newest 3 jobs used it.']);
});

test('where the past says nothing, nothing is said', () => {
  const turn = { from: 1n, to: 2n };
  expect(replay({ id: 'params.feeBps', ...turn }, past({ jobs: [job({})] }))).toEqual([]);
  expect(replay({ id: 'params.bondTenths', ...turn }, past({ jobs: [job({})] }))).toEqual([]);
  expect(replay({ id: 'quorumPercent', ...turn }, past({}))).toEqual([]);
  expect(replay({ id: 'votingDelay', ...turn }, past({}))).toEqual([]);
  expect(replay({ id: 'runtime.1', from: true, to: false }, past({}))).toEqual([]);
  expect(replay({ id: 'seats', from: true, to: false }, past({ jobs: [job({})] }))).toEqual([]);
  expect(replay({ id: 'params.feeBps', from: undefined, to: 2n }, past({ jobs: [job({ paid: 1n })] }))).toEqual([]);
});
