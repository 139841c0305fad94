/** The tables of the proofs of capability (`docs/capability.md`). */
import { index, onchainTable } from 'ponder';
import { changed } from './changed.schema.ts';

/** What proves a tier; without `exec` it is closed. */
export const benchmark = onchainTable('benchmark', (t) => ({
  tier: t.integer().primaryKey(),
  runtime: t.integer().notNull(),
  /** Seconds from claim to result. */
  exec: t.integer().notNull(),
  /** Seconds for which the tier counts. */
  validFor: t.integer().notNull(),
  /** Hash of the job's spec without the nonce. */
  spec: t.hex().notNull(),
  ...changed(t),
}));

/** A proof that a node began, by the job that it has to do. */
export const tierProof = onchainTable(
  'tier_proof',
  (t) => ({
    job: t.hex().primaryKey(),
    /** The event that began it. */
    event: t.text().notNull(),
    node: t.int8({ mode: 'number' }).notNull(),
    tier: t.integer().notNull(),
    /** Stands in the job's spec, so that nobody could compute it earlier. */
    nonce: t.hex().notNull(),
    begunAt: t.int8({ mode: 'number' }).notNull(),
    /** Null until it was accepted. */
    finishedAt: t.int8({ mode: 'number' }),
    /** When the tier ends that it gave; null until then. */
    until: t.int8({ mode: 'number' }),
    ...changed(t),
  }),
  (t) => ({ nodeIdx: index().on(t.node, t.event), eventIdx: index().on(t.event) }),
);
