import type { Lease } from '@dpu/sdk/lease';
import type { Args } from '../types.ts';

/** Everything that a fresh holder, of a lease or of a seat, has not done yet. */
export const NOTHING_DONE = {
  committedAt: null,
  committedBlock: null,
  commitment: null,
  revealedAt: null,
  windowEnd: null,
  root: null,
  units: null,
  manifest: null,
  settledAt: null,
  lapsedAt: null,
  paid: 0n,
  fee: 0n,
  commitTransaction: null,
  revealTransaction: null,
  settleTransaction: null,
  lapseTransaction: null,
} as const;

/** Bonuses are kept in gwei on chain, to fit the lease's word. */
export const GWEI = 1_000_000_000n;

/** The columns that a claim fills, under terms with `bond` DPU wei per shard. */
export function claimOf(event: Args<'LeaseClaimed'>['event'], word: Lease, terms: { bond: bigint }) {
  const { count, node, price, deadline } = word;
  return {
    ...{ count, node, price, deadline },
    bond: terms.bond * BigInt(count),
    bonus: word.bonus * GWEI,
    phase: 'claimed',
    event: event.id,
    claimedAt: Number(event.block.timestamp),
    claimTransaction: event.transaction.hash,
  } as const;
}
