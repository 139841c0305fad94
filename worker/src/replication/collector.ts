import { extentOf } from '@dpu/sdk/gateway/complete';
import type { FileBlockstore } from '@dpu/sdk/gateway/fileBlockstore';
import type { ReceiptBook } from '@dpu/sdk/gateway/receiptBook';
import { digestToCid, parseCid } from '@dpu/sdk/storage/cid';
import type { SignedReceipt } from '@dpu/sdk/storage/receipt';

import type { Head } from '../chain/chain.ts';
import type { KnownLease } from '../chain/chainBook.ts';
import { messageOf } from '../errors.ts';
import { leaseKeyOf, leaseName } from '../work/executor.ts';
import type { Log } from '../log.ts';
import type { PromiseBook } from '../leases/promiseBook.ts';
import type { Holders } from './holders.ts';
import { mayShow } from './policy.ts';
import type { NodeRegistry } from './registry.ts';

/** How receipts are collected. */
export interface CollectorOptions {
  /** This node. */
  node: number;
  /** Copies of a result, this node's own among them. */
  copies: number;
  /** Longest wait for receipts before a result is shown, seconds of block time. */
  waitSeconds: number;
  /** How long copies are wanted, seconds. */
  keepSeconds: number;
  /** Most holders that are asked for one result before it is shown. */
  mostAsked: number;
}

/** What the collector works with. */
export interface CollectorDeps {
  gateway: { store: FileBlockstore; receipts: ReceiptBook };
  promises: PromiseBook;
  registry: NodeRegistry;
  holders: Holders;
  /** This node's own receipt. */
  sign: (said: Omit<SignedReceipt, 'node' | 'signature' | 'nonce'>) => Promise<SignedReceipt>;
  /** Unix seconds. */
  nowSeconds: () => number;
  /** Called when a result that waited may be shown. */
  onReady: (lease: KnownLease) => void;
  signal: AbortSignal;
  log: Log;
}

/** More leases than any node has due at once; one that is forgotten too early finds its receipts on the disk. */
const MOST_REMEMBERED = 4_096;

interface Collecting {
  since: number;
  asking: boolean;
  said: boolean;
}

/**
 * Collects receipts of other holders for a result before this node shows it. It begins when everybody who could copy the answer is bound
 * to one of their own (the step is due), and never makes a node miss its reveal. Receipts are on the disk, so a restart goes on from there.
 */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #deps: CollectorDeps;
  readonly #leases = new Map<string, Collecting>();

  constructor(options: CollectorOptions, deps: CollectorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Whether a result that is due may be shown now; `closes`: last good second. Starts asking holders, and does not wait. */
  mayShow(lease: KnownLease, closes: number, head: Head): boolean {
    const promised = this.#deps.promises.promised(leaseKeyOf(lease));
    if (!promised) return true;
    const cid = digestToCid(promised.result.manifest, 'dag-cbor').toString();
    const name = leaseName(leaseKeyOf(lease));
    const fresh: Collecting = { since: head.timestamp, asking: true, said: false };
    const collecting = this.#leases.get(name) ?? fresh;
    const wanted = this.#options.copies - 1;
    if (collecting === fresh) {
      this.#leases.set(name, fresh);
      const oldest = this.#leases.keys().next().value;
      if (this.#leases.size > MOST_REMEMBERED && oldest !== undefined) this.#leases.delete(oldest);
      if (this.#others(cid).length >= wanted) fresh.asking = false;
      else void this.#collect(lease, cid, fresh);
    }
    const receipts = this.#others(cid).length;
    const { since, asking } = collecting;
    const { waitSeconds } = this.#options;
    const verdict = mayShow({ receipts, wanted, asking, since, closes, now: head.timestamp, waitSeconds });
    if (verdict === 'wait') return false;
    if (!collecting.said) {
      collecting.said = true;
      const facts = { job: lease.job, first: lease.lease.first, receipts, wanted, why: verdict };
      if (verdict === 'copied') this.#deps.log.debug('Result has its copies', facts);
      else this.#deps.log.warn('Result is shown with fewer copies than wanted; the repair goes on', facts);
    }
    return true;
  }

  #others(cid: string): SignedReceipt[] {
    const now = this.#deps.nowSeconds();
    return this.#deps.gateway.receipts
      .get(cid)
      .filter(({ node, until }) => node !== this.#options.node && until >= now);
  }

  async #collect(lease: KnownLease, cid: string, collecting: Collecting): Promise<void> {
    const { gateway, sign, nowSeconds, onReady, signal, log } = this.#deps;
    const facts = { job: lease.job, first: lease.lease.first, cid };
    try {
      const { bytes } = await extentOf(gateway.store, parseCid(cid), 'links');
      const until = nowSeconds() + this.#options.keepSeconds;
      await gateway.receipts.add(cid, [await sign({ cid, bytes, until })]);
      await this.#askUntilEnough(cid, bytes, until);
    } catch (error) {
      if (!signal.aborted) log.warn('Copies of a result could not be asked for', { ...facts, error });
    }
    collecting.asking = false;
    if (signal.aborted) return;
    onReady(lease);
    await this.#tellAll(cid);
  }

  /** Asks as many at once as are missing; who refuses or is silent is followed by the next in the order. */
  async #askUntilEnough(cid: string, bytes: number, until: number): Promise<void> {
    const { registry, holders, gateway, signal, log } = this.#deps;
    const wanted = this.#options.copies - 1;
    const have = new Set(this.#others(cid).map(({ node }) => node));
    const candidates = registry.candidates(cid, have);
    let asked = 0;
    const findOne = async (): Promise<void> => {
      while (asked < this.#options.mostAsked && !signal.aborted) {
        const { done, value: peer } = await candidates.next();
        if (done) return;
        asked += 1;
        try {
          const receipt = await holders.ask(peer, { cid, bytes, until }, signal);
          return await gateway.receipts.add(cid, [receipt]);
        } catch (error) {
          if (!signal.aborted) log.info('A node keeps no copy', { cid, node: peer.node, problem: messageOf(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.max(0, wanted - have.size) }, findOne));
  }

  async #tellAll(cid: string): Promise<void> {
    const { registry, holders, gateway, signal, log } = this.#deps;
    const receipts = gateway.receipts.get(cid);
    for (const { node } of this.#others(cid)) {
      try {
        const peer = await registry.peer(node);
        if (peer) await holders.tell(peer, cid, receipts, signal);
      } catch (error) {
        // Its own audits find the others all the same once it is told by one of them.
        if (!signal.aborted) log.info('A holder was not told of the others', { cid, node, problem: messageOf(error) });
      }
    }
  }
}
