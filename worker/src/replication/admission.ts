import type { WriteAttempt, Writer } from '@dpu/sdk/gateway/writers';
import type { Address } from 'viem';

import type { Chain } from '../chain/chain.ts';
import type { NodeRegistry } from './registry.ts';

/** Who may have how much kept at this node's gateway. */
export interface AdmissionOptions {
  /** Bytes for any other node; 0 for none. */
  replicaQuotaBytes: number;
  /** How long copies for others are kept at most, milliseconds. */
  replicaKeepMs: number;
  /** Bytes for any one wallet; 0 for none. */
  uploadQuotaBytes: number;
  uploadKeepMs: number;
}

/** What decides about it. */
export interface AdmissionDeps {
  registry: Pick<NodeRegistry, 'peerOf'>;
  chain: Pick<Chain, 'balance'>;
}

const FOR_NODES = /^\/v1\/(replicas$|receipts\/)/;
const FOR_WALLETS = /^\/v1\/(blocks|car|missing|commit\/)/;

/**
 * What an account may write here: the operator of a staked node has copies made, a wallet with some of the chain's coin uploads the inputs of
 * its jobs. A wallet without coin could not post a job either, and costs nothing to make; one with coin costs at least that.
 */
export function admission(
  options: AdmissionOptions,
  { registry, chain }: AdmissionDeps,
): (account: Address, attempt: Pick<WriteAttempt, 'path'>, signed: boolean) => Promise<Writer | undefined> {
  return async (account, { path }, signed) => {
    if (FOR_NODES.test(path)) {
      if (!signed || options.replicaQuotaBytes === 0) return undefined;
      const peer = await registry.peerOf(account);
      if (!peer) return undefined;
      const node = { id: peer.node, endpoint: peer.endpoint };
      return { by: `node:${peer.node}`, quotaBytes: options.replicaQuotaBytes, keepMs: options.replicaKeepMs, node };
    }
    if (!FOR_WALLETS.test(path) || options.uploadQuotaBytes === 0) return undefined;
    if ((await chain.balance(account)) === 0n) return undefined;
    return {
      by: `wallet:${account.toLowerCase()}`,
      quotaBytes: options.uploadQuotaBytes,
      keepMs: options.uploadKeepMs,
    };
  };
}
