import type { JobSummary } from '@dpu/sdk/api';
import { expect, test } from 'vitest';

import { historyCsv } from './history.ts';

const job = (over: Partial<JobSummary> = {}): JobSummary => ({
  ...{
    id: `0x${'1'.repeat(64)}`,
    requester: `0x${'2'.repeat(40)}`,
    currency: `0x${'3'.repeat(40)}`,
    state: 'complete',
  },
  ...{ name: null, shards: 4, claimed: 4, settled: 4, minPrice: 1n, maxPrice: 1_500_000n, bond: 0n, runtime: 1 },
  ...{ spec: `0x${'4'.repeat(64)}`, afterJob: null, postedAt: 1_700_000_000, postedBlock: 1 },
  ...{ transaction: `0x${'5'.repeat(64)}`, closedAt: null, paid: 5_820_000n, fee: 180_000n, refunded: 7n, ...over },
});

test('jobs become rows, oldest first, with exact amounts', () => {
  const text = historyCsv([job({ postedAt: 1_700_000_060, closedAt: 1_700_000_090 }), job()], () => {
    return { symbol: 'USDC', decimals: 6 };
  });
  const [head, first, second, end] = text.split('\r\n');
  expect(head).toMatch(/^job,state,posted,closed,/);
  expect(first).toBe(
    `0x${'1'.repeat(64)},complete,2023-11-14T22:13:20.000Z,,4,4,USDC,1.5,5.82,0.18,0.000007,0x${'5'.repeat(64)}`,
  );
  expect(second).toContain('2023-11-14T22:14:20.000Z,2023-11-14T22:14:50.000Z');
  expect(end).toBe('');
});

test('a hostile symbol is no formula', () => {
  const text = historyCsv([job()], () => ({ symbol: '=HYPERLINK("http://x","y")', decimals: 0 }));
  expect(text).toContain(`"'=HYPERLINK(""http://x"",""y"")"`);
});
