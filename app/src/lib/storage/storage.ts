import type { Deployment } from '@dpu/sdk/deployment';
import { decodeSpec, type JobSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { storageDomain } from '@dpu/sdk/storage/receipt';
import { uploadGrant, type UploadGrantDeps } from '@dpu/sdk/storage/uploadGrant';

/** Content by its hash, from the network's gateway and from the nodes that made it. */
export interface Storage {
  backend: HttpBackend;
  /** Makes the gateway at `url` (a node's endpoint) one of those that are asked. Text that is no http(s) URL is ignored. */
  addHolder(url: string): void;
  /** The spec with this digest. */
  spec(digest: string, signal?: AbortSignal): Promise<JobSpec>;
}

/**
 * Builds the storage client of one deployment. `sign` has the wallet sign once that it uploads; it is asked only where the gateway takes signed
 * writes alone.
 */
export function createStorage(
  { gatewayUrl, chainId, market }: Pick<Deployment, 'gatewayUrl' | 'chainId' | 'market'>,
  sign: UploadGrantDeps['sign'],
): Storage {
  const holders = new Set([gatewayUrl]);
  const headers = uploadGrant(
    { domain: storageDomain(chainId, market) },
    { sign, fetch: (input, init) => fetch(input, init), nowSeconds: () => Math.floor(Date.now() / 1_000) },
  );
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
