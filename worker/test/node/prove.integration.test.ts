import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { capabilityProofsAbi, marketAbi } from '@dpu/sdk/abi';
import { AWAITED } from '@dpu/sdk/awaited';
import { benchmarkOf, LOCAL_TIERS, type Tier } from '@dpu/sdk/capability/benchmarks';
import { cutFile } from '@dpu/sdk/storage/unixfs';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { createWalletClient, erc20Abi, http, type Address, type Hash } from 'viem';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { artifact, DPU, startNetwork, type TestNetwork } from './network.ts';
import { prepareNode, type NodeProcess } from './nodeProcess.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');
const TIER: Tier = { ...LOCAL_TIERS[0]!, claimFor: 20, exec: 30, window: 2 };

let network: TestNetwork;
let node: NodeProcess;
let ownerKeyFile: string;
let proofs: Address;

beforeAll(async () => {
  network = await startNetwork();
  proofs = await openTiers();
  Object.assign(network.deployment, { proofs });
  writeFileSync(join(network.dir, 'deployment.json'), JSON.stringify(network.deployment));
  ownerKeyFile = join(network.dir, 'owner.key');
  writeFileSync(ownerKeyFile, network.ownerKey(1), { mode: 0o600 });
  // What it asks is far above the one wei that a proof pays.
  node = await prepareNode(network, 1, { WORKER_ASKS: `${network.deployment.token}=${DPU}` });
  node.start();
  await node.said('Node works');
});
afterAll(async () => {
  await node.kill();
  await network.stop();
});

/** Deploys the contract of the proofs as governance would: prover of the Market, tier 1 open, some wei to spend. */
async function openTiers(): Promise<Address> {
  const { client, deployment } = network;
  const governor = network.person(0);
  const wallet = createWalletClient({ account: governor, chain: foundry, transport: http(network.rpcUrl) });
  const mined = async (hash: Hash) => {
    const receipt = await client.waitForTransactionReceipt({ hash, ...AWAITED });
    expect(receipt.status).toBe('success');
    return receipt;
  };
  const { market, token } = deployment;
  const args = [market, token, governor.address];
  const { contractAddress } = await mined(await wallet.deployContract({ ...artifact('CapabilityProofs'), args }));
  const address = contractAddress!;
  const { cid } = await cutFile(await diskAsset('capability.wasm'), async () => {});
  const set = { address, abi: capabilityProofsAbi, functionName: 'setBenchmark' } as const;
  await mined(await wallet.writeContract({ ...set, args: [TIER.tier, benchmarkOf(TIER, cid)] }));
  const ours = { address: market, abi: marketAbi } as const;
  await mined(await wallet.writeContract({ ...ours, functionName: 'setProver', args: [address] }));
  const approval = { address: token, abi: erc20Abi, functionName: 'approve', args: [market, 10n] } as const;
  await mined(await wallet.writeContract(approval));
  await mined(await wallet.writeContract({ ...ours, functionName: 'deposit', args: [token, address, 10n] }));
  return address;
}

/** Runs the command as an owner would. */
async function prove(tier: string): Promise<{ status: number | null; said: string }> {
  const child = spawn(process.execPath, [CLI, 'prove', tier, '--owner-key-file', ownerKeyFile], {
    env: {
      ...process.env,
      WORKER_DEPLOYMENT: join(network.dir, 'deployment.json'),
      WORKER_DATA_DIR: node.dataDir,
      WORKER_OPERATOR_KEY_FILE: join(node.dataDir, 'operator.key'),
      WORKER_POLL_MS: '50',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { status, said };
}

test('a running node proves its tier by a job, and has it until it expires', async () => {
  const { status, said } = await prove('1');
  expect(said).toMatch(
    /^Proof of tier 1 begun: job 0x[0-9a-f]{64}\. The node has 20 seconds to claim it\.\nClaimed\. It has 30 seconds; then anyone may challenge the result for 2 seconds\.\nNode 1 has tier 1 until \d{4}-.*\.\n$/,
  );
  expect(status).toBe(0);
  const job = /job (0x[0-9a-f]{64})/.exec(said)![1] as Hash;
  const { at } = await network.requester.job(job);
  const { tier, tierUntil } = await network.requester.node(1);
  expect([tier, tierUntil]).toEqual([1, at + TIER.validFor]);
});

test('the node proves its tier again by itself once a fifth of the time is left', async () => {
  const { tierUntil: first } = await network.requester.node(1);
  await network.test.setNextBlockTimestamp({ timestamp: BigInt(first - TIER.validFor / 5) });
  await node.said('Proof of the tier begun again');
  const untilNow = async (): Promise<number> => (await network.requester.node(1)).tierUntil;
  await expect.poll(untilNow, { timeout: 60_000, interval: 200 }).toBeGreaterThan(first + (TIER.validFor * 3) / 4);
  const { tier, locked } = await network.requester.node(1);
  expect([tier, locked]).toEqual([1, 0n]);
}, 120_000);

test('a tier that nobody opened says which are open', async () => {
  const { status, said } = await prove('2');
  expect(said).toBe('Tier 2 cannot be proven on this network. These can: 1.\n');
  expect(status).toBe(1);
});

test('a number that is no tier is refused', async () => {
  const { status, said } = await prove('256');
  expect(said).toBe('256 is no tier: a tier is a number from 1 to 255.\n');
  expect(status).toBe(1);
});
