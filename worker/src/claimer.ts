import { isSeat } from '@dpu/sdk/lease';
import { rampStart, runtimeName, type Terms } from '@dpu/sdk/terms';
import { zeroHash, type Hex } from 'viem';

import type { Chain, Head, JobView, NodeView } from './chain.ts';
import type { ChainBook, KnownJob, KnownLease, KnownRange } from './chainBook.ts';
import { marketCalls } from '@dpu/sdk/calls';
import { DeclineError, type Decline, type DeclineCode, type DeclineRing } from './declines.ts';
import { drawnAt } from './draw.ts';
import type { ChainFacts } from './facts.ts';
import type { Log } from './log.ts';
import type { MarketEvent } from './marketEvents.ts';
import { freePanel, patienceOf } from './panels.ts';
import type { Outbox } from './outbox.ts';
import {
  planClaims,
  screenTerms,
  type Candidate,
  type PlanFacts,
  type PlannedClaim,
  type PlanOptions,
  type Preparation,
  type Range,
} from './plan.ts';
import type { PromiseBook } from './promiseBook.ts';
import type { Proposer } from './proposer.ts';
import type { Settler } from './settler.ts';
import type { Slots } from './slots.ts';
import type { Timings } from './timings.ts';
import type { PreparedJob, Workspace } from './workspace.ts';

/** How jobs are claimed. */
export interface ClaimerOptions extends PlanOptions {
  node: number;
  /** Ids of the runtimes that work on this machine. */
  runtimes: ReadonlySet<number>;
  /** Seconds that a holder is given beyond its deadline before somebody else says that it has lapsed. */
  lapseGraceSeconds: number;
  /** Jobs that are prepared at the same time. */
  preparing: number;
}

/** What the claimer works with. */
export interface ClaimerDeps {
  chain: Chain;
  book: ChainBook;
  facts: ChainFacts;
  outbox: Outbox;
  promises: PromiseBook;
  workspace: Workspace;
  /** Starts a job for a moment. @throws DeclineError when it fails at once. */
  tryOut: (job: PreparedJob, signal: AbortSignal) => Promise<void>;
  slots: Slots;
  proposer: Proposer;
  settler: Settler;
  declines: DeclineRing;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  /** The wallet cannot pay for gas. */
  walletEmpty: () => boolean;
  log: Log;
  timings: Timings;
  clockMs: () => number;
}

/** What was found out about a job's inside. */
type Prepared =
  | { state: 'waiting' }
  | { state: 'ready'; module: string; units: number; seconds: number; memoryBytes: number }
  | {
      state: 'declined';
      error: DeclineError;
      /** Block time after which it is tried again. */
      until: number;
    };

/** What looking again cannot change. */
const FINAL: ReadonlySet<DeclineCode> = new Set(['specInvalid', 'inputsTooBig', 'fails']);
/** Seconds after which a job whose files could not be had is looked at again. */
const RETRY_SECONDS = 15;

/** Takes work: prepares what could be claimed, asks the pure plan, and claims in the very block in which the draw lets it. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #deps: ClaimerDeps;
  readonly #views = new Map<Hex, JobView>();
  readonly #prepared = new Map<Hex, Prepared>();
  /** Stake per runtime, as of the head that is being worked off. */
  readonly #stakes = new Map<number, Promise<bigint>>();
  #draining = false;

  constructor(options: ClaimerOptions, deps: ClaimerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Takes no new work from now on. */
  drain(): void {
    this.#draining = true;
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
    const jobs = book.openJobs().filter(({ terms }) => terms.expiry >= head.timestamp);
    if (jobs.length === 0) return;

    const [view, config] = await Promise.all([chain.node(this.#options.node), chain.config()]);
    const facts: PlanFacts = {
      node: this.#options.node,
      view,
      minStake: config.minStake,
      runtimes: this.#options.runtimes,
      freeSlots: Math.max(0, this.#deps.slots.free - this.#pendingShards()),
      nextTime,
      walletEmpty: this.#deps.walletEmpty(),
      pausedUntil: config.pausedUntil,
      draining: this.#draining,
    };
    this.#stakes.clear();
    const candidates: Candidate[] = [];
    for (const job of jobs) {
      const candidate = await this.#candidate(job, facts, head, signal);
      if (candidate) candidates.push(candidate);
    }
    const plan = planClaims(candidates, facts, this.#options);
    for (const claim of plan.claims) await this.#claim(claim, head, seenMs);
    for (const decline of plan.declines) this.#decline(decline, head);
  }

  /** Shards of claims that are on their way. */
  #pendingShards(): number {
    const scanned = this.#deps.book.cursor()?.number ?? 0;
    return this.#deps.outbox
      .live()
      .filter(({ kind, status, block }) => {
        if (kind !== 'claim' && kind !== 'takeOver' && kind !== 'join') return false;
        return status === 'queued' || status === 'sent' || (status === 'mined' && (block ?? 0) > scanned);
      })
      .reduce((sum, { shards }) => sum + shards, 0);
  }

  /* CANDIDATES */

  async #candidate(job: KnownJob, facts: PlanFacts, head: Head, signal: AbortSignal): Promise<Candidate | undefined> {
    const { id, terms, postedBlock } = job;
    const base = { job: id, terms, postedBlock };
    // What the terms alone rule out needs no look inside, and no question to the chain.
    if (screenTerms(terms, facts, this.#options)) return { ...base, ranges: [], preparation: { state: 'waiting' } };
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
    const preparation = this.#preparation(id, terms, head, signal);
    const ranges = await this.#ranges(job, view, afterCompletedAt, facts.view, head);
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
        if (terms.seats === 1 || proposer.isPending(joinName(id, first), scanned)) continue;
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
    const prepared = this.#prepared.get(id);
    const proven = prepared?.state === 'ready' && this.#deps.promises.seconds(prepared.module) !== undefined;
    return !proven && leases.some(({ phase, lease }) => phase === 'claimed' && lease.node === this.#options.node);
  }

  async #isOverdue(lease: KnownLease, head: Head): Promise<boolean> {
    const patience = patienceOf(this.#options.node, this.#options.lapseGraceSeconds);
    if (lease.phase === 'claimed') return head.timestamp > lease.lease.deadline + patience;
    // Seats that have committed end together, by those who sit.
    if (lease.phase !== 'committed' || isSeat(lease.lease)) return false;
    const times = await this.#deps.facts.revealTimes(lease, head);
    return times !== undefined && head.timestamp > times.closes + patience;
  }

  /* PREPARING */

  /** Fetches in the background; what is there is there when the draw lets us. */
  #preparation(id: Hex, terms: Terms, head: Head, signal: AbortSignal): Preparation {
    const known = this.#prepared.get(id);
    if (known?.state === 'ready') {
      return { state: 'ready', shardSeconds: this.#shardSeconds(known), memoryBytes: known.memoryBytes };
    }
    if (known?.state === 'waiting') return { state: 'waiting' };
    if (known?.state === 'declined' && head.timestamp < known.until) {
      return { state: 'declined', code: known.error.code, detail: known.error.detail };
    }
    const busy = [...this.#prepared.values()].filter(({ state }) => state === 'waiting').length;
    if (busy < this.#options.preparing) {
      this.#prepared.set(id, { state: 'waiting' });
      void this.#prepare(id, terms, head.timestamp, signal);
    }
    return { state: 'waiting' };
  }

  async #prepare(id: Hex, terms: Terms, now: number, signal: AbortSignal): Promise<void> {
    try {
      const job = await this.#deps.workspace.prepare(id, terms, signal);
      const { spec } = job;
      const { units, seconds, memoryBytes } = spec.limits;
      if (spec.runtime !== runtimeName(terms.runtime)) {
        throw new DeclineError('specInvalid', {
          problem: `it is for ${spec.runtime}, the terms for runtime ${terms.runtime}`,
        });
      }
      // What this machine would not run anyway is declined by the plan, with its own reason.
      if (memoryBytes <= this.#options.memoryBytes) await this.#deps.tryOut(job, signal);
      this.#prepared.set(id, { state: 'ready', module: spec.module.toString(), units, seconds, memoryBytes });
    } catch (error) {
      const declined =
        error instanceof DeclineError
          ? error
          : new DeclineError('inputsUnavailable', { problem: String(error) }, error);
      const final = FINAL.has(declined.code);
      this.#prepared.set(id, {
        state: 'declined',
        error: declined,
        until: final ? terms.expiry + 1 : now + RETRY_SECONDS,
      });
    }
    // Only while they can matter: a long life sees many jobs.
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size <= 512) break;
      this.#prepared.delete(oldest);
    }
  }

  /** By experience with the module; else the spec's own cap, which is what the requester grants it at most. */
  #shardSeconds({ module, seconds }: { module: string; seconds: number }): number {
    return Math.max(0.05, this.#deps.promises.seconds(module) ?? seconds);
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
    const { node } = this.#options;
    const [name, intent, data] =
      kind === 'lapsed'
        ? ([takeOverName(job, first), 'takeOver', marketCalls.takeOver(terms, first, node)] as const)
        : kind === 'seat'
          ? ([joinName(job, first), 'join', marketCalls.join(terms, first, node)] as const)
          : ([claimName(job), 'claim', marketCalls.claim(terms, node, count)] as const);
    const proposed = await proposer.propose(
      { name, kind: intent, data, deadline: terms.expiry, shards: count },
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

  #decline(decline: Decline, head: Head): void {
    if (this.#deps.declines.add(decline, head.timestamp)) this.#deps.log.info('Job declined', { ...decline });
  }
}

const claimName = (job: Hex): string => `claim:${job}`;
const takeOverName = (job: Hex, first: number): string => `takeOver:${job}/${first}`;
const joinName = (job: Hex, first: number): string => `join:${job}/${first}`;
