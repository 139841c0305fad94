import { formatUnits } from 'viem';
import { z } from 'zod';

import type { NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';

/** The part of `/status` that the command line shows. */
const shownSchema = z.object({
  node: z.number(),
  operator: z.string(),
  healthy: z.boolean(),
  problems: z.array(z.string()),
  draining: z.boolean(),
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
  totals: z.object({ settled: z.number(), lapsed: z.number() }),
  earnings: z.array(z.object({ currency: z.string(), paid: z.string(), leases: z.number() })),
  declines: z.array(z.object({ job: z.string(), code: z.string(), sentence: z.string() })),
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

/** The status as lines for a person. */
export function statusLines(status: ShownStatus, currencies: NodeConfig['network']['currencies']): string[] {
  const money = (currency: string, amount: string): string => {
    const known = currencies.find(({ address }) => address.toLowerCase() === currency.toLowerCase());
    return known ? `${formatUnits(BigInt(amount), known.decimals)} ${known.symbol}` : `${amount} of ${currency}`;
  };
  const { slots, totals, head } = status;
  return [
    `Node ${status.node}, operator ${status.operator}: ${status.healthy ? 'works' : 'NEEDS YOU'}${status.draining ? ', leaving' : ''}`,
    ...status.problems.map((problem) => `  ! ${problem}`),
    `Block ${head?.number ?? '–'}; slots ${slots.running} of ${slots.capacity} running, ${slots.free} free; transactions on their way: ${status.pendingTransactions}`,
    `Leases paid ${totals.settled}, lost ${totals.lapsed}`,
    ...status.earnings.map(({ currency, paid, leases }) => `Earned ${money(currency, paid)} with ${leases} leases`),
    ...(status.leases.length === 0 ? ['No leases at the moment.'] : ['Leases:']),
    ...status.leases.map(
      ({ job, first, count, phase, step, deadline }) =>
        `  ${job} shards ${first}–${first + count - 1}: ${phase}, next ${step}, deadline ${new Date(deadline * 1000).toISOString()}`,
    ),
    ...(status.declines.length === 0 ? [] : ['Declined lately:']),
    ...status.declines.slice(0, 10).map(({ job, sentence }) => `  ${job}: ${sentence}`),
  ];
}
