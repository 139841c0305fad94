/** Statistics by the hour and by the day (UTC), and the history of bonds; kept with every event, so that no request adds up rows. */
import { PERIOD_UNITS } from '@dpu/sdk/apiEnums';
import { index, onchainEnum, onchainTable, primaryKey } from 'ponder';
import { changed, happened } from './changed.schema.ts';

export const periodUnit = onchainEnum('period_unit', [...PERIOD_UNITS]);

/** What happened in an hour or a day; one in which nothing happened has no row. */
export const period = onchainTable(
  'period',
  (t) => ({
    unit: periodUnit().notNull(),
    /** Its first second. */
    start: t.int8({ mode: 'number' }).notNull(),
    events: t.integer().notNull(),
    posted: t.integer().notNull(),
    completed: t.integer().notNull(),
    cancelled: t.integer().notNull(),
    closed: t.integer().notNull(),
    /** Leases and seats: taken, paid, failed. */
    claimed: t.integer().notNull(),
    settled: t.integer().notNull(),
    lapsed: t.integer().notNull(),
    challenged: t.integer().notNull(),
    nodes: t.integer().notNull(),
    shardsSettled: t.int8({ mode: 'number' }).notNull(),
    unitsSettled: t.bigint().notNull(),
    /** By how much the stake changed, DPU wei; negative when it fell. */
    stake: t.bigint().notNull(),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.unit, t.start] }) }),
);

/** What moved in an hour or a day, per currency. */
export const periodMoney = onchainTable(
  'period_money',
  (t) => ({
    unit: periodUnit().notNull(),
    start: t.int8({ mode: 'number' }).notNull(),
    currency: t.hex().notNull(),
    deposited: t.bigint().notNull(),
    withdrawn: t.bigint().notNull(),
    escrowed: t.bigint().notNull(),
    refunded: t.bigint().notNull(),
    paid: t.bigint().notNull(),
    fee: t.bigint().notNull(),
    slashed: t.bigint().notNull(),
    burnt: t.bigint().notNull(),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.unit, t.start, t.currency] }) }),
);

/** Every change of the stake that a node has locked: bonds of leases, seats and jurors, and what it staked on a dispute. */
export const bondChange = onchainTable(
  'bond_change',
  (t) => ({
    /** Event, node and part: unique, and ordered as on chain. */
    sortKey: t.text().primaryKey(),
    event: t.text().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    /** Tells several changes by one event apart; 0 for the first. */
    part: t.integer().notNull(),
    /** DPU wei; negative when it became free or was lost. */
    amount: t.bigint().notNull(),
    locked: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ nodeIdx: index().on(t.node, t.sortKey) }),
);
