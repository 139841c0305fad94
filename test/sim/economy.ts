import { MAX_SHARE, wei } from './units.ts';

/** One lease as the market prices it: what `mint` takes. */
export interface PricedLease {
  price: bigint;
  minPrice: bigint;
  maxPrice: bigint;
  /** Shards; a simulated lease stands for many that were claimed alike. */
  count: bigint;
}

/** What an hour of a runtime costs and how fast its people react. */
export interface EconomyOptions {
  /** DPU at which an average node breaks even on a shard. */
  cost: number;
  /** Shards that are posted in an epoch. */
  demand: number;
  /** Where on its ramp every shard is claimed, for ever: nobody learns, nobody comes or goes. */
  stuckAt?: number;
}

/** Leases that an epoch's shards are counted in. */
const LEASES = 5;
/** How fast requesters follow the price that they see, and nodes the profit, per epoch. */
const LEARNING = 0.25;
const ENTRY = 0.3;

/**
 * Honest requesters and nodes of one runtime. Nodes have costs from 0.7 to 1.3 times the average, and claim as soon as the ramp covers theirs;
 * the more shards there are for each node, the dearer is the last one that is needed. Requesters let their ramps begin a quarter below
 * the price that they expect and end three quarters above. Nodes come while work pays more than the average cost, and leave when it does not.
 */
export class Economy {
  /** Posted shards of an epoch; a shock is a new value. */
  demand: number;
  readonly #cost: number;
  readonly #stuckAt: number | undefined;
  #capacity: number;
  #expected: number;

  constructor({ cost, demand, stuckAt }: EconomyOptions) {
    this.demand = demand;
    this.#cost = cost;
    this.#stuckAt = stuckAt;
    this.#capacity = 2 * demand;
    this.#expected = cost;
  }

  /** Demand and supply together become that many times as large. */
  grow(factor: number): void {
    this.demand *= factor;
    this.#capacity *= factor;
  }

  /** The leases of an epoch; nodes and requesters have learnt from it afterwards. */
  epoch(random: () => number): PricedLease[] {
    if (this.#stuckAt !== undefined) return this.#stuck(this.#stuckAt);
    const load = Math.min(this.demand / this.#capacity, 1);
    const ask = this.#cost * (0.7 + 0.6 * load) * (this.demand > this.#capacity ? 1.5 : 1);
    const [least, most] = [0.75 * this.#expected, 1.75 * this.#expected];
    const served = Math.min(this.demand, this.#capacity);
    const leases: PricedLease[] = [];
    for (let index = 0; index < LEASES; index += 1) {
      const price = Math.min(Math.max(ask * (0.95 + 0.1 * random()), least), most);
      leases.push({
        price: wei(price),
        minPrice: wei(least),
        maxPrice: wei(most),
        count: BigInt(Math.round(served / LEASES)),
      });
    }
    this.#expected += LEARNING * (Math.min(Math.max(ask, least), most) - this.#expected);
    this.#capacity *= 1 + ENTRY * Math.min(Math.max(ask / this.#cost - 1, -MAX_SHARE), MAX_SHARE);
    return leases;
  }

  /** Everything at the usual price, on a ramp that is as wide as the price and puts it where it is stuck. */
  #stuck(at: number): PricedLease[] {
    const least = this.#cost * (1 - at);
    const range = { price: wei(this.#cost), minPrice: wei(least), maxPrice: wei(least + this.#cost) };
    return [{ ...range, count: BigInt(Math.round(this.demand)) }];
  }
}
