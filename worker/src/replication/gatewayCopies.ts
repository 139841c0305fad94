import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { digestToCid } from '@dpu/sdk/storage/cid';

import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { leaseKeyOf, leaseName } from '../work/executor.ts';
import type { Journal } from '../sending/journal.ts';
import type { Log } from '../log.ts';
import { Queue } from '../repeat.ts';

/** What they are made with. */
export interface GatewayCopiesDeps {
  /** The network's gateway, which pulls from this node. */
  gateway: StorageBackend;
  book: ChainBook;
  journal: Journal;
  log: Log;
}

/**
 * Has the network's gateway keep a second copy of every result that is public. Before the reveal nothing is handed on: a result that others
 * can read before this node is bound to it could be copied.
 */
export class GatewayCopies {
  readonly #node: number;
  readonly #deps: GatewayCopiesDeps;
  readonly #queue = new Queue();
  readonly #waiting = new Set<string>();

  constructor({ node }: { node: number }, deps: GatewayCopiesDeps) {
    this.#node = node;
    this.#deps = deps;
  }

  /** Starts copying what is revealed and not copied yet. Does not wait. */
  tick(signal: AbortSignal): void {
    const { book, journal } = this.#deps;
    for (const lease of [...book.ownLiving(this.#node), ...book.ownEnded(this.#node, 64)]) {
      const key = `copied:${leaseName(leaseKeyOf(lease))}`;
      if (!lease.result || this.#waiting.has(key) || journal.meta(key) !== undefined) continue;
      this.#waiting.add(key);
      void this.#queue.run(() => this.#copy(lease, key, signal)).finally(() => this.#waiting.delete(key));
    }
  }

  async #copy(lease: KnownLease, key: string, signal: AbortSignal): Promise<void> {
    const { gateway, journal, log } = this.#deps;
    if (!lease.result || signal.aborted) return;
    const facts = { job: lease.job, first: lease.lease.first };
    try {
      await gateway.pin(digestToCid(lease.result.manifest, 'dag-cbor'), { walk: 'links', signal });
      journal.setMeta(key, 'yes');
      log.debug('Result copied to the gateway', facts);
    } catch (error) {
      // This node serves it all the same; the next tick tries again.
      if (!signal.aborted) log.warn('The gateway did not take a copy of a result', { ...facts, error });
    }
  }
}
