import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { buildNode } from '../../../script/network/nodeBuild.ts';
import { echoModule } from './modules.ts';
import { DPU, startNetwork, type TestNetwork } from './network.ts';
import { prepareNode } from './nodeProcess.ts';

/** As operators install it. */
let program: string;
let network: TestNetwork;

beforeAll(async () => {
  [network, program] = await Promise.all([startNetwork(), buildNode()]);
});
afterAll(() => network.stop());

/** Runs the command line; answers its exit status and what it said. */
function run(args: string[], env: Record<string, string> = {}): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, cwd: network.dir };
    execFile(process.execPath, [program, ...args], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

test('an empty wallet ends the start with what to do', async () => {
  const node = await prepareNode(network, 1);
  const { address } = network.person(6);
  await network.test.setBalance({ address, value: 0n });
  node.start();
  expect(await node.exited()).toBe(1);
  expect(node.stderr).toMatch(
    new RegExp(`^The operator's wallet ${address} is empty: it has 0 wei, one lease needs about \\d+ wei for gas\\.`),
  );
  await network.test.setBalance({ address, value: 10n * DPU });
});

test('another chain ends the start with what to do', async () => {
  const elsewhere = join(network.dir, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify({ ...network.deployment, chainId: 1 }));
  const node = await prepareNode(network, 1, {
    WORKER_DEPLOYMENT: elsewhere,
    WORKER_DATA_DIR: join(network.dir, 'elsewhere'),
  });
  node.start();
  expect(await node.exited()).toBe(1);
  expect(node.stderr).toBe(
    'The RPC serves chain 31337, this node works on chain 1. Correct rpcUrl or the deployment file.\n',
  );
});

test('an operator that nobody has registered is told so', async () => {
  const node = await prepareNode(network, 3);
  node.start();
  expect(await node.exited()).toBe(1);
  expect(node.stderr).toMatch(new RegExp(`^No node is registered for the operator ${network.person(8).address}\\.`));
});

test('init makes a node out of nothing, start works, exit lets it go', async () => {
  const home = join(network.dir, 'fresh');
  const ownerKey = join(network.dir, 'owner.key');
  writeFileSync(ownerKey, network.ownerKey(2), { mode: 0o600 });
  await network.give(network.ownerAddress(2), 5_000n * DPU);
  const config = join(home, 'dpu-node.yaml');
  const common = ['--config', config];
  const first = await run([
    'init',
    ...common,
    '--deployment',
    join(network.dir, 'deployment.json'),
    '--data-dir',
    join(home, 'data'),
    '--operator-key-file',
    join(home, 'operator.key'),
    '--gateway-port',
    '0',
    '--status-port',
    String(await network.port()),
  ]);
  expect([first.code, first.err]).toEqual([0, '']);
  expect(first.out).toMatch(/Runtime wasm: works/);
  expect(first.out).toMatch(/1\. With the owner's wallet, in the dApp: register a node with the operator 0x/);
  expect(statSync(join(home, 'operator.key')).mode & 0o777).toBe(0o600);

  const second = await run(['init', ...common, '--owner-key-file', ownerKey, '--stake', '2000']);
  expect(second.out).toMatch(/Node 2 registered for the owner 0x/);
  expect(second.out).toMatch(/Staked 2000 DPU; the node has 2000 now\./);
  expect((await network.requester.node(2)).stake).toBe(2_000n * DPU);
  const third = await run(['init', ...common, '--owner-key-file', ownerKey, '--stake', '2000']);
  expect(third.out).not.toMatch(/registered for|Staked/);
  expect(readFileSync(config, 'utf8')).toContain('asks:');

  const [operator] = /0x[0-9a-fA-F]{40}/.exec(first.out.slice(first.out.indexOf('Operator address')))!;
  await network.test.setBalance({ address: operator as `0x${string}`, value: DPU });
  expect((await run(['status', ...common])).code).toBe(1);
  const started = run(['start', ...common, '--poll-ms', '50']);
  await network.until('the node', async () => (await run(['status', ...common])).code === 0);
  const { id } = await network.post({ module: echoModule(), terms: { node: 2 } });
  await network.until('the end', async () => (await network.requester.job(id)).state === 3);
  const status = await run(['status', ...common]);
  expect(status.out).toMatch(/Node 2, operator 0x[0-9a-fA-F]{40}: works\n/);
  expect(status.out).toMatch(/Earned 0\.97 DPU with 1 leases/);

  const left = await run(['exit', ...common, '--owner-key-file', ownerKey]);
  expect(left.out).toMatch(/2000 DPU are queued; they may leave from \d{4}-/);
  expect((await started).code).toBe(0);
  expect((await network.requester.node(2)).queued).toBe(2_000n * DPU);
});
