import { INITIAL_RULE, WAD } from '@dpu/sdk/creditRules';

import { CreditsModel, type CreditSettings } from './creditsModel.ts';
import { Economy, type PricedLease } from './economy.ts';
import { Exchange } from './exchange.ts';
import { seeded } from './random.ts';
import { wei, whole } from './units.ts';

/** Everything that a run depends on. Amounts are in DPU or credits. */
export interface WorldOptions {
  seed: number;
  epochs: number;
  /** The fee of the market, a share of the price. */
  fee: number;
  /** Credits for a DPU of fee. */
  rate: number;
  /** DPU at which the contract sells credits; undefined: it does not sell. */
  offer: number | undefined;
  /** Most credits that an epoch mints, as a multiple of what the first runtime's honest work is minted at weight one. */
  cap: number;
  /** Credits of honest work at weight one, as a share of its fee. */
  coverage: number;
  /** DPU per credit on the pair, before anybody trades. */
  price: number;
  /** The ring's part of the attacked runtime's stake, and so of its honest work. */
  share: number;
  /** How heavy the target weighs in the weight rule, as a multiple of the cap. The contract's 1 by default; others show why it is 1. */
  targetWeighs?: number;
  /** Demand in the first runtime from an epoch on, as a multiple. */
  shock?: { epoch: number; factor: number };
  /** The first runtime is asleep, at a thousandth of its size, until this epoch, and of full size from then on. */
  wakesAt?: number;
  /** Where on its ramp the first runtime's work is always claimed. */
  stuckAt?: number;
  attack?: Attack;
}

/**
 * What the ring posts to its own nodes, beside its honest work. It always wins its own draws and claims any number of units, which favours
 * it; nobody else is paid for it.
 */
export interface Attack {
  from: number;
  until: number;
  /** Fees that it pays in an epoch, as a multiple of the honest fees of the runtime. */
  volume: number;
  /** Where on the ramp it claims: 1 drives the weight up, 0 down. */
  pressure: 0 | 0.25 | 1;
  /** 0: the runtime that it works in; 1: the other one. */
  runtime: 0 | 1;
}

/** What came of a run. */
export interface Outcome {
  /** DPU that the ring got for credits, less what its own posts cost in fees. */
  wealth: number;
  /** DPU of fees that the ring paid for its own posts. */
  paid: number;
  /** The first runtime's weight at the end of each epoch. */
  weights: number[];
  /** DPU that the market took in fees, and the credits that were minted for all work. */
  fees: number;
  minted: number;
  /** The highest price of a credit that anybody could sell at. */
  highest: number;
}

const COST = 1.5;
const DEMAND = 20_000;
const UNITS = 1_000n;
const ASLEEP = 1_000;
/** Honest fees for which the pair holds DPU: a deep pair lets the ring sell without hurting itself. */
const DEPTH = 20;
/** DPU that users spend on credits in an epoch, as a multiple of what honest credits are worth at the offer: it keeps them dear. */
const APPETITE = 1.1;
const BPS = 10_000;

/** Plays one world. The same options give the same outcome, and an attack changes nothing but what the ring does. */
export function play(options: WorldOptions): Outcome {
  const { fee, rate, offer, coverage, epochs, share } = options;
  const random = seeded(options.seed);
  const honestFees = COST * DEMAND * fee;
  const cap = wei(options.cap * honestFees * rate * coverage);
  const settings: CreditSettings = {
    rule: { ...INITIAL_RULE, cap: (cap * wei(options.targetWeighs ?? 1)) / WAD },
    cap,
    rate: wei(rate),
    perUnit: (wei(COST * fee * rate * coverage) + UNITS - 1n) / UNITS,
    feeBps: BigInt(Math.round(fee * BPS)),
  };
  const model = new CreditsModel(settings);
  const exchange = new Exchange(
    wei(DEPTH * honestFees),
    wei(options.price),
    offer === undefined ? undefined : wei(offer),
  );
  const sizes = { cost: COST, demand: DEMAND };
  const stuck = options.stuckAt === undefined ? {} : { stuckAt: options.stuckAt };
  const economies = [new Economy({ ...sizes, ...stuck }), new Economy(sizes)] as const;
  if (options.wakesAt !== undefined) economies[0].grow(1 / ASLEEP);
  const outcome: Outcome = { wealth: 0, paid: 0, weights: [], fees: 0, minted: 0, highest: 0 };

  for (let epoch = 0; epoch < epochs; epoch += 1) {
    if (options.shock?.epoch === epoch) economies[0].demand *= options.shock.factor;
    if (options.wakesAt === epoch) economies[0].grow(ASLEEP);
    exchange.arbitrage();
    trade(exchange, random);
    outcome.highest = Math.max(outcome.highest, whole(exchange.price));

    // First come, first served: under a tight cap the ring is first.
    const attack =
      options.attack && epoch >= options.attack.from && epoch < options.attack.until ? options.attack : undefined;
    let ring = 0n;
    if (attack) {
      const cost = attack.volume * honestFees;
      ring += selfDeal(model, attack, cost / fee);
      outcome.wealth -= cost;
      outcome.paid += cost;
      outcome.fees += cost;
    }
    let others = 0n;
    for (const [runtime, economy] of economies.entries()) {
      for (const lease of economy.epoch(random)) {
        const credits = work(model, runtime, lease);
        const ours = runtime === 0 ? (credits * wei(share)) / WAD : 0n;
        ring += ours;
        others += credits - ours;
        outcome.fees += whole(lease.price * lease.count) * fee;
      }
    }
    outcome.minted += whole(ring + others);

    // The ring sells at once and first, the others half of what they earn; then users buy.
    outcome.wealth += whole(exchange.sell(ring));
    exchange.sell(others / 2n);
    const worth = offer ?? options.price;
    exchange.buy(wei(APPETITE * honestFees * rate * coverage * worth));
    model.roll();
    outcome.weights.push(Number(model.weightOf(0)) / 1e9);
  }
  return outcome;
}

/** One lease of an honest requester. */
function work(model: CreditsModel, runtime: number, { price, count, minPrice, maxPrice }: PricedLease): bigint {
  return model.mint(runtime, { price, count, units: UNITS * count }, minPrice, maxPrice);
}

/** One lease of the ring with itself, worth `gross` DPU, with as many units as it likes. Returns its credits. */
function selfDeal(model: CreditsModel, { pressure, runtime }: Attack, gross: number): bigint {
  const price = wei(gross);
  const units = (1n << 64n) - 1n;
  const ramp = pressure === 1 ? [0n, price] : pressure === 0 ? [price, 2n * price] : [price, price];
  return model.mint(runtime, { price, count: 1n, units }, ramp[0]!, ramp[1]!);
}

/** Traders without a plan: up to one per cent of the pair, either way. */
function trade(exchange: Exchange, random: () => number): void {
  const size = (random() - 0.5) * 2;
  if (size > 0) exchange.buy(wei(size * 0.01 * DEPTH * COST * DEMAND * 0.01));
  else exchange.sell(wei(-size * 0.01 * DEPTH * COST * DEMAND * 0.01));
}
