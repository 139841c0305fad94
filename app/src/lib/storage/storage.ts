import { decodeSpec, type JobSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';

/** Content by its hash, from the network's gateway and from the nodes that made it. */
export interface Storage {
  backend: HttpBackend;
  /** Makes the gateway at `url` (a node's endpoint) one of those that are asked. Text that is no http(s) URL is ignored. */
  addHolder(url: string): void;
  /** The spec with this digest. */
  spec(digest: string, signal?: AbortSignal): Promise<JobSpec>;
}

/** Builds the storage client of one deployment. */
export function createStorage(gatewayUrl: string): Storage {
  const holders = new Set([gatewayUrl]);
  const backend = new HttpBackend({ getHolders: () => [...holders], writeTo: gatewayUrl });
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
