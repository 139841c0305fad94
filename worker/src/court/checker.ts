import { claimsFault, disputeCost, disputeKey, faultShard, provenShard } from '@dpu/sdk/court';
import { marketCalls } from '@dpu/sdk/calls';
import { decodeManifest, type Manifest } from '@dpu/sdk/manifest';
import type { ShardLeaf } from '@dpu/sdk/merkle';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { isAddressEqual, type Address } from 'viem';

import type { Chain, Head } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { DeclineError, type DeclineCode } from '../planning/declines.ts';
import { messageOf } from '../errors.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { Resources } from '../resources/resources.ts';
import type { CourtBook } from './courtBook.ts';
import { examine } from './examine.ts';
import { openLanes } from './openLanes.ts';
import { checkDraw } from './salts.ts';
import type { Shown } from './shown.ts';
import type { TrialRun } from './trialRun.ts';
import type { Workspace } from '../work/workspace.ts';

/** How others are checked. */
export interface CheckerOptions {
  node: number;
  /** Runtime ids that this machine can run. */
  runtimes: ReadonlySet<number>;
  /** Share of others' leases that are checked, 0 … 1. */
  rate: number;
  /** Challenge what is right but out of reach. */
  challengeHidden: boolean;
  /** See `saltSecret`. */
  saltSecret: Uint8Array;
  /** The contract that posts proofs of tiers, where there is one. All of its jobs are checked, because that costs little. */
  proofs?: Address | undefined;
  /** How far back revealed leases are looked for on start, in blocks. */
  lookBackBlocks: number;
}

/** What the checker works with. */
export interface CheckerDeps {
  chain: Pick<Chain, 'node'>;
  book: ChainBook;
  court: CourtBook;
  facts: Pick<ChainFacts, 'block'>;
  proposer: Proposer;
  trial: TrialRun;
  shown: Shown;
  workspace: Pick<Workspace, 'spec'>;
  resources: Resources;
  /** This node's own store, with the manifests of its own results. */
  local: StorageBackend;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  /** Whether this node takes no new work. */
  draining: () => boolean;
  log: Log;
}

const NOT_FOR_US: ReadonlySet<DeclineCode> = new Set(['noKey', 'notRecipient']);

/** A lease of others that is to be checked. */
interface Suspect {
  lease: KnownLease;
  shard: number;
  /** Last second at which it can be challenged. */
  until: number;
  /** It was right and out of reach: from this second on it is asked for again, and what proves it. */
  hidden?: { from: number; leaves: readonly ShardLeaf[] };
}

/**
 * Computes shards of others again while they may be challenged: some by chance when this machine is idle, and all that contradict a result of
 * this node on the same range. Who is wrong, twice, is challenged; and
 * where the operator wants it, whose data is out of reach twice, half a challenge window apart.
 */
export class Checker {
  readonly #options: CheckerOptions;
  readonly #deps: CheckerDeps;
  readonly #suspects = new Map<string, Suspect>();
  /** Wrong shards that wait to be challenged, with the leaves that prove them. */
  readonly #found = new Map<string, Suspect & { leaves: readonly ShardLeaf[] }>();
  /** Seats beside ours whose results were laid beside ours. */
  readonly #compared = new Set<string>();
  readonly #stop = new AbortController();
  #seenBlock: number | undefined;
  #working: Promise<void> | undefined;

  constructor(options: CheckerOptions, deps: CheckerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Whether a shard is checked now. */
  get running(): boolean {
    return this.#working !== undefined;
  }

  /** Looks for what was revealed since, and checks the next of it if the machine is idle. */
  async tick(head: Head): Promise<void> {
    if (this.#deps.draining()) return;
    await this.#find(head);
    await this.#doubtNeighbours(head);
    const now = this.#deps.nextTime();
    for (const [name, { until }] of this.#suspects) if (until < now) this.#suspects.delete(name);
    await this.#challengeFound();
    if (this.#working || this.#deps.resources.free.slots === 0) return;
    const next = [...this.#suspects].find(([, { hidden }]) => hidden === undefined || hidden.from <= now);
    if (!next) return;
    this.#working = this.#check(next[1])
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        const code = error instanceof DeclineError ? error.code : undefined;
        const facts = { code, problem: messageOf(error), error };
        // Private jobs of others are nothing to worry about.
        if (code && NOT_FOR_US.has(code)) this.#deps.log.debug('A private shard of another node is not for us', facts);
        else this.#deps.log.warn('A shard of another node cannot be checked here', facts);
        this.#deps.court.addCheck(keyOf(next[1]), 'unknown');
      })
      .finally(() => {
        // Unless it is to be looked at once more.
        if (this.#suspects.get(next[0]) === next[1]) this.#suspects.delete(next[0]);
        this.#working = undefined;
      });
  }

  /** Stops checking. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#working;
  }

  /** Has one shard of a revealed lease checked, whatever the rate says: another result of the same range differs from it. */
  async doubt(lease: KnownLease, shard: number, head: Head): Promise<void> {
    const until = await this.#challengeableUntil(lease, head);
    if (until === undefined || until < this.#deps.nextTime()) return;
    this.#suspect({ lease, shard, until });
  }

  async #find(head: Head): Promise<void> {
    const { book, court } = this.#deps;
    const scanned = book.cursor()?.number ?? 0;
    this.#seenBlock ??= scanned - this.#options.lookBackBlocks;
    // A reorg may bring older blocks again: what is known is not looked at twice.
    const from = Math.min(this.#seenBlock, scanned - 1);
    this.#seenBlock = scanned;
    if (this.#options.rate === 0) return;
    for (const { job, first, node } of court.revealedSince(from)) {
      const lease = book.lease(job, first, node);
      if (!lease || lease.lease.node !== node || lease.phase !== 'revealed') continue;
      const { roll, shard } = checkDraw(this.#options.saltSecret, job, lease.lease);
      if ((roll >= this.#options.rate && !this.#isProof(lease)) || !(await this.#isOurs(lease))) continue;
      await this.doubt(lease, shard, head);
    }
  }

  /** Seats and audits of ours: whoever shows another result beside them is looked at. */
  async #doubtNeighbours(head: Head): Promise<void> {
    const { book } = this.#deps;
    for (const own of book.ownLiving(this.#options.node)) {
      if (!own.seated || !own.result || own.terms.window === 0 || own.terms.tolerant) continue;
      const seats = book.range(own.job, own.lease.first)?.leases ?? [];
      for (const other of seats) {
        if (other.lease.node === own.lease.node || other.phase !== 'revealed' || !other.result) continue;
        if (other.result.root === own.result.root) continue;
        const shard = await this.#firstDifference(own, other);
        if (shard !== undefined) await this.doubt(other, shard, head);
      }
    }
  }

  async #firstDifference(own: KnownLease, other: KnownLease): Promise<number | undefined> {
    const { local, shown } = this.#deps;
    const { result } = other;
    const name = `${other.job}:${other.lease.first}:${other.lease.node}:${other.lease.deadline}`;
    if (!own.result || !result || this.#compared.has(name)) return undefined;
    this.#compared.add(name);
    if (claimsFault(result) || claimsFault(own.result)) return other.lease.first;
    const theirs = await shown.manifest({ job: other.job, lease: other.lease, result }, this.#stop.signal);
    if (!theirs) return undefined;
    const ours = await local
      .getBlock(digestToCid(own.result.manifest, 'dag-cbor'))
      .then(decodeManifest)
      .catch((): Manifest | undefined => undefined);
    const differs = theirs.shards.find(({ shard, hash, units }) => {
      const mine = ours?.shards.find((one) => one.shard === shard);
      return mine?.hash !== hash || mine.units !== units;
    });
    return differs?.shard;
  }

  #isProof({ terms }: KnownLease): boolean {
    const { proofs } = this.#options;
    return proofs !== undefined && isAddressEqual(terms.requester, proofs);
  }

  /** Whether this node can check it, and has no part in it. */
  async #isOurs(known: KnownLease): Promise<boolean> {
    const { lease, terms } = known;
    const { node, runtimes } = this.#options;
    const able = runtimes.has(terms.runtime) || this.#isProof(known);
    if (lease.node === node || terms.window === 0 || !able) return false;
    const { chain } = this.#deps;
    const [own, holder] = [await chain.node(node), await chain.node(lease.node)];
    return !isAddressEqual(own.owner, holder.owner) && !isAddressEqual(own.owner, terms.requester);
  }

  async #challengeableUntil({ revealedBlock, terms }: KnownLease, head: Head): Promise<number | undefined> {
    if (terms.window === 0 || revealedBlock === undefined) return undefined;
    const block = await this.#deps.facts.block(revealedBlock, head);
    return block && block.timestamp + terms.window;
  }

  #suspect(suspect: Suspect): void {
    const { court } = this.#deps;
    const finding = court.checked(keyOf(suspect));
    // What was found wrong before a restart is computed again: the proof for the challenge went with the process.
    if (finding === 'same' || finding === 'unknown') return;
    if (this.#found.has(nameOf(suspect)) || this.#suspects.has(nameOf(suspect))) return;
    const { job, lease } = suspect.lease;
    if (!court.dispute(disputeKey(job, lease, suspect.shard))) this.#suspects.set(nameOf(suspect), suspect);
  }

  async #check(suspect: Suspect): Promise<void> {
    const { court, log } = this.#deps;
    const { lease, shard, until, hidden } = suspect;
    const { job, terms } = lease;
    const facts = { job, shard, node: lease.lease.node };
    const leaves = hidden ? { leaves: hidden.leaves } : {};
    const look = this.#isProof(lease) ? openLanes : examine;
    const found = await look({ lease, shard, ...leaves }, this.#deps, this.#stop.signal);
    if (found.finding === 'hidden') {
      log.warn('A result of another node is right, but its data is out of reach', facts);
      if (!this.#options.challengeHidden) return court.addCheck(keyOf(suspect), 'unknown');
      // Networks fail: an honest holder has half of the window to be reached again.
      const from = until - Math.floor(terms.window / 2);
      if (!hidden && this.#deps.nextTime() < from) {
        this.#suspects.set(nameOf(suspect), { ...suspect, hidden: { from, leaves: found.leaves } });
        return;
      }
    } else if (found.finding === 'wrong') log.warn('A shard of another node is wrong', facts);
    else log.debug('A shard of another node was checked', { ...facts, finding: found.finding });
    court.addCheck(keyOf(suspect), 'leaves' in found ? 'differs' : found.finding);
    if ('leaves' in found) this.#found.set(nameOf(suspect), { ...suspect, leaves: found.leaves });
  }

  async #challengeFound(): Promise<void> {
    const { chain, book, court, proposer, nextTime, log } = this.#deps;
    for (const [name, { lease: known, shard, until, leaves }] of this.#found) {
      const { job, terms, lease, result } = known;
      const now = book.lease(job, lease.first, lease.node);
      const gone = now?.phase !== 'revealed' || now.lease.deadline !== lease.deadline || !result || nextTime() > until;
      if (gone || court.dispute(disputeKey(job, lease, shard))) {
        this.#found.delete(name);
        continue;
      }
      const { challenging } = disputeCost(terms);
      const { stake, locked, queued } = await chain.node(this.#options.node);
      const facts = { job, shard, node: lease.node };
      if (challenging === 0n || stake - locked - queued < challenging) {
        log.error('A wrong result cannot be challenged: free stake does not cover the bond', { ...facts, challenging });
        continue;
      }
      const proven = claimsFault(result) ? faultShard(shard) : provenShard(leaves, shard);
      const data = marketCalls.challenge(
        terms,
        lease,
        result,
        { ...proven, proof: [...proven.proof] },
        this.#options.node,
      );
      const proposal = {
        name: `challenge:${disputeKey(job, lease, shard)}`,
        kind: 'challenge',
        data,
        deadline: until,
      } as const;
      const proposed = await proposer.propose(proposal, book.cursor()?.number ?? 0);
      if (proposed.outcome === 'sent') log.warn('Challenge sent', facts);
      if (proposed.outcome === 'refused')
        log.warn('The contract would refuse the challenge', { ...facts, revert: proposed.revert.message });
    }
  }
}

const keyOf = ({ lease, shard }: Suspect) => ({ job: lease.job, lease: lease.lease, shard });
const nameOf = ({ lease, shard }: Suspect): string =>
  `${lease.job}:${lease.lease.first}:${lease.lease.node}:${lease.lease.deadline}:${shard}`;
