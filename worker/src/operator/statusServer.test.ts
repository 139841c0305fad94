import { expect, test } from 'vitest';

import type { NodeStatus } from './status.ts';
import { startStatusServer, statusApp, type Control } from './statusServer.ts';
import { CURRENCY } from '../testing/samples.ts';
import { sampleStatus } from '../testing/status.ts';

const status = sampleStatus();

const recordingControl = (orders: string[]): Control => ({
  drain: () => orders.push('drain'),
  resume: () => orders.push('resume'),
  leave: () => orders.push('leave'),
});

function setup(over: Partial<NodeStatus> = {}) {
  const orders: string[] = [];
  const app = statusApp('secret', { status: () => ({ ...status, ...over }), control: recordingControl(orders) });
  return { app, orders };
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

test.each(['drain', 'resume', 'leave'])('only who has the token may give the order to %s', async (order) => {
  const { app, orders } = setup();
  const post = async (headers: Record<string, string>): Promise<number> =>
    (await app.request(`/${order}`, { method: 'POST', headers })).status;
  expect([await post({}), await post({ authorization: 'Bearer wrong' }), orders]).toEqual([401, 401, []]);
  expect([await post({ authorization: 'Bearer secret' }), orders]).toEqual([202, [order]]);
});

test('listens on the loopback interface and says where', async () => {
  const server = await startStatusServer(
    { port: 0, token: 'secret' },
    { status: () => status, control: recordingControl([]) },
  );
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  await server.close();
});
