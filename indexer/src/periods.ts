import { PERIOD_UNITS } from '@dpu/sdk/apiEnums';
import { period, periodMoney } from '../ponder.schema.ts';
import type { Payment, PaymentKind } from './money.ts';
import type { Counters } from './network.ts';
import type { AnyContext, AnyEvent } from './types.ts';

/** Seconds of each unit. */
export const PERIOD_SECONDS = { hour: 3_600, day: 86_400 } as const satisfies Record<
  (typeof PERIOD_UNITS)[number],
  number
>;

type Sums = Omit<typeof period.$inferSelect, 'unit' | 'start' | 'changedBlock' | 'changedTransaction'>;
type Moved = Omit<
  typeof periodMoney.$inferSelect,
  'unit' | 'start' | 'currency' | 'changedBlock' | 'changedTransaction'
>;

const NONE: Sums = {
  ...{ events: 0, posted: 0, completed: 0, cancelled: 0, closed: 0, claimed: 0, settled: 0, lapsed: 0, challenged: 0 },
  ...{ nodes: 0, shardsSettled: 0, unitsSettled: 0n, stake: 0n },
};
const NOTHING: Moved = {
  ...{ deposited: 0n, withdrawn: 0n, escrowed: 0n, refunded: 0n, paid: 0n, fee: 0n, slashed: 0n, burnt: 0n },
};

/** The counter that each kind of activity moves by one. */
const COUNTED: Readonly<Record<string, keyof Sums>> = {
  jobPosted: 'posted',
  jobCompleted: 'completed',
  jobCancelled: 'cancelled',
  jobClosed: 'closed',
  leaseClaimed: 'claimed',
  seatCommitted: 'claimed',
  leaseSettled: 'settled',
  leaseAccepted: 'settled',
  leaseLapsed: 'lapsed',
  seatFaulted: 'lapsed',
  challenged: 'challenged',
};

/** The sum that each kind of payment adds to. */
const SUMMED: Partial<Record<PaymentKind, keyof Moved>> = {
  deposit: 'deposited',
  withdrawal: 'withdrawn',
  escrow: 'escrowed',
  refund: 'refunded',
  paid: 'paid',
  fee: 'fee',
  slash: 'slashed',
  burn: 'burnt',
};

/** Counts an event of the Market into its hour and its day. */
export async function countEvent(
  { db }: AnyContext,
  event: AnyEvent,
  type: string,
  add: Partial<Counters>,
): Promise<void> {
  const counted = COUNTED[type];
  const sums = { ...NONE, events: 1, ...(counted && { [counted]: 1 }) };
  sums.nodes += add.nodes ?? 0;
  sums.shardsSettled += add.shardsSettled ?? 0;
  sums.unitsSettled += add.unitsSettled ?? 0n;
  sums.stake += add.stake ?? 0n;
  for (const unit of PERIOD_UNITS) {
    await db
      .insert(period)
      .values({ unit, start: startOf(event, unit), ...sums })
      .onConflictDoUpdate((row) => plus(row, sums));
  }
}

/** Sums a payment up in its hour and its day. */
export async function countMoney(
  { db }: AnyContext,
  event: AnyEvent,
  { kind, currency, amount }: Payment,
): Promise<void> {
  const column = SUMMED[kind];
  if (!column) return;
  const sums = { ...NOTHING, [column]: amount };
  for (const unit of PERIOD_UNITS) {
    await db
      .insert(periodMoney)
      .values({ unit, start: startOf(event, unit), currency, ...sums })
      .onConflictDoUpdate((row) => plus(row, sums));
  }
}

function startOf(event: AnyEvent, unit: (typeof PERIOD_UNITS)[number]): number {
  const time = Number(event.block.timestamp);
  return time - (time % PERIOD_SECONDS[unit]);
}

/** The columns of `add`, added to those of `row`. */
function plus<Columns extends Sums | Moved>(row: Columns, add: Columns): Columns {
  const names = Object.keys(add) as (keyof Columns)[];
  const sum = (a: unknown, b: unknown) => (typeof a === 'bigint' ? a + (b as bigint) : (a as number) + (b as number));
  return Object.fromEntries(names.map((name) => [name, sum(row[name], add[name])])) as Columns;
}
