import type { Chain, Head } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { type Executor, leaseKeyOf, leaseName } from '../work/executor.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import { committedSeats, overdueSeats, panelTimes, patienceOf } from './panels.ts';
import type { PromiseBook } from './promiseBook.ts';
import type { Prover } from './prover.ts';
import type { Settler } from './settler.ts';
import { nextStep, type Step } from './steps.ts';

/** How leases are kept going. */
export interface KeeperOptions {
  node: number;
  /** Blocks that a commit must have, its own included, before its result is shown. */
  revealConfirmations: number;
  /** Seconds that others on a range are given beyond their deadline before this node says that they have lapsed. */
  lapseGraceSeconds: number;
}

/** What the keeper works with. */
export interface KeeperDeps {
  chain: Pick<Chain, 'leaseWord'>;
  book: ChainBook;
  facts: ChainFacts;
  promises: PromiseBook;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  executor: Executor;
  prover: Prover;
  settler: Settler;
  /** Whether a result may be shown now, or waits for receipts of its copies; absent: always. `closes`: last good second. */
  mayShow?: (lease: KnownLease, closes: number, head: Head) => boolean;
  log: Log;
}

/** A lease of ours and what it needs. */
export interface LeaseStep {
  lease: KnownLease;
  step: Step;
}

/** Looks at every living lease of ours once per head and does its next step. What happened before, or in which process, is no matter. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #deps: KeeperDeps;
  readonly #mourned = new Set<string>();
  #steps: readonly LeaseStep[] = [];

  constructor(options: KeeperOptions, deps: KeeperDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The living leases as of the last head. */
  get steps(): readonly LeaseStep[] {
    return this.#steps;
  }

  /** `seenMs`: when the head was seen, on the steady clock. */
  async tick(head: Head, seenMs: number): Promise<void> {
    const { book, executor, prover, settler } = this.#deps;
    const steps: LeaseStep[] = [];
    const due: KnownLease[] = [];
    for (const lease of book.ownLiving(this.#options.node)) {
      const { step, closes } = await this.#judge(lease, head);
      steps.push({ lease, step });
      if (step === 'run') executor.start(lease);
      else if (step === 'commit') await prover.commit(lease, seenMs);
      else if (step === 'settle') due.push(lease);
      else if (step === 'submit' || step === 'reveal') await this.#show(lease, step, closes, head, seenMs);
      else if (step === 'agree' && this.#mayShow(lease, closes, head))
        await settler.agree(lease, closes, this.#deps.nextTime(), seenMs);
      else if (step === 'lapse') await this.#lapse(lease);
      else if (step === 'lost') this.#mourn(lease);
      // Others on its range who are late hold it up.
      if (lease.phase !== 'claimed' && lease.seated) await this.#lapseLate(lease, head);
    }
    this.#steps = steps;
    await settler.settle(due, seenMs);
    await this.#endJudged(head, seenMs);
  }

  /** Does what proves a lease next, without waiting for a block: its result has just come to the disk, or its copies are made. */
  async prove(lease: KnownLease, head: Head, readyMs: number): Promise<void> {
    // The lease as it stands now: a reorg may have taken it away while it was computed.
    const now = this.#deps.book.lease(lease.job, lease.lease.first, lease.lease.node);
    if (!now || now.lease.node !== lease.lease.node || now.lease.deadline !== lease.lease.deadline) return;
    const { step, closes } = await this.#judge(now, head);
    if (step === 'commit') await this.#deps.prover.commit(now, readyMs);
    if (step === 'submit' || step === 'reveal') await this.#show(now, step, closes, head, readyMs);
  }

  async #show(
    lease: KnownLease,
    step: 'submit' | 'reveal',
    closes: number,
    head: Head,
    sinceMs: number,
  ): Promise<void> {
    const { prover, book } = this.#deps;
    if (!this.#mayShow(lease, step === 'submit' ? lease.lease.deadline : closes, head)) return;
    if (step === 'submit') await prover.submit(lease, sinceMs);
    else await prover.reveal(lease, closes, sinceMs, committedSeats(book, lease));
  }

  /** What was shown before needs no leave. */
  #mayShow(lease: KnownLease, closes: number, head: Head): boolean {
    if (lease.phase !== 'claimed' && lease.phase !== 'committed') return true;
    return this.#deps.mayShow?.(lease, closes, head) ?? true;
  }

  async #judge(lease: KnownLease, head: Head): Promise<{ step: Step; closes: number }> {
    const { chain, book, facts, promises, executor } = this.#deps;
    const key = leaseKeyOf(lease);
    const panel =
      lease.seated && lease.phase !== 'claimed'
        ? await panelTimes(lease, { chain, book, facts, head, nextTime: this.#deps.nextTime() })
        : undefined;
    const alone = lease.phase === 'committed' && !lease.seated;
    const reveal = alone ? await facts.revealTimes(lease, head) : panel?.reveal;
    const step = nextStep(lease, {
      head,
      nextTime: this.#deps.nextTime(),
      promised: promises.promised(key),
      running: executor.isRunning(key),
      failed: executor.hasFailed(key),
      reveal,
      boundBlock: panel?.boundBlock ?? lease.lease.committedBlock,
      agreeAt: panel?.agreeAt,
      lastWord: panel?.lastWord ?? 'no',
      revealConfirmations: this.#options.revealConfirmations,
    });
    return { step, closes: reveal?.closes ?? 0 };
  }

  /**
   * Ends panels on which juries have dealt with this node's seat and with every other one that was shown: nobody there has a living seat that
   * would remind it, and bonuses, the rest of the escrow and the range itself wait for the end.
   */
  async #endJudged(head: Head, seenMs: number): Promise<void> {
    const { chain, book, facts, nextTime, settler } = this.#deps;
    for (const seat of book.ownJudged(this.#options.node)) {
      if (committedSeats(book, seat).some(({ phase }) => phase === 'revealed')) continue; // Its holder ends it.
      const { reveal, agreeAt } = await panelTimes(seat, { chain, book, facts, head, nextTime: nextTime() });
      if (!reveal || agreeAt === undefined || nextTime() < agreeAt) continue;
      await settler.agree(seat, reveal.closes, nextTime(), seenMs);
    }
  }

  async #lapseLate(lease: KnownLease, head: Head): Promise<void> {
    const { book, settler } = this.#deps;
    const { node, lapseGraceSeconds } = this.#options;
    for (const late of overdueSeats(book, lease, head.timestamp - patienceOf(node, lapseGraceSeconds))) {
      await settler.lapse(late);
    }
  }

  async #lapse(lease: KnownLease): Promise<void> {
    this.#deps.executor.cancel(leaseKeyOf(lease));
    this.#mourn(lease);
    await this.#deps.settler.lapse(lease);
  }

  #mourn(lease: KnownLease): void {
    const name = leaseName(leaseKeyOf(lease));
    if (this.#mourned.has(name)) return;
    this.#mourned.add(name);
    this.#deps.log.error('Lease is lost, its bond or part of it will be taken', {
      job: lease.job,
      first: lease.lease.first,
      phase: lease.phase,
      bond: lease.bond,
    });
  }
}
