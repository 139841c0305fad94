import { DECLINE_CODES, DECLINES, type DeclineCode } from '@dpu/sdk/declines';
import { z } from 'zod';

import type { NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import { money } from '../operator/earnings.ts';

const detailSchema = z.record(z.string(), z.union([z.string(), z.number()]));
const needsSchema = z.object({ slots: z.number(), cores: z.number(), memoryBytes: z.number(), vramBytes: z.number() });

/** The part of `/status` that the command line shows. */
const shownSchema = z.object({
  node: z.number(),
  operator: z.string(),
  healthy: z.boolean(),
  problems: z.array(z.string()),
  draining: z.boolean(),
  leaving: z.boolean(),
  halt: z.object({ code: z.enum(DECLINE_CODES as [DeclineCode, ...DeclineCode[]]), detail: detailSchema }).optional(),
  machine: z.object({ capacity: needsSchema, used: needsSchema, free: needsSchema }),
  head: z.object({ number: z.number(), timestamp: z.number() }).optional(),
  slots: z.object({ capacity: z.number(), running: z.number(), free: z.number() }),
  leases: z.array(
    z.object({
      job: z.string(),
      first: z.number(),
      count: z.number(),
      phase: z.string(),
      step: z.string(),
      deadline: z.number(),
    }),
  ),
  tier: z
    .object({ tier: z.number(), until: z.number(), renewal: z.enum(['later', 'running', 'stopped', 'off']) })
    .optional(),
  totals: z.object({ settled: z.number(), lapsed: z.number() }),
  earnings: z.array(z.object({ currency: z.string(), paid: z.string(), leases: z.number() })),
  declines: z.array(
    z.object({ job: z.string(), code: z.string(), sentence: z.string(), detail: detailSchema, at: z.number() }),
  ),
  pendingTransactions: z.number(),
});

/** The running node's answer. */
export type ShownStatus = z.output<typeof shownSchema>;

/**
 * Asks the running node how it is.
 * @throws OperatorError when none runs.
 */
export async function fetchStatus(config: Pick<NodeConfig, 'statusPort'>): Promise<ShownStatus> {
  const url = `http://127.0.0.1:${config.statusPort}/status`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return shownSchema.parse(await response.json());
  } catch (error) {
    throw new OperatorError(
      `No node answers at ${url} (${messageOf(error)}). Start it with dpu-node start.`,
      { url },
      error,
    );
  }
}

const RENEWALS: Record<NonNullable<ShownStatus['tier']>['renewal'], string> = {
  later: 'it is proven again before',
  running: 'a proof is under way',
  stopped: 'not proven again by itself, see above',
  off: 'renewTier is off: dpu-node prove renews it',
};

const tierLine = ({ tier, until, renewal }: NonNullable<ShownStatus['tier']>): string =>
  `Tier ${tier} until ${iso(until)}; ${RENEWALS[renewal]}`;

/** The status as lines for a person. */
export function statusLines(status: ShownStatus, currencies: NodeConfig['network']['currencies']): string[] {
  const { slots, totals, head, halt, machine } = status;
  const mood = status.leaving ? ', leaving' : status.draining ? ', drained' : '';
  const lines = [
    `Node ${status.node}, operator ${status.operator}: ${status.healthy ? 'works' : 'NEEDS YOU'}${mood}`,
    ...status.problems.map((problem) => `  ! ${problem}`),
    `Block ${head?.number ?? '–'}; slots ${slots.running} of ${slots.capacity} running, ${slots.free} free; transactions on their way: ${status.pendingTransactions}`,
    `Machine: ${machine.used.cores} of ${machine.capacity.cores} cores, ${mib(machine.used.memoryBytes)} of ${mib(machine.capacity.memoryBytes)} MiB in use by shards`,
    ...(halt ? [`No new work now: ${DECLINES[halt.code].sentence}${detailOf(halt.detail)}`] : []),
    ...(status.draining ? ['No new work by order; dpu-node resume takes it again.'] : []),
    ...(status.tier ? [tierLine(status.tier)] : []),
    `Leases paid ${totals.settled}, lost ${totals.lapsed}`,
    ...status.earnings.map(
      ({ currency, paid, leases }) => `Earned ${money(currency, BigInt(paid), currencies)} with ${leases} leases`,
    ),
    ...(status.leases.length === 0 ? ['No leases at the moment.'] : ['Leases:']),
    ...status.leases.map(
      ({ job, first, count, phase, step, deadline }) =>
        `  ${job} shards ${first}–${first + count - 1}: ${phase}, next ${step}, deadline ${iso(deadline)}`,
    ),
  ];
  if (status.declines.length === 0) return lines;
  return [
    ...lines,
    'The last jobs that were not taken:',
    ...status.declines
      .slice(0, SHOWN_DECLINES)
      .map(({ job, sentence, detail, at }) => `  ${iso(at)} ${job}: ${sentence}${detailOf(detail)}`),
  ];
}

const SHOWN_DECLINES = 10;
const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The facts of a decision, in brackets. */
function detailOf(detail: Record<string, string | number>): string {
  const facts = Object.entries(detail).map(([name, value]) => `${name} ${value}`);
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}
