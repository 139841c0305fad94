import type { onchainTable } from 'ponder';

type Columns = Parameters<Extract<Parameters<typeof onchainTable>[1], (...given: never) => unknown>>[0];

/**
 * The block and the transaction that changed a row last: two columns of every table whose rows change. Handlers do not name them:
 * `src/projector.ts` fills them in.
 */
export const changed = (t: Columns) => ({
  changedBlock: t.int8({ mode: 'number' }).notNull().default(0),
  changedTransaction: t.hex().notNull().default('0x'),
});

/** Where and when the event was that made a row which never changes. */
export const happened = (t: Columns) => ({
  block: t.int8({ mode: 'number' }).notNull(),
  timestamp: t.int8({ mode: 'number' }).notNull(),
  transaction: t.hex().notNull(),
});
