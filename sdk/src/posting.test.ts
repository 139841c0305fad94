import { keccak256, toHex, zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';

import {
  ChainTooLong,
  MAX_CHAIN,
  MAX_OPEN,
  proposeChain,
  proposeTerms,
  ToleranceUndoubted,
  type PostingChoices,
} from './posting.ts';
import { jobId, latestEnd, marketDomain, RUNTIMES } from './terms.ts';
import { packRules } from './rules.ts';
import { RULES, TERMS } from './testing.ts';

const NOW = 1_700_000_000;
const FACTS = { rules: packRules(RULES), token: TERMS.currency, now: NOW };
const DOMAIN = marketDomain(31_337, '0x5FbDB2315678afecb367f032d93F642f64180aa3');
/** exec + window + 1, the audit's window with its execution and reveal, and two juries. */
const LONGEST = 900 + 1_800 + 1 + (1_800 + 900 + 600) + (2 * 900 + 5 * 600);

const choice = (over: Partial<PostingChoices> = {}): PostingChoices => ({
  requester: TERMS.requester,
  currency: TERMS.currency,
  spec: TERMS.spec,
  shards: 4,
  minPrice: 1n,
  maxPrice: 2n,
  salt: 7n,
  ...over,
});

describe('a chain of jobs', () => {
  test('each waits for the one before it, and is open for a day after that one’s longest way', () => {
    const chain = proposeChain([choice(), choice({ shards: 1 }), choice({ runtime: 'train' })], FACTS, DOMAIN);
    expect(chain.map(({ afterJob }) => afterJob)).toEqual([
      zeroHash,
      jobId(chain[0]!, DOMAIN),
      jobId(chain[1]!, DOMAIN),
    ]);
    expect(chain.map(({ expiry }) => expiry - NOW)).toEqual([
      86_400,
      86_400 + LONGEST + 86_400,
      86_400 + 2 * (LONGEST + 86_400),
    ]);
    expect(chain.map(({ shards, runtime }) => [shards, runtime])).toEqual([
      [4, RUNTIMES.wasm],
      [1, RUNTIMES.wasm],
      [4, RUNTIMES.train],
    ]);
  });

  test('of one job is what it would be alone', () => {
    expect(proposeChain([choice()], FACTS, DOMAIN)).toEqual([proposeTerms(choice(), FACTS)]);
  });

  test('begins at its start, which later jobs need not be told', () => {
    const afterJob = keccak256(toHex('earlier'));
    const late = choice({ start: NOW + 50, afterJob, openFor: 3_600 });
    const [first, second] = proposeChain([late, late], FACTS, DOMAIN);
    expect(first).toMatchObject({ start: NOW + 50, expiry: NOW + 50 + 3_600, afterJob });
    expect(second).toMatchObject({ start: 0, expiry: latestEnd(first!) + 3_600, afterJob: jobId(first!, DOMAIN) });
  });

  test('that does not fit into 30 days shares them', () => {
    const jobs = Array.from({ length: 10 }, () => choice({ openFor: 7 * 86_400 }));
    const chain = proposeChain(jobs, FACTS, DOMAIN);
    const each = Math.floor((MAX_OPEN - 9 * LONGEST) / 10);
    expect(chain.map(({ expiry }) => expiry - NOW)).toEqual(chain.map((_, index) => each + index * (each + LONGEST)));
    expect(chain.at(-1)!.expiry).toBeLessThanOrEqual(NOW + MAX_OPEN);
  });

  test('is refused when a job would be closed before all may claim it, to the second', () => {
    // Each life is 4 · exec + what the rules and the window take; the share of two jobs is half of what one life leaves.
    const room = MAX_OPEN - 2 * RULES.drawOpenAfter;
    const rest = 1 + RULES.auditWindow + 6 * RULES.revealWindow;
    const slow = (window: number): PostingChoices[] => [choice({ exec: 86_400, window }), choice()];
    const window = room - rest - 4 * 86_400;
    expect(proposeChain(slow(window), FACTS, DOMAIN)[1]!.expiry).toBe(NOW + MAX_OPEN);
    expect(() => proposeChain(slow(window + 1), FACTS, DOMAIN)).toThrow(
      new ChainTooLong(
        'The 2 jobs may take longer, one after the other, than the 30 days in which all must have begun. Choose shorter times, or fewer jobs.',
      ),
    );
  });

  test('has at most 20 jobs', () => {
    const jobs = Array.from({ length: MAX_CHAIN }, () => choice({ openFor: 60 }));
    expect(proposeChain(jobs, FACTS, DOMAIN)).toHaveLength(20);
    expect(() => proposeChain([...jobs, choice()], FACTS, DOMAIN)).toThrow(
      new ChainTooLong('These are 21 jobs, the most that are posted together is 20.'),
    );
  });
});

const TOLERANT = choice({ tolerant: true, window: 0 });

test('results that may differ are not paid where one node shows them and nobody may doubt it', () => {
  expect(() => proposeTerms(TOLERANT, FACTS)).toThrow(ToleranceUndoubted);
  expect(() => proposeTerms({ ...TOLERANT, auditBps: 10_000 }, FACTS)).toThrow(/challenge window or several seats/u);
});

test.each<[string, Partial<PostingChoices>]>([
  ['with a challenge window', { window: 1 }],
  ['with several seats', { seats: 3 }],
  ['in a direct job', { direct: true }],
  ['where results must be equal', { tolerant: false }],
])('terms are proposed %s', (_case, over) => {
  const { tolerant, window } = proposeTerms({ ...TOLERANT, ...over }, FACTS);
  expect({ tolerant, window }).toEqual({ tolerant: true, window: 0, ...pick(over) });
});

function pick({ tolerant, window }: Partial<PostingChoices>): Partial<PostingChoices> {
  return { ...(tolerant !== undefined && { tolerant }), ...(window !== undefined && { window }) };
}
