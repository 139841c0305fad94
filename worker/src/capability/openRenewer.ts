import type { LocalBackend } from '@dpu/sdk/gateway/localBackend';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';

import type { NodeConfig } from '../config.ts';
import type { Replication } from '../replication/openReplication.ts';
import { viemProofChain } from './proofChain.ts';
import { Renewer, type RenewerDeps } from './renewer.ts';

/** Blocks between two looks at the tier: a proof's window is minutes at least. */
const LOOK_EVERY_BLOCKS = 10;

/** What it is made of from outside. */
export interface OpenRenewer extends Omit<RenewerDeps, 'proofs' | 'storage' | 'asset'> {
  config: NodeConfig;
  node: number;
  /** This node's own store, and the URL under which it is served. */
  local: LocalBackend;
  endpoint: string;
  replication: Replication;
}

/** The renewer of this node's tier; undefined where the network has no proofs of capability. */
export function openRenewer({ config, node, local, endpoint, replication, ...deps }: OpenRenewer): Renewer | undefined {
  const { proofs } = config.network;
  if (!proofs) return undefined;
  const [gateway] = config.gateways;
  const shared = gateway
    ? [new HttpBackend({ getHolders: () => [endpoint], writeTo: gateway }, { headers: replication.headers })]
    : [];
  return new Renewer(
    { node, renew: config.renewTier, everyBlocks: LOOK_EVERY_BLOCKS },
    {
      ...deps,
      proofs: viemProofChain(proofs, config.rpc, config.rpcTimeoutMs),
      storage: [local, ...shared],
      asset: diskAsset,
    },
  );
}
