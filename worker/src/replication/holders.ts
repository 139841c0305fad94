import { randomBytes } from 'node:crypto';

import { parseCid } from '@dpu/sdk/storage/cid';
import { downloadBlock } from '@dpu/sdk/storage/download';
import { HashMismatchError, NotFoundError, StorageError } from '@dpu/sdk/storage/errors';
import { DEFAULT_PATIENCE, type Patience } from '@dpu/sdk/storage/gatewayRequest';
import { signedReceiptSchema, verifyReceipt, type SignedReceipt, type StorageDomain } from '@dpu/sdk/storage/receipt';
import { DEFAULT_UPLOAD, GatewayWriter } from '@dpu/sdk/storage/upload';
import type { WriteRequest } from '@dpu/sdk/storage/writeAuth';
import type { Hex } from 'viem';

import type { AuditOutcome } from './policy.ts';
import type { Peer } from './registry.ts';

/** What other holders are asked with. */
export interface HoldersDeps {
  domain: StorageDomain;
  /** Signs requests with the operator's key. */
  headers: (request: WriteRequest) => Promise<Record<string, string>>;
  fetch: typeof fetch;
  /** Unix seconds. */
  nowSeconds: () => number;
  patience?: Partial<Patience>;
}

/** A copy that is asked for. */
export interface CopyWanted {
  cid: string;
  /** Bytes of blocks under the root. */
  bytes: number;
  /** Last Unix second at which it is wanted. */
  until: number;
}

/** A holder copies at least this fast, bytes per second, or it is not waited for. */
const SLOWEST_COPY = 1_000_000;
const ASK_MS = 20_000;
const TELL_MS = 5_000;
/** A holder may promise less time than was asked, but not next to nothing. */
const LEAST_SECONDS = 24 * 60 * 60;

/** Asks other nodes for copies and looks whether they still have them. */
export class Holders {
  readonly #deps: HoldersDeps;
  readonly #patience: Patience;

  constructor(deps: HoldersDeps) {
    this.#deps = deps;
    this.#patience = { ...DEFAULT_PATIENCE, triesPerHolder: 1, ...deps.patience };
  }

  /** Has a peer copy a root from this node, and returns its checked receipt. @throws StorageError when it does not. */
  async ask(peer: Peer, { cid, bytes, until }: CopyWanted, signal?: AbortSignal): Promise<SignedReceipt> {
    const nonce: Hex = `0x${randomBytes(32).toString('hex')}`;
    const body = JSON.stringify({ cid, walk: 'links', bytes, until, nonce });
    const ms = ASK_MS + Math.ceil((bytes / SLOWEST_COPY) * 1000);
    const answer = await this.#writer(peer, ms).post('/v1/replicas', 'application/json', body, signal);
    const parsed = signedReceiptSchema.safeParse(answer);
    if (!parsed.success) throw new StorageError('receipt-invalid', `node ${peer.node} answered without a receipt`);
    const receipt = parsed.data as SignedReceipt;
    await verifyReceipt(receipt, {
      ...{ domain: this.#deps.domain, cid, bytes, node: peer.node, nonce },
      until: Math.min(until, this.#deps.nowSeconds() + LEAST_SECONDS),
      operatorOf: async () => peer.operator,
    });
    return receipt;
  }

  /** Tells a holder who else has a copy, so that it can say so and repair when this node is gone. */
  async tell(peer: Peer, cid: string, receipts: readonly SignedReceipt[], signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify({ receipts });
    await this.#writer(peer, TELL_MS).post(`/v1/receipts/${cid}`, 'application/json', body, signal);
  }

  /** Asks a holder for blocks that it signed for, and hashes what comes. */
  async audit({ endpoint }: Peer, blocks: readonly string[], signal?: AbortSignal): Promise<AuditOutcome> {
    for (const block of blocks) {
      const from = { getHolders: () => [endpoint], fetch: this.#deps.fetch };
      try {
        await downloadBlock(parseCid(block), this.#patience, from, signal);
      } catch (error) {
        signal?.throwIfAborted();
        return isGuilt(error) ? 'bad' : 'silent';
      }
    }
    return 'good';
  }

  #writer({ endpoint }: Peer, requestMs: number): GatewayWriter {
    const { fetch, headers } = this.#deps;
    // A request is signed for one try: what fails is asked of the next in the order.
    return new GatewayWriter(endpoint, { ...DEFAULT_UPLOAD, requestMs, tries: 1 }, { fetch, headers });
  }
}

/** Whether a failed audit is the holder's own word that it has not what it signed for, rather than a line that is down. */
function isGuilt(error: unknown): boolean {
  if (error instanceof NotFoundError || error instanceof HashMismatchError) return true;
  const failures = (error as { failures?: readonly { error: StorageError }[] }).failures ?? [];
  return failures.some(({ error: { code } }) => code === 'hash-mismatch' || code === 'not-found' || code === 'gone');
}
