/** The Market's own tables; part of `ponder.schema.ts`, whose words on amounts and times hold here too. */
import { ACTIVITY_TYPES, JOB_STATES, LEASE_PHASES, PAYMENT_KINDS, STAKE_KINDS } from '@dpu/sdk/apiEnums';
import { index, onchainEnum, onchainTable, primaryKey } from 'ponder';
import { changed, happened } from './changed.schema.ts';

export const jobState = onchainEnum('job_state', [...JOB_STATES]);
export const leasePhase = onchainEnum('lease_phase', [...LEASE_PHASES]);
export const stakeKind = onchainEnum('stake_kind', [...STAKE_KINDS]);
/** What each kind does to a balance is in `src/money.ts`. */
export const paymentKind = onchainEnum('payment_kind', [...PAYMENT_KINDS]);
export const activityType = onchainEnum('activity_type', [...ACTIVITY_TYPES]);

export const job = onchainTable(
  'job',
  (t) => ({
    id: t.hex().primaryKey(),
    requester: t.hex().notNull(),
    currency: t.hex().notNull(),
    state: jobState().notNull(),
    /** Brought on chain by a node, as a signed order: claimed or paid in the transaction that posted it. */
    signed: t.boolean().notNull(),
    minPrice: t.bigint().notNull(),
    maxPrice: t.bigint().notNull(),
    bond: t.bigint().notNull(),
    shards: t.integer().notNull(),
    maxLease: t.integer().notNull(),
    runtime: t.integer().notNull(),
    tier: t.integer().notNull(),
    seats: t.integer().notNull(),
    direct: t.boolean().notNull(),
    tolerant: t.boolean().notNull(),
    auditBps: t.integer().notNull(),
    /** The protocol's numbers that the job keeps, in one word, and the version in `params` that they come from. */
    rules: t.bigint().notNull(),
    params: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    start: t.int8({ mode: 'number' }).notNull(),
    expiry: t.int8({ mode: 'number' }).notNull(),
    ramp: t.int8({ mode: 'number' }).notNull(),
    exec: t.int8({ mode: 'number' }).notNull(),
    window: t.int8({ mode: 'number' }).notNull(),
    spec: t.hex().notNull(),
    /** Zero when there is none, as in the terms. */
    afterJob: t.hex().notNull(),
    salt: t.bigint().notNull(),
    /** Shards under a living lease or panel, or settled. */
    claimed: t.integer().notNull(),
    settled: t.integer().notNull(),
    lapses: t.integer().notNull(),
    /** escrow = paid + fee + refunded + what is still bound. */
    escrow: t.bigint().notNull(),
    paid: t.bigint().notNull(),
    fee: t.bigint().notNull(),
    refunded: t.bigint().notNull(),
    event: t.text().notNull(),
    postedAt: t.int8({ mode: 'number' }).notNull(),
    postedBlock: t.int8({ mode: 'number' }).notNull(),
    transaction: t.hex().notNull(),
    cancelledAt: t.int8({ mode: 'number' }),
    closedAt: t.int8({ mode: 'number' }),
    ...changed(t),
  }),
  (t) => ({
    eventIdx: index().on(t.event),
    requesterIdx: index().on(t.requester, t.event),
    stateIdx: index().on(t.state, t.event),
    specIdx: index().on(t.spec),
    afterIdx: index().on(t.afterJob),
  }),
);

/** The newest holder of a range. Earlier ones are in `leaseHistory`. */
export const lease = onchainTable(
  'lease',
  (t) => ({
    job: t.hex().notNull(),
    first: t.integer().notNull(),
    count: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    price: t.bigint().notNull(),
    /** DPU wei: locked by the holder, and left by failed holders. */
    bond: t.bigint().notNull(),
    bonus: t.bigint().notNull(),
    deadline: t.int8({ mode: 'number' }).notNull(),
    phase: leasePhase().notNull(),
    event: t.text().notNull(),
    claimedAt: t.int8({ mode: 'number' }).notNull(),
    committedAt: t.int8({ mode: 'number' }),
    committedBlock: t.int8({ mode: 'number' }),
    commitment: t.hex(),
    revealedAt: t.int8({ mode: 'number' }),
    windowEnd: t.int8({ mode: 'number' }),
    root: t.hex(),
    units: t.bigint(),
    manifest: t.hex(),
    settledAt: t.int8({ mode: 'number' }),
    lapsedAt: t.int8({ mode: 'number' }),
    paid: t.bigint().notNull(),
    fee: t.bigint().notNull(),
    accepted: t.boolean().notNull(),
    /** How often the range lapsed, this holder included. */
    lapses: t.integer().notNull(),
    claimTransaction: t.hex(),
    commitTransaction: t.hex(),
    revealTransaction: t.hex(),
    settleTransaction: t.hex(),
    lapseTransaction: t.hex(),
    ...changed(t),
  }),
  (t) => ({
    pk: primaryKey({ columns: [t.job, t.first] }),
    nodeIdx: index().on(t.node, t.event),
    phaseIdx: index().on(t.phase, t.event),
  }),
);

/** Every lapse of a lease or a seat, and who came next on the range. */
export const leaseHistory = onchainTable(
  'lease_history',
  (t) => ({
    job: t.hex().notNull(),
    first: t.integer().notNull(),
    /** 1 for the first lapse of the range; each seat of a panel counts. */
    lapse: t.integer().notNull(),
    count: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    price: t.bigint().notNull(),
    bond: t.bigint().notNull(),
    slashed: t.bigint().notNull(),
    /** DPU wei that waits for whoever takes over. */
    bonus: t.bigint().notNull(),
    /** Committed, but not revealed in time. */
    withheld: t.boolean().notNull(),
    commitment: t.hex(),
    claimedAt: t.int8({ mode: 'number' }).notNull(),
    deadline: t.int8({ mode: 'number' }).notNull(),
    lapsedAt: t.int8({ mode: 'number' }).notNull(),
    claimTransaction: t.hex(),
    commitTransaction: t.hex(),
    lapseTransaction: t.hex().notNull(),
    takenOverBy: t.int8({ mode: 'number' }),
    takenOverAt: t.int8({ mode: 'number' }),
    /** When the bonus went to the treasury because nobody took over. */
    sweptAt: t.int8({ mode: 'number' }),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.job, t.first, t.lapse] }), nodeIdx: index().on(t.node) }),
);

export const node = onchainTable(
  'node',
  (t) => ({
    id: t.int8({ mode: 'number' }).primaryKey(),
    owner: t.hex().notNull(),
    operator: t.hex().notNull(),
    /** Bit r is set when the node offers runtime r. */
    runtimes: t.int8({ mode: 'number' }).notNull(),
    key: t.hex().notNull(),
    endpoint: t.text().notNull(),
    since: t.int8({ mode: 'number' }).notNull(),
    tier: t.integer().notNull(),
    tierUntil: t.int8({ mode: 'number' }).notNull(),
    record: t.integer().notNull(),
    stake: t.bigint().notNull(),
    locked: t.bigint().notNull(),
    queued: t.bigint().notNull(),
    unstakeAt: t.int8({ mode: 'number' }),
    slashed: t.bigint().notNull(),
    leasesLiving: t.integer().notNull(),
    leasesSettled: t.integer().notNull(),
    /** Leases and seats that failed: lapsed, or lost their bond. */
    leasesLapsed: t.integer().notNull(),
    shardsSettled: t.integer().notNull(),
    unitsSettled: t.bigint().notNull(),
    registeredAt: t.int8({ mode: 'number' }).notNull(),
    ...changed(t),
  }),
  (t) => ({ ownerIdx: index().on(t.owner), operatorIdx: index().on(t.operator) }),
);

export const stakeEvent = onchainTable(
  'stake_event',
  (t) => ({
    event: t.text().primaryKey(),
    node: t.int8({ mode: 'number' }).notNull(),
    kind: stakeKind().notNull(),
    amount: t.bigint().notNull(),
    /** Stake and exit queue afterwards. */
    stake: t.bigint().notNull(),
    queued: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ nodeIdx: index().on(t.node, t.event) }),
);

/** Every move of money. */
export const payment = onchainTable(
  'payment',
  (t) => ({
    /** Event, kind and part: unique, and ordered as on chain. */
    sortKey: t.text().primaryKey(),
    event: t.text().notNull(),
    kind: paymentKind().notNull(),
    /** Tells the rows of one event and kind apart, e.g. the fees of a jury; 0 for the first. */
    part: t.integer().notNull(),
    currency: t.hex().notNull(),
    /** Whose balance or stake it is; null where it belongs to nobody (burnt, or in the fee pot). */
    account: t.hex(),
    amount: t.bigint().notNull(),
    job: t.hex(),
    first: t.integer(),
    node: t.int8({ mode: 'number' }),
    ...happened(t),
  }),
  (t) => ({
    accountIdx: index().on(t.account, t.sortKey),
    jobIdx: index().on(t.job, t.sortKey),
    nodeIdx: index().on(t.node, t.sortKey),
  }),
);

/** Free balances, as `Market.balanceOf` answers. */
export const balance = onchainTable(
  'balance',
  (t) => ({ account: t.hex().notNull(), currency: t.hex().notNull(), amount: t.bigint().notNull(), ...changed(t) }),
  (t) => ({ pk: primaryKey({ columns: [t.account, t.currency] }), currencyIdx: index().on(t.currency) }),
);

export const activity = onchainTable(
  'activity',
  (t) => ({
    event: t.text().primaryKey(),
    type: activityType().notNull(),
    job: t.hex(),
    first: t.integer(),
    node: t.int8({ mode: 'number' }),
    account: t.hex(),
    amount: t.bigint(),
    currency: t.hex(),
    ...happened(t),
  }),
  (t) => ({
    jobIdx: index().on(t.job, t.event),
    nodeIdx: index().on(t.node, t.event),
    accountIdx: index().on(t.account, t.event),
  }),
);

/** Versions of the protocol's parameters; the contract's names and units. */
export const params = onchainTable('params', (t) => ({
  version: t.integer().primaryKey(),
  feeBps: t.integer().notNull(),
  bondTenths: t.integer().notNull(),
  noShowBps: t.integer().notNull(),
  burnBps: t.integer().notNull(),
  retryBps: t.integer().notNull(),
  auditRates: t.integer().notNull(),
  revealWindow: t.int8({ mode: 'number' }).notNull(),
  auditWindow: t.int8({ mode: 'number' }).notNull(),
  openFor: t.int8({ mode: 'number' }).notNull(),
  drawStep: t.integer().notNull(),
  drawOpenAfter: t.int8({ mode: 'number' }).notNull(),
  ...happened(t),
}));

export const currency = onchainTable('currency', (t) => ({
  address: t.hex().primaryKey(),
  allowed: t.boolean().notNull(),
  /** Since the beginning. */
  deposited: t.bigint().notNull(),
  withdrawn: t.bigint().notNull(),
  paid: t.bigint().notNull(),
  fee: t.bigint().notNull(),
  /** Now: bound in jobs, and fees that nobody has collected yet. */
  escrow: t.bigint().notNull(),
  uncollected: t.bigint().notNull(),
  ...changed(t),
}));

export const runtime = onchainTable('runtime', (t) => ({
  id: t.integer().primaryKey(),
  allowed: t.boolean().notNull(),
  ...changed(t),
}));

/** One row, `id` 0: who and what governs. Null until an event says so. */
export const protocol = onchainTable('protocol', (t) => ({
  id: t.integer().primaryKey(),
  treasury: t.hex(),
  guardian: t.hex(),
  /** Who mints credits against receipts. */
  credits: t.hex(),
  /** Who gives tiers to nodes. */
  prover: t.hex(),
  guardianUntil: t.int8({ mode: 'number' }),
  pausedUntil: t.int8({ mode: 'number' }),
  params: t.integer(),
  minStake: t.bigint(),
  unbonding: t.int8({ mode: 'number' }),
  /** New jobs may ask for several seats. */
  seats: t.boolean(),
  ...changed(t),
}));

/** One row, `id` 0, kept with every event, so that no request counts rows. */
export const stats = onchainTable('stats', (t) => ({
  id: t.integer().primaryKey(),
  /** The newest event. Its hash differs after a reorg even when its number does not. */
  event: t.text().notNull(),
  block: t.int8({ mode: 'number' }).notNull(),
  blockHash: t.hex().notNull(),
  timestamp: t.int8({ mode: 'number' }).notNull(),
  open: t.integer().notNull(),
  running: t.integer().notNull(),
  complete: t.integer().notNull(),
  cancelled: t.integer().notNull(),
  closed: t.integer().notNull(),
  nodes: t.integer().notNull(),
  stake: t.bigint().notNull(),
  shardsSettled: t.int8({ mode: 'number' }).notNull(),
  unitsSettled: t.bigint().notNull(),
}));
