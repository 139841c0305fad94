import { job } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record } from '../network.ts';
import type { Handlers } from '../types.ts';

/** Post, cancel and close. */
export const jobHandlers = {
  async JobPosted({ event, context }) {
    const { id, requester, signed, escrow, terms } = event.args;
    await context.db.insert(job).values({
      ...terms,
      id,
      state: 'open',
      signed,
      claimed: 0,
      settled: 0,
      lapses: 0,
      escrow,
      paid: 0n,
      fee: 0n,
      refunded: 0n,
      event: event.id,
      postedAt: Number(event.block.timestamp),
      postedBlock: Number(event.block.number),
      transaction: event.transaction.hash,
    });
    const money = { currency: terms.currency, account: requester, amount: escrow };
    await move(context, event, { kind: 'escrow', ...money, job: id });
    await record(context, event, { type: 'jobPosted', job: id, ...money }, { open: 1 });
  },

  async JobCancelled({ event, context }) {
    const { id, refunded } = event.args;
    const before = await context.db.find(job, { id });
    if (!before) {
      // A signed order that nobody had brought: its id is spent, and the event names neither its terms nor who signed them.
      await record(context, event, { type: 'jobCancelled', job: id });
      return;
    }
    await context.db.update(job, { id }).set({
      state: 'cancelled',
      cancelledAt: Number(event.block.timestamp),
      refunded: before.refunded + refunded,
    });
    const money = { currency: before.currency, account: before.requester, amount: refunded };
    await move(context, event, { kind: 'refund', ...money, job: id });
    await record(context, event, { type: 'jobCancelled', job: id, ...money }, { [before.state]: -1, cancelled: 1 });
  },

  async JobClosed({ event, context }) {
    const { id, requester, complete, refunded } = event.args;
    const state = complete ? 'complete' : 'closed';
    let from: string | undefined;
    const now = await context.db.update(job, { id }).set((row) => {
      from = row.state;
      return { state, closedAt: Number(event.block.timestamp), refunded: row.refunded + refunded };
    });
    const money = { currency: now.currency, account: requester, amount: refunded };
    await move(context, event, { kind: 'refund', ...money, job: id });
    await record(context, event, { type: 'jobClosed', job: id, ...money }, { [from ?? 'open']: -1, [state]: 1 });
  },
} satisfies Partial<Handlers>;
