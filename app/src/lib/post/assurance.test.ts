import { packRules } from '@dpu/sdk/rules';
import { RULES, TERMS } from '@dpu/sdk/testing';
import { expect, test } from 'vitest';

import { assess, ASSURANCE_LEVELS, formatChance } from './assurance.ts';

const token = TERMS.currency;
/** Two per cent of the leases of every runtime are audited by the protocol. */
const terms = { ...TERMS, rules: packRules({ ...RULES, auditRates: 0b1010_1010_1010_1010 }) };

test('each stop costs at least as much as the one before it', () => {
  const costs = ASSURANCE_LEVELS.map((level) => assess(terms, level, 0, token).cost);
  expect(costs).toEqual([1, 1, 1.1, 1.5, 1.98, 3, 5]);
});

test('and stops a lone liar at least as surely', () => {
  const caught = ASSURANCE_LEVELS.map((level) => assess(terms, level, 0, token).caught);
  expect(caught).toEqual([0, 0.02, 0.12, 0.52, 1, 1, 1]);
});

test.each([
  [0, '0 %'],
  [0.0004, 'under 0.1 %'],
  [0.02, '2.0 %'],
  [0.52, '52 %'],
  [0.995, '99.5 %'],
  [0.99999, 'over 99.9 %'],
  [1, '100 %'],
])('says %d as %s', (probability, text) => {
  expect(formatChance(probability)).toBe(text);
});
