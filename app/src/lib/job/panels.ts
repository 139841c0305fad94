import type { ApiPanel, PanelOutcome, SeatPhase } from '@dpu/sdk/api';
import type { HistoryAudit, HistoryLease, JobHistory } from '@dpu/sdk/history';
import { isSeat, type Result } from '@dpu/sdk/lease';
import { AUDIT_SEATS } from '@dpu/sdk/panel';

import type { LeaseRange } from './shards.ts';

/** One node's seat on a range. */
export interface SeatView {
  held: HistoryLease;
  phase: SeatPhase;
  /** How its result compares with the quorum's; undefined while there is none, or when it showed nothing. */
  verdict: 'agrees' | 'differs' | undefined;
}

/** A range that several nodes compute. */
export interface PanelView {
  first: number;
  count: number;
  /** Nodes that it asks for: as many as the terms say, or who holds an audited lease and its auditor. */
  asked: number;
  /** Its audit; undefined where the job asks for several seats. */
  audit: HistoryAudit | undefined;
  /** How many sit there now or sat there at the end: those who lapsed gave their seat back. */
  taken: number;
  /** Undefined while nodes sit. */
  outcome: PanelOutcome | undefined;
  /** Where its shards stand. */
  state: SeatPhase;
  /** What a quorum agreed on. */
  result: Result | undefined;
  /** A seat whose result is that; its gateway has the data. */
  winner: HistoryLease | undefined;
  seats: SeatView[];
}

/** How many of `seats` must show the same result. */
export function quorum(seats: number): number {
  return (seats + 1) / 2;
}

type Panels = Pick<JobHistory, 'terms' | 'leases' | 'panels' | 'audits'>;

/** The ranges that several nodes compute, in order: all where the job asks for several seats, else those that are audited. */
export function panelsOf({ terms, leases, panels, audits }: Panels): PanelView[] {
  const ranges = Map.groupBy(leases, ({ lease }) => lease.first);
  return [...ranges]
    .filter(([, held]) => held.some(({ lease }) => isSeat(lease)))
    .sort(([a], [b]) => a - b)
    .map(([first, seats]) =>
      panelOf(
        first,
        terms.seats > 1 ? undefined : audits.findLast((audit) => audit.first === first),
        terms.seats,
        seats,
        panels.findLast((end) => end.first === first),
      ),
    );
}

function panelOf(
  first: number,
  audit: HistoryAudit | undefined,
  asked: number,
  seats: HistoryLease[],
  end: JobHistory['panels'][number] | undefined,
): PanelView {
  const outcome = outcomeOf(seats, end);
  const result = outcome === 'agreed' ? end?.result : undefined;
  const views = seats.map((held): SeatView => ({
    held,
    phase: seatPhase(held, outcome),
    verdict: result && held.result ? (held.result.root === result.root ? 'agrees' : 'differs') : undefined,
  }));
  return {
    first,
    count: seats[0]?.lease.count ?? 1,
    asked: audit ? AUDIT_SEATS : asked,
    audit,
    taken: views.filter(({ phase }) => phase !== 'lapsed').length,
    outcome,
    state: rangeState(
      outcome,
      views.map(({ phase }) => phase),
    ),
    result,
    winner: views.find(({ verdict }) => verdict === 'agrees')?.held,
    seats: views,
  };
}

/** An end that is older than a seat belongs to an earlier opening of the range. */
function outcomeOf(seats: HistoryLease[], end: JobHistory['panels'][number] | undefined): PanelOutcome | undefined {
  if (seats.some(({ state }) => state === 'claimed' || state === 'committed' || state === 'revealed')) return undefined;
  const newest = Math.max(...seats.map(({ claimedAt }) => claimedAt ?? 0));
  return end && end.endedAt >= newest ? end.outcome : 'lapsed';
}

function seatPhase({ state, loss }: HistoryLease, outcome: PanelOutcome | undefined): SeatPhase {
  // Whoever lapsed while it should compute did not commit, so it neither withheld a result nor was outvoted.
  if (state === 'lapsed') return loss && (loss.withheld || loss.outvoted) ? 'faulted' : 'lapsed';
  return state === 'settled' && outcome === 'unresolved' ? 'unresolved' : state;
}

/** Where the shards of a range with several seats stand: as far as the slowest seat until results are shown. */
export function rangeState(outcome: PanelOutcome | null | undefined, phases: readonly SeatPhase[]): SeatPhase {
  if (outcome === 'agreed') return 'settled';
  if (outcome === 'unresolved') return 'unresolved';
  if (outcome) return 'lapsed';
  if (phases.includes('revealed')) return 'revealed';
  return phases.includes('claimed') ? 'claimed' : 'committed';
}

/** What a mosaic draws of a job: its leases and its panels. */
export function rangesOf(history: Panels): LeaseRange[] {
  const panels = panelsOf(history);
  return [
    ...panels.map(({ first, count, state }) => ({ first, count, phase: state })),
    ...aloneIn(history, panels).map(({ lease, state }) => ({ first: lease.first, count: lease.count, phase: state })),
  ].sort((a, b) => a.first - b.first);
}

/** Leases that nobody computes beside their holder. */
export function aloneIn({ leases }: Pick<Panels, 'leases'>, panels: readonly PanelView[]): HistoryLease[] {
  const seated = new Set(panels.map(({ first }) => first));
  return leases.filter(({ lease }) => !seated.has(lease.first));
}

/** The same of a job as the indexer tells it. */
export function rangesOfApi({
  leases,
  panels,
}: {
  leases: readonly LeaseRange[];
  panels: readonly ApiPanel[];
}): LeaseRange[] {
  const seated = panels.map(({ first, count, outcome, seats }) => ({
    first,
    count,
    phase: rangeState(
      outcome,
      seats.map(({ phase }) => phase),
    ),
  }));
  return [...leases, ...seated];
}

/** The leases whose results stand for their ranges: of several seats one that the quorum agrees with. */
export function resultLeases(history: Panels): HistoryLease[] {
  const panels = panelsOf(history);
  const winners = panels.flatMap(({ winner }) => winner ?? []);
  return [...aloneIn(history, panels), ...winners].sort((a, b) => a.lease.first - b.lease.first);
}
