/** What is known when a result could be shown. Times are block time, unix seconds. */
export interface ShowFacts {
  /** Receipts of other holders that are on this node's disk. */
  receipts: number;
  /** As many are wanted. */
  wanted: number;
  /** Holders are still being asked. */
  asking: boolean;
  /** When the result could be shown first. */
  since: number;
  /** Last good second to show it. */
  closes: number;
  now: number;
  /** Longest wait, seconds. */
  waitSeconds: number;
}

/** `wait`, or why it is shown now. */
export type ShowVerdict = 'wait' | 'copied' | 'nobodyLeft' | 'waitedLongEnough';

/**
 * Whether a result is shown now, or receipts are waited for. A missed reveal costs the bond and helps nobody, so the wait ends after
 * `waitSeconds`, and after a quarter of the time that there is, whichever is shorter; what is missing then is the repair's to bring.
 */
export function mayShow({ receipts, wanted, asking, since, closes, now, waitSeconds }: ShowFacts): ShowVerdict {
  if (receipts >= wanted) return 'copied';
  if (!asking) return 'nobodyLeft';
  const patience = Math.min(waitSeconds, Math.floor(Math.max(0, closes - since) / 4));
  return now >= since + patience ? 'waitedLongEnough' : 'wait';
}

/** What asking one holder for a block that it signed for gave: the right bytes; none, or wrong ones; no answer at all. */
export type AuditOutcome = 'good' | 'bad' | 'silent';

/** Audits of a holder in a row without an answer, after which it counts as gone. */
export const MISSES_ALLOWED = 3;

/** Misses of a holder after one more audit. What it does not have although it signed for it is worse than silence. */
export function missesAfter(outcome: AuditOutcome, before: number): number {
  if (outcome === 'good') return 0;
  return outcome === 'bad' ? Number.POSITIVE_INFINITY : before + 1;
}
