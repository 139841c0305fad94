import { randomInt } from 'node:crypto';

import { reachable } from '@dpu/sdk/gateway/complete';
import type { Gateway } from '@dpu/sdk/gateway/server';
import { parseCid } from '@dpu/sdk/storage/cid';
import { CorruptBlockError } from '@dpu/sdk/storage/errors';
import { rankNodes } from '@dpu/sdk/storage/rendezvous';
import type { SignedReceipt } from '@dpu/sdk/storage/receipt';

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Holders } from './holders.ts';
import { MISSES_ALLOWED, missesAfter } from './policy.ts';
import type { NodeRegistry } from './registry.ts';

/** How copies are looked after. */
export interface CaretakerOptions {
  /** This node. */
  node: number;
  /** Copies of each root that there should be. */
  copies: number;
  /** Blocks that a holder is asked for in one audit. */
  blocks: number;
  /** Most roots that one round looks at; the others have their turn in the next. */
  rootsPerRound: number;
}

/** What the caretaker works with. */
export interface CaretakerDeps {
  gateway: Pick<Gateway, 'store' | 'pins' | 'receipts' | 'copy'>;
  registry: NodeRegistry;
  holders: Holders;
  /** Unix seconds. */
  nowSeconds: () => number;
  log: Log;
}

/**
 * Looks after the copies of everything that this node has signed for, its own results and those of others: asks every other holder for
 * random blocks, and when too few are left has the next node in the rendezvous order make a copy. All living holders do this, so it works as
 * long as one is left; of those the first in the order repairs, so that they do not all do it at once.
 */
export class Caretaker {
  readonly #options: CaretakerOptions;
  readonly #deps: CaretakerDeps;
  readonly #misses = new Map<string, number>();
  /** Roots in the order in which they were looked at, oldest first. */
  readonly #rounds = new Map<string, number>();
  #round = 0;

  constructor(options: CaretakerOptions, deps: CaretakerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** One round of audits and repairs. What fails is tried again in the next. */
  async round(signal: AbortSignal): Promise<void> {
    const { receipts, pins } = this.#deps.gateway;
    this.#round += 1;
    const kept = receipts.roots().filter((cid) => pins.has(cid) && this.#own(cid) !== undefined);
    for (const cid of this.#rounds.keys()) if (!kept.includes(cid)) this.#rounds.delete(cid);
    const due = kept.sort((a, b) => (this.#rounds.get(a) ?? 0) - (this.#rounds.get(b) ?? 0));
    for (const cid of due.slice(0, this.#options.rootsPerRound)) {
      if (signal.aborted) return;
      this.#rounds.set(cid, this.#round);
      try {
        await this.#lookAfter(cid, signal);
      } catch (error) {
        if (!signal.aborted) this.#deps.log.warn('Copies could not be looked after', { cid, error });
      }
    }
  }

  #own(cid: string): SignedReceipt | undefined {
    const now = this.#deps.nowSeconds();
    return this.#deps.gateway.receipts.get(cid).find(({ node, until }) => node === this.#options.node && until >= now);
  }

  async #lookAfter(cid: string, signal: AbortSignal): Promise<void> {
    const { gateway, nowSeconds } = this.#deps;
    const others = gateway.receipts.get(cid).filter(({ node }) => node !== this.#options.node);
    const blocks = await this.#sample(cid, others);
    const living: number[] = [this.#options.node];
    const lost: number[] = [];
    for (const { node, until } of others) {
      const over = until < nowSeconds();
      const misses = over ? Number.POSITIVE_INFINITY : await this.#audit(cid, node, blocks, signal);
      if (misses < MISSES_ALLOWED) living.push(node);
      else lost.push(node);
    }
    if (living.length >= this.#options.copies) return;
    const [first] = rankNodes(
      cid,
      living.map((id) => ({ id })),
    );
    if (first?.id === this.#options.node) await this.#repair(cid, living, lost, signal);
  }

  /** Asks a holder for blocks; answers how often in a row it has failed. */
  async #audit(cid: string, node: number, blocks: readonly string[], signal: AbortSignal): Promise<number> {
    const { registry, holders, log } = this.#deps;
    const key = `${cid}:${node}`;
    const peer = await registry.peer(node);
    const outcome = peer ? await holders.audit(peer, blocks, signal) : 'bad';
    const misses = missesAfter(outcome, this.#misses.get(key) ?? 0);
    this.#misses.set(key, misses);
    if (misses === 0) this.#misses.delete(key);
    else log.info('A holder failed its audit', { cid, node, outcome, misses });
    return misses;
  }

  async #repair(cid: string, living: number[], lost: readonly number[], signal: AbortSignal): Promise<void> {
    const { gateway, registry, holders, log } = this.#deps;
    const own = this.#own(cid);
    if (!own) return;
    for await (const peer of registry.candidates(cid, new Set([...living, ...lost]))) {
      if (living.length >= this.#options.copies || signal.aborted) break;
      try {
        const receipt = await holders.ask(peer, own, signal);
        await gateway.receipts.add(cid, [receipt]);
        living.push(peer.node);
        log.info('A lost copy was made again', { cid, node: peer.node, lost });
      } catch (error) {
        if (!signal.aborted) log.info('A node keeps no copy', { cid, node: peer.node, problem: messageOf(error) });
      }
    }
    if (living.length < this.#options.copies) {
      log.warn('Too few nodes keep copies; those that were lost are asked again', { cid, copies: living.length, lost });
      return;
    }
    for (const node of lost) {
      await gateway.receipts.drop(cid, node);
      this.#misses.delete(`${cid}:${node}`);
    }
    await this.#tell(cid, living, signal);
  }

  async #tell(cid: string, living: readonly number[], signal: AbortSignal): Promise<void> {
    const { gateway, registry, holders } = this.#deps;
    for (const node of living) {
      const peer = node === this.#options.node ? undefined : await registry.peer(node);
      // Who does not hear it now hears it after the next repair, and asks for itself meanwhile.
      if (peer) await holders.tell(peer, cid, gateway.receipts.get(cid), signal).catch(() => {});
    }
  }

  /** Random blocks under a root, each read here first. A gap in this node's own copy is filled from the others before. */
  async #sample(cid: string, others: readonly SignedReceipt[]): Promise<string[]> {
    const { gateway, registry, log } = this.#deps;
    const root = parseCid(cid);
    for (let attempt = 1; ; attempt += 1) {
      const chosen: string[] = [];
      const gaps: string[] = [];
      let seen = 0;
      for await (const block of reachable(gateway.store, root, 'links', (gap) => gaps.push(gap.toString()))) {
        seen += 1;
        // Every block has the same chance, without knowing how many there are (reservoir sampling).
        const place = seen <= this.#options.blocks ? seen - 1 : randomInt(seen);
        if (place < this.#options.blocks) chosen[place] = block.cid.toString();
      }
      for (const block of gaps.length > 0 ? [] : chosen) {
        await gateway.store.get(parseCid(block)).catch((error: unknown) => {
          if (!(error instanceof CorruptBlockError)) throw error;
          gaps.push(block);
        });
      }
      if (gaps.length === 0) return chosen;
      if (attempt > 1) throw new Error(`this node's own copy lacks ${gaps.length} blocks, and nobody has them`);
      log.warn('This node’s own copy is damaged, fetching it again', { cid, blocks: gaps.length });
      const peers = await Promise.all(others.map(({ node }) => registry.peer(node)));
      await gateway.copy(
        root,
        peers.flatMap((peer) => (peer ? [peer.endpoint] : [])),
      );
    }
  }
}
