import { capabilityProofsAbi } from '@dpu/sdk/abi';
import { specOf, type Benchmark } from '@dpu/sdk/capability/benchmarks';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { encodeFunctionData, type Hex } from 'viem';

import type { Chain, Head, NodeView } from '../chain/chain.ts';
import type { ChainBook, KnownJob } from '../chain/chainBook.ts';
import type { MarketEvent } from '../chain/marketEvents.ts';
import type { Log } from '../log.ts';
import { isOwnProof } from '../planning/ownProof.ts';
import type { Journal } from '../sending/journal.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { ProofChain } from './proofChain.ts';

/** How tiers are renewed. */
export interface RenewerOptions {
  node: number;
  /** Begin proofs by itself; what its owner begins is looked after in any case. */
  renew: boolean;
  /** Blocks between two looks. */
  everyBlocks: number;
}

/** What the renewer works with. */
export interface RenewerDeps {
  chain: Pick<Chain, 'node' | 'job'>;
  proofs: ProofChain;
  book: Pick<ChainBook, 'cursor' | 'jobsFor' | 'leasesOf'>;
  journal: Pick<Journal, 'meta' | 'setMeta'>;
  proposer: Pick<Proposer, 'propose'>;
  /** Stores where this node and everybody else finds it. */
  storage: Pick<StorageBackend, 'addFile' | 'putBlock'>[];
  /** Reads a built module of the sdk. */
  asset: (name: string) => Promise<Uint8Array>;
  /** Runtime ids that work here. */
  runtimes: ReadonlySet<number>;
  /** Whether new work is taken now: not drained, not halted. */
  mayWork: () => boolean;
  log: Log;
}

/** A node's tier as it is shown: the last second at which it counts, and what is done about it. */
export interface TierStanding {
  tier: number;
  /** Unix seconds. */
  until: number;
  /** `off`: not by itself. `stopped`: the last proof cost the bond, so somebody must look first. */
  renewal: 'later' | 'running' | 'stopped' | 'off';
}

/** Part of a tier's time that is left when its proof is renewed, and of it that lies between two tries: four tries before it has run out. */
const RENEW_AT = 1 / 5;
const RETRY_AFTER = 1 / 20;
const TRIED = 'tier:tried';
const FAILED = 'tier:failed';

/**
 * Keeps this node's tier (docs/capability.md): proves it again before it has run out, stores the spec of each proof before the node looks for it, and has what
 * is proven entered. A tier that the node never had is its owner's to begin: it takes the machine for a while and locks a bond.
 */
export class Renewer {
  readonly #options: RenewerOptions;
  readonly #deps: RenewerDeps;
  /** Proofs that were entered, or never can be. */
  readonly #ended = new Set<Hex>();
  readonly #stored = new Set<Hex>();
  #looked = Number.NEGATIVE_INFINITY;
  #standing: TierStanding | undefined;

  constructor(options: RenewerOptions, deps: RenewerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The tier as it was last seen; undefined for a node without one. */
  get standing(): TierStanding | undefined {
    return this.#standing;
  }

  /** Looks after the proofs; never throws. `events`: what `head` brought. */
  async tick(head: Head, events: readonly MarketEvent[]): Promise<void> {
    const { node } = this.#options;
    const { proofs } = this.#deps;
    const isNew = events.some((event) => event.name === 'JobPosted' && isOwnProof(event.terms, node, proofs.address));
    if (!isNew && head.number - this.#looked < this.#options.everyBlocks) return;
    try {
      const running = await this.#lookAfter(head);
      this.#standing = await this.#renew(head, running);
      this.#looked = head.number;
    } catch (error) {
      // The node's work does not wait for its tier.
      this.#deps.log.warn('The tier is looked after with a later block', { error });
    }
  }

  /** Stores, and enters, what there is of proofs. Answers whether one is under way. */
  async #lookAfter(head: Head): Promise<boolean> {
    const { chain, proofs, book } = this.#deps;
    let running = false;
    for (const job of book.jobsFor(proofs.address, this.#options.node)) {
      if (this.#ended.has(job.id)) continue;
      const { state } = await chain.job(job.id);
      if (state === 'complete') running = (await this.#enter(job.id)) || running;
      else if (state === 'leased' || (state === 'open' && head.timestamp <= job.terms.expiry)) {
        running = true;
        await this.#store(job);
      } else this.#ended.add(job.id);
    }
    return running;
  }

  async #enter(job: Hex): Promise<boolean> {
    const { proofs, proposer, book, log } = this.#deps;
    if ((await proofs.tierOf(job)) !== undefined) {
      const data = encodeFunctionData({ abi: capabilityProofsAbi, functionName: 'finish', args: [job] });
      const name = `finishProof:${job}`;
      const proposed = await proposer.propose(
        { name, kind: 'finishProof', to: proofs.address, data },
        book.cursor()?.number ?? 0,
      );
      if (proposed.outcome !== 'refused') return true;
      log.info('A proof is not entered', { job, revert: proposed.revert.message });
    }
    this.#ended.add(job);
    return false;
  }

  async #store({ id, terms, postedBlock }: KnownJob): Promise<void> {
    const { proofs, storage, asset, log } = this.#deps;
    if (this.#stored.has(id)) return;
    const tier = await proofs.tierOf(id);
    const benchmark = tier === undefined ? undefined : await proofs.benchmark(tier);
    const nonce = await proofs.nonce(id, postedBlock);
    const made = benchmark && nonce && specOf(benchmark, nonce);
    if (!made || made.block.digest !== terms.spec) {
      // Governance has set another benchmark since, or an endpoint is behind: the next look tells.
      log.warn('The spec of a proof cannot be made', { job: id, tier });
      return;
    }
    const module = await asset(`capability.${made.spec.runtime}`);
    for (const [at, backend] of storage.entries()) {
      try {
        await backend.addFile(module);
        await backend.putBlock(made.block.cid, made.block.bytes);
      } catch (error) {
        // The first is this node's own, without which it cannot do the job; from the others it is only closer to jurors.
        if (at === 0) throw error;
        log.warn('The gateway did not take the spec of a proof; this node serves it all the same', { job: id, error });
      }
    }
    this.#stored.add(id);
  }

  async #renew(head: Head, running: boolean): Promise<TierStanding | undefined> {
    const { chain, proofs, journal, book } = this.#deps;
    const view = await chain.node(this.#options.node);
    const { tier, tierUntil: until } = view;
    if (tier === 0) return undefined;
    if (running) return { tier, until, renewal: 'running' };
    if (!this.#options.renew) return { tier, until, renewal: 'off' };
    if (this.#failed(until)) return { tier, until, renewal: 'stopped' };
    const benchmark = await proofs.benchmark(tier);
    const later: TierStanding = { tier, until, renewal: 'later' };
    if (!benchmark || until - head.timestamp > benchmark.validFor * RENEW_AT) return later;
    const tried = Number(journal.meta(TRIED) ?? 0);
    if (head.timestamp < tried + benchmark.validFor * RETRY_AFTER) return later;
    if (!this.#isAble(view, benchmark)) return later;
    const data = encodeFunctionData({
      abi: capabilityProofsAbi,
      functionName: 'begin',
      args: [this.#options.node, tier],
    });
    const name = `beginProof:${tier}:${until}`;
    const proposed = await this.#deps.proposer.propose(
      { name, kind: 'beginProof', to: proofs.address, data },
      book.cursor()?.number ?? 0,
    );
    if (proposed.outcome === 'sent') {
      journal.setMeta(TRIED, String(head.timestamp));
      this.#deps.log.info('Proof of the tier begun again', { tier, until });
    }
    if (proposed.outcome !== 'refused') return { tier, until, renewal: 'running' };
    this.#deps.log.warn('The tier cannot be proven again now', { tier, until, revert: proposed.revert.message });
    return later;
  }

  /** Whether the last try was claimed and not shown. That has cost its bond: trying again by itself could cost it again and again. */
  #failed(until: number): boolean {
    const { book, proofs, journal, log } = this.#deps;
    if (journal.meta(FAILED) === String(until)) return true;
    const tried = Number(journal.meta(TRIED) ?? 0);
    if (tried === 0) return false;
    const lost = book
      .jobsFor(proofs.address, this.#options.node)
      .filter(({ terms }) => terms.expiry >= tried)
      .some(({ id }) => book.leasesOf(id).some(({ phase }) => phase === 'lapsed'));
    if (!lost) return false;
    // Told once: when its owner has proven the tier anew, it is renewed again.
    journal.setMeta(TRIED, '0');
    journal.setMeta(FAILED, String(until));
    log.error(
      'The tier was not proven in time and the bond is lost. It is not tried again by itself: find out what kept the machine busy, then run dpu-node prove.',
      { until },
    );
    return true;
  }

  #isAble({ stake, locked, queued, runtimes }: NodeView, { runtime, bond }: Benchmark): boolean {
    const offered = (runtimes & (1 << runtime)) !== 0 && this.#deps.runtimes.has(runtime);
    return offered && stake - locked - queued >= bond && this.#deps.mayWork();
  }
}
