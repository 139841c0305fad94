/** What a proposal would have changed in what happened lately. Pure. */
import type { JobSummary, NodeSummary } from '@dpu/sdk/api';

import { formatMoney, type Currency } from '../currency.ts';
import { formatAmount } from '../format.ts';
import { say } from '../i18n/say.ts';
import type { Value } from './values.ts';

/** A setting that goes from one value to another. */
export interface Turn {
  id: string;
  from: Value | undefined;
  to: Value;
}

/** What happened: the newest jobs, all nodes, and the votes of proposals that ended. */
export interface Past {
  jobs: readonly Pick<JobSummary, 'currency' | 'paid' | 'fee' | 'maxPrice' | 'bond' | 'runtime'>[];
  nodes: readonly Pick<NodeSummary, 'stake' | 'queued' | 'leases'>[];
  /** Votes that count for a quorum, and the quorum that was asked for. DPU wei. */
  votes: readonly { counted: bigint; quorum: bigint }[];
  currencyOf: (address: string) => Currency;
  dpu: Currency;
}

type Replay = (past: Past, from: bigint, to: bigint) => string[];

const REPLAYS: Readonly<Record<string, Replay>> = {
  'params.feeBps': ({ jobs, currencyOf }, _, to) =>
    byCurrency(jobs).map(([address, some]) => {
      const currency = currencyOf(address);
      const fee = sum(some.map((job) => job.fee));
      const gross = fee + sum(some.map((job) => job.paid));
      const then = (gross * to) / 10_000n;
      const told = {
        count: some.length,
        fee: formatMoney(fee, currency),
        paid: formatMoney(gross - fee, currency),
        newFee: formatMoney(then, currency),
        newPaid: formatMoney(gross - then, currency),
      };
      return some.length === 1
        ? say(
            '{count} job paid {fee} to the treasury and {paid} to nodes. It would have been {newFee} and {newPaid}.',
            told,
          )
        : say(
            '{count} jobs paid {fee} to the treasury and {paid} to nodes. It would have been {newFee} and {newPaid}.',
            told,
          );
    }),

  'params.bondTenths': ({ jobs, dpu }, from, to) => {
    const some = jobs.filter(({ currency }) => currency.toLowerCase() === dpu.address.toLowerCase());
    if (some.length === 0) return [];
    const least = ({ maxPrice }: (typeof some)[number], tenths: bigint): bigint => (maxPrice * tenths) / 10n;
    const short = some.filter((job) => job.bond < least(job, to)).length;
    return [
      to > from
        ? say('{count} of {all} jobs paid in DPU asked for a bond that would have been too small.', {
            count: short,
            all: some.length,
          })
        : say('All of {all} jobs paid in DPU could still have been posted; {count} of them asked for the least bond.', {
            all: some.length,
            count: some.filter((job) => job.bond === least(job, from)).length,
          }),
    ];
  },

  minStake: ({ nodes, dpu }, from, to) => {
    const works = (least: bigint): number => nodes.filter(({ stake, queued }) => stake - queued >= least).length;
    return [
      say('{count} of {all} nodes have enough at stake now; with {least} it would be {then}.', {
        count: works(from),
        all: nodes.length,
        least: `${formatAmount(to, 18)} ${dpu.symbol}`,
        then: works(to),
      }),
    ];
  },

  quorumPercent: ({ votes }, from, to) =>
    votes.length === 0
      ? []
      : [
          say('{count} of {all} proposals reached the quorum; it would have been {then}.', {
            count: votes.filter(({ counted, quorum }) => counted >= quorum).length,
            all: votes.length,
            then: votes.filter(({ counted, quorum }) => counted * from >= quorum * to).length,
          }),
        ],
};

/** Sentences about what would have been otherwise had `turn` held before; none where the past says nothing about it. */
export function replay({ id, from, to }: Turn, past: Past): string[] {
  if (typeof from === 'bigint' && typeof to === 'bigint') return REPLAYS[id]?.(past, from, to) ?? [];
  const { jobs } = past;
  if (jobs.length === 0) return [];
  const [kind, name = ''] = id.split('.');
  const used =
    kind === 'runtime'
      ? jobs.filter(({ runtime }) => String(runtime) === name)
      : kind === 'currency'
        ? jobs.filter(({ currency }) => currency.toLowerCase() === name)
        : undefined;
  if (!used) return [];
  return [say('{count} of the newest {all} jobs used it.', { count: used.length, all: jobs.length })];
}

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

/** Jobs for which anything was paid, by their currency. */
function byCurrency(jobs: Past['jobs']): [currency: string, jobs: Past['jobs']][] {
  const groups = new Map<string, Past['jobs'][number][]>();
  for (const job of jobs) {
    if (job.paid + job.fee === 0n) continue;
    const key = job.currency.toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return [...groups];
}
