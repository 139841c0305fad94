import { contractWallets } from '@dpu/sdk/gateway/contractWallets';
import { signReceipt, type ReplicaOptions } from '@dpu/sdk/gateway/replicaRoutes';
import type { Gateway, GatewayOptions } from '@dpu/sdk/gateway/server';
import { SignedWrites } from '@dpu/sdk/gateway/writers';
import { storageDomain } from '@dpu/sdk/storage/receipt';
import { signedWriteHeaders, type WriteRequest } from '@dpu/sdk/storage/writeAuth';
import { createPublicClient, http, type PrivateKeyAccount } from 'viem';
import { randomBytes } from 'node:crypto';

import type { Chain, Head } from '../chain/chain.ts';
import type { KnownLease } from '../chain/chainBook.ts';
import type { NodeConfig } from '../config.ts';
import type { Log } from '../log.ts';
import type { PromiseBook } from '../leases/promiseBook.ts';
import { repeat } from '../repeat.ts';
import { admission } from './admission.ts';
import { Caretaker } from './caretaker.ts';
import { Collector } from './collector.ts';
import { Holders } from './holders.ts';
import { NodeRegistry } from './registry.ts';

/** What keeping copies is made of. */
export interface ReplicationParts {
  config: NodeConfig;
  node: number;
  /** The operator's key: it signs receipts and requests. */
  account: PrivateKeyAccount;
  chain: Chain;
  log: Log;
  /** Milliseconds of a steady clock. */
  clockMs: () => number;
}

/** How this node's gateway takes part. */
export type StorageRole = Pick<Required<GatewayOptions>, 'authorizeWrite' | 'replicas' | 'signedWrites'>;

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const DAY_SECONDS = 24 * 60 * 60;
/** How long what the chain says of a node is used again. */
const FRESH_MS = 30_000;
const GARBAGE_EVERY_MS = 60 * 60 * 1000;

/** Copies of results: this node's among others, and others' here. */
export class Replication {
  readonly #parts: ReplicationParts;
  readonly #role: StorageRole;
  readonly #replicas: ReplicaOptions;
  readonly #holders: Holders;
  #gateways: readonly string[] = [];
  readonly registry: NodeRegistry;
  /** Headers that sign a write in this node's name. */
  readonly headers: (request: WriteRequest) => Promise<Record<string, string>>;

  constructor(parts: ReplicationParts) {
    const { config, node, account, chain, clockMs } = parts;
    const domain = storageDomain(config.network.chainId, config.network.market);
    this.#parts = parts;
    this.registry = new NodeRegistry({ node, freshMs: FRESH_MS }, { chain, clockMs });
    this.headers = signedWriteHeaders({ signWrite: (data) => account.signTypedData(data) }, domain, nowSeconds);
    this.#holders = new Holders({ domain, headers: this.headers, fetch, nowSeconds });
    const keepMs = config.retentionDays * DAY_SECONDS * 1000;
    const quotaBytes = config.replicaQuotaGb * GIB;
    this.#replicas = {
      ...{ node, domain, keepMs, maxBytes: quotaBytes },
      sign: (data) => account.signTypedData(data),
      operatorOf: async (id) => (await this.registry.peer(id))?.operator,
    };
    const transport = http(config.rpcUrl, { timeout: config.rpcTimeoutMs, retryCount: 0 });
    const writes = new SignedWrites({
      domain,
      gateways: () => this.#gateways,
      verify: contractWallets({}, { client: createPublicClient({ transport }) }),
      admit: admission(
        {
          ...{ replicaQuotaBytes: quotaBytes, replicaKeepMs: keepMs },
          uploadQuotaBytes: config.uploadQuotaMb * MIB,
          uploadKeepMs: config.uploadDays * DAY_SECONDS * 1000,
        },
        { registry: this.registry, chain },
      ),
    });
    this.#role = { authorizeWrite: (attempt) => writes.judge(attempt), replicas: this.#replicas, signedWrites: true };
  }

  /** What to start this node's gateway with. */
  get role(): StorageRole {
    return this.#role;
  }

  /** Until when what is stored now is kept, Unix milliseconds. */
  keepUntilMs(): number {
    return Date.now() + this.#parts.config.retentionDays * DAY_SECONDS * 1000;
  }

  /** Names the URLs under which others write here; writes signed for any other are refused. */
  serveAs(urls: readonly string[]): void {
    this.#gateways = urls;
  }

  /** What collects receipts before results are shown. Not needed where there shall be no copies. */
  collector(
    gateway: Gateway,
    promises: PromiseBook,
    onReady: (lease: KnownLease) => void,
    signal: AbortSignal,
  ): ((lease: KnownLease, closes: number, head: Head) => boolean) | undefined {
    const { config, node, log } = this.#parts;
    if (config.copies === 1) return undefined;
    const collector = new Collector(
      {
        ...{ node, copies: config.copies, waitSeconds: config.receiptWaitSeconds, mostAsked: 16 },
        keepSeconds: config.retentionDays * DAY_SECONDS,
      },
      {
        ...{ gateway, promises, registry: this.registry, holders: this.#holders, nowSeconds, onReady, signal, log },
        sign: (said) => signReceipt(this.#replicas, { ...said, nonce: `0x${randomBytes(32).toString('hex')}` }),
      },
    );
    return (lease, closes, head) => collector.mayShow(lease, closes, head);
  }

  /** Looks after copies, and collects garbage, until `signal` is aborted. */
  async run(gateway: Gateway, signal: AbortSignal): Promise<void> {
    const { config, node, log } = this.#parts;
    const caretaker = new Caretaker(
      { node, copies: config.copies, blocks: 2, rootsPerRound: 256 },
      { gateway, registry: this.registry, holders: this.#holders, nowSeconds, log },
    );
    const onError = (error: unknown): void => log.warn('Storage could not be looked after', { error });
    await Promise.all([
      repeat((abort) => caretaker.round(abort), { everyMs: config.auditSeconds * 1000, signal, onError }),
      repeat(async () => void (await gateway.collectGarbage()), { everyMs: GARBAGE_EVERY_MS, signal, onError }),
    ]);
  }
}

/** Receipts outlive jobs and chains' clocks, so they are in the world's time, not in blocks'. */
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
