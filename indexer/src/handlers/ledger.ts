import { move } from '../money.ts';
import { record } from '../network.ts';
import type { Handlers } from '../types.ts';

/** Money in and out. */
export const ledgerHandlers = {
  async Deposited({ event, context }) {
    const { currency, account, amount } = event.args;
    await move(context, event, { kind: 'deposit', currency, account, amount });
    await record(context, event, { type: 'deposited', account, amount, currency });
  },

  async Withdrawn({ event, context }) {
    const { currency, account, amount } = event.args;
    await move(context, event, { kind: 'withdrawal', currency, account, amount });
    await record(context, event, { type: 'withdrawn', account, amount, currency });
  },

  async FeesCollected({ event, context }) {
    const { currency, treasury, amount } = event.args;
    await move(context, event, { kind: 'collected', currency, account: treasury, amount });
    await record(context, event, { type: 'feesCollected', account: treasury, amount, currency });
  },
} satisfies Partial<Handlers>;
