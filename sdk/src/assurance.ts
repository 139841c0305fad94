/**
 * Whether a lease is drawn for an audit, and what a job's policy is worth: what it costs, and how likely it catches a cheat. Mirrors
 * `src-contracts/core/Assurance.sol`; `docs/assurance.md` explains it.
 */
import { encodeAbiParameters, isAddressEqual, keccak256, type Address, type Hex } from 'viem';

import { baseAuditBps, readRules } from './rules.ts';
import type { Terms } from './terms.ts';

const BPS = 10_000;

/** What the draw said of a committed lease. */
export interface AuditDraw {
  /** An auditor may sit down beside its holder, who waits for the audit's window before it reveals. */
  drawn: boolean;
  /** The protocol pays the auditor; otherwise the job's escrow does. */
  pooled: boolean;
}

/** What decides how many leases are audited. */
export type AuditTerms = Pick<Terms, 'auditBps' | 'rules' | 'runtime'>;

/** Share of the job's single leases that the protocol has audited and pays for, basis points. */
export function baseRateOf({ rules, runtime }: Pick<Terms, 'rules' | 'runtime'>): number {
  return baseAuditBps(readRules(rules), runtime);
}

/**
 * The draw over the lease at `first` of job `id`. `seed` is the hash of the block after the commit, or `gone` when it is more than 8,191
 * blocks old and out of the contract's reach: waiting it out must not be a way around the audit, so such a lease counts as drawn.
 */
export function auditDraw(terms: AuditTerms, id: Hex, first: number, seed: Hex | 'gone'): AuditDraw {
  const base = baseRateOf(terms);
  const rate = base + terms.auditBps;
  if (rate === 0) return { drawn: false, pooled: false };
  const roll = seed === 'gone' ? 0 : auditRoll(seed, id, first);
  return { drawn: seed === 'gone' || roll < rate, pooled: roll < base };
}

/** The roll of a lease, uniform on 0 … 9,999. */
export function auditRoll(seed: Hex, id: Hex, first: number): number {
  const encoded = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint32' }, { type: 'string' }],
    [seed, id, first, 'audit'],
  );
  return Number(BigInt(keccak256(encoded)) % BigInt(BPS));
}

/** What a policy gives for its price. */
export interface Assurance {
  /** What the requester expects to pay for a shard when nobody cheats, as a multiple of one node's price. */
  cost: number;
  /** What the protocol pays beside it, in the same measure. */
  pooled: number;
  /** Probability, 0 … 1, that a wrong result of one node for one shard does not become the job's. */
  caught: number;
}

/**
 * What the policy in `terms` is worth against a node that hands in a wrong result for one shard, when every other node that is drawn joins
 * in the lie with probability `colluding` (the liars' share of the stake, since the draw goes by stake).
 *
 * One seat: the lease is checked when it is drawn, at the sum of both rates, and its one auditor is honest: `a · (1 − s)`. The protocol's
 * rate counts in DPU alone (`token`), and where no node is named.
 *
 * `n` seats, exact results: the lie stands when liars are a quorum `q = (n + 1) / 2`, so it is caught when at most `q − 2` of the other
 * `n − 1` join in: a binomial tail, the error of majority voting (L. F. G. Sarmenta, Sabotage-tolerance mechanisms for volunteer
 * computing systems, Future Generation Computer Systems 18, 2002, section 3).
 *
 * Results that may differ (`tolerant`) are not compared by the chain: a lie is caught when one honest node has computed the shard and
 * challenges it, `1 − s^(n − 1)` with seats, which needs a challenge window. Challenges by others come on top, everywhere.
 *
 * The contract's `assuranceOf` says the same in basis points.
 *
 * @throws RangeError when `colluding` is no share.
 */
export function assuranceOf(
  terms: AuditTerms & Pick<Terms, 'seats' | 'tolerant' | 'window' | 'direct' | 'currency' | 'node'>,
  colluding: number,
  token: Address,
): Assurance {
  if (!(colluding >= 0 && colluding <= 1))
    throw new RangeError(`The colluding share is ${colluding}, but it must be from 0 to 1.`);
  const { seats } = terms;
  const seen = terms.tolerant && terms.window === 0 ? 0 : 1;
  if (seats === 1) {
    const base = terms.direct ? 0 : baseRateOf(terms);
    const bought = Math.min(terms.auditBps, BPS - base);
    // For work in another currency, or of a chosen node, nobody is paid for what the base rate draws.
    const pooled = isAddressEqual(terms.currency, token) && terms.node === 0 ? base : 0;
    const caught = (seen * ((pooled + bought) * (1 - colluding))) / BPS;
    return { cost: (BPS + bought) / BPS, pooled: pooled / BPS, caught };
  }
  const others = seats - 1;
  const caught = terms.tolerant ? 1 - colluding ** others : atMost(others, colluding, (seats + 1) / 2 - 2);
  return { cost: seats, pooled: 0, caught: seen * caught };
}

/** Probability that at most `most` of `n` independent events of probability `p` happen. */
function atMost(n: number, p: number, most: number): number {
  let sum = 0;
  let ways = 1;
  for (let k = 0; k <= most; k += 1) {
    sum += ways * p ** k * (1 - p) ** (n - k);
    ways = (ways * (n - k)) / (k + 1);
  }
  return sum;
}
