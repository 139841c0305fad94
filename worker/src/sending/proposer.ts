import type { Address, Hex } from 'viem';

import type { Chain, Revert } from '../chain/chain.ts';
import type { Word } from '../endpoints/witness.ts';
import type { Log } from '../log.ts';
import type { IntentKind, Outbox } from './outbox.ts';
import type { Sender } from './sender.ts';

/** Something to do on chain once. */
export interface Proposal {
  /** The same thing has the same name; a later try gets the next number. */
  name: string;
  kind: IntentKind;
  data: Hex;
  /** Contract that is called; the Market when absent. */
  to?: Address;
  /** Last block time at which it is of use. */
  deadline?: number;
  /** Shards that it takes on. */
  shards?: number;
}

/** What happened to a proposal. `pending`: it is on its way since earlier. `withheld`: nobody confirms yet what it is based on. */
export type Proposed =
  { outcome: 'sent' } | { outcome: 'pending' } | { outcome: 'withheld' } | { outcome: 'refused'; revert: Revert };

/** What the proposer works with. */
export interface ProposerDeps {
  chain: Chain;
  outbox: Outbox;
  sender: Sender;
  /** When the next block is expected, unix seconds. */
  nextTime: () => number;
  /** Whether what cannot be taken back may be done on what is known now; everything may when absent. */
  word?: (act: { name: string; kind: IntentKind; deadline?: number }) => Promise<Word>;
  log?: Log;
}

/** Higher goes first: what costs a bond before what earns, what earns before what tidies up. */
const PRIORITY: Record<IntentKind, number> = {
  fill: 9,
  reveal: 8,
  commit: 7,
  submit: 7,
  serve: 6,
  testify: 8,
  challenge: 6,
  appeal: 6,
  claim: 5,
  takeOver: 5,
  sit: 5,
  audit: 5,
  settle: 3,
  agree: 3,
  judge: 4,
  enforce: 3,
  lapse: 2,
  endpoint: 2,
  beginProof: 2,
  finishProof: 2,
  close: 1,
};
const URGENT: readonly IntentKind[] = ['commit', 'submit', 'reveal', 'testify'];

/** Gas on top of the estimate: state may move between the dry run and the block. */
const withMargin = (gas: bigint): bigint => (gas * 5n) / 4n + 20_000n;

/** Turns a decision into an intent: nothing that would revert in the next block is sent, nothing is sent twice. */
export class Proposer {
  readonly #market: Address;
  readonly #operator: Address;
  readonly #deps: ProposerDeps;
  /** Names that are being proposed right now: a head and a finished result may ask for the same thing at once. */
  readonly #asking = new Set<string>();

  constructor({ market, operator }: { market: Address; operator: Address }, deps: ProposerDeps) {
    this.#market = market;
    this.#operator = operator;
    this.#deps = deps;
  }

  /** Whether a try at `name` waits, is in a pool, or was mined in a block after `scanned`. */
  isPending(name: string, scanned: number): boolean {
    const tries = this.#deps.outbox.countKeys(`${name}:`);
    const last = tries === 0 ? undefined : this.#deps.outbox.get(`${name}:${tries}`);
    if (!last || last.final) return false;
    if (last.status === 'queued' || last.status === 'sent') return true;
    return last.status === 'mined' && (last.block ?? 0) > scanned;
  }

  /** Does it, unless it is already on its way. `scanned`: the block up to which events were read. */
  async propose(proposal: Proposal, scanned: number): Promise<Proposed> {
    const { name } = proposal;
    if (this.#asking.has(name) || this.isPending(name, scanned)) return { outcome: 'pending' };
    this.#asking.add(name);
    try {
      return await this.#send(proposal);
    } finally {
      this.#asking.delete(name);
    }
  }

  async #send(proposal: Proposal): Promise<Proposed> {
    const { name, kind, data, deadline, shards = 0, to = this.#market } = proposal;
    const run = await this.#deps.chain.dryRun(this.#operator, data, this.#deps.nextTime(), to);
    if (!run.ok) return { outcome: 'refused', revert: run.revert };
    const word = await this.#deps.word?.(proposal);
    if (word?.may === false) {
      this.#deps.log?.debug('Withheld until a second RPC endpoint says the same', { name, why: word.why });
      return { outcome: 'withheld' };
    }
    await this.#deps.sender.submit({
      key: `${name}:${this.#deps.outbox.countKeys(`${name}:`) + 1}`,
      kind,
      to,
      data,
      gas: withMargin(run.gas),
      priority: PRIORITY[kind],
      deadline,
      urgent: URGENT.includes(kind),
      shards,
    });
    return { outcome: 'sent' };
  }
}
