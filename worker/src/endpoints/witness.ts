import { createHash } from 'node:crypto';

import type { Head, RawLog } from '../chain/chain.ts';
import { messageOf, OperatorError } from '../errors.ts';
import type { Journal } from '../sending/journal.ts';
import type { Log } from '../log.ts';
import type { IntentKind } from '../sending/outbox.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';

/** How facts are confirmed. Numbers are in blocks. */
export interface WitnessOptions {
  /** First block of the Market. */
  startBlock: number;
  /** Most blocks that one question covers. */
  rangeBlocks: number;
  /** Blocks that differ this deep below the head are no ordinary reorganisation any more. */
  forkBlocks: number;
  /** Act on one endpoint's word once half of the time is gone in which the other was silent or lagged. */
  solo: boolean;
}

/** What the witness works with. */
export interface WitnessDeps {
  endpoints: Endpoints;
  journal: Pick<Journal, 'meta' | 'setMeta'>;
  log: Log;
}

/** Whether an act may be done now. `why`: a sentence for the log. */
export type Word = { may: true } | { may: false; why: string };

/**
 * What cannot be taken back: a result is bound or shown, a vote is cast, a bond stands or falls with it. A claim is not among them: the
 * contract checks all that it is based on, and one that is based on a lie reverts.
 */
export const IRREVOCABLE: ReadonlySet<IntentKind> = new Set<IntentKind>([
  'commit',
  'submit',
  'reveal',
  'settle',
  'agree',
  'challenge',
  'appeal',
  'serve',
  'testify',
  'judge',
  'enforce',
]);

/** agreed: same head, same logs. behind: the other does not have it yet. silent: no answer. contradicts: both answer, and differ. */
type Finding =
  | { is: 'agreed' }
  | { is: 'behind' | 'silent'; why: string }
  | { is: 'contradicts'; why: string; block: number; sees: string };

/** What a block's logs are, in order: equal texts are equal answers. */
function printsOf(logs: readonly RawLog[]): Map<number, string> {
  const byBlock = Map.groupBy(logs, ({ blockNumber }) => blockNumber);
  return new Map(
    [...byBlock].map(([block, found]) => {
      const print = createHash('sha256');
      for (const { blockHash, logIndex, topics, data } of found) {
        print.update(`${blockHash} ${logIndex} ${topics.join(' ')} ${data}\n`);
      }
      return [block, print.digest('hex')];
    }),
  );
}

const META = 'witnessed';

/**
 * Two endpoints for what cannot be taken back. The node's facts are the Market's logs up to a head; before such an act a second endpoint
 * must have the same head, by its hash, and answer with the same logs in all blocks since the last time that two agreed.
 */
export class Witness {
  readonly #options: WitnessOptions;
  readonly #deps: WitnessDeps;
  /** Prints of the blocks with logs that the node has read and no second endpoint has confirmed. */
  readonly #prints = new Map<number, string>();
  /** Last block up to which two endpoints agreed. */
  #agreed: number;
  /** Block from which events must be read again, with the next head. */
  #doubt: number | undefined;
  #checked: { hash: string; finding: Promise<Finding> } | undefined;
  /** Since when an act has waited, block time, by its name. */
  readonly #waiting = new Map<string, number>();
  #problem: OperatorError | undefined;
  #said = '';

  constructor(options: WitnessOptions, deps: WitnessDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#agreed = Number(deps.journal.meta(META) ?? options.startBlock - 1);
    if (this.isAlone) {
      deps.log.warn('One RPC endpoint: whatever it says is believed. Name a second one under rpc', {
        endpoint: deps.endpoints.active,
      });
    } else {
      // What was read before this start may have been confirmed by nobody.
      this.#doubt = this.#agreed + 1;
    }
  }

  /** There is no second endpoint. */
  get isAlone(): boolean {
    return this.#deps.endpoints.count === 1;
  }

  /** Why nothing irrevocable is done; undefined while nothing is withheld for a contradiction. */
  get problem(): OperatorError | undefined {
    return this.#problem;
  }

  /** The block from which events must be read again; asked once per head, and forgotten then. */
  takeDoubt(): number | undefined {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    return doubt;
  }

  /** The node has read the logs from block `from` on. */
  heard(from: number, logs: readonly RawLog[]): void {
    if (this.isAlone) return;
    this.#checked = undefined;
    this.#agreed = Math.min(this.#agreed, from - 1);
    for (const block of this.#prints.keys()) if (block >= from) this.#prints.delete(block);
    for (const [block, print] of printsOf(logs)) this.#prints.set(block, print);
  }

  /** Whether `name`, an act of this kind that is of use until `deadline`, may be done on what is known at `head`. */
  async word(
    { name, kind, deadline }: { name: string; kind: IntentKind; deadline?: number },
    head: Head,
  ): Promise<Word> {
    if (this.isAlone || !IRREVOCABLE.has(kind)) return { may: true };
    const finding = await this.check(head);
    if (finding.is === 'agreed') {
      this.#waiting.delete(name);
      return { may: true };
    }
    const since = this.#waiting.get(name) ?? head.timestamp;
    this.#waiting.set(name, since);
    const half = deadline === undefined ? Infinity : since + Math.floor((deadline - since) / 2);
    if (this.#options.solo && finding.is !== 'contradicts' && head.timestamp >= half) {
      this.#deps.log.warn('Acting on the word of one RPC endpoint, because time runs out', { name, why: finding.why });
      this.#waiting.delete(name);
      return { may: true };
    }
    return { may: false, why: finding.why };
  }

  /** Compares what is known at `head` with the other endpoints. */
  check(head: Head): Promise<Finding> {
    if (this.isAlone) return Promise.resolve({ is: 'agreed' });
    if (this.#checked?.hash === head.hash) return this.#checked.finding;
    const finding = this.#compare(head);
    this.#checked = { hash: head.hash, finding };
    // Only a yes is kept: the next question may find the other endpoint awake, or of the same mind.
    void finding.then(({ is }) => {
      if (is !== 'agreed' && this.#checked?.finding === finding) this.#checked = undefined;
    });
    return finding;
  }

  async #compare(head: Head): Promise<Finding> {
    const { endpoints } = this.#deps;
    const findings = await Promise.all(
      endpoints.others.map(async (other) => ({ other, finding: await this.#compareWith(other, head) })),
    );
    const yes = findings.find(({ finding }) => finding.is === 'agreed');
    const no = findings.flatMap(({ other, finding }) => (finding.is === 'contradicts' ? [{ other, finding }] : []));
    const [first, ...more] = no;
    if (yes) {
      this.#confirm(head);
      return yes.finding;
    }
    if (!first) {
      const silent = findings[0]?.finding ?? { is: 'silent' as const, why: 'there is no second RPC endpoint' };
      this.#say(findings);
      return silent;
    }
    // Two that see the same, and not what this one says: it is the one in use that is wrong.
    const ally = more.find(({ finding }) => finding.sees === first.finding.sees);
    if (ally) endpoints.use(first.other.name, 'two others contradict it');
    this.#doubt = Math.min(this.#doubt ?? Infinity, first.finding.block);
    this.#problem = new OperatorError(
      `RPC endpoints contradict each other: ${first.finding.why}. Nothing is committed, shown, voted or settled until they agree. Find out which one is wrong and take it out of rpc.`,
      { block: first.finding.block },
    );
    if (this.#said !== first.finding.why) this.#deps.log.error(this.#problem.message, this.#problem.context);
    this.#said = first.finding.why;
    return first.finding;
  }

  /** Asks one other endpoint whether it has the same head, and the same logs since the last agreement. */
  async #compareWith({ name, chain }: Endpoint, head: Head): Promise<Finding> {
    const { forkBlocks, rangeBlocks, startBlock } = this.#options;
    try {
      const block = await chain.block(head.number);
      if (!block) return { is: 'behind', why: `${name} does not have block ${head.number} yet` };
      if (block.hash !== head.hash) {
        const deep = Math.max(startBlock, head.number - forkBlocks);
        const [theirs, ours] = await Promise.all([chain.block(deep), this.#deps.endpoints.chain.block(deep)]);
        if (theirs?.hash === ours?.hash) return { is: 'behind', why: `${name} has another block ${head.number} yet` };
        const why = `${this.#deps.endpoints.active} and ${name} have different blocks ${deep}`;
        return { is: 'contradicts', why, block: deep, sees: `block ${deep} ${theirs?.hash ?? 'none'}` };
      }
      for (let from = this.#agreed + 1; from <= head.number; from += rangeBlocks) {
        const to = Math.min(from + rangeBlocks - 1, head.number);
        const prints = printsOf(await chain.logs(from, to));
        const blocks = [...prints.keys(), ...this.#prints.keys()].filter((at) => at >= from && at <= to);
        const odd = blocks.toSorted((a, b) => a - b).find((at) => prints.get(at) !== this.#prints.get(at));
        if (odd === undefined) continue;
        const why = `${this.#deps.endpoints.active} and ${name} answer with different events of block ${odd}`;
        return { is: 'contradicts', why, block: odd, sees: `events ${odd} ${prints.get(odd) ?? 'none'}` };
      }
      return { is: 'agreed' };
    } catch (error) {
      return { is: 'silent', why: `${name} does not answer: ${messageOf(error)}` };
    }
  }

  #confirm(head: Head): void {
    if (this.#problem) this.#deps.log.info('RPC endpoints agree again', { block: head.number });
    this.#problem = undefined;
    this.#said = '';
    if (head.number <= this.#agreed) return;
    this.#agreed = head.number;
    this.#prints.clear();
    this.#deps.journal.setMeta(META, String(head.number));
  }

  /** Says whom it waits for: once per state of the others, not once per head. */
  #say(findings: readonly { other: Endpoint; finding: Finding }[]): void {
    const state = findings.map(({ other, finding }) => `${other.name} ${finding.is}`).join();
    if (this.#said === state) return;
    this.#said = state;
    const why = findings.flatMap(({ finding }) => (finding.is === 'agreed' ? [] : [finding.why])).join('; ');
    this.#deps.log.warn('Irrevocable acts wait for a second RPC endpoint', { why });
  }
}
