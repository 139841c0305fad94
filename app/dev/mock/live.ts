/** What nodes would say of themselves: heartbeats, progress and declines, as a gateway serves them. */
import { runtimeName } from '@dpu/sdk/terms';

import { hex, nodeFacts, NODES, now } from './network.ts';
import type { Made } from './world.ts';

/** Answers `/v1/live/*`; undefined for other paths. */
export function liveAnswer(path: string, jobs: Readonly<Record<string, Made>>): unknown {
  if (path === '/v1/live/heartbeats') {
    return {
      items: Array.from({ length: NODES }, (_, index) => {
        const node = index + 1;
        const ok = node !== 4;
        const running = node % 4;
        return {
          ...{ topic: 'heartbeat', node, saidAt: (now() - ((node * 5) % 14)) * 1_000, head: 86_400, healthy: ok },
          ...{ slots: { capacity: 4, running, free: 4 - running }, problems: ok ? [] : ['The disk is nearly full.'] },
          ...{
            celsius: 41 + node * 3,
            software: '0.1.0',
            runtimes: nodeFacts(node).runtimes.flatMap((id) => runtimeName(id) ?? []),
          },
          ...{ asks: [], draining: node === 6 },
        };
      }),
    };
  }
  const progress = /^\/v1\/live\/jobs\/(0x[0-9a-f]{64})\/progress$/.exec(path);
  if (progress) {
    const made = Object.values(jobs).find(({ id }) => id === progress[1]);
    const lease = made?.leases.at(-1)?.lease;
    const shards = lease
      ? Array.from({ length: lease.count }, (_, at) => {
          const permille = at === 0 ? 1_000 : Math.max(0, ((now() * 13) % 1_000) - at * 180);
          const lines = [
            [40, 'info', `shard ${lease.first + at}: 48 samples a pixel`],
            [9_400, 'info', `progress ${Math.floor(permille / 10)}%`],
          ];
          return {
            ...{ shard: lease.first + at, node: lease.node, state: at === 0 ? 'done' : 'running', permille, ms: 9_500 },
            ...{ entries: 2, head: hex('log'), saidAt: now() * 1_000, sealed: [] },
            lines: lines.map((line, number) => ({ number, line })),
          };
        })
      : [];
    return { job: progress[1], shards };
  }
  if (path === '/v1/live/declines') return { items: [] };
  return undefined;
}
