import { costOf, WAD } from '@dpu/sdk/creditRules';
import { amountOut } from '@dpu/sdk/pair';

/** A constant-product pair of credits and DPU with 0.3 % fee, beside the contract's standing offer. Everything is in wei. */
export class Exchange {
  #credits: bigint;
  #dpu: bigint;
  readonly #offer: bigint | undefined;

  /**
   * @param dpu DPU in the pair; the credits in it follow from the price.
   * @param price DPU wei per credit.
   * @param offer DPU wei per credit at which the contract sells; undefined: it does not.
   */
  constructor(dpu: bigint, price: bigint, offer: bigint | undefined) {
    this.#dpu = dpu;
    this.#credits = (dpu * WAD) / price;
    this.#offer = offer;
  }

  /** DPU wei per credit. */
  get price(): bigint {
    return (this.#dpu * WAD) / this.#credits;
  }

  /** Sells credits to the pair; returns the DPU. */
  sell(credits: bigint): bigint {
    if (credits <= 0n) return 0n;
    const out = amountOut(credits, this.#credits, this.#dpu);
    this.#credits += credits;
    this.#dpu -= out;
    return out;
  }

  /** Buys credits from the pair with DPU; returns the credits. */
  buy(dpu: bigint): bigint {
    if (dpu <= 0n) return 0n;
    const out = amountOut(dpu, this.#dpu, this.#credits);
    this.#dpu += dpu;
    this.#credits -= out;
    return out;
  }

  /** What anyone does who sees the pair dearer than the offer: buys there and sells here until it no longer pays. Returns the profit. */
  arbitrage(): bigint {
    const offer = this.#offer;
    if (offer === undefined || this.price * 997n <= offer * 1_000n) return 0n;
    // Sell until the price after the fee is the offer: credits² = k / (offer · 1000 / 997).
    const credits = sqrt((this.#credits * this.#dpu * 997n * WAD) / (offer * 1_000n));
    const amount = credits > this.#credits ? credits - this.#credits : 0n;
    return amount === 0n ? 0n : this.sell(amount) - costOf(amount, offer);
  }
}

/** The whole part of a square root, by Newton's method. */
function sqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
