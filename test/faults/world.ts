import { jobHistory } from '@dpu/sdk/history';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';
import { join } from 'node:path';

import { startNetwork, DPU, type TestNetwork } from '../../worker/test/node/network.ts';
import { honestModule } from '../lib/badModules.ts';

/** A chain that stands still until somebody mines, with one staked node that nobody runs yet. */
export interface World {
  network: TestNetwork;
  /** Settings of the node, but for its endpoints. */
  settings: Record<string, unknown>;
  operatorKey: Hex;
  head(): Promise<number>;
  /** A block, a second later. */
  mine(blocks?: number): Promise<void>;
  /** Other blocks instead of the last `depth`, without their transactions, and one more. */
  reorg(depth: number): Promise<void>;
  /** Posts a job of `shards` shards. */
  post(shards: number): Promise<Posted>;
  /** Posts it again if a reorganisation has taken it away. */
  repost(job: Posted): Promise<void>;
  stop(): Promise<void>;
}

/** A job of a seed. */
export interface Posted {
  id: Hex;
  terms: Terms;
}

/** Starts a world. */
export async function startWorld(): Promise<World> {
  const network = await startNetwork({ nodes: 1, blockTime: 0 });
  const { test, client } = network;
  await test.setAutomine(false);
  await test.setBlockTimestampInterval({ interval: 1 });
  const head = async (): Promise<number> => Number(await client.getBlockNumber());
  const mine = async (blocks = 1): Promise<void> => test.mine({ blocks });
  const state = async (id: Hex): Promise<number> => (await network.requester.job(id)).state;
  const settings = {
    deployment: join(network.dir, 'deployment.json'),
    dataDir: join(network.dir, 'node'),
    operatorKeyFile: join(network.dir, 'unused'),
    ...{ gatewayPort: 0, statusPort: 0, endpoint: 'http://127.0.0.1:9', gateways: network.gateway.url },
    ...{ pollMs: 10, rpcTimeoutMs: 500, slots: 8, leaseSeconds: 60, checkRate: 0, logLevel: 'debug' },
  };
  return {
    network,
    settings,
    operatorKey: network.operatorKey(1),
    head,
    mine,
    async reorg(depth) {
      await client.request({ method: 'anvil_reorg', params: [depth, []] } as never);
      await mine();
    },
    async post(shards) {
      const limits = { memoryBytes: 1_048_576, units: 100, outputBytes: 100, seconds: 1 };
      return network.post({ module: honestModule(), shards, spec: { limits }, terms: { exec: 600 } });
    },
    async repost({ id, terms }) {
      if ((await state(id)) !== 0) return;
      const hash = await network.requester.post(terms);
      await mine();
      await client.getTransactionReceipt({ hash });
    },
    stop: () => network.stop(),
  };
}

/** What the chain says of a job's end that an honest node could be ashamed of; empty when nothing. */
export async function violations({ network }: World, { id }: Posted, shards: number): Promise<string[]> {
  const found: string[] = [];
  const { leases, replaced, steps, state } = await jobHistory(network.client, network.deployment, id, { gas: false });
  if (state !== 'complete') found.push(`lost work: the job is ${state}`);
  const paid = leases.filter((lease) => lease.state === 'settled').reduce((sum, { lease }) => sum + lease.count, 0);
  if (paid !== shards) found.push(`lost work: ${paid} of ${shards} shards were paid`);
  if (replaced.length > 0 || steps.some(({ event }) => event === 'LeaseLapsed'))
    found.push('lost work: a lease missed its deadline');
  const commits = steps.filter(({ event }) => event === 'LeaseCommitted').length;
  if (commits !== leases.length) found.push(`double commit: ${commits} commits for ${leases.length} leases`);
  const { stake, locked } = await network.requester.node(1);
  if (stake !== 10_000n * DPU) found.push(`honest slash: the stake is ${stake}`);
  if (locked !== 0n) found.push(`a bond of ${locked} is still locked`);
  return found;
}
