import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { DECLINE_CODES } from '@dpu/sdk/declines';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Journal } from '../../src/sending/journal.ts';
import { echoModule } from './modules.ts';
import { startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';

const COMPLETE = 3;
let network: TestNetwork;
let node: NodeProcess;

beforeAll(async () => {
  network = await startNetwork();
  node = await prepareNode(network, 1);
  node.start();
  await node.said('Node works');
});
afterAll(async () => {
  await node.kill();
  await network.stop();
});

async function order(what: string): Promise<number> {
  const token = readFileSync(join(node.dataDir, 'control-token'), 'utf8');
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${node.statusUrl}/${what}`, { method: 'POST', headers })).status;
}
const complete = (id: `0x${string}`): Promise<true> =>
  network.until(`the end of ${id}`, async () => (await network.requester.job(id)).state === COMPLETE);
const codes = async (id: string): Promise<string[]> =>
  (await node.status()).declines.filter(({ job }) => job === id).map(({ code }) => code);

test('a drained node finishes what it promised, takes nothing new, also after a restart, and goes on when told', async () => {
  const held = await network.post({ module: echoModule(300), shards: 3, args: ['held'] });
  await node.said('Claim sent');
  expect(await order('drain')).toBe(202);

  const refused = await network.post({ module: echoModule(), args: ['refused'] });
  await network.until('the decline', async () => (await codes(refused.id)).includes('draining'));
  await complete(held.id);
  // The job is complete in the block that the node is about to read.
  await network.until('the end of the lease', async () => (await node.status()).leases.length === 0);
  const status = await node.status();
  expect([status.draining, status.leaving, status.leases.length]).toEqual([true, false, 0]);
  expect((await network.requester.job(refused.id)).state).toBe(1);

  await node.stop();
  node.start();
  await node.said('No new work is taken: the node was drained before it was started');
  await node.said('Node works');
  expect(
    (await node.status()).declines.map(({ code }) => code),
    'known from before',
  ).toContain('draining');

  expect(await order('resume')).toBe(202);
  await complete(refused.id);
  expect((await node.status()).machine.used.slots).toBe(0);

  // What it declined is signed and on disk.
  await node.stop();
  const journal = new Journal({ file: join(node.dataDir, 'journal.sqlite') });
  const rows = journal.all<{ code: string; signature: string | null }>('SELECT code, signature FROM declines');
  journal.close();
  expect(rows.length).toBeGreaterThan(0);
  for (const { code, signature } of rows) {
    expect(DECLINE_CODES).toContain(code);
    expect(signature).toMatch(/^0x[0-9a-f]{130}$/);
  }
});
