/** The tables of ranges with several seats; part of `ponder.schema.ts`, whose words on amounts and times hold here too. */
import { PANEL_KINDS, PANEL_OUTCOMES, SEAT_PHASES } from '@dpu/sdk/apiEnums';
import { index, onchainEnum, onchainTable, primaryKey } from 'ponder';
import { changed } from './changed.schema.ts';

export const seatPhase = onchainEnum('seat_phase', [...SEAT_PHASES]);
export const panelOutcome = onchainEnum('panel_outcome', [...PANEL_OUTCOMES]);
export const panelKind = onchainEnum('panel_kind', [...PANEL_KINDS]);

/** A range that several nodes compute, from its newest opening. Such a range has no `lease` while it lives. */
export const panel = onchainTable(
  'panel',
  (t) => ({
    job: t.hex().notNull(),
    first: t.integer().notNull(),
    count: t.integer().notNull(),
    kind: panelKind().notNull(),
    /** The node that audits, and whether the protocol pays it. */
    auditor: t.int8({ mode: 'number' }),
    pooled: t.boolean().notNull(),
    /** How many it asks for, 1 once an auditor has failed; how many sit now, and how many of them have committed. */
    seats: t.integer().notNull(),
    sitting: t.integer().notNull(),
    committed: t.integer().notNull(),
    event: t.text().notNull(),
    openedAt: t.int8({ mode: 'number' }).notNull(),
    /** Last second at which a node may join; of an audit, at which its auditor must have committed. */
    joinUntil: t.int8({ mode: 'number' }).notNull(),
    /** Null while nodes sit. */
    outcome: panelOutcome(),
    /** What its end told: what a quorum agreed on, or, unresolved, the first result that most have shown. */
    root: t.hex(),
    units: t.bigint(),
    manifest: t.hex(),
    endedAt: t.int8({ mode: 'number' }),
    /** How often a seat lapsed, over all openings. */
    lapses: t.integer().notNull(),
    /** DPU wei that waits for whoever joins or takes over. */
    bonus: t.bigint().notNull(),
    openTransaction: t.hex().notNull(),
    endTransaction: t.hex(),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.job, t.first] }), outcomeIdx: index().on(t.outcome, t.event) }),
);

/**
 * A node's seat in a panel; `node` cannot sit twice in one opening. One that sits again, after a silence freed the range, replaces what
 * it did before.
 */
export const seat = onchainTable(
  'seat',
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
    phase: seatPhase().notNull(),
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
    /** When it was paid, in full or half. */
    settledAt: t.int8({ mode: 'number' }),
    /** When it lapsed, or lost its bond. */
    lapsedAt: t.int8({ mode: 'number' }),
    paid: t.bigint().notNull(),
    fee: t.bigint().notNull(),
    slashed: t.bigint().notNull(),
    /** Faulted because it showed nothing. */
    withheld: t.boolean().notNull(),
    claimTransaction: t.hex().notNull(),
    commitTransaction: t.hex(),
    revealTransaction: t.hex(),
    settleTransaction: t.hex(),
    lapseTransaction: t.hex(),
    ...changed(t),
  }),
  (t) => ({
    pk: primaryKey({ columns: [t.job, t.first, t.node] }),
    nodeIdx: index().on(t.node, t.event),
    phaseIdx: index().on(t.phase, t.event),
  }),
);
