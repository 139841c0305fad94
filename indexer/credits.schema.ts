/** The tables of the compute credits (`docs/credits.md`); amounts of credits and DPU in wei, shares in billionths. */
import { index, onchainTable, primaryKey } from 'ponder';
import { changed, happened } from './changed.schema.ts';

/** Credits minted for a lease. */
export const creditMint = onchainTable(
  'credit_mint',
  (t) => ({
    event: t.text().primaryKey(),
    job: t.hex().notNull(),
    first: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    owner: t.hex().notNull(),
    runtime: t.integer().notNull(),
    epoch: t.int8({ mode: 'number' }).notNull(),
    amount: t.bigint().notNull(),
    /** The lease's fee in credits: the most that it could earn. */
    value: t.bigint().notNull(),
    /** How far up its price ramp it was claimed. */
    pressure: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({
    jobIdx: index().on(t.job),
    nodeIdx: index().on(t.node, t.event),
    ownerIdx: index().on(t.owner, t.event),
    epochIdx: index().on(t.epoch, t.runtime),
  }),
);

/** Credits bought at the standing offer. */
export const creditPurchase = onchainTable(
  'credit_purchase',
  (t) => ({
    event: t.text().primaryKey(),
    buyer: t.hex().notNull(),
    to: t.hex().notNull(),
    amount: t.bigint().notNull(),
    /** DPU. */
    cost: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ buyerIdx: index().on(t.buyer, t.event) }),
);

/** Credits burnt for a job in all. */
export const priority = onchainTable('priority', (t) => ({
  job: t.hex().primaryKey(),
  total: t.bigint().notNull(),
  ...changed(t),
}));

/** Each time that somebody burnt credits for a job. */
export const priorityPayment = onchainTable(
  'priority_payment',
  (t) => ({
    event: t.text().primaryKey(),
    job: t.hex().notNull(),
    payer: t.hex().notNull(),
    amount: t.bigint().notNull(),
    total: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ jobIdx: index().on(t.job, t.event), payerIdx: index().on(t.payer, t.event) }),
);

/** An epoch in which something was minted or that an event named; those between were empty. */
export const epoch = onchainTable('epoch', (t) => ({
  number: t.int8({ mode: 'number' }).primaryKey(),
  /** Null until an event says it. */
  startedAt: t.int8({ mode: 'number' }),
  /** Minted for work, and kept back by the cap. */
  minted: t.bigint().notNull(),
  missing: t.bigint().notNull(),
  mints: t.integer().notNull(),
  ...changed(t),
}));

/** A runtime's weight as an event said it last. */
export const weight = onchainTable('weight', (t) => ({
  runtime: t.integer().primaryKey(),
  epoch: t.int8({ mode: 'number' }).notNull(),
  weight: t.bigint().notNull(),
  ...changed(t),
}));

/** Each move of a weight, and what moved it. */
export const weightChange = onchainTable(
  'weight_change',
  (t) => ({
    event: t.text().primaryKey(),
    runtime: t.integer().notNull(),
    epoch: t.int8({ mode: 'number' }).notNull(),
    weight: t.bigint().notNull(),
    /** Millionths of a credit. */
    fees: t.bigint().notNull(),
    pressures: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ runtimeIdx: index().on(t.runtime, t.event) }),
);

/** What an account holds of DPU or of credits outside of the Market. */
export const holding = onchainTable(
  'holding',
  (t) => ({ token: t.hex().notNull(), account: t.hex().notNull(), amount: t.bigint().notNull(), ...changed(t) }),
  (t) => ({ pk: primaryKey({ columns: [t.token, t.account] }), accountIdx: index().on(t.account) }),
);

/** Each transfer of DPU or of credits; from the zero address: minted, to it: burnt. */
export const transfer = onchainTable(
  'transfer',
  (t) => ({
    event: t.text().primaryKey(),
    token: t.hex().notNull(),
    from: t.hex().notNull(),
    to: t.hex().notNull(),
    amount: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ fromIdx: index().on(t.from, t.event), toIdx: index().on(t.to, t.event) }),
);
