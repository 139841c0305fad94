import { expect, test } from 'vitest';

import { TransactionPending, TransactionReplaced } from './chain.ts';
import { explain } from './explain.ts';

const HASH = `0x${'ab'.repeat(32)}` as const;

test.each([
  [new TransactionReplaced(HASH, 'cancelled'), /You cancelled/, /Try again/],
  [new TransactionReplaced(HASH, 'replaced'), /sent another transaction/, /Look at it in your wallet/],
  [new TransactionPending(HASH), /no block has taken it in for 5 minutes/, /could do the same thing twice/],
])('says what became of a transaction: %s', (error, sentence, action) => {
  const told = explain(error);
  expect(told.sentence).toMatch(sentence);
  expect(told.action).toMatch(action);
});
