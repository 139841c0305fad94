import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

import type { NodeStatus } from './status.ts';

/** One measured value with its labels. */
interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A number of the node: what it is, and how it is read from the status. */
interface Metric {
  help: string;
  labels?: readonly string[];
  read: (now: NodeStatus) => number | Sample[];
}

const one = (labels: Record<string, string>, value: number): Sample => ({ labels, value });

/** Every number of a node beside those of its process, by name without `dpu_node_`. Units are base units and part of the name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  head_block: { help: 'Newest block that was seen.', read: ({ head }) => head?.number ?? 0 },
  head_timestamp_seconds: {
    help: 'Block time of the newest block, unix seconds.',
    read: ({ head }) => head?.timestamp ?? 0,
  },
  healthy: { help: '1 when nothing needs the operator.', read: ({ healthy }) => Number(healthy) },
  draining: { help: '1 while no new work is taken by order.', read: ({ draining }) => Number(draining) },
  halted: {
    help: '1 while the machine takes no new work, by reason: notIdle, hot, power or hours.',
    labels: ['reason'],
    read: ({ halt }) => (halt ? [one({ reason: halt.code }, 1)] : []),
  },
  slots: { help: 'Shards that can run at once.', read: ({ slots }) => slots.capacity },
  slots_running: { help: 'Shards that run now.', read: ({ slots }) => slots.running },
  cores: { help: 'Cores that shards may use.', read: ({ machine }) => machine.capacity.cores },
  cores_used: { help: 'Cores of the shards that run now.', read: ({ machine }) => machine.used.cores },
  memory_bytes: { help: 'Memory that shards may use.', read: ({ machine }) => machine.capacity.memoryBytes },
  memory_used_bytes: {
    help: 'Memory that the shards may use that run now.',
    read: ({ machine }) => machine.used.memoryBytes,
  },
  vram_bytes: { help: 'GPU memory that shards may use.', read: ({ machine }) => machine.capacity.vramBytes },
  vram_used_bytes: { help: 'GPU memory of the shards that run now.', read: ({ machine }) => machine.used.vramBytes },
  leases_living: { help: 'Leases that are not ended.', read: ({ leases }) => leases.length },
  leases_settled: { help: 'Leases that were paid.', read: ({ totals }) => totals.settled },
  leases_lapsed: { help: 'Leases that were lost.', read: ({ totals }) => totals.lapsed },
  earned: {
    help: 'What leases were paid, in smallest units of the currency.',
    labels: ['currency'],
    read: ({ earnings }) => earnings.map(({ currency, paid }) => one({ currency }, Number(paid))),
  },
  declines: {
    help: 'Jobs that were not taken, among the last that are kept, by reason.',
    labels: ['code'],
    read: ({ declines }) =>
      [...Map.groupBy(declines, ({ code }) => code)].map(([code, all]) => one({ code }, all.length)),
  },
  runtime_available: {
    help: '1 for a runtime whose self-test succeeded on this machine, 0 for one whose did not.',
    labels: ['runtime', 'isolation'],
    read: ({ runtimes }) =>
      runtimes.map(({ name, isolation, available }) => one({ runtime: name, isolation }, Number(available))),
  },
  tier_until_seconds: {
    help: 'Until when the proven tier counts, unix seconds.',
    labels: ['tier'],
    read: ({ tier }) => (tier ? [one({ tier: String(tier.tier) }, tier.until)] : []),
  },
  unit_seconds: {
    help: 'Seconds that a unit of work takes here, by experience.',
    labels: ['runtime'],
    read: ({ paces }) => Object.entries(paces).map(([runtime, seconds]) => one({ runtime }, seconds)),
  },
  transactions_pending: {
    help: 'Transactions that wait or are in a pool.',
    read: ({ pendingTransactions }) => pendingTransactions,
  },
  gas_spent_wei: { help: 'Wei paid for gas since the start.', read: ({ gas }) => Number(gas.spentWei) },
};

/** Prometheus metrics in base units, read from the status when they are asked for. */
export function nodeMetrics(status: () => NodeStatus): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'dpu_node_' });
  for (const [name, { help, labels = [], read }] of Object.entries(METRICS)) {
    new Gauge({
      name: `dpu_node_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        const value = read(status());
        this.reset();
        for (const sample of typeof value === 'number' ? [one({}, value)] : value)
          this.set(sample.labels, sample.value);
      },
    });
  }
  new Histogram({
    name: 'dpu_node_step_latency_seconds',
    help: 'From the mined event, or the result, to the next transaction sent; the latest measurements.',
    labelNames: ['step'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
    collect() {
      this.reset();
      for (const [step, values] of Object.entries(status().timings)) {
        for (const ms of values) this.observe({ step }, ms / 1000);
      }
    },
  });
  return registry;
}
