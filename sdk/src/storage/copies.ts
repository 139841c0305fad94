import type { CidLike } from './cid.ts';
import { rankNodes } from './rendezvous.ts';

/** The nodes of a network, as far as finding copies needs them. */
export interface NodeRecords {
  /** Nodes that were ever registered; their ids are 1 … this. */
  readonly count: number;
  /** The endpoint in a node's record; empty for none. */
  readonly endpointOf: (id: number) => Promise<string>;
}

/**
 * Gateways that should have copies of `root` (of a result: its manifest; its files are with it), best first, at most `most`. Nobody has to be alive
 * for this but the chain: give them to a backend's `getHolders` beside the node that made the result.
 */
export async function copyEndpoints(root: CidLike, { count, endpointOf }: NodeRecords, most = 4): Promise<string[]> {
  const urls = new Set<string>();
  const ids = Array.from({ length: count }, (_, index) => ({ id: index + 1 }));
  for (const { id } of rankNodes(root, ids)) {
    if (urls.size >= most) break;
    const endpoint = await endpointOf(id);
    if (/^https?:\/\//.test(endpoint)) urls.add(endpoint.replace(/\/+$/, ''));
  }
  return [...urls];
}
