import {
  claimsFault,
  disputeCost,
  packTestimony,
  serveUntil,
  speakUntil,
  testimonyOf,
  type Testimony,
  type Vote,
} from '@dpu/sdk/court';
import { isSeat } from '@dpu/sdk/lease';
import { encodeManifest } from '@dpu/sdk/manifest';
import { juryBench, juryDrawnAt } from '@dpu/sdk/juryDraw';
import { marketCalls } from '@dpu/sdk/calls';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { zeroHash, type Address } from 'viem';

import type { Chain, Head } from '../chain/chain.ts';
import type { ChainBook } from '../chain/chainBook.ts';
import { DeclineError } from '../planning/declines.ts';
import { messageOf } from '../errors.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import { storable } from '../work/privateOutput.ts';
import type { Proposer } from '../sending/proposer.ts';
import { fitsBeside } from '../resources/edf.ts';
import { needsOf } from '../resources/needs.ts';
import type { Resources } from '../resources/resources.ts';
import type { CourtBook, KnownDispute } from './courtBook.ts';
import { roundOf } from './disputeFold.ts';
import { jurorSalt } from './salts.ts';
import type { Shown } from './shown.ts';
import type { OwnShard, TrialRun } from './trialRun.ts';
import { voteOn } from './verdict.ts';

/** Who the juror is. */
export interface JurorOptions {
  node: number;
  /** Runtime ids that this machine can run. */
  runtimes: ReadonlySet<number>;
  /** See `saltSecret`. */
  saltSecret: Uint8Array;
}

/** What the juror works with. */
export interface JurorDeps {
  chain: Pick<Chain, 'node' | 'runtimeStake'>;
  book: ChainBook;
  court: CourtBook;
  facts: ChainFacts;
  proposer: Proposer;
  trial: TrialRun;
  shown: Shown;
  resources: Resources;
  /** This node's own store: from here what the juror computed is served. */
  local: StorageBackend;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  /** Whether this node takes no new work. */
  draining: () => boolean;
  log: Log;
}

/**
 * Serves on juries: computes the shard when the node is drawn, is bound to its vote on disk before it sits down, and speaks once everybody
 * sits. What happened before, or in which process, is no matter.
 */
export class Juror {
  readonly #options: JurorOptions;
  readonly #deps: JurorDeps;
  readonly #running = new Map<string, Promise<void>>();
  /** Rounds in which this process found no vote. */
  readonly #abstains = new Set<string>();
  readonly #stop = new AbortController();

  constructor(options: JurorOptions, deps: JurorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Shards that are computed for juries now. */
  get running(): number {
    return this.#running.size;
  }

  /** Looks at every open dispute once per head. */
  async tick(head: Head): Promise<void> {
    for (const dispute of this.#deps.court.open()) await this.#look(dispute, head);
  }

  /** Stops computing; what was found is on disk. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #look(dispute: KnownDispute, head: Head): Promise<void> {
    const { court, facts, nextTime, draining } = this.#deps;
    const { round, number } = roundOf(dispute);
    if (round.judged) return;
    const began = await facts.block(round.block, head);
    if (!began) return; // An answer from another fork; the next head knows better.
    const times = { at: began.timestamp };
    const name = `${dispute.key}:${number}`;
    const seat = round.jurors.find(({ node }) => node === this.#options.node);
    const said = court.testimony(dispute.key, number);
    if (seat) {
      if (round.votes.has(this.#options.node)) return;
      if (!said)
        this.#compute(dispute, number, speakUntil(dispute.terms, times)); // The journal is lost: an exact job has the same vote and salt again.
      else await this.#speak(dispute, said, seat.commitment, speakUntil(dispute.terms, times));
      return;
    }
    if (draining() || this.#abstains.has(name) || this.#running.has(name)) return;
    const drawn = await this.#drawnAt(dispute, times.at, head);
    if (drawn === undefined || nextTime() < drawn) return;
    if (said) await this.#serve(dispute, number, said, serveUntil(dispute.terms, times));
    else {
      const until = serveUntil(dispute.terms, times);
      if (this.#hasTime(dispute, until)) this.#compute(dispute, number, until);
    }
  }

  /** Whether a shard can be computed until then: at once, or after what is more urgent without making anything late. */
  #hasTime({ terms }: KnownDispute, deadline: number): boolean {
    const { resources, nextTime } = this.#deps;
    if (resources.free.slots > 0) return true;
    const lot = { deadline, waiting: 1, running: [], seconds: terms.exec, needs: needsOf(0) };
    return fitsBeside(resources.lots, lot, resources.capacity, nextTime());
  }

  async #drawnAt(dispute: KnownDispute, at: number, head: Head): Promise<number | undefined> {
    const { chain, facts, book, nextTime } = this.#deps;
    const { node, runtimes } = this.#options;
    const { key, terms, challenger, appellant, lease } = dispute;
    if (!runtimes.has(terms.runtime)) return undefined;
    const view = await chain.node(node);
    if (view.stake - view.locked - view.queued < disputeCost(terms).juror) return undefined;
    const { round, number } = roundOf(dispute);
    const parties: Address[] = [(await chain.node(lease.node)).owner];
    for (const party of [challenger, ...(appellant ? [appellant] : [])]) {
      parties.push(party.node === 0 ? party.account : (await chain.node(party.node)).owner);
    }
    const benchOf = (nodes: readonly { node: number }[] = []): bigint =>
      juryBench(
        key,
        nodes.map((one) => one.node),
      );
    const beside = isSeat(lease) || (book.lease(dispute.job, lease.first, lease.node)?.seated ?? false);
    return juryDrawnAt(
      terms,
      {
        key,
        dispute: { state: 'serving', round: number, at },
        node,
        view,
        parties,
        neighbours: beside ? (book.range(dispute.job, lease.first)?.leases ?? []).map((one) => one.lease.node) : [],
        bench: benchOf(round.jurors),
        firstBench: benchOf(dispute.rounds[0]?.jurors),
        runtimeStake: await chain.runtimeStake(terms.runtime),
        seed: await facts.seed(round.block + 1, head),
      },
      nextTime(),
    );
  }

  #compute(dispute: KnownDispute, round: number, until: number): void {
    const name = `${dispute.key}:${round}`;
    if (this.#running.has(name) || this.#abstains.has(name)) return;
    const { court, log } = this.#deps;
    const { job, index: shard } = dispute;
    const work = this.#vote(dispute, round, until, this.#stop.signal)
      .then((testimony) => {
        court.promise(dispute.key, round, testimony);
        log.info('Shard judged', { job, shard, verdict: testimony.verdict });
      })
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#abstains.add(name);
        const code = error instanceof DeclineError ? error.code : undefined;
        log.warn('Shard cannot be judged here', { job, shard, code, problem: messageOf(error), error });
      })
      .finally(() => this.#running.delete(name));
    this.#running.set(name, work);
  }

  async #vote(dispute: KnownDispute, round: number, until: number, signal: AbortSignal): Promise<Testimony> {
    const { book, trial, shown } = this.#deps;
    const { job, terms, index, hash, units, lease } = dispute;
    const own = await trial.run(job, terms, index, signal, until);
    const known = book.lease(job, lease.first, lease.node);
    const result = known?.lease.deadline === lease.deadline ? known.result : undefined;
    const verdict: Vote = await voteOn(own, {
      hash,
      units,
      claimsFault: result !== undefined && claimsFault(result),
      bytes: async () => {
        const manifest = result && (await shown.manifest({ job, lease, result }, signal));
        const entry = manifest?.shards.find((one) => one.shard === index);
        return entry && entry.hash === hash && own.kind === 'output'
          ? shown.output(entry, own.spec.limits.outputBytes, signal, own.secret)
          : undefined;
      },
    });
    const said = { node: this.#options.node, verdict, ...(await this.#publish(dispute, own)) };
    return { ...said, salt: jurorSalt(this.#options.saltSecret, dispute.key, round, said) };
  }

  /** Stores what was computed, so that it is there whoever hides its own; the evidence is the digest of its manifest. */
  async #publish({ job, index }: KnownDispute, own: OwnShard): Promise<Pick<Testimony, 'hash' | 'units' | 'evidence'>> {
    if (own.kind === 'fault') return { hash: zeroHash, units: 0n, evidence: zeroHash };
    const { local } = this.#deps;
    const { hash, units, output, secret } = own;
    const stored = await storable(output, secret);
    const { cid } = await local.addFile(stored);
    const shard = { shard: index, hash, cid, size: stored.length, units };
    const manifest = encodeManifest({
      ...{ version: 1, job, first: index, node: this.#options.node, shards: [shard] },
      ...(secret ? { private: { version: 1 } } : {}),
    });
    await local.putBlock(manifest.cid, manifest.bytes);
    return { hash, units, evidence: manifest.digest };
  }

  async #serve(
    { key, terms, lease, index, job }: KnownDispute,
    round: number,
    said: Testimony,
    until: number,
  ): Promise<void> {
    const { proposer, book, log } = this.#deps;
    const data = marketCalls.serve(terms, lease, index, this.#options.node, testimonyOf(key, round, said));
    const proposal = { name: `serve:${key}:${round}`, kind: 'serve', data, deadline: until } as const;
    const proposed = await proposer.propose(proposal, book.cursor()?.number ?? 0);
    if (proposed.outcome === 'sent') log.info('Seat on a jury taken', { job, shard: index });
    if (proposed.outcome === 'refused') log.debug('No seat on the jury', { job, revert: proposed.revert.message });
  }

  async #speak(dispute: KnownDispute, said: Testimony, commitment: string, until: number): Promise<void> {
    const { proposer, book, log } = this.#deps;
    const { key, terms, lease, index, job } = dispute;
    const { round, number } = roundOf(dispute);
    if (testimonyOf(key, number, said) !== commitment) {
      log.error('Testimony cannot be given: the journal has another one, the juror’s bond will be lost', {
        job,
        index,
      });
      return;
    }
    const at = round.jurors.findIndex(({ node }) => node === this.#options.node);
    const data = marketCalls.testify(terms, lease, index, round.jurors, BigInt(at), packTestimony(said));
    const proposal = { name: `testify:${key}:${number}`, kind: 'testify', data, deadline: until } as const;
    // Refused until everybody sits: that costs nothing.
    const proposed = await proposer.propose(proposal, book.cursor()?.number ?? 0);
    if (proposed.outcome === 'sent') log.info('Testimony sent', { job, shard: index, verdict: said.verdict });
  }
}
