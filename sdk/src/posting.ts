/** From what a person wants to the terms they sign: sensible deadlines, bonds and lease sizes, and how the money gets in. */
import { zeroHash, type Address, type Hex } from 'viem';

import type { Market, SignedPermit } from './market.ts';
import { splitSignature } from './market.ts';
import { readRules } from './rules.ts';
import { jobId, latestEnd, RUNTIMES, worstCase, type MarketDomain, type RuntimeName, type Terms } from './terms.ts';

/** What the Market says that a proposal needs. */
export interface MarketFacts {
  /** What new terms must carry: the newest version of the protocol's numbers. */
  rules: bigint;
  /** The DPU token. */
  token: Address;
  /** Time of the newest block, unix seconds. */
  now: number;
}

/** What the requester decides. Amounts are in the smallest unit, times in seconds. */
export interface PostingChoices {
  requester: Address;
  currency: Address;
  /** sha2-256 of the spec. */
  spec: Hex;
  shards: number;
  runtime?: RuntimeName;
  /** Price of one shard when claiming opens and at the end of the ramp. */
  minPrice: bigint;
  maxPrice: bigint;
  /** DPU wei locked for each shard; needed where the price is not in DPU, otherwise the governed multiple of the price. */
  bond?: bigint;
  /** Nodes that compute each range, each by itself. With several, nothing is audited and the job cannot be direct. Default 1. */
  seats?: 1 | 3 | 5;
  /** No audit, and payment follows one `submit`. Default false. */
  direct?: boolean;
  /** Two results may differ and both be right: what the spec's comparator says, see `toleranceOf`. Default false. */
  tolerant?: boolean;
  /** Audits that the requester buys beside the base rate, basis points of the leases. Each costs as much as the lease. Default 0. */
  auditBps?: number;
  /** Only this node may work; 0 (default) lets all take part. */
  node?: number;
  /** Most shards that one node may hold at once. Default: spread over about eight leases. */
  maxLease?: number;
  /** Seconds until the highest price is reached. Default 120. */
  ramp?: number;
  /** Seconds that a lease may take. Default 900. */
  exec?: number;
  /** Seconds in which a result may be challenged. Default 1800. */
  window?: number;
  /** Second at which claiming and the price ramp begin; 0 (default) means at once. */
  start?: number;
  /** Seconds from now for which shards can be claimed; in a chain, from when a job can begin. Default one day. */
  openFor?: number;
  /** Job that must be complete first. */
  afterJob?: Hex;
  /** 64 bits. Default: random. */
  salt?: bigint;
}

/** Seconds for which shards can be claimed unless something else is chosen. */
const DEFAULT_OPEN = 86_400;

/** Thrown when a bond cannot be proposed: there is no rate between the price's currency and DPU on chain. */
export class BondNeeded extends Error {
  constructor(currency: Address) {
    super(
      `Say how much DPU a node must lock for each shard: the price is in ${currency}, and the protocol knows no exchange rate.`,
    );
    this.name = 'BondNeeded';
  }
}

/** Thrown when results may differ, one node computes each, and nobody may doubt it: whatever it shows would be paid. The contract refuses such terms. */
export class ToleranceUndoubted extends Error {
  constructor() {
    super(
      'Results of this job may differ, so the chain cannot compare them: give it a challenge window or several seats, or any result would be paid.',
    );
    this.name = 'ToleranceUndoubted';
  }
}

/** Whether results of a job with this spec may differ and both be right: then its terms must be `tolerant`. */
export function toleranceOf({ comparator }: { comparator: { kind: string } }): boolean {
  return comparator.kind !== 'exact';
}

/** Complete terms for the given choices. @throws BondNeeded, ToleranceUndoubted */
export function proposeTerms(choices: PostingChoices, facts: MarketFacts): Terms {
  const inDpu = choices.currency.toLowerCase() === facts.token.toLowerCase();
  if (choices.bond === undefined && !inDpu) throw new BondNeeded(choices.currency);
  const seats = choices.seats ?? 1;
  const window = choices.window ?? 1_800;
  if (choices.tolerant && window === 0 && seats === 1 && !choices.direct) throw new ToleranceUndoubted();
  return {
    requester: choices.requester,
    currency: choices.currency,
    minPrice: choices.minPrice,
    maxPrice: choices.maxPrice,
    bond: choices.bond ?? leastBond(choices.maxPrice, seats, facts.rules),
    shards: choices.shards,
    maxLease: choices.maxLease ?? Math.min(1_024, Math.max(1, Math.ceil(choices.shards / 8))),
    runtime: RUNTIMES[choices.runtime ?? 'wasm'],
    tier: 0,
    seats,
    direct: seats === 1 && (choices.direct ?? false),
    tolerant: choices.tolerant ?? false,
    auditBps: seats === 1 && !choices.direct ? (choices.auditBps ?? 0) : 0,
    rules: facts.rules,
    node: choices.node ?? 0,
    start: choices.start ?? 0,
    expiry: facts.now + (choices.openFor ?? DEFAULT_OPEN),
    ramp: choices.ramp ?? 120,
    exec: choices.exec ?? 900,
    window,
    spec: choices.spec,
    afterJob: choices.afterJob ?? zeroHash,
    salt: choices.salt ?? randomSalt(),
  };
}

/**
 * Least bond of a shard at `maxPrice` for each of `seats`, in DPU wei, for jobs that are paid in DPU. Seats that check each other need half the
 * multiple, shared between them.
 */
export function leastBond(maxPrice: bigint, seats: number, rules: bigint): bigint {
  const parts = seats === 1 ? 10n : 20n * BigInt(seats);
  // Rounded up: the contract compares bond × parts with price × tenths.
  return (maxPrice * BigInt(readRules(rules).bondTenths) + parts - 1n) / parts;
}

/** Most jobs of a chain: what one transaction can post with room to spare. */
export const MAX_CHAIN = 20;
/** Longest time from the post in which shards can be claimed, by the contract's `MAX_OPEN`, seconds. */
export const MAX_OPEN = 30 * 86_400;

/** Thrown when the jobs of a chain are too many, or too slow to be posted together. */
export class ChainTooLong extends Error {
  readonly retryable = false;

  constructor(sentence: string) {
    super(sentence);
    this.name = 'ChainTooLong';
  }
}

/**
 * The terms of jobs that run one after the other: each after the first waits for the one before it, and stays open for the
 * time that was chosen even if that one is claimed in its last second and goes its longest way. Where the contract allows no
 * expiry so late, all are open for less; `start` of later jobs is left out, because they cannot begin before the one before
 * them is complete. One job is a chain too. @throws ChainTooLong, BondNeeded
 */
export function proposeChain(choices: readonly PostingChoices[], facts: MarketFacts, domain: MarketDomain): Terms[] {
  if (choices.length > MAX_CHAIN) {
    throw new ChainTooLong(`These are ${choices.length} jobs, the most that are posted together is ${MAX_CHAIN}.`);
  }
  let opens = Math.max(facts.now, choices[0]?.start ?? 0);
  const drafts = choices.map((choice) => proposeTerms(choice, facts));
  const working = drafts.slice(0, -1).reduce((sum, draft) => sum + latestEnd(draft) - draft.expiry, 0);
  const share = Math.floor((facts.now + MAX_OPEN - opens - working) / choices.length);

  const chain: Terms[] = [];
  for (const choice of choices) {
    const wanted = choice.openFor ?? DEFAULT_OPEN;
    const openFor = Math.min(wanted, share);
    // Until the draw is open to all, there may be nobody who may claim.
    if (openFor < Math.min(wanted, readRules(facts.rules).drawOpenAfter)) {
      throw new ChainTooLong(
        `The ${choices.length} jobs may take longer, one after the other, than the 30 days in which all must have begun. Choose shorter times, or fewer jobs.`,
      );
    }
    const before = chain.at(-1);
    const terms = proposeTerms(
      {
        ...choice,
        openFor: opens - facts.now + openFor,
        ...(before && { start: 0, afterJob: jobId(before, domain) }),
      },
      facts,
    );
    chain.push(terms);
    opens = latestEnd(terms);
  }
  return chain;
}

/**
 * The terms at `index` of a chain that was proposed before its specs were known, now that the spec's digest is: it waits for the
 * job before it, whose terms are the last of `done`.
 */
export function linked(
  planned: readonly Terms[],
  done: readonly Terms[],
  index: number,
  digest: Hex,
  domain: MarketDomain,
): Terms {
  const terms = planned[index];
  if (!terms || done.length !== index) throw new RangeError(`Job ${index} of a chain is linked out of order.`);
  const before = done.at(-1);
  return { ...terms, spec: digest, ...(before && { afterJob: jobId(before, domain) }) };
}

/** What must be free in the Market before `terms` can be posted, in the currency's smallest unit. */
export function escrowOf(terms: readonly Terms[]): bigint {
  return terms.reduce((sum, one) => sum + worstCase(one), 0n);
}

/** Asks the Market for what proposals need. */
export async function readMarketFacts(
  market: Pick<Market, 'config'>,
  token: Address,
  now: number,
): Promise<MarketFacts> {
  const { rules } = await market.config();
  return { rules, token, now };
}

/** Money that comes in by the same transaction. */
export interface Funding {
  currency: Address;
  amount: bigint;
  /** Without it, the Market's allowance must be there already. */
  permit?: SignedPermit;
}

/** Calldata of one transaction that funds and posts: permit, deposit, post all. Several jobs are posted in order. */
export function encodeFundAndPost(market: Pick<Market, 'encode'>, terms: readonly Terms[], funding?: Funding): Hex {
  const { encode } = market;
  const requester = terms[0]?.requester;
  if (!requester) throw new RangeError('there is no job to post');
  const calls: Hex[] = [];
  if (funding && funding.amount > 0n) {
    if (funding.permit) {
      const { v, r, s } = splitSignature(funding.permit.signature);
      calls.push(encode.permit(funding.currency, funding.amount, funding.permit.deadline, v, r, s));
    }
    calls.push(encode.deposit(funding.currency, requester, funding.amount));
  }
  calls.push(terms.length === 1 ? encode.post(terms[0] as Terms) : encode.postBatch(terms));
  return calls.length === 1 ? (calls[0] as Hex) : encode.multicall(calls);
}

function randomSalt(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] as bigint;
}
