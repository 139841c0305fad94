import type { Deployment } from '@dpu/sdk/deployment';
import { decodeSpec, type JobSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { storageDomain } from '@dpu/sdk/storage/receipt';
import { uploadGrant, type UploadGrantDeps } from '@dpu/sdk/storage/uploadGrant';
import type { Address } from 'viem';

/** Content by its hash, from the network's gateway and from the nodes that made it. */
export interface Storage {
  backend: HttpBackend;
  /** Makes the gateway at `url` (a node's endpoint) one of those that are asked. Text that is no http(s) URL is ignored. */
  addHolder(url: string): void;
  /** The spec with this digest. */
  spec(digest: string, signal?: AbortSignal): Promise<JobSpec>;
}

/** The wallet, as far as uploads need it. */
export interface Uploads {
  /** Has the wallet sign once that it uploads; asked only where the gateway takes signed writes alone. */
  sign: UploadGrantDeps['sign'];
  /** Who signs. A wallet that is a contract is believed by its own word only (ERC-1271), so it is named; keys are named too. */
  account: () => Address | undefined;
}

/** Headers of uploads: a grant for each account, since what one wallet has signed is not another's. */
export function uploadHeaders(
  { chainId, market }: Pick<Deployment, 'chainId' | 'market'>,
  { sign, account }: Uploads,
  surroundings: Pick<UploadGrantDeps, 'fetch' | 'nowSeconds'>,
): ReturnType<typeof uploadGrant> {
  const grants = new Map<Address | undefined, ReturnType<typeof uploadGrant>>();
  return (request) => {
    const who = account();
    let grant = grants.get(who);
    if (!grant) {
      grant = uploadGrant({ domain: storageDomain(chainId, market), account: who }, { sign, ...surroundings });
      grants.set(who, grant);
    }
    return grant(request);
  };
}

/** Builds the storage client of one deployment. */
export function createStorage(
  deployment: Pick<Deployment, 'gatewayUrl' | 'chainId' | 'market'>,
  uploads: Uploads,
): Storage {
  const { gatewayUrl } = deployment;
  const holders = new Set([gatewayUrl]);
  const headers = uploadHeaders(deployment, uploads, {
    fetch: (input, init) => fetch(input, init),
    nowSeconds: () => Math.floor(Date.now() / 1_000),
  });
  const backend = new HttpBackend({ getHolders: () => [...holders], writeTo: gatewayUrl }, { headers });
  return {
    backend,
    addHolder(url) {
      if (!URL.canParse(url)) return;
      const { protocol, username, password } = new URL(url);
      if (/^https?:$/.test(protocol) && !username && !password) holders.add(url.replace(/\/+$/, ''));
    },
    spec: async (digest, signal) => decodeSpec(await backend.getBlock(digestToCid(digest, 'dag-cbor'), { signal })),
  };
}
