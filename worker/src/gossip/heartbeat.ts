import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Sayable } from '@dpu/sdk/gossip/gossip';
import { hexToBytes, type Hex } from 'viem';

import type { NodeStatus } from '../operator/status.ts';

/** What of a node's status its heartbeat says. */
export type HeartbeatFacts = Pick<NodeStatus, 'head' | 'slots' | 'healthy' | 'problems' | 'runtimes' | 'draining'>;

/** Where Linux shows its temperature sensors. */
const SENSORS = '/sys/class/thermal';
const MOST_ASKS = 16;
const MOST_RUNTIMES = 32;
const PROBLEMS = { most: 8, chars: 160 };

/** A node's heartbeat. Cut to what others take, rather than not said. */
export function heartbeatOf(
  { head, slots, healthy, problems, runtimes, draining }: HeartbeatFacts,
  { asks, celsius, software }: { asks: Readonly<Record<string, bigint>>; celsius: number | null; software: string },
): Sayable<'heartbeat'> {
  return {
    head: head?.number ?? 0,
    slots: { capacity: slots.capacity, running: slots.running, free: Math.max(0, slots.free) },
    healthy,
    problems: problems.slice(0, PROBLEMS.most).map((problem) => problem.slice(0, PROBLEMS.chars)),
    celsius,
    software,
    runtimes: runtimes
      .filter(({ available }) => available)
      .map(({ name }) => name)
      .slice(0, MOST_RUNTIMES),
    asks: Object.entries(asks)
      .slice(0, MOST_ASKS)
      .map(([currency, amount]) => ({ currency: hexToBytes(currency as Hex), amount: amount.toString() })),
    draining,
  };
}

/** The hottest of the machine's sensors, whole degrees Celsius; null where there is none. */
export async function hottest(folder = SENSORS): Promise<number | null> {
  const zones = await readdir(folder).catch(() => []);
  const read = zones
    .filter((zone) => zone.startsWith('thermal_zone'))
    .map(async (zone) => Number((await readFile(join(folder, zone, 'temp'), 'utf8').catch(() => '')).trim() || NaN));
  // The kernel counts in thousandths; a sensor that is off shows nonsense.
  const degrees = (await Promise.all(read)).map((value) => Math.round(value / 1000)).filter((c) => c > -60 && c < 200);
  return degrees.length === 0 ? null : Math.max(...degrees);
}
