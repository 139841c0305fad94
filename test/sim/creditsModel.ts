import {
  clampWeight,
  earned,
  feeValue,
  MICRO,
  nextWeight,
  ONE,
  pressureOf,
  type WeightRule,
  type Work,
} from '@dpu/sdk/creditRules';

/** What governance has set, as the contract has it. */
export interface CreditSettings {
  rule: WeightRule;
  /** Credits (wei) that an epoch may mint for work. In the contract this is the rule's cap as well. */
  cap: bigint;
  /** Credits for 1e18 wei of fee. */
  rate: bigint;
  /** Credits (wei) of a unit at weight one. */
  perUnit: bigint;
  feeBps: bigint;
}

interface Runtime {
  weight: bigint;
  fees: bigint;
  pressures: bigint;
}

/** The storage of `ComputeCredits` that minting touches, moved by the sdk's port of its rules. */
export class CreditsModel {
  #minted = 0n;
  readonly #runtimes = new Map<number, Runtime>();
  readonly settings: CreditSettings;

  constructor(settings: CreditSettings) {
    this.settings = settings;
  }

  weightOf(runtime: number): bigint {
    return this.#of(runtime).weight;
  }

  /** Mints for one lease, as far as the cap lasts, and counts its fee. Returns the credits. */
  mint(runtime: number, work: Work, minPrice: bigint, maxPrice: bigint): bigint {
    const { rule, cap, rate, perUnit, feeBps } = this.settings;
    const state = this.#of(runtime);
    const amount = earned(work, { feeBps, rate, perUnit, weight: state.weight, room: cap - this.#minted });
    const fee = feeValue(work, feeBps, rate) / MICRO;
    this.#minted += amount;
    state.fees += fee;
    state.pressures += fee * pressureOf(work.price, minPrice, maxPrice, rule.target);
    return amount;
  }

  /** Begins the next epoch and moves every weight. */
  roll(): void {
    const { rule } = this.settings;
    this.#minted = 0n;
    for (const state of this.#runtimes.values()) {
      state.weight = clampWeight(nextWeight(state.weight, state.fees, state.pressures, rule), rule);
      state.fees = 0n;
      state.pressures = 0n;
    }
  }

  #of(runtime: number): Runtime {
    const known = this.#runtimes.get(runtime) ?? { weight: ONE, fees: 0n, pressures: 0n };
    this.#runtimes.set(runtime, known);
    return known;
  }
}
