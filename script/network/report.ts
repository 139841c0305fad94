import type { JobHistory } from '@dpu/sdk/history';

/** One line of the report: a step, how often it happened and its gas. */
export interface GasRow {
  step: string;
  times: number;
  /** Gas of one, averaged over transactions. */
  gas: bigint;
}

const STEP_NAMES: Record<string, string> = {
  JobPosted: 'post',
  LeaseClaimed: 'claim',
  LeaseCommitted: 'commit',
  LeaseRevealed: 'reveal',
  LeaseSettled: 'settle',
  LeaseAccepted: 'accept',
  LeaseLapsed: 'lapse',
  Challenged: 'challenge',
  JurorServed: 'serve on a jury',
  JurorSpoke: 'testify',
  Judged: 'judge',
  Appealed: 'appeal',
  DisputeEnded: 'enforce',
};

/** Gas by step. A transaction that did several steps counts once, under the first. */
export function gasBySteps(histories: readonly JobHistory[]): GasRow[] {
  const seen = new Set<string>();
  const sums = new Map<string, { times: number; gas: bigint; transactions: number }>();
  for (const { steps } of histories) {
    for (const { event, transaction, gasUsed } of steps) {
      const step = STEP_NAMES[event];
      if (!step) continue;
      const sum = sums.get(step) ?? { times: 0, gas: 0n, transactions: 0 };
      sum.times += 1;
      if (!seen.has(transaction)) {
        sum.gas += gasUsed ?? 0n;
        sum.transactions += 1;
        seen.add(transaction);
      }
      sums.set(step, sum);
    }
  }
  return [...sums].map(([step, { times, gas, transactions }]) => ({
    step,
    times,
    gas: transactions ? gas / BigInt(transactions) : 0n,
  }));
}

/** When each phase of a job began and ended, in seconds after the post of the first job. */
export interface PhaseRow {
  phase: string;
  from: number;
  to: number;
}

/** Splits the time from post to settled by phase, in chain time. Phases of different leases overlap. */
export function phases(history: JobHistory, label: string, origin: number): PhaseRow[] {
  const times = (key: 'claimedAt' | 'committedAt' | 'revealedAt' | 'settledAt'): number[] =>
    history.leases.map((lease) => lease[key]).filter((time) => time !== undefined);
  const row = (phase: string, from: number[], to: number[]): PhaseRow | undefined =>
    from.length > 0 && to.length > 0
      ? { phase: `${label}: ${phase}`, from: Math.min(...from) - origin, to: Math.max(...to) - origin }
      : undefined;
  const committed = times('committedAt').length > 0 ? times('committedAt') : times('revealedAt');
  return [
    row('waiting for a node', [history.postedAt], times('claimedAt')),
    row('computing', times('claimedAt'), committed),
    row('revealing', committed, times('revealedAt')),
    ...history.disputes.flatMap(({ juries, ended }) => [
      ...juries.map(({ calledAt, judged }) => row('jury', [calledAt], judged ? [judged.at] : [])),
      row(
        'time to appeal',
        juries.slice(0, 1).flatMap(({ judged }) => judged?.at ?? []),
        ended ? [ended.at] : [],
      ),
    ]),
    row('challenge window and payment', times('revealedAt'), times('settledAt')),
  ].filter((one) => one !== undefined);
}

/** Lines of a table whose columns are padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
