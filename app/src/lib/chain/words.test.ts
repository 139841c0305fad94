import { computeCreditsAbi, marketAbi } from '@dpu/sdk/abi';
import { getAbiItem, toEventSelector, toFunctionSelector } from 'viem';
import { expect, test } from 'vitest';

import { JUDGED_TOPIC, SELECTORS, wordsOf } from './words.ts';

test('selectors and topic are those of the contracts', () => {
  for (const [name, selector] of Object.entries(SELECTORS)) {
    const item = getAbiItem({ abi: computeCreditsAbi, name: name as keyof typeof SELECTORS });
    expect(selector, name).toBe(toFunctionSelector(item));
  }
  expect(JUDGED_TOPIC).toBe(toEventSelector(getAbiItem({ abi: marketAbi, name: 'Judged' })));
});

test('an answer is cut into words', () => {
  expect(wordsOf(`0x${'1'.padStart(64, '0')}${'ff'.padStart(64, '0')}`)).toEqual([1n, 255n]);
  expect(wordsOf('0x')).toEqual([]);
});
