/**
 * The eight points at which a node is killed, in the order of a transaction's life. Points 1 to 6 are met by every kind of transaction, points 7
 * and 8 once per lease. A new step between a decision and its confirmation belongs here.
 */
export const CRASH_POINTS = [
  /** The decision is made, nothing is on the disk. */
  'before the journal',
  /** The intent is on the disk, nothing is signed. */
  'journalled, not signed',
  /** The signed transaction is on the disk, nobody has it. */
  'signed, not sent',
  /** The endpoint has it, its answer does not come. */
  'sent, not acknowledged',
  /** It waits in the pool. */
  'acknowledged, not mined',
  /** It is in a block, the journal does not know. */
  'mined, not confirmed',
  /** The outputs are stored, neither result nor salt is in the journal. */
  'stored, not promised',
  /** Result and salt are on the disk, no commit is. */
  'promised, not committed',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Transactions of a lease's life. */
export const CRASH_KINDS = ['claim', 'commit', 'reveal', 'settle'] as const;
export type CrashKind = (typeof CRASH_KINDS)[number];

/** Where a process kills itself. Points 7 and 8 need no kind. */
export interface CrashPlan {
  point: CrashPoint;
  kind: CrashKind;
}
