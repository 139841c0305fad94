import { saltIn } from '@dpu/sdk/bench';
import type { Hex } from 'viem';

import type { Chain } from './chain.ts';
import type { KnownLease } from './chainBook.ts';

/** The salt of a seat that was revealed: it stands in the transaction that showed it. Undefined when it cannot be found there. */
export async function shownSalt(chain: Pick<Chain, 'input'>, seat: KnownLease): Promise<Hex | undefined> {
  const { job: id, result, revealedIn } = seat;
  if (!result || !revealedIn) return undefined;
  const { first, node, commitment } = seat.lease;
  const input = await chain.input(revealedIn);
  return input && saltIn(input, { id, first, node, result }, commitment);
}
