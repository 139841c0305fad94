import { expect, test } from 'vitest';

import { sendVerdictOf } from './viemChain.ts';

test.each([
  ['already known', 'known'],
  ['transaction already imported', 'known'],
  ['nonce too low: next nonce 5, tx nonce 4', 'nonceTooLow'],
  ['replacement transaction underpriced', 'underpriced'],
  ['transaction underpriced', 'underpriced'],
  ['max fee per gas less than block base fee: maxFeePerGas: 1, baseFee: 7', 'feeTooLow'],
  ['insufficient funds for gas * price + value', 'insufficientFunds'],
  ['Insufficient funds for gas * price + value', 'insufficientFunds'],
  ['intrinsic gas too low', 'rejected'],
])('“%s” means %s', (message, verdict) => {
  expect(sendVerdictOf(message)).toBe(verdict);
});
