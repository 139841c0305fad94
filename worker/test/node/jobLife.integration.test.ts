import { jobHistory } from '@dpu/sdk/history';
import { downloadShard } from '@dpu/sdk/results';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { echoModule } from './modules.ts';
import { startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';

let network: TestNetwork;
let node: NodeProcess;

beforeAll(async () => {
  network = await startNetwork();
  node = await prepareNode(network, 1);
  node.start();
  await node.said('Node works');
});
afterAll(async () => {
  await node.stop();
  await network.stop();
});

test('a job is claimed, computed, committed, revealed and paid, and its result is on the network’s gateway', async () => {
  const { id } = await network.post({ module: echoModule(), shards: 3, args: ['hello'] });
  await network.until('the end of the job', async () => (await network.requester.job(id)).state === 3);

  const history = await jobHistory(network.client, network.deployment, id);
  expect(history.steps.map(({ event }) => event)).toEqual([
    'JobPosted',
    'LeaseClaimed',
    'LeaseCommitted',
    'LeaseRevealed',
    'JobClosed',
    'LeaseSettled',
  ]);
  console.log(JSON.stringify(await node.status(), null, 1), node.log.map((l) => JSON.stringify(l)).join('\n'));
});
