import { keccak256, toHex, zeroHash, type Address, type Hex } from 'viem';
import { handlers } from '../../src/handlers.ts';
import type { AnyContext, Args, Handlers } from '../../src/types.ts';
import { MemoryDatabase } from './memdb.ts';

const address = (byte: string) => `0x${byte.repeat(20)}` as Address;

export const TOKEN = address('dd');
export const DOLLAR = address('55');
export const REQUESTER = address('1a');
export const TREASURY = address('fe');
export const OWNER = address('0e');
export const OWNER_2 = address('2e');
export const OPERATOR = address('09');
export const JOB = keccak256(toHex('job'));
export const RESULT = { root: keccak256(toHex('root')), units: 12n, manifest: keccak256(toHex('manifest')) };

/** Time of block n is START + n. */
export const START = 1_700_000_000;

/** Terms in plain numbers: 4 shards at 100 … 300 dollars, bond 1000. */
export const TERMS = {
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
  auditBps: 0,
  params: 1,
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

/** The handlers on an empty database; each event is in a block of its own. */
export class World {
  readonly memory = new MemoryDatabase();
  block = 0;
  readonly #context = { db: this.memory.db, contracts: { Token: { address: TOKEN } } } as unknown as AnyContext;

  /** Handles one event and returns its id. */
  async emit<Name extends keyof Handlers>(name: Name, args: EventArgs<Name>): Promise<string> {
    this.block += 1;
    const id = String(this.block).padStart(75, '0');
    const event = {
      id,
      args,
      block: { number: BigInt(this.block), timestamp: BigInt(START + this.block), hash: hashOf('block', this.block) },
      transaction: { hash: hashOf('transaction', this.block) },
    };
    await (handlers[name] as (input: unknown) => Promise<void>)({ event, context: this.#context });
    return id;
  }

  /** The hash of the transaction in block `block`, by default the newest. */
  transaction(block: number = this.block): Hex {
    return hashOf('transaction', block);
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

  async post(id: Hex = JOB, over: Partial<typeof TERMS> = {}, signed = false): Promise<void> {
    const terms = { ...TERMS, ...over };
    const escrow = BigInt(terms.shards) * terms.maxPrice;
    await this.emit('JobPosted', { id, requester: terms.requester, signed, escrow, terms });
  }

  async claim(over: Partial<EventArgs<'LeaseClaimed'>> = {}): Promise<void> {
    const lease = { id: JOB, first: 0, node: 1, count: 2, price: 150n, bond: 2_000n, bonus: 0n, takenOver: false };
    await this.emit('LeaseClaimed', { ...lease, deadline: START + 500, ...over });
  }

  async settle(over: Partial<EventArgs<'LeaseSettled'>> = {}): Promise<void> {
    const paid = { paid: 291n, fee: 9n, bonus: 0n, record: 5_078, accepted: false, result: RESULT };
    await this.emit('LeaseSettled', { id: JOB, first: 0, node: 1, owner: OWNER, ...paid, ...over });
  }

  async lapse(over: Partial<EventArgs<'LeaseLapsed'>> = {}): Promise<void> {
    const lost = { slashed: 400n, bonus: 160n, record: 4_375, withheld: false };
    await this.emit('LeaseLapsed', { id: JOB, first: 0, node: 1, ...lost, ...over });
  }
}

function hashOf(what: string, block: number): Hex {
  return keccak256(toHex(`${what} ${block}`));
}
