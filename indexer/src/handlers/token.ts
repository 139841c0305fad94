import { zeroAddress, type Address } from 'viem';
import { delegation, delegationChange, holding, transfer, votesChange, votingPower } from '../../ponder.schema.ts';
import { happenedAt, StartBlockError, touch } from '../network.ts';
import type { AnyContext, AnyEvent, HandlersOf } from '../types.ts';

/** DPU outside of the Market, and who votes with it. */
export const tokenHandlers: HandlersOf<'Token'> = {
  async Transfer({ event, context }) {
    await moveTokens(context, event, context.contracts.Token.address, event.args);
    await touch(context, event);
  },

  async DelegateChanged({ event, context }) {
    const { delegator, fromDelegate: from, toDelegate: to } = event.args;
    await context.db.insert(delegation).values({ delegator, delegatee: to }).onConflictDoUpdate({ delegatee: to });
    await context.db.insert(delegationChange).values({ event: event.id, delegator, from, to, ...happenedAt(event) });
    await touch(context, event);
  },

  async DelegateVotesChanged({ event, context }) {
    const { delegate: account, previousVotes: previous, newVotes: votes } = event.args;
    await context.db.insert(votingPower).values({ account, votes }).onConflictDoUpdate({ votes });
    await context.db.insert(votesChange).values({ event: event.id, account, previous, votes, ...happenedAt(event) });
    await touch(context, event);
  },
};

/**
 * Keeps a transfer of a token whose every transfer is indexed.
 * @throws StartBlockError when the sender has less than it sends: earlier transfers were not read.
 */
export async function moveTokens(
  { db }: AnyContext,
  event: AnyEvent,
  token: Address,
  { from, to, value: amount }: { from: Address; to: Address; value: bigint },
): Promise<void> {
  await db.insert(transfer).values({ event: event.id, token, from, to, amount, ...happenedAt(event) });
  if (from !== zeroAddress) {
    const held = (await db.find(holding, { token, account: from }))?.amount ?? 0n;
    if (held < amount) throw new StartBlockError(`earlier transfers of ${token} to ${from}`, event.block.number);
    await db.update(holding, { token, account: from }).set({ amount: held - amount });
  }
  if (to !== zeroAddress) {
    await db
      .insert(holding)
      .values({ token, account: to, amount })
      .onConflictDoUpdate((row) => ({ amount: row.amount + amount }));
  }
}
