/** The tables of the court; part of `ponder.schema.ts`, whose words on amounts and times hold here too. */
import { DISPUTE_STATES } from '@dpu/sdk/apiEnums';
import { VERDICTS } from '@dpu/sdk/court';
import { index, onchainEnum, onchainTable, primaryKey } from 'ponder';
import { changed } from './changed.schema.ts';

/** What jurors say and juries find; the contract's words. */
export const verdictKind = onchainEnum('verdict', [...VERDICTS]);
export const disputeState = onchainEnum('dispute_state', [...DISPUTE_STATES]);

/** One shard of a revealed lease before a jury. */
export const dispute = onchainTable(
  'dispute',
  (t) => ({
    key: t.hex().primaryKey(),
    job: t.hex().notNull(),
    /** The lease or seat: its first shard and its holder. */
    first: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    /** The shard, and what was shown of it; zero where the result says that the job cannot be done. */
    shard: t.integer().notNull(),
    hash: t.hex().notNull(),
    units: t.bigint().notNull(),
    /** Who challenged: an account, or the node whose stake pays (then the account is null). */
    challenger: t.hex(),
    challengerNode: t.int8({ mode: 'number' }),
    appellant: t.hex(),
    appellantNode: t.int8({ mode: 'number' }),
    state: disputeState().notNull(),
    /** 1, or 2 after an appeal. */
    round: t.integer().notNull(),
    /** What stands. */
    verdict: verdictKind().notNull(),
    /** Fee and bond of a juror, DPU wei. */
    fee: t.bigint().notNull(),
    /** Jurors of the round that runs or ran last; paid in the first and in the second. */
    served: t.integer().notNull(),
    paid: t.integer().notNull(),
    paidAgain: t.integer().notNull(),
    /** DPU wei, once it ended: of the challenger's bond, what it got on top, what the appellant got back. */
    returned: t.bigint().notNull(),
    forfeited: t.bigint().notNull(),
    rewarded: t.bigint().notNull(),
    repaid: t.bigint().notNull(),
    event: t.text().notNull(),
    openedAt: t.int8({ mode: 'number' }).notNull(),
    judgedAt: t.int8({ mode: 'number' }),
    endedAt: t.int8({ mode: 'number' }),
    openTransaction: t.hex().notNull(),
    endTransaction: t.hex(),
    ...changed(t),
  }),
  (t) => ({ jobIdx: index().on(t.job, t.event), stateIdx: index().on(t.state, t.event), nodeIdx: index().on(t.node) }),
);

/** A juror of a round, by the place in which it sat down. */
export const juror = onchainTable(
  'juror',
  (t) => ({
    dispute: t.hex().notNull(),
    round: t.integer().notNull(),
    place: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    commitment: t.hex().notNull(),
    /** `none` while it has not spoken. */
    vote: verdictKind().notNull(),
    /** What it computed, and the digest of what it published. */
    hash: t.hex(),
    units: t.bigint(),
    evidence: t.hex(),
    /** Null until the round is counted; false: it lost its bond. */
    paid: t.boolean(),
    event: t.text().notNull(),
    servedAt: t.int8({ mode: 'number' }).notNull(),
    spokenAt: t.int8({ mode: 'number' }),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.dispute, t.round, t.place] }), nodeIdx: index().on(t.node, t.event) }),
);

/** What juries have found about a lease or seat so far, while it stands or until it ended. */
export const tab = onchainTable(
  'tab',
  (t) => ({
    job: t.hex().notNull(),
    first: t.integer().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    /** Disputes about it that are not over. */
    open: t.integer().notNull(),
    /** The gravest verdict, and the owner of the first challenge with it. */
    worst: verdictKind().notNull(),
    payee: t.hex(),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.job, t.first, t.node] }) }),
);
