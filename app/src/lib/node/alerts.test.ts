import { expect, test } from 'vitest';

import type { Heartbeat } from '../live/heartbeats.ts';
import { alertsOf, SILENT_SECONDS } from './alerts.ts';

const ONE = 10n ** 18n;
const NOW = 1_000_000;
const DPU = { address: '0x01', symbol: 'DPU', decimals: 18 } as const;
const node = {
  ...{ stake: 5_000n * ONE, locked: 0n, queued: 0n, unstakeAt: 0, record: 10_000, tier: 0, tierUntil: 0 },
  ...{ minStake: 1_000n * ONE, coin: ONE, gasPrice: 10n ** 9n },
};
const heartbeat: Heartbeat = {
  ...{ node: 1, saidAt: NOW * 1_000, healthy: true, problems: [], celsius: null, software: 'x', draining: false },
  slots: { capacity: 1, running: 0, free: 1 },
};
const sentences = (over: object = {}, said: Partial<Heartbeat> | null = {}): string[] =>
  alertsOf({ ...node, ...over }, said === null ? undefined : { ...heartbeat, ...said }, {
    ...{ now: NOW, nowMs: NOW * 1_000, dpu: DPU, coin: 'ETH' },
  }).map(({ tone, sentence }) => `${tone}: ${sentence}`);

test('a node that is well has nothing to say', () => {
  expect(sentences()).toEqual([]);
});

test('silence counts from its last second on', () => {
  const at = (seconds: number) => sentences({}, { saidAt: (NOW - seconds) * 1_000 });
  expect(at(SILENT_SECONDS)).toEqual([]);
  expect(at(SILENT_SECONDS + 1)).toEqual(['danger: Your node has been silent for 1 min 31 s.']);
  expect(sentences({}, null)).toEqual(['danger: Nobody hears your node.']);
});

test.each([
  [{}, { healthy: false, problems: ['disk full'] }, 'danger: Your node says that it is not well: disk full.'],
  [{}, { draining: true }, 'warn: Your node is draining: it finishes what it holds and takes nothing new.'],
  [{ coin: 10n ** 15n }, {}, 'warn: Its key holds 0.001 ETH, gas for about 1 lease.'],
  [{ coin: 0n }, {}, 'danger: Its key holds 0 ETH, gas for about 0 leases.'],
  [
    { queued: 4_000n * ONE + 1n, unstakeAt: NOW + 1 },
    {},
    'danger: 999.9999 DPU stay at stake, less than the 1,000 DPU that new work asks for.',
  ],
  [{ locked: 4_950n * ONE }, {}, 'warn: Nearly all of its stake is locked as bonds.'],
  [{ record: 6_999 }, {}, 'warn: Its record is 69.99 %: it is drawn that much less.'],
  [{ queued: ONE, unstakeAt: NOW }, {}, 'warn: 1 DPU may leave now and earn nothing.'],
])('says what is wrong: %o %o', (over, said, sentence) => {
  expect(sentences(over, said)).toEqual([sentence]);
});

test('the gas of 25 leases is enough, a wei less is not', () => {
  expect(sentences({ coin: 25n * 600_000n * 10n ** 9n })).toEqual([]);
  expect(sentences({ coin: 25n * 600_000n * 10n ** 9n - 1n })).toEqual([
    'warn: Its key holds 0.01499 ETH, gas for about 24 leases.',
  ]);
});

test('a tier is good in its last second, and warned of for three days', () => {
  const tier = (tierUntil: number) => sentences({ tier: 2, tierUntil });
  expect(tier(NOW + 3 * 86_400 + 1)).toEqual([]);
  expect(tier(NOW + 3 * 86_400)).toEqual(['warn: Its tier 2 runs out in 3 d.']);
  expect(tier(NOW)).toEqual(['warn: Its tier 2 runs out in 0 s.']);
  expect(tier(NOW - 1)).toEqual(['danger: Its tier 2 has run out.']);
});
