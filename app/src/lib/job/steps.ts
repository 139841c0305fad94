import type { HistoryStep } from '@dpu/sdk/history';
import type { Hash } from 'viem';

/** One transaction of a job, with everything that happened in it. */
export interface TimelineEntry {
  transaction: Hash;
  block: number;
  /** Unix seconds. */
  timestamp: number;
  gasUsed: bigint | undefined;
  /** What happened, in words; equal steps are counted. */
  events: {
    event: HistoryStep['event'];
    label: string;
    tone: Tone;
    count: number;
    nodes: number[];
    firsts: number[];
  }[];
}

export type Tone = 'neutral' | 'accent' | 'info' | 'warn' | 'danger';

const LABELS: Readonly<Record<HistoryStep['event'], { label: string; tone: Tone }>> = {
  JobPosted: { label: 'Posted', tone: 'info' },
  JobCancelled: { label: 'Cancelled', tone: 'warn' },
  JobCompleted: { label: 'Completed', tone: 'accent' },
  JobClosed: { label: 'Closed', tone: 'neutral' },
  LeaseClaimed: { label: 'Claimed', tone: 'info' },
  LeaseCommitted: { label: 'Committed', tone: 'neutral' },
  LeaseRevealed: { label: 'Revealed', tone: 'warn' },
  LeaseSettled: { label: 'Settled', tone: 'accent' },
  LeaseAccepted: { label: 'Accepted', tone: 'accent' },
  LeaseLapsed: { label: 'Lapsed', tone: 'danger' },
  PanelEnded: { label: 'Seats compared', tone: 'accent' },
  SeatFaulted: { label: 'Seat lost', tone: 'danger' },
  AuditOpened: { label: 'Audit begun', tone: 'info' },
  Challenged: { label: 'Challenged', tone: 'danger' },
  JurorServed: { label: 'Juror seated', tone: 'info' },
  JurorSpoke: { label: 'Juror voted', tone: 'neutral' },
  Judged: { label: 'Votes counted', tone: 'warn' },
  Appealed: { label: 'Appealed', tone: 'warn' },
  DisputeEnded: { label: 'Verdict carried out', tone: 'accent' },
  LeaseJudged: { label: 'Judged', tone: 'warn' },
  BonusSwept: { label: 'Bonus swept', tone: 'neutral' },
};

const ENDS: ReadonlySet<HistoryStep['event']> = new Set(['JobCompleted', 'JobClosed']);

/** A job's steps as transactions, newest first. */
export function timeline(steps: readonly HistoryStep[]): TimelineEntry[] {
  const entries = new Map<Hash, TimelineEntry>();
  for (const { event, transaction, block, timestamp, gasUsed, first, node } of steps) {
    const entry = entries.get(transaction) ?? { transaction, block, timestamp, gasUsed, events: [] };
    entries.set(transaction, entry);
    let group = entry.events.find((known) => known.event === event);
    if (!group) entry.events.push((group = { event, ...LABELS[event], count: 0, nodes: [], firsts: [] }));
    group.count += 1;
    if (node !== undefined && !group.nodes.includes(node)) group.nodes.push(node);
    if (first !== undefined) group.firsts.push(first);
  }
  // The contract ends a job before it reports the lease that ended it; people read it the other way round.
  for (const { events } of entries.values())
    events.sort((a, b) => Number(ENDS.has(a.event)) - Number(ENDS.has(b.event)));
  return [...entries.values()].reverse();
}
