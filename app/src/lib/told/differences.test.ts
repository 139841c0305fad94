import { describe, expect, test } from 'vitest';

import { jobDifferences, nodeDifferences, PATIENCE, Standing, type Difference } from './differences.ts';

const DPU = { address: '0x01', symbol: 'DPU', decimals: 18 } as const;
const ONE = 10n ** 18n;
const AT = 1_000;
const REQUESTER = '0xAbCd000000000000000000000000000000000001';
const SPEC = `0x${'5e'.repeat(32)}` as const;

type History = Parameters<typeof jobDifferences>[1];

const terms = {
  ...{ requester: REQUESTER, currency: DPU.address, minPrice: ONE, maxPrice: 2n * ONE, bond: 8n * ONE, shards: 4 },
  spec: SPEC,
};
const lease = (first: number, state: string, node = 1) => ({ state, lease: { first, count: 2, node } });
const history = (over: object = {}): History =>
  ({
    ...{ terms, state: 'open', refunded: 0n, steps: [{ timestamp: AT }] },
    leases: [lease(0, 'settled', 1), lease(0, 'settled', 2), lease(2, 'claimed')],
    ...over,
  }) as unknown as History;
const told = (over: object = {}) =>
  ({
    ...terms,
    ...{ requester: REQUESTER.toLowerCase(), state: 'running', refunded: 0n, settled: 2 },
    ...over,
  }) as Parameters<typeof jobDifferences>[0];
const look = (tells: object, says: object = {}, now = AT): Difference[] =>
  jobDifferences(told(tells), history(says), { currency: DPU, dpu: DPU, now });

describe('of a job', () => {
  test('nothing differs where both say the same, whatever the case of letters', () => {
    expect(look({})).toEqual([]);
  });

  test.each([
    [{ maxPrice: 3n * ONE }, { what: 'the highest price of a shard', told: '3 DPU', chain: '2 DPU' }],
    [{ minPrice: 0n }, { what: 'the lowest price of a shard', told: '0 DPU', chain: '1 DPU' }],
    [{ bond: ONE }, { what: 'the bond of a shard', told: '1 DPU', chain: '8 DPU' }],
    [{ shards: 5 }, { what: 'the number of shards', told: '5', chain: '4' }],
    [{ requester: '0x02' }, { what: 'the requester', told: '0x02', chain: REQUESTER }],
    [{ state: 'complete' }, { what: 'its state', told: 'complete', chain: 'open' }],
    [{ settled: 3 }, { what: 'the number of settled shards', told: '3', chain: '2' }],
    [{ refunded: ONE }, { what: 'what was paid back', told: '1 DPU', chain: '0 DPU' }],
  ])('what no slow indexer would say is certain at once: %o', (tells, difference) => {
    expect(look(tells)).toEqual([{ ...difference, certain: true }]);
  });

  test('one that is behind is given its time, to the last second', () => {
    const ended = { state: 'complete' };
    expect(look({}, ended, AT + PATIENCE)).toEqual([]);
    expect(look({}, ended, AT + PATIENCE + 1)).toEqual([
      { what: 'its state', told: 'open', chain: 'complete', certain: false },
    ]);
  });
});

describe('of a node', () => {
  const chain = {
    ...{ owner: REQUESTER, operator: '0x0b', key: `0x${'00'.repeat(32)}`, endpoint: 'http://a' },
    ...{ stake: ONE, record: 10_000 },
  };
  const says = (over: object = {}) =>
    nodeDifferences(
      { ...chain, owner: REQUESTER.toLowerCase() as `0x${string}`, operator: '0x0b', key: null, ...over },
      chain,
      DPU,
    );

  test('nothing differs where both say the same', () => {
    expect(says()).toEqual([]);
  });

  test('each fact that counts is compared', () => {
    expect(says({ stake: 5n * ONE, record: 5_000, key: SPEC, endpoint: 'http://b' })).toEqual([
      { what: 'the key for private jobs', told: '0x5e5e…5e5e', chain: 'none', certain: false },
      { what: 'the gateway', told: 'http://b', chain: 'http://a', certain: false },
      { what: 'the stake', told: '5 DPU', chain: '1 DPU', certain: false },
      { what: 'the record', told: '50 %', chain: '100 %', certain: false },
    ]);
  });
});

test('what may be a slow indexer counts when it has stood for long enough, and begins anew when it was gone', () => {
  const standing = new Standing(10_000);
  const slow = { what: 'the stake', told: '1', chain: '2', certain: false };
  const wrong = { what: 'the owner', told: 'a', chain: 'b', certain: true };
  expect(standing.look([slow, wrong], 0)).toEqual([wrong]);
  expect(standing.look([slow], 9_999)).toEqual([]);
  expect(standing.look([slow], 10_000)).toEqual([slow]);
  expect(standing.look([], 10_001)).toEqual([]);
  expect(standing.look([slow], 10_002)).toEqual([]);
});
