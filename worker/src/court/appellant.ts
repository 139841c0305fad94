import { appealUntil, claimsFault, disputeCost } from '@dpu/sdk/court';
import { marketCalls } from '@dpu/sdk/calls';
import type { Hex } from 'viem';

import type { Chain, Head } from '../chain/chain.ts';
import type { ChainBook } from '../chain/chainBook.ts';
import { messageOf } from '../errors.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { CourtBook, KnownDispute } from './courtBook.ts';
import { roundOf } from './disputeFold.ts';
import type { Shown } from './shown.ts';
import type { TrialRun } from './trialRun.ts';
import { contradicts } from './verdict.ts';

/**
 * How much an appeal may cost for each unit that it wins. A node that has found twice that it is right believes so more firmly than four times
 * out of five; what it cannot know is what eleven strangers will find.
 */
const ODDS = 4n;

/** Which appeals this node makes. */
export interface AppellantOptions {
  node: number;
  /** Runtime ids that this machine can run. */
  runtimes: ReadonlySet<number>;
  /** Most share of this node's stake that its open appeals may hold, 0 … 1. 0: it never appeals. */
  share: number;
}

/** What the appellant works with. */
export interface AppellantDeps {
  chain: Pick<Chain, 'node'>;
  book: Pick<ChainBook, 'lease' | 'cursor'>;
  court: CourtBook;
  facts: Pick<ChainFacts, 'block'>;
  proposer: Proposer;
  trial: TrialRun;
  shown: Shown;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  log: Log;
}

/** Who lost by a finding. */
export type Loser = 'holder' | 'challenger';

/** How the first jury's finding went against `node`; undefined when it did not, or nothing was found yet. */
export function loserOf(dispute: KnownDispute, node: number): Loser | undefined {
  const { round, number } = roundOf(dispute);
  if (number !== 1 || !round.judged) return undefined;
  if (dispute.verdict === 'invalid' && dispute.lease.node === node) return 'holder';
  return dispute.verdict === 'valid' && dispute.challenger.node === node ? 'challenger' : undefined;
}

/**
 * Whether an appeal by `loser` is worth its cost, if it is right. At stake is the holder's bond, or the challenger's; a second jury that overturns the
 * finding is repaid to the appellant as far as the other's bond allows. Rewards and records come on top and are not counted.
 */
export function isWorthAppealing(dispute: KnownDispute, loser: Loser): boolean {
  const { terms, lease } = dispute;
  const { juror, challenging, appealing } = disputeCost(terms);
  const spent = juror * BigInt(dispute.rounds[0]?.judged?.paid ?? 0);
  const bond = terms.bond * BigInt(lease.count);
  const [saved, purse] = loser === 'holder' ? [bond, challenging - spent] : [challenging, bond - spent];
  const repaid = purse < appealing ? purse : appealing;
  return (saved - (appealing - repaid)) * ODDS >= appealing;
}

/**
 * Calls the second jury where the first found against this node although the shard, computed again twice, says otherwise: as the holder of a lease
 * that was convicted, or as a challenger that was rejected.
 */
export class Appellant {
  readonly #options: AppellantOptions;
  readonly #deps: AppellantDeps;
  readonly #running = new Map<Hex, Promise<void>>();
  /** By dispute: whether this node is still sure. */
  readonly #sure = new Map<Hex, boolean>();
  readonly #stop = new AbortController();

  constructor(options: AppellantOptions, deps: AppellantDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Shards that are computed again now. */
  get running(): number {
    return this.#running.size;
  }

  /** Looks at every open dispute once per head. */
  async tick(head: Head): Promise<void> {
    if (this.#options.share === 0) return;
    for (const dispute of this.#deps.court.open()) await this.#look(dispute, head);
  }

  /** Stops computing. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #look(dispute: KnownDispute, head: Head): Promise<void> {
    const { node, runtimes } = this.#options;
    const { key, terms } = dispute;
    const loser = loserOf(dispute, node);
    const { judged } = roundOf(dispute).round;
    if (!loser || !judged || !runtimes.has(terms.runtime) || !isWorthAppealing(dispute, loser)) return;
    const block = await this.#deps.facts.block(judged.block, head);
    if (!block) return; // An answer from another fork; the next head knows better.
    const until = appealUntil(terms, { round: 1, at: block.timestamp });
    if (this.#deps.nextTime() > until || !(await this.#canPay(dispute))) return;
    const sure = this.#sure.get(key);
    if (sure) await this.#appeal(dispute, until);
    else if (sure === undefined) this.#compute(dispute, loser);
  }

  /** Whether the bond is free, and what all appeals of this node would hold is within its share. */
  async #canPay({ terms }: KnownDispute): Promise<boolean> {
    const { chain, court } = this.#deps;
    const { node, share } = this.#options;
    const { appealing } = disputeCost(terms);
    const { stake, locked, queued } = await chain.node(node);
    const held = court
      .open()
      .filter(({ appellant }) => appellant?.node === node)
      .reduce((sum, other) => sum + disputeCost(other.terms).appealing, 0n);
    const most = (stake * BigInt(Math.round(share * 10_000))) / 10_000n;
    return appealing > 0n && stake - locked - queued >= appealing && held + appealing <= most;
  }

  #compute(dispute: KnownDispute, loser: Loser): void {
    const { key, job, index: shard } = dispute;
    if (this.#running.has(key)) return;
    const { log } = this.#deps;
    const work = this.#isRight(dispute, loser, this.#stop.signal)
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          log.warn('Whether to appeal cannot be told here', { job, shard, problem: messageOf(error), error });
        return false;
      })
      .then((sure) => {
        this.#sure.set(key, sure);
        if (!sure) log.info('A finding against this node is accepted', { job, shard });
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, work);
  }

  /** Whether what this node said is right, twice. */
  async #isRight(dispute: KnownDispute, loser: Loser, signal: AbortSignal): Promise<boolean> {
    const { book, trial, shown } = this.#deps;
    const { job, terms, lease, index, hash, units } = dispute;
    const known = book.lease(job, lease.first, lease.node);
    const result = known?.lease.deadline === lease.deadline ? known.result : undefined;
    if (!result) return false;
    for (let time = 0; time < 2; time += 1) {
      const own = await trial.run(job, terms, index, signal);
      const wrong = await contradicts(own, {
        hash,
        units,
        claimsFault: claimsFault(result),
        bytes: async () => {
          const manifest = await shown.manifest({ job, lease, result }, signal);
          const entry = manifest?.shards.find(({ shard }) => shard === index);
          return entry && own.kind === 'output'
            ? shown.output(entry, own.spec.limits.outputBytes, signal, own.secret)
            : undefined;
        },
      });
      if (wrong !== (loser === 'challenger')) return false;
    }
    return true;
  }

  async #appeal({ key, job, terms, lease, index, verdict }: KnownDispute, until: number): Promise<void> {
    const { proposer, book, log } = this.#deps;
    const data = marketCalls.appeal(terms, lease, index, this.#options.node);
    const proposal = { name: `appeal:${key}`, kind: 'appeal', data, deadline: until } as const;
    const proposed = await proposer.propose(proposal, book.cursor()?.number ?? 0);
    const facts = { job, shard: index, verdict };
    if (proposed.outcome === 'sent') log.warn('Appeal sent', { ...facts, bond: disputeCost(terms).appealing });
    if (proposed.outcome === 'refused')
      log.warn('The contract would refuse the appeal', { ...facts, revert: proposed.revert.message });
  }
}
