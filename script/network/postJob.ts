import { createWalletClient, http } from 'viem';
import { postTemplate as post, type PostedJobs, type PostRequest } from '@dpu/sdk/postTemplate';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';

import { adviceFor, localRuntimes } from './localRuntimes.ts';
import type { Network } from './network.ts';

export type { PostedJobs, PostRequest } from '@dpu/sdk/postTemplate';

/** Stores what a template's jobs need, and funds and posts them in one transaction with one permit. */
export async function postTemplate(
  { deployment, local }: Network,
  backend: StorageBackend,
  request: PostRequest,
): Promise<PostedJobs> {
  const walletClient = createWalletClient({
    account: request.requester,
    chain: local.chain,
    transport: http(local.rpcUrl),
  });
  return post(
    {
      ...{ publicClient: local.publicClient, walletClient, deployment, backend, asset: diskAsset },
      onPrepared(specs) {
        for (const { runtime } of specs) {
          if (!localRuntimes().includes(runtime))
            throw new Error(
              `No node of this network runs ${runtime} jobs: this machine lacks what they need. ${adviceFor(runtime)}`,
            );
        }
      },
    },
    request,
  );
}
