import { claimedWord, SOLO, type Lease } from '@dpu/sdk/lease';
import { packTerms } from '@dpu/sdk/packedTerms';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import type { Terms } from '@dpu/sdk/terms';
import { keccak256, toHex, zeroHash, type Address, type Hex } from 'viem';
import { allHandlers } from '../../src/handlers.ts';
import { projecting } from '../../src/projector.ts';
import type { AnyContext, AnyEvent, Args, Contract, Handlers } from '../../src/types.ts';
import { MemoryDatabase } from '../../src/verify/memory.ts';

const address = (byte: string) => `0x${byte.repeat(20)}` as Address;

export const TOKEN = address('dd');
export const CREDITS = address('cc');
export const DOLLAR = address('55');
export const REQUESTER = address('1a');
export const TREASURY = address('fe');
export const OWNER = address('0e');
export const OWNER_2 = address('2e');
export const OPERATOR = address('09');
export const JOB = keccak256(toHex('job'));
export const RESULT = { root: keccak256(toHex('root')), units: 12n, manifest: keccak256(toHex('manifest')) };

export const PARAMS = {
  feeBps: 300,
  bondTenths: 40,
  noShowBps: 2_000,
  burnBps: 5_000,
  retryBps: 4_000,
  auditRates: 0,
  revealWindow: 600,
  auditWindow: 1_800,
  openFor: 60,
  drawStep: 30,
  drawOpenAfter: 1_800,
};

/** Time of block n is START + n. */
export const START = 1_700_000_000;

/** Terms in plain numbers: 4 shards at 100 … 300 dollars, bond 1000. */
export const TERMS: Terms = {
  requester: REQUESTER,
  currency: DOLLAR,
  minPrice: 100n,
  maxPrice: 300n,
  bond: 1_000n,
  shards: 4,
  maxLease: 2,
  runtime: 1,
  tier: 0,
  seats: 1,
  direct: false,
  tolerant: false,
  auditBps: 0,
  rules: packRules(RULES),
  node: 0,
  start: 0,
  expiry: START + 9_999,
  ramp: 60,
  exec: 30,
  window: 10,
  spec: keccak256(toHex('spec')),
  afterJob: zeroHash,
  salt: 1n,
};

type EventArgs<Name extends keyof Handlers> = Args<Name>['event']['args'];

/** Ponder's id of the event in block `block`: time, chain, block, transaction, kind and number of the log. */
export function eventId(block: number): string {
  const digits = (value: number, length: number) => String(value).padStart(length, '0');
  return `${digits(START + block, 10)}${digits(31_337, 16)}${digits(block, 16)}${digits(0, 16)}5${digits(0, 16)}`;
}

type ArgsIn<Of extends Contract, Name> = Name extends keyof (typeof allHandlers)[Of]
  ? (typeof allHandlers)[Of][Name] extends (input: infer Given) => unknown
    ? Given extends { event: { args: infer EventArgs } }
      ? EventArgs
      : never
    : never
  : never;

/** The handlers on an empty database; each event is in a block of its own, and in a transaction of its own unless told. */
export class World {
  readonly memory = new MemoryDatabase();
  block = 0;
  #sameAs: number | undefined;
  readonly #context = {
    db: this.memory.db,
    contracts: { Token: { address: TOKEN }, Credits: { address: CREDITS } },
  } as unknown as AnyContext;

  /** Handles one event of the Market and returns its id. */
  emit<Name extends keyof Handlers>(name: Name, args: EventArgs<Name>): Promise<string> {
    return this.#handle('Market', name, args);
  }

  /** Handles one event of another contract and returns its id. */
  emitOf<Of extends Exclude<Contract, 'Market'>, Name extends string & keyof (typeof allHandlers)[Of]>(
    contract: Of,
    name: Name,
    args: ArgsIn<Of, Name>,
  ): Promise<string> {
    return this.#handle(contract, name, args);
  }

  async #handle(contract: Contract, name: string, args: unknown): Promise<string> {
    this.block += 1;
    const id = eventId(this.block);
    const event = {
      id,
      args,
      block: { number: BigInt(this.block), timestamp: BigInt(START + this.block), hash: hashOf('block', this.block) },
      transaction: { hash: this.transaction(this.#sameAs ?? this.block) },
    };
    const run = (allHandlers[contract] as unknown as Record<string, (input: unknown) => Promise<void>>)[name]!;
    await run({ event, context: projecting(this.#context, event as unknown as AnyEvent) });
    return id;
  }

  /** Puts the events that `steps` emits into the transaction of the newest event. */
  async together(steps: () => Promise<void>): Promise<void> {
    this.#sameAs = this.block;
    await steps();
    this.#sameAs = undefined;
  }

  /** The hash of the transaction in block `block`, by default the newest. */
  transaction(block: number = this.block): Hex {
    return hashOf('transaction', block);
  }

  /** What the newest event writes into a row that it changes. */
  get changed(): { changedBlock: number; changedTransaction: Hex } {
    return { changedBlock: this.block, changedTransaction: this.transaction() };
  }

  /* Short ways to where most tests begin. */

  async treasury(): Promise<void> {
    await this.emit('TreasurySet', { treasury: TREASURY });
  }

  async node(node = 1, owner: Address = OWNER): Promise<void> {
    const [key, endpoint, since] = [zeroHash, 'http://node', START] as const;
    await this.emit('NodeSet', { node, owner, operator: OPERATOR, runtimes: 0b1010, key, endpoint, since });
    await this.emit('Staked', { node, owner, amount: 9_000n, stake: 9_000n, since: START });
  }

  async post(id: Hex = JOB, over: Partial<Terms> = {}): Promise<void> {
    const terms = { ...TERMS, ...over };
    await this.emit('JobPosted', { id, requester: terms.requester, terms: packTerms(terms) });
  }

  /** `bonus` is in gwei, as in the word. */
  async claim({ id = JOB, ...over }: Partial<Lease> & { id?: Hex } = {}): Promise<void> {
    const place = { first: 0, node: 1, count: 2, flags: over.count === TERMS.shards ? SOLO : 0 };
    const money = { price: 150n, bonus: 0n, deadline: START + 500 };
    const lease = { ...place, ...money, commitment: zeroHash, committedBlock: 0, ...over };
    await this.emit('LeaseClaimed', { id, first: lease.first, node: lease.node, claimed: claimedWord(lease) });
  }

  async reveal(over: Partial<EventArgs<'LeaseRevealed'>> = {}): Promise<void> {
    await this.emit('LeaseRevealed', { id: JOB, first: 0, node: 1, result: RESULT, ...over });
  }

  /** Payment after the window; the result is known from the reveal. */
  async settle(over: Partial<EventArgs<'LeaseSettled'>> = {}): Promise<void> {
    await this.emit('LeaseSettled', { id: JOB, first: 0, node: 1, paid: 291n, fee: 9n, record: 5_078, ...over });
  }

  async accept(over: Partial<EventArgs<'LeaseAccepted'>> = {}): Promise<void> {
    await this.emit('LeaseAccepted', { id: JOB, first: 0, node: 1, paid: 291n, fee: 9n, result: RESULT, ...over });
  }

  async lapse(over: Partial<EventArgs<'LeaseLapsed'>> = {}): Promise<void> {
    const lost = { slashed: 400n, bonus: 160n, record: 4_375, withheld: false };
    await this.emit('LeaseLapsed', { id: JOB, first: 0, node: 1, ...lost, ...over });
  }
}

function hashOf(what: string, block: number): Hex {
  return keccak256(toHex(`${what} ${block}`));
}
