import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import { SOLO } from '@dpu/sdk/lease';
import { readRules, type Rules } from '@dpu/sdk/rules';

import { aloneIn, panelsOf } from './panels.ts';

/** What can be done with a job at a moment. */
export interface Due {
  /** Revealed leases whose window has passed: anyone may have them paid. Seats of a panel are none of these. */
  settle: HistoryLease[];
  /** Leases that missed a deadline: anyone may free their shards. */
  lapse: HistoryLease[];
  /** Revealed leases that the requester may accept, to pay at once. */
  accept: HistoryLease[];
  /** The requester may stop new claims. */
  cancel: boolean;
  /** When that will be so, if it is too early now. Unix seconds. */
  cancelFrom?: number;
  /** Anyone may end the job and send back what is left. */
  close: boolean;
}

/**
 * Which steps time allows at second `now`, when a job must be open for `openFor` seconds before it may be cancelled. The
 * contract decides; this only knows what is worth offering.
 */
export function dueSteps(
  history: Pick<JobHistory, 'state' | 'terms' | 'leases' | 'panels' | 'audits' | 'cursor' | 'postedAt'>,
  openFor: number,
  now: number,
): Due {
  const { state, terms, leases, cursor } = history;
  const rules = readRules(terms.rules);
  const living = leases.filter(({ state }) => state === 'claimed' || state === 'committed' || state === 'revealed');
  const cancelFrom = history.postedAt + openFor;
  // Shards that may still be claimed: those never claimed, and those whose holders have all failed.
  const panels = panelsOf(history);
  const single = new Set(aloneIn(history, panels));
  const failed =
    panels.some(({ outcome }) => outcome === 'lapsed' || outcome === 'silent') ||
    [...single].some(({ state }) => state === 'lapsed');
  const claimable = cursor < terms.shards || failed;
  // Seats of one range are paid together, and end together once they have committed.
  const alone = living.filter((held) => single.has(held));
  // While one lease covers the whole job there is nothing to cancel.
  const solo = living.some(({ lease }) => (lease.flags & SOLO) !== 0);
  const cancellable = state === 'open' && claimable && !solo;
  return {
    settle: alone.filter(({ state, windowEnd }) => state === 'revealed' && windowEnd !== undefined && now > windowEnd),
    lapse: living.filter((held) => (held.state === 'claimed' || single.has(held)) && now > lastSecond(held, rules)),
    accept: alone.filter(({ state }) => state === 'revealed'),
    cancel: cancellable && now >= cancelFrom,
    ...(cancellable && now < cancelFrom && { cancelFrom }),
    close: state === 'open' && living.length === 0 && now > terms.expiry,
  };
}

/** Last second at which the holder may take its next step; never for a revealed lease, which has nothing left to miss. */
function lastSecond({ state, lease, committedAt }: HistoryLease, { revealWindow, auditWindow }: Rules): number {
  if (state === 'claimed') return lease.deadline;
  if (state === 'committed' && committedAt !== undefined) return committedAt + auditWindow + revealWindow;
  return Number.POSITIVE_INFINITY;
}
