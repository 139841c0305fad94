import { TERMS } from '@dpu/sdk/testing';
import { expect, test } from 'vitest';

import { signedWords } from './signed.ts';

const USD = { address: TERMS.currency, symbol: 'USDC', decimals: 18 };
const DPU = { ...USD, symbol: 'DPU' };

test('says what is paid, set aside and locked, and by when', () => {
  const words = signedWords(TERMS, USD, DPU);
  expect(words.slice(0, 5)).toEqual([
    'You pay for 8 shards: 1 USDC for each at first, rising to at most 3 USDC within 1 min.',
    'You set aside 24 USDC. You can never lose more; what is not spent comes back.',
    'Any node that offers the runtime may take up to 8 shards at a time and locks 12 DPU of its own for each.',
    'A node has 5 min for a lease. If it is late, it loses part of what it locked and another may take over.',
    'Nodes are bound to a result before anybody sees it.',
  ]);
  expect(words[5]).toMatch(/^For 1 min after a result is shown anybody may challenge it/);
  expect(words[6]).toMatch(/^Nobody can take new shards after 15 Jan 2027/);
});

test('says what is different about seats, audits, direct jobs and named nodes', () => {
  const say = (over: object): string => signedWords({ ...TERMS, ...over }, USD, DPU).join('\n');
  expect(say({ seats: 3 })).toContain('each 3 times by different nodes');
  expect(say({ seats: 3 })).toContain('A result counts when 2 of 3 nodes have the same');
  expect(say({ auditBps: 1_000 })).toContain('you pay for auditing 10 % of the leases more');
  expect(say({ direct: true })).toContain('you check the results yourself');
  expect(say({ node: 4 })).toContain('Only node 4 may do the work.');
  expect(say({ window: 0 })).toContain('Nobody can challenge a result');
  expect(say({ minPrice: TERMS.maxPrice })).toContain('8 shards: 3 USDC for each.');
});
