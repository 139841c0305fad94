import { boundOf } from '@dpu/sdk/bench';
import { commitmentOf, isSeat } from '@dpu/sdk/lease';

import type { KnownLease } from '../chain/chainBook.ts';
import { marketCalls } from '@dpu/sdk/calls';
import { leaseKeyOf, leaseName } from '../work/executor.ts';
import type { Log } from '../log.ts';
import type { IntentKind } from '../sending/outbox.ts';
import type { PromiseBook } from './promiseBook.ts';
import type { Proposed, Proposer } from '../sending/proposer.ts';
import type { Timings } from '../timings.ts';

/** What the prover works with. */
export interface ProverDeps {
  promises: PromiseBook;
  proposer: Proposer;
  /** The block up to which events were read. */
  scanned: () => number;
  log: Log;
  timings: Timings;
  /** Milliseconds of a steady clock, for latencies only. */
  clockMs: () => number;
}

/** Proves results on chain: commit, then reveal; or submit for direct jobs. The salt is on disk before any of it is sent. */
export class Prover {
  readonly #deps: ProverDeps;

  constructor(deps: ProverDeps) {
    this.#deps = deps;
  }

  /** Binds this node to its result. `sinceMs`: when the result was ready, or the head was seen, on the steady clock. */
  async commit(lease: KnownLease, sinceMs: number): Promise<Proposed | undefined> {
    const key = leaseKeyOf(lease);
    const promised = this.#deps.promises.promised(key);
    if (!promised) return undefined;
    const { first, node, deadline } = lease.lease;
    const commitment = commitmentOf({ id: lease.job, first, node, ...promised });
    const call = isSeat(lease.lease) ? marketCalls.commitSeat : marketCalls.commit;
    const data = call(lease.job, lease.lease, commitment);
    return this.#propose('commit', lease, data, deadline, 'Commit sent', sinceMs);
  }

  /** Shows the result of a direct job. */
  async submit(lease: KnownLease, sinceMs: number): Promise<Proposed | undefined> {
    const promised = this.#deps.promises.promised(leaseKeyOf(lease));
    if (!promised) return undefined;
    const data = marketCalls.submit(lease.job, lease.lease, promised.result);
    return this.#propose('submit', lease, data, lease.lease.deadline, 'Submit sent', sinceMs);
  }

  /**
   * Shows the result of a committed lease, before block time `closes`; among others (`seats`, in the order of their commits) that of its seat.
   * Undefined when what is on disk is not what was committed: then nothing that could be sent would be believed.
   */
  async reveal(
    lease: KnownLease,
    closes: number,
    sinceMs: number,
    seats: readonly KnownLease[],
  ): Promise<Proposed | undefined> {
    const promised = this.#deps.promises.promised(leaseKeyOf(lease));
    if (!promised) return undefined;
    const { first, node, commitment } = lease.lease;
    if (commitmentOf({ id: lease.job, first, node, ...promised }) !== commitment) {
      this.#deps.log.error('Commitment cannot be opened: the journal has another result, the bond will be lost', {
        job: lease.job,
        first,
      });
      return undefined;
    }
    const { result, salt } = promised;
    const bound = seats.map((seat) => boundOf(seat.lease));
    const index = seats.findIndex((seat) => seat.lease.node === node);
    const data = lease.seated
      ? marketCalls.revealSeat(lease.terms, first, bound, BigInt(index), result, salt)
      : marketCalls.reveal(lease.terms, lease.lease, result, salt);
    return this.#propose('reveal', lease, data, closes, 'Reveal sent', sinceMs);
  }

  async #propose(
    kind: IntentKind,
    lease: KnownLease,
    data: `0x${string}`,
    deadline: number,
    sentence: string,
    sinceMs: number,
  ): Promise<Proposed> {
    const { proposer, scanned, log, timings, clockMs } = this.#deps;
    const proposal = { name: `${kind}:${leaseName(leaseKeyOf(lease))}`, kind, data, deadline };
    const proposed = await proposer.propose(proposal, scanned());
    const facts = { job: lease.job, first: lease.lease.first };
    if (proposed.outcome === 'sent') {
      const ms = clockMs() - sinceMs;
      timings.add(kind, ms);
      log.info(sentence, { ...facts, ms: Math.round(ms * 10) / 10 });
    } else if (proposed.outcome === 'refused') {
      log.warn('The contract would refuse this step', { ...facts, step: kind, revert: proposed.revert.message });
    }
    return proposed;
  }
}
