import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ReplicaOptions } from '@dpu/sdk/gateway/replicaRoutes';
import { startGateway, type Gateway } from '@dpu/sdk/gateway/server';
import { SignedWrites } from '@dpu/sdk/gateway/writers';
import { storageDomain } from '@dpu/sdk/storage/receipt';
import { signedWriteHeaders, type WriteRequest } from '@dpu/sdk/storage/writeAuth';
import type { Address } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';

import { admission } from '../replication/admission.ts';
import { NodeRegistry, type RegistryChain } from '../replication/registry.ts';
import { sampleNode } from './samples.ts';

/** The network that everything here belongs to. */
export const DOMAIN = storageDomain(31_337, '0x00000000000000000000000000000000000000d1');

/** The operator of node `id`. */
export const operatorOf = (id: number): PrivateKeyAccount =>
  privateKeyToAccount(`0x${id.toString(16).padStart(64, '7')}`);

/** Nodes 1 … n on a chain in memory, at the endpoints of `urls` by node; without one a node has none. */
export class RegisteredNodes implements RegistryChain {
  readonly urls = new Map<number, string>();
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  async nodeCount(): Promise<number> {
    return this.#count;
  }

  async node(id: number): ReturnType<RegistryChain['node']> {
    return sampleNode({ operator: operatorOf(id).address, endpoint: this.urls.get(id) ?? '' });
  }

  async nodeOf(operator: Address): Promise<number> {
    const ids = Array.from({ length: this.#count }, (_, index) => index + 1);
    return ids.find((id) => operatorOf(id).address.toLowerCase() === operator.toLowerCase()) ?? 0;
  }
}

/** Signs writes in the name of node `id`. */
export const headersOf = (id: number): ((request: WriteRequest) => Promise<Record<string, string>>) =>
  signedWriteHeaders({ signWrite: (data) => operatorOf(id).signTypedData(data) }, DOMAIN, () =>
    Math.floor(Date.now() / 1000),
  );

/** How node `id` signs receipts. */
export const replicasOf = (id: number, nodes: RegisteredNodes, maxBytes: number): ReplicaOptions => ({
  ...{ node: id, domain: DOMAIN, keepMs: 90 * 24 * 60 * 60 * 1000, maxBytes },
  sign: (data) => operatorOf(id).signTypedData(data),
  operatorOf: async (node) => (await nodes.node(node)).operator,
});

/** A registry as node `id` has it, without memory. */
export const registryOf = (id: number, nodes: RegisteredNodes): NodeRegistry =>
  new NodeRegistry({ node: id, freshMs: 0 }, { chain: nodes, clockMs: () => 0 });

/** A gateway of node `id`, as the node program runs it, registered under its URL. */
export async function startStorageNode(
  id: number,
  nodes: RegisteredNodes,
  { dir, port, quotaBytes = 1e12 }: { dir?: string; port?: number; quotaBytes?: number } = {},
): Promise<{ gateway: Gateway; dir: string; remove(): Promise<void> }> {
  const folder = dir ?? (await mkdtemp(join(tmpdir(), `dpu-storage-${id}-`)));
  const urls: string[] = [];
  const limits = { replicaQuotaBytes: quotaBytes, replicaKeepMs: 1e12, uploadQuotaBytes: 0, uploadKeepMs: 0 };
  const writes = new SignedWrites({
    domain: DOMAIN,
    gateways: () => urls,
    admit: admission(limits, { registry: registryOf(id, nodes), chain: { balance: async () => 1n } }),
  });
  const gateway = await startGateway({
    ...{ dir: folder, replicas: replicasOf(id, nodes, quotaBytes) },
    authorizeWrite: (attempt) => writes.judge(attempt),
    patience: { retryMs: 1, triesPerHolder: 1 },
    ...(port === undefined ? {} : { port }),
  });
  urls.push(gateway.url);
  nodes.urls.set(id, gateway.url);
  return {
    gateway,
    dir: folder,
    async remove() {
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
