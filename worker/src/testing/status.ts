import type { NodeStatus } from '../operator/status.ts';
import { bytes32, CURRENCY } from './samples.ts';

/** A node with something of everything to show. */
export function sampleStatus(over: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node: 7,
    operator: CURRENCY,
    chainId: 1,
    market: CURRENCY,
    gatewayUrl: 'http://gateway',
    healthy: true,
    problems: [],
    draining: false,
    leaving: false,
    connected: true,
    head: { number: 20, timestamp: 1_050 },
    slots: { capacity: 2, running: 1, free: 0 },
    machine: {
      capacity: { slots: 2, cores: 4, memoryBytes: 8_000, vramBytes: 0 },
      used: { slots: 1, cores: 1, memoryBytes: 1_000, vramBytes: 0 },
      free: { slots: 0, cores: 2, memoryBytes: 6_000, vramBytes: 0 },
    },
    halt: { code: 'hot', detail: { part: 'gpu', celsius: 90, most: 80 } },
    paces: { wasm: 0.002 },
    runtimes: [{ name: 'wasm', isolation: 'bubblewrap', detail: 'fine', available: true }],
    tier: { tier: 2, until: 90_000, renewal: 'later' },
    leases: [],
    totals: { settled: 3, lapsed: 1 },
    earnings: [{ currency: CURRENCY, paid: 10n ** 20n, leases: 3 }],
    declines: [
      { job: bytes32(1), code: 'price', detail: {}, sentence: 'The job pays less than this node asks.', at: 1_000 },
    ],
    pendingTransactions: 2,
    gas: { spentWei: 5n, transactions: 1 },
    timings: { claim: [40, 60] },
    ...over,
  };
}
