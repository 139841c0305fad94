import { balance, currency, payment } from '../ponder.schema.ts';
import { happenedAt } from './network.ts';
import { countMoney } from './periods.ts';
import type { AnyContext, AnyEvent } from './types.ts';

type Hex = `0x${string}`;
export type PaymentKind = (typeof payment.$inferSelect)['kind'];

/** What a payment does to its account's free balance; the Ledger's rules in one table. */
const EFFECT = {
  /** Money in and out. */
  deposit: 1n,
  withdrawal: -1n,
  /** Set aside for a job, and given back. */
  escrow: -1n,
  refund: 1n,
  /** A job's money to the node's owner; its fee goes into the pot and from there, collected, to the treasury. */
  paid: 1n,
  fee: 0n,
  collected: 1n,
  /** DPU that failed holders left: to who finished, or to the treasury. */
  bonus: 1n,
  sweep: 1n,
  /** Stake that was lost, of it burnt, of it to the treasury; the rest waits as a bonus. */
  slash: 0n,
  burn: 0n,
  treasury: 1n,
  /** The protocol's money for an auditor is set aside from the treasury; what the auditor does not earn comes back. */
  audit: -1n,
  auditRefund: 1n,
  /** DPU that accounts stake on a dispute is set aside, and given back as far as juries did not spend it. */
  pledge: -1n,
  release: 1n,
  /** A juror's fee; a challenger's reward; what an appellant that was right gets back; a holder's half of what was wrongly staked. */
  jury: 1n,
  reward: 1n,
  repaid: 1n,
  forfeit: 1n,
} as const satisfies Record<PaymentKind, bigint>;

/** A move of `amount` of `currency`; `account` is whose balance or stake it is, if anybody's. */
export interface Payment {
  kind: PaymentKind;
  currency: Hex;
  account: Hex | null;
  amount: bigint;
  job?: Hex;
  first?: number;
  node?: number;
  /** Tells several of one kind in one event apart; 0 when absent. */
  part?: number;
}

/** Records a move of money and applies it to the balance and to the currency's totals. Nothing moves for zero. */
export async function move(context: AnyContext, event: AnyEvent, item: Payment): Promise<void> {
  const { db } = context;
  const { kind, account, amount } = item;
  if (amount === 0n) return;
  await db.insert(payment).values({
    sortKey: `${event.id}.${kind}.${item.part ?? 0}`,
    event: event.id,
    kind,
    part: item.part ?? 0,
    currency: item.currency,
    account,
    amount,
    job: item.job ?? null,
    first: item.first ?? null,
    node: item.node ?? null,
    ...happenedAt(event),
  });
  await total(db, item);
  await countMoney(context, event, item);
  const change = EFFECT[kind] * amount;
  if (account === null || change === 0n) return;
  await db
    .insert(balance)
    .values({ account, currency: item.currency, amount: change })
    .onConflictDoUpdate((row) => ({ amount: row.amount + change }));
}

type Totals = Omit<typeof currency.$inferSelect, 'address' | 'allowed' | 'changedBlock' | 'changedTransaction'>;

const NOTHING: Totals = { deposited: 0n, withdrawn: 0n, paid: 0n, fee: 0n, escrow: 0n, uncollected: 0n };

/** What a payment adds to its currency's totals. */
function totalsOf(kind: PaymentKind, amount: bigint): Partial<Totals> {
  switch (kind) {
    case 'deposit':
      return { deposited: amount };
    case 'withdrawal':
      return { withdrawn: amount };
    case 'escrow':
    case 'audit':
      return { escrow: amount };
    case 'refund':
    case 'auditRefund':
      return { escrow: -amount };
    case 'paid':
      return { escrow: -amount, paid: amount };
    case 'fee':
      return { escrow: -amount, fee: amount, uncollected: amount };
    case 'collected':
      return { uncollected: -amount };
    case 'bonus':
    case 'sweep':
    case 'slash':
    case 'burn':
    case 'treasury':
    case 'pledge':
    case 'release':
    case 'jury':
    case 'reward':
    case 'repaid':
    case 'forfeit':
      return {};
  }
}

async function total(db: AnyContext['db'], item: Payment): Promise<void> {
  const add = totalsOf(item.kind, item.amount);
  if (Object.keys(add).length === 0) return;
  await db
    .insert(currency)
    .values({ address: item.currency, allowed: false, ...NOTHING, ...add })
    .onConflictDoUpdate((row) => ({
      deposited: row.deposited + (add.deposited ?? 0n),
      withdrawn: row.withdrawn + (add.withdrawn ?? 0n),
      paid: row.paid + (add.paid ?? 0n),
      fee: row.fee + (add.fee ?? 0n),
      escrow: row.escrow + (add.escrow ?? 0n),
      uncollected: row.uncollected + (add.uncollected ?? 0n),
    }));
}
