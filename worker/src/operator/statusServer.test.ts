import { expect, test } from 'vitest';

import type { NodeStatus } from './status.ts';
import { startStatusServer, statusApp } from './statusServer.ts';
import { CURRENCY } from '../testing/samples.ts';

const status: NodeStatus = {
  node: 7,
  operator: CURRENCY,
  chainId: 1,
  market: CURRENCY,
  gatewayUrl: 'http://gateway',
  healthy: true,
  problems: [],
  draining: false,
  connected: true,
  head: { number: 20, timestamp: 1_050 },
  slots: { capacity: 2, running: 1, free: 0 },
  machine: {
    capacity: { slots: 2, cores: 4, memoryBytes: 8_000, vramBytes: 0 },
    used: { slots: 1, cores: 1, memoryBytes: 1_000, vramBytes: 0 },
    free: { slots: 0, cores: 2, memoryBytes: 6_000, vramBytes: 0 },
  },
  halt: undefined,
  paces: { wasm: 0.002 },
  runtimes: [],
  leases: [],
  totals: { settled: 3, lapsed: 1 },
  earnings: [{ currency: CURRENCY, paid: 10n ** 20n, leases: 3 }],
  declines: [],
  pendingTransactions: 2,
  gas: { spentWei: 5n, transactions: 1 },
  timings: { claim: [40, 60] },
};

function setup(over: Partial<NodeStatus> = {}) {
  const drained: true[] = [];
  const app = statusApp('secret', { status: () => ({ ...status, ...over }), drain: () => drained.push(true) });
  return { app, drained };
}

test('health is 200 or 503 with the reason', async () => {
  const well = await setup().app.request('/health');
  expect([well.status, await well.json()]).toEqual([200, { healthy: true, problems: [] }]);
  const ill = await setup({ healthy: false, problems: ['The RPC does not answer.'] }).app.request('/health');
  expect([ill.status, await ill.json()]).toEqual([503, { healthy: false, problems: ['The RPC does not answer.'] }]);
});

test('amounts in the status are decimal strings', async () => {
  const answer = (await (await setup().app.request('/status')).json()) as NodeStatus;
  expect(answer.earnings).toEqual([{ currency: CURRENCY, paid: '100000000000000000000', leases: 3 }]);
  expect(answer.timings).toEqual({ claim: [40, 60] });
});

test('metrics are in base units', async () => {
  const text = await (await setup().app.request('/metrics')).text();
  expect(text).toContain('dpu_node_head_block 20');
  expect(text).toContain('dpu_node_leases_settled 3');
  expect(text).toContain('dpu_node_step_latency_seconds_bucket{le="0.05",step="claim"} 1');
  expect(text).toContain('dpu_node_step_latency_seconds_count{step="claim"} 2');
});

test('only who has the token may drain the node', async () => {
  const { app, drained } = setup();
  expect((await app.request('/drain', { method: 'POST' })).status).toBe(401);
  expect((await app.request('/drain', { method: 'POST', headers: { authorization: 'Bearer wrong' } })).status).toBe(
    401,
  );
  expect(drained).toEqual([]);
  expect((await app.request('/drain', { method: 'POST', headers: { authorization: 'Bearer secret' } })).status).toBe(
    202,
  );
  expect(drained).toEqual([true]);
});

test('listens on the loopback interface and says where', async () => {
  const server = await startStatusServer({ port: 0, token: 'secret' }, { status: () => status, drain: () => {} });
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  await server.close();
});
