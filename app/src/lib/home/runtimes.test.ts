import { expect, test } from 'vitest';

import { byRuntime } from './runtimes.ts';

const node = (runtimes: number[], stake: bigint, living = 0) => ({
  runtimes,
  stake,
  leases: { living, settled: 0, lapsed: 0 },
});

test('counts nodes, stake and work of each runtime; without stake a node counts for nothing', () => {
  expect(byRuntime([node([1, 2], 5n, 1), node([2], 7n), node([1, 2, 3], 0n)])).toEqual([
    { runtime: 2, nodes: 2, stake: 12n, working: 1 },
    { runtime: 1, nodes: 1, stake: 5n, working: 1 },
  ]);
});
