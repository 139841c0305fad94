/** A job's terms, its id, and what people sign about it. Mirrors `src-contracts/types/Terms.sol`; see `packedTerms.ts` for calldata. */
import { hashTypedData, type Address, type Hex } from 'viem';

import { readRules } from './rules.ts';

export { RUNTIMES, RUNTIME_NAMES, runtimeBits, runtimeName, type RuntimeName } from './runtimeNames.ts';

/**
 * Everything a requester agrees to, field by field as it is signed, in viem's shapes: uint40 and smaller are numbers
 * (seconds, counts, ids), wider ones are bigints (amounts in the currency's smallest unit, the rules, the salt).
 */
export interface Terms {
  /** Who pays and may cancel. */
  requester: Address;
  /** Allow-listed ERC-20 in which the price is paid. */
  currency: Address;
  /** Price of one shard when claiming opens, in the currency's smallest unit. */
  minPrice: bigint;
  /** Price of one shard at the end of the ramp. */
  maxPrice: bigint;
  /** DPU wei that a node locks for each shard it claims. */
  bond: bigint;
  /** Number of shards, 1 … 16,777,215. */
  shards: number;
  /** Most shards that one lease may take. */
  maxLease: number;
  /** Runtime id, see `RUNTIMES`. */
  runtime: number;
  /** Least capability tier of a node; 0 asks for none. */
  tier: number;
  /** Nodes that compute each range: 1, 3 or 5. */
  seats: number;
  /** No audit, and `submit` instead of commit and reveal. */
  direct: boolean;
  /** Results that differ may both be right (see the spec's comparator): the chain does not compare them; who doubts one challenges. */
  tolerant: boolean;
  /** Share of single-seat leases that the requester has audited, and pays for, beside the governed base rate; basis points. */
  auditBps: number;
  /** The protocol's numbers that this job keeps for life, in one word: see `readRules`. The newest when it is posted. */
  rules: bigint;
  /** The only node that may claim; 0 lets every node take part in the draw. */
  node: number;
  /** Second at which claiming and the price ramp begin; 0 means at once. */
  start: number;
  /** Last second at which a shard may be claimed. */
  expiry: number;
  /** Seconds over which the price rises from `minPrice` to `maxPrice`. */
  ramp: number;
  /** Seconds that a lease may take from claim to commit (or submit). */
  exec: number;
  /** Seconds in which a revealed result may be challenged. */
  window: number;
  /** sha2-256 of the canonical dag-cbor spec. */
  spec: Hex;
  /** Job that must be complete before this one can be claimed; zero bytes for none. */
  afterJob: Hex;
  /** Chosen by the requester so that equal terms can be posted twice; 64 bits. */
  salt: bigint;
}

/** EIP-712 domain of one Market contract on one chain. */
export interface MarketDomain {
  name: 'DPU Market';
  version: '1';
  chainId: number;
  verifyingContract: Address;
}

/** The EIP-712 domain of the Market at `market` on chain `chainId`. */
export function marketDomain(chainId: number, market: Address): MarketDomain {
  return { name: 'DPU Market', version: '1', chainId, verifyingContract: market };
}

/** EIP-712 type of terms, field by field as in `TermsLib.TYPEHASH`. */
export const termsTypes = {
  Terms: [
    { name: 'requester', type: 'address' },
    { name: 'currency', type: 'address' },
    { name: 'minPrice', type: 'uint96' },
    { name: 'maxPrice', type: 'uint96' },
    { name: 'bond', type: 'uint96' },
    { name: 'shards', type: 'uint32' },
    { name: 'maxLease', type: 'uint16' },
    { name: 'runtime', type: 'uint8' },
    { name: 'tier', type: 'uint8' },
    { name: 'seats', type: 'uint8' },
    { name: 'direct', type: 'bool' },
    { name: 'tolerant', type: 'bool' },
    { name: 'auditBps', type: 'uint16' },
    { name: 'rules', type: 'uint152' },
    { name: 'node', type: 'uint32' },
    { name: 'start', type: 'uint40' },
    { name: 'expiry', type: 'uint40' },
    { name: 'ramp', type: 'uint32' },
    { name: 'exec', type: 'uint32' },
    { name: 'window', type: 'uint32' },
    { name: 'spec', type: 'bytes32' },
    { name: 'afterJob', type: 'bytes32' },
    { name: 'salt', type: 'uint64' },
  ],
} as const;

/** A requester's statement that a lease's result is good, so that it is paid at once. */
export interface Acceptance {
  /** The job's id. */
  job: Hex;
  /** The lease's first shard. */
  first: number;
  /** The node that holds the lease. */
  node: number;
  /** Merkle root of the result. */
  root: Hex;
  /** Sum of the shards' units. */
  units: bigint;
  /** sha2-256 of the manifest. */
  manifest: Hex;
}

/** EIP-712 type of an acceptance. */
export const acceptanceTypes = {
  Acceptance: [
    { name: 'job', type: 'bytes32' },
    { name: 'first', type: 'uint32' },
    { name: 'node', type: 'uint32' },
    { name: 'root', type: 'bytes32' },
    { name: 'units', type: 'uint64' },
    { name: 'manifest', type: 'bytes32' },
  ],
} as const;

/** What a requester signs so that a node can bring the job on chain: pass it to `signTypedData`. */
export function orderTypedData(terms: Terms, domain: MarketDomain) {
  return { domain, types: termsTypes, primaryType: 'Terms', message: terms } as const;
}

/** What a requester signs to pay a lease before its window ends: pass it to `signTypedData`. */
export function acceptanceTypedData(acceptance: Acceptance, domain: MarketDomain) {
  return { domain, types: acceptanceTypes, primaryType: 'Acceptance', message: acceptance } as const;
}

/** Id of the job that `terms` describe: their EIP-712 digest, equal to the contract's `jobId`. */
export function jobId(terms: Terms, domain: MarketDomain): Hex {
  return hashTypedData(orderTypedData(terms, domain));
}

/**
 * Most that one shard can cost, fee included, in the currency's smallest unit: every seat at the end of the ramp, and an auditor where
 * the requester buys audits.
 */
export function worstShard(terms: Pick<Terms, 'maxPrice' | 'seats' | 'auditBps'>): bigint {
  return terms.maxPrice * BigInt(terms.auditBps === 0 ? terms.seats : terms.seats + 1);
}

/** Most that the job can cost, fee included, in the currency's smallest unit. Posting escrows exactly this. */
export function worstCase(terms: Pick<Terms, 'shards' | 'maxPrice' | 'seats' | 'auditBps'>): bigint {
  return BigInt(terms.shards) * worstShard(terms);
}

/**
 * Price of one shard at second `time` when the ramp began at second `from` (see `rampStart`). Rounds down, against the
 * node, as the contract does.
 */
export function priceAt(terms: Pick<Terms, 'minPrice' | 'maxPrice' | 'ramp'>, from: number, time: number): bigint {
  if (time <= from) return terms.minPrice;
  const elapsed = time - from;
  if (elapsed >= terms.ramp) return terms.maxPrice;
  return terms.minPrice + ((terms.maxPrice - terms.minPrice) * BigInt(elapsed)) / BigInt(terms.ramp);
}

/** What the start of a ramp depends on, in unix seconds. */
export interface RampFacts {
  /** When the job was posted. */
  postedAt: number;
  /** When the job named by `afterJob` became complete; absent while it is not, or when none is named. */
  afterCompletedAt?: number | undefined;
  /** When the lease lapsed, for a lease that is being taken over: its ramp starts again there. */
  lapsedAt?: number | undefined;
}

/** Second at which the price ramp begins: `start`, else the post, never before the earlier job is complete; again at a lapse. */
export function rampStart(terms: Pick<Terms, 'start'>, facts: RampFacts): number {
  if (facts.lapsedAt !== undefined) return facts.lapsedAt;
  return Math.max(terms.start === 0 ? facts.postedAt : terms.start, facts.afterCompletedAt ?? 0);
}

/**
 * Last second at which money of a job can still be bound, equal to the contract's `worstCaseExit` of a job that has not ended: a claim
 * in the last second, an audit or a panel, the window, and two juries about one shard.
 */
export function latestEnd(terms: Pick<Terms, 'expiry' | 'exec' | 'window' | 'seats' | 'direct' | 'rules'>): number {
  const { expiry, exec, window, seats, direct } = terms;
  const { revealWindow, auditWindow } = readRules(terms.rules);
  let last = expiry + exec + window + 1;
  if (seats !== 1) last += 2 * exec + revealWindow;
  else if (!direct) last += auditWindow + exec + revealWindow;
  if (window !== 0) last += 2 * exec + 5 * revealWindow;
  return last;
}

type BigField = 'minPrice' | 'maxPrice' | 'bond' | 'rules' | 'salt';
/** `Terms` as JSON: amounts, rules and salt as decimal strings. This is how signed orders travel. */
export type TermsJson = Omit<Terms, BigField> & Record<BigField, string>;

/** Terms in their JSON form. */
export function termsToJson(terms: Terms): TermsJson {
  return {
    ...terms,
    minPrice: terms.minPrice.toString(),
    maxPrice: terms.maxPrice.toString(),
    bond: terms.bond.toString(),
    rules: terms.rules.toString(),
    salt: terms.salt.toString(),
  };
}
