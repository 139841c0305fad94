import { commitmentOf } from '@dpu/sdk/lease';
import { size, slice, type Hex } from 'viem';

import type { Chain } from './chain.ts';
import type { KnownLease } from './chainBook.ts';

/**
 * The salt of a seat that was revealed: whichever 32 bytes of the transaction that showed it make its commitment. The contract asks for it
 * again when the panel ends, and no event tells it. Undefined when the transaction does not hold it as it is.
 */
export async function shownSalt(chain: Pick<Chain, 'input'>, seat: KnownLease): Promise<Hex | undefined> {
  const { job: id, result, revealedIn } = seat;
  if (!result || !revealedIn) return undefined;
  const input = await chain.input(revealedIn);
  if (!input) return undefined;
  const { first, node, commitment } = seat.lease;
  for (let at = size(input) - 32; at >= 0; at -= 1) {
    const salt = slice(input, at, at + 32);
    if (commitmentOf({ id, first, node, result, salt }) === commitment) return salt;
  }
  return undefined;
}
