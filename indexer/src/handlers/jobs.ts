import { unpackTerms } from '@dpu/sdk/packedTerms';
import { readRules } from '@dpu/sdk/rules';
import { worstCase } from '@dpu/sdk/terms';
import { job } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record } from '../network.ts';
import type { AnyContext, Args, Handlers } from '../types.ts';

/** Post, cancel and end. */
export const jobHandlers = {
  async JobPosted({ event, context }) {
    const { id, requester } = event.args;
    const terms = unpackTerms(event.args.terms);
    const escrow = worstCase(terms);
    await context.db.insert(job).values({
      ...terms,
      params: readRules(terms.rules).version,
      id,
      state: 'open',
      // The claim or the payment that follows in the same transaction tells an order.
      signed: false,
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

  JobCompleted: ({ event, context }) => end(context, event, 'jobCompleted', 'complete'),

  JobClosed: ({ event, context }) => end(context, event, 'jobClosed', 'closed'),
} satisfies Partial<Handlers>;

async function end(
  context: AnyContext,
  event: Args<'JobCompleted' | 'JobClosed'>['event'],
  type: 'jobCompleted' | 'jobClosed',
  state: 'complete' | 'closed',
): Promise<void> {
  const { id, refunded } = event.args;
  let from: string | undefined;
  const now = await context.db.update(job, { id }).set((row) => {
    from = row.state;
    return { state, closedAt: Number(event.block.timestamp), refunded: row.refunded + refunded };
  });
  const money = { currency: now.currency, account: now.requester, amount: refunded };
  await move(context, event, { kind: 'refund', ...money, job: id });
  await record(context, event, { type, job: id, ...money }, { [from ?? 'open']: -1, [state]: 1 });
}
