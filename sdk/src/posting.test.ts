import { expect, test } from 'vitest';
import { proposeTerms, ToleranceUndoubted, type PostingChoices } from './posting.ts';
import { TERMS } from './testing.ts';

const { requester, currency, spec, shards, minPrice, maxPrice } = TERMS;
const CHOICES: PostingChoices = { requester, currency, spec, shards, minPrice, maxPrice, tolerant: true, window: 0 };
const FACTS = { rules: TERMS.rules, token: TERMS.currency, now: 1_000 };

test('results that may differ are not paid where one node shows them and nobody may doubt it', () => {
  expect(() => proposeTerms(CHOICES, FACTS)).toThrow(ToleranceUndoubted);
  expect(() => proposeTerms({ ...CHOICES, auditBps: 10_000 }, FACTS)).toThrow(/challenge window or several seats/u);
});

test.each<[string, Partial<PostingChoices>]>([
  ['with a challenge window', { window: 1 }],
  ['with several seats', { seats: 3 }],
  ['in a direct job', { direct: true }],
  ['where results must be equal', { tolerant: false }],
])('terms are proposed %s', (_case, over) => {
  const { tolerant, window } = proposeTerms({ ...CHOICES, ...over }, FACTS);
  expect({ tolerant, window }).toEqual({ tolerant: true, window: 0, ...pick(over) });
});

function pick({ tolerant, window }: Partial<PostingChoices>): Partial<PostingChoices> {
  return { ...(tolerant !== undefined && { tolerant }), ...(window !== undefined && { window }) };
}
