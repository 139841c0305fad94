import type { NodeSummary } from '@dpu/sdk/api';

/** What the network can run. */
export interface RuntimeShare {
  runtime: number;
  nodes: number;
  /** DPU wei behind it. */
  stake: bigint;
  /** Nodes with work now. */
  working: number;
}

/** Nodes by what they can run, the most offered first. A node counts for each of its runtimes. */
export function byRuntime(nodes: readonly Pick<NodeSummary, 'runtimes' | 'stake' | 'leases'>[]): RuntimeShare[] {
  const shares: Record<number, RuntimeShare> = {};
  for (const { runtimes, stake, leases } of nodes) {
    if (stake === 0n) continue;
    for (const runtime of runtimes) {
      const share = (shares[runtime] ??= { runtime, nodes: 0, stake: 0n, working: 0 });
      share.nodes += 1;
      share.stake += stake;
      if (leases.living > 0) share.working += 1;
    }
  }
  return Object.values(shares).sort((a, b) => b.nodes - a.nodes || a.runtime - b.runtime);
}
