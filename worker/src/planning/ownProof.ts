import type { Terms } from '@dpu/sdk/terms';
import { isAddressEqual, type Address } from 'viem';

/**
 * Whether a job is this node's own proof of a tier (docs/capability.md): its owner asked for it, it pays one wei, and it has a minute. What it pays
 * is no matter. `proofs`: the contract that posts such jobs, where the network has one.
 */
export function isOwnProof(
  { requester, node }: Pick<Terms, 'requester' | 'node'>,
  ownNode: number,
  proofs: Address | undefined,
): boolean {
  return proofs !== undefined && node === ownNode && isAddressEqual(requester, proofs);
}
