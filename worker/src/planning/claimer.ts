import { readRules } from '@dpu/sdk/rules';
import { rampStart, type Terms } from '@dpu/sdk/terms';
import { zeroHash, type Address, type Hex } from 'viem';

import { isAuditable } from '../leases/audit.ts';
import { auditRange } from '../leases/auditor.ts';
import type { Chain, Head, JobView, NodeView } from '../chain/chain.ts';
import type { ChainBook, KnownJob, KnownLease, KnownRange } from '../chain/chainBook.ts';
import { marketCalls } from '@dpu/sdk/calls';
import type { DeclineBook } from './declines.ts';
import { drawnAt } from './draw.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import type { MarketEvent } from '../chain/marketEvents.ts';
import { freePanel, patienceOf } from '../leases/panels.ts';
import type { IntentKind, Outbox } from '../sending/outbox.ts';
import {
  planClaims,
  screenTerms,
  type Candidate,
  type PlanFacts,
  type PlannedClaim,
  type PlanOptions,
  type Range,
} from './plan.ts';
import { PendingClaims } from './pendingClaims.ts';
import type { Preparer } from './preparer.ts';
import type { PromiseBook } from '../leases/promiseBook.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { Settler } from '../leases/settler.ts';
import type { Governor } from '../resources/governor.ts';
import type { Resources } from '../resources/resources.ts';
import type { Experience } from './experience.ts';
import type { Timings } from '../timings.ts';

/** How jobs are claimed. */
export interface ClaimerOptions extends PlanOptions {
  node: number;
  /** Ids of the runtimes that work on this machine. */
  runtimes: ReadonlySet<number>;
  /** The DPU token. */
  token: Address;
  /** Offer to block proposers, wei per gas: part of what gas costs. */
  tip: bigint;
  /** Seconds that a holder is given beyond its deadline before somebody else says that it has lapsed. */
  lapseGraceSeconds: number;
}

/** What the claimer works with. */
export interface ClaimerDeps {
  chain: Chain;
  book: ChainBook;
  facts: ChainFacts;
  outbox: Outbox;
  promises: PromiseBook;
  preparer: Preparer;
  resources: Resources;
  governor: Pick<Governor, 'halt' | 'secondsLeft' | 'reading'>;
  experience: Pick<Experience, 'gasOf'>;
  proposer: Proposer;
  settler: Settler;
  declines: DeclineBook;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  /** The wallet cannot pay for gas. */
  walletEmpty: () => boolean;
  log: Log;
  timings: Timings;
  clockMs: () => number;
}

/** Takes work: prepares what could be claimed, asks the pure plan, and claims in the very block in which the draw lets it. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #deps: ClaimerDeps;
  readonly #views = new Map<Hex, JobView>();
  /** Stake per runtime, as of the head that is being worked off. */
  readonly #stakes = new Map<number, Promise<bigint>>();
  readonly #pending: PendingClaims;
  #draining: 'no' | 'stay' | 'leave' = 'no';

  constructor(options: ClaimerOptions, deps: ClaimerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#pending = new PendingClaims(options, deps);
  }

  get draining(): boolean {
    return this.#draining !== 'no';
  }

  /** Whether the node is to end once it is drained. */
  get leaving(): boolean {
    return this.#draining === 'leave';
  }

  /** Takes no new work from now on: `stay` until told to go on, `leave` for good. */
  drain(then: 'stay' | 'leave'): void {
    this.#draining = then;
  }

  /** Takes work again. */
  resume(): void {
    this.#draining = 'no';
  }

  /** What was remembered of jobs may be wrong after these events; after a reorg of everything. */
  forget(events: readonly MarketEvent[], reorged: boolean): void {
    if (reorged) {
      this.#views.clear();
      this.#deps.facts.forgetBlocks();
    }
    for (const { job } of events) this.#views.delete(job);
  }

  /** Claims what should be claimed in the block after `head`. `seenMs`: when the head was seen, on the steady clock. */
  async tick(head: Head, seenMs: number, signal: AbortSignal): Promise<void> {
    const nextTime = this.#deps.nextTime();
    const { book, chain } = this.#deps;
    const jobs = book.openJobs().filter(({ terms }) => lastWorkOf(terms) >= head.timestamp);
    if (jobs.length === 0) return;

    const [view, config] = await Promise.all([chain.node(this.#options.node), chain.config()]);
    const facts: PlanFacts = {
      node: this.#options.node,
      view,
      minStake: config.minStake,
      runtimes: this.#options.runtimes,
      room: this.#pending.room(),
      gas: { weiPerGas: head.baseFee + this.#options.tip, of: (kind) => this.#deps.experience.gasOf(kind) },
      halt: this.#deps.governor.halt,
      secondsLeft: this.#deps.governor.secondsLeft,
      nextTime,
      walletEmpty: this.#deps.walletEmpty(),
      pausedUntil: config.pausedUntil,
      draining: this.draining,
    };
    this.#stakes.clear();
    const candidates: Candidate[] = [];
    for (const job of jobs) {
      const candidate = await this.#candidate(job, facts, head, signal);
      if (candidate) candidates.push(candidate);
    }
    const plan = planClaims(candidates, facts, this.#options);
    for (const claim of plan.claims) await this.#claim(claim, head, seenMs);
    const fresh = this.#deps.declines.add(plan.declines, head.timestamp);
    for (const decline of fresh) this.#deps.log.info('Job declined', { ...decline });
    await this.#deps.declines.sign(fresh, head.timestamp);
  }

  /* CANDIDATES */

  async #candidate(job: KnownJob, facts: PlanFacts, head: Head, signal: AbortSignal): Promise<Candidate | undefined> {
    const { id, terms, postedBlock } = job;
    const base = { job: id, terms, postedBlock };
    // What the terms alone rule out needs no look inside, and no question to the chain.
    const screened = screenTerms(terms, facts, this.#options);
    const reserved = screened?.code === 'reserved' && isAuditable(terms);
    if (screened && !reserved) return { ...base, ranges: [], preparation: { state: 'waiting' } };
    const failure = this.#deps.promises.failure(id, head.timestamp);
    if (failure !== undefined) {
      return {
        ...base,
        ranges: [],
        preparation: { state: 'declined', code: 'failedBefore', detail: { reason: failure } },
      };
    }
    const view = await this.#view(id);
    if (view.state !== 'open' && view.state !== 'leased') return undefined;
    const afterCompletedAt = terms.afterJob === zeroHash ? undefined : await this.#completedAt(terms.afterJob);
    // Nothing of it can be prepared, since its inputs do not exist yet.
    if (afterCompletedAt === 'notYet') return undefined;
    const audits = await this.#audits(job, facts.view, head);
    const isOver = terms.expiry < head.timestamp;
    const ranges =
      isOver || reserved ? audits : [...(await this.#ranges(job, view, afterCompletedAt, facts.view, head)), ...audits];
    // Whom the job is reserved for may work on it; another only looks after it.
    if (ranges.length === 0 && reserved) return { ...base, ranges, preparation: { state: 'waiting' } };
    if (ranges.length === 0 && isOver) return undefined;
    const preparation = this.#deps.preparer.preparation(id, terms, head, signal);
    return ranges.length === 0 ? undefined : { ...base, ranges, preparation };
  }

  async #view(id: Hex): Promise<JobView> {
    const known = this.#views.get(id);
    if (known) return known;
    const view = await this.#deps.chain.job(id);
    this.#views.set(id, view);
    return view;
  }

  async #completedAt(parent: Hex): Promise<number | 'notYet'> {
    const view = await this.#view(parent);
    if (view.state === 'complete') return view.at;
    this.#views.delete(parent);
    return 'notYet';
  }

  async #ranges(
    { id, terms }: KnownJob,
    view: JobView,
    afterCompletedAt: number | undefined,
    node: NodeView,
    head: Head,
  ): Promise<Range[]> {
    const { book, chain, facts, proposer } = this.#deps;
    const scanned = book.cursor()?.number ?? 0;
    const known = book.rangesOf(id);
    const leases = known.flatMap((range) => range.leases);
    if (this.#isUnproven(id, leases)) return [];
    const ranges: Range[] = [];
    const drawn = async (
      first: number,
      from: number,
      post: { at: number; atBlock: number } = view,
    ): Promise<number | undefined> =>
      drawnAt(terms, {
        job: id,
        first,
        from,
        node: this.#options.node,
        nodeView: node,
        postedAt: post.at,
        runtimeStake: await this.#runtimeStake(terms.runtime),
        seed: await facts.seed(post.atBlock + 1, head),
      });

    for (const range of known) {
      const lease = range.leases[0]?.lease;
      if (!lease || proposer.isPending(takeOverName(id, lease.first), scanned)) continue;
      const { first, count } = lease;
      if (range.standing === 'held') {
        ranges.push(...(await this.#overdue(range, head)));
        if (terms.seats === 1 || proposer.isPending(sitName(id, first), scanned)) continue;
        const panel = await freePanel(chain, range, this.#options.node, this.#deps.nextTime());
        if (!panel) continue;
        const { rampFrom: from, postedAt: at, postBlock: atBlock } = panel;
        ranges.push({ kind: 'seat', first, count, from, drawnAt: await drawn(first, from, { at, atBlock }) });
      } else if (range.standing === 'lapsed' && view.state === 'open' && !this.#isIn(range)) {
        const { at: from } = await chain.lease(id, first);
        ranges.push({ kind: 'lapsed', first, count, from, drawnAt: await drawn(first, from) });
      }
    }
    // Last: a range that nobody has begun can wait, a seat beside others is only free for a while.
    if (view.state === 'open' && view.cursor < terms.shards && !proposer.isPending(claimName(id), scanned)) {
      const from = rampStart(terms, { postedAt: view.at, afterCompletedAt });
      const first = view.cursor;
      const fresh: Range = {
        kind: 'fresh',
        first,
        count: terms.shards - first,
        from,
        drawnAt: await drawn(first, from),
      };
      if (terms.seats === 1) ranges.unshift(fresh);
      else ranges.push(fresh);
    }
    return ranges;
  }

  /** Leases of others that were drawn for an audit which this node may take. */
  async #audits({ id, terms }: KnownJob, view: NodeView, head: Head): Promise<Range[]> {
    if (!isAuditable(terms)) return [];
    const { book, chain, facts, proposer, nextTime } = this.#deps;
    const { node, token } = this.#options;
    const scanned = book.cursor()?.number ?? 0;
    const ranges: Range[] = [];
    for (const { leases } of book.rangesOf(id)) {
      const [lease] = leases;
      if (!lease || proposer.isPending(auditName(id, lease.lease.first), scanned)) continue;
      const sources = { chain, facts, head, nextTime: nextTime(), node, nodeView: view, token };
      const range = await auditRange(lease, { ...sources, runtimeStake: () => this.#runtimeStake(terms.runtime) });
      if (range) ranges.push(range);
    }
    return ranges;
  }

  /** Whether this node holds the range, or has lost it. */
  #isIn({ leases }: KnownRange): boolean {
    return leases.some(({ lease }) => lease.node === this.#options.node);
  }

  /** Holders of the range who missed a deadline, unless this node is among them. */
  async #overdue(range: KnownRange, head: Head): Promise<Range[]> {
    if (this.#isIn(range)) return [];
    const late: Range[] = [];
    for (const lease of range.leases) {
      if (!(await this.#isOverdue(lease, head))) continue;
      const { first, count, node: holder } = lease.lease;
      // Only ours to say when we would take it ourselves: being first to say so pays nothing.
      late.push({ kind: 'overdue', first, count, holder, from: head.timestamp, drawnAt: head.timestamp });
    }
    return late;
  }

  #runtimeStake(runtime: number): Promise<bigint> {
    const known = this.#stakes.get(runtime);
    if (known) return known;
    const stake = this.#deps.chain.runtimeStake(runtime);
    this.#stakes.set(runtime, stake);
    return stake;
  }

  /** A job that has not finished a shard here yet, and of which a lease is held: another could be lost in the same way. */
  #isUnproven(id: Hex, leases: readonly KnownLease[]): boolean {
    return (
      !this.#deps.preparer.isProven(id) &&
      leases.some(({ phase, lease }) => phase === 'claimed' && lease.node === this.#options.node)
    );
  }

  async #isOverdue(lease: KnownLease, head: Head): Promise<boolean> {
    const patience = patienceOf(this.#options.node, this.#options.lapseGraceSeconds);
    if (lease.phase === 'claimed') return head.timestamp > lease.lease.deadline + patience;
    // Seats that have committed end together, by those who sit.
    if (lease.phase !== 'committed' || lease.seated) return false;
    const times = await this.#deps.facts.revealTimes(lease, head);
    return times !== undefined && head.timestamp > times.closes + patience;
  }

  /* CLAIMING */

  async #claim(claim: PlannedClaim, head: Head, seenMs: number): Promise<void> {
    const { proposer, log, timings, clockMs, book, settler } = this.#deps;
    const { job, terms, first, count, kind, holder = 0 } = claim;
    if (kind === 'overdue') {
      const lease = book.lease(job, first, holder);
      if (lease) await settler.lapse(lease);
      return;
    }
    const scanned = book.cursor()?.number ?? 0;
    const [name, intent, data] = this.#callFor(claim);
    if (claim.lot) this.#pending.add(name, claim.lot);
    const proposed = await proposer.propose(
      { name, kind: intent, data, ...(kind === 'audit' ? {} : { deadline: terms.expiry }), shards: count },
      scanned,
    );
    const facts = { job, first, count, price: claim.price };
    if (proposed.outcome === 'sent') {
      const ms = clockMs() - seenMs;
      timings.add('claim', ms);
      log.info('Claim sent', { ...facts, ms: Math.round(ms * 10) / 10, head: head.number });
    } else if (proposed.outcome === 'refused') {
      this.#views.delete(job);
      log.debug('Claim would be refused', { ...facts, revert: proposed.revert.message });
    }
  }

  #callFor({ job, terms, first, count, kind, holder = 0 }: PlannedClaim): [string, IntentKind, Hex] {
    const { node } = this.#options;
    const audited = kind === 'audit' ? this.#deps.book.lease(job, first, holder) : undefined;
    if (audited) return [auditName(job, first), 'audit', marketCalls.audit(terms, audited.lease, node)];
    if (terms.seats === 1) {
      return kind === 'lapsed'
        ? [takeOverName(job, first), 'takeOver', marketCalls.takeOver(terms, first, node)]
        : [claimName(job), 'claim', marketCalls.claim(terms, node, count)];
    }
    const name = { seat: sitName, lapsed: takeOverName, fresh: claimName, overdue: claimName, audit: claimName }[kind];
    // Without a commitment: it is bound once it has computed.
    return [name(job, first), 'sit', marketCalls.sit(terms, first, count, node, zeroHash)];
  }
}

const claimName = (job: Hex): string => `claim:${job}`;
const takeOverName = (job: Hex, first: number): string => `takeOver:${job}/${first}`;
const sitName = (job: Hex, first: number): string => `sit:${job}/${first}`;
const auditName = (job: Hex, first: number): string => `audit:${job}/${first}`;

/** Last second at which there may be work on a job: where leases are audited, some time after the last could be claimed. */
function lastWorkOf(terms: Terms): number {
  return isAuditable(terms) ? terms.expiry + terms.exec + readRules(terms.rules).auditWindow : terms.expiry;
}
