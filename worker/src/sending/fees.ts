/** Fees of one EIP-1559 transaction, wei per gas. */
export interface Fees {
  maxFee: bigint;
  tip: bigint;
}

/** How much the node is willing to pay, wei per gas. */
export interface FeePolicy {
  /** First offer to the block's proposer. */
  tip: bigint;
  /** Never more than this in total. */
  cap: bigint;
  /** The cap of an intent whose failure costs a bond. */
  urgentCap: bigint;
}

/** Pools take a replacement from +10 % (geth, anvil, Nethermind) or +12.5 % on; round up so that small fees move too. */
const raised = (fee: bigint): bigint => (fee * 1125n + 999n) / 1000n;
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * Fees of a first attempt: room for six full blocks in a row (the base fee doubles in six), or as much of it as the cap allows. A cap
 * under the base fee waits in the pool until the base fee comes down.
 */
export function firstFees(policy: FeePolicy, baseFee: bigint, urgent: boolean): Fees {
  const cap = urgent ? policy.urgentCap : policy.cap;
  const maxFee = least(2n * baseFee + policy.tip, cap);
  return { maxFee, tip: least(policy.tip, maxFee) };
}

/**
 * Fees that replace `previous` in every pool: both at least 12.5 % up, and enough for the base fee of today. Undefined when the cap
 * does not leave room for a replacement: then the old transaction stays.
 */
export function bumpedFees(policy: FeePolicy, baseFee: bigint, urgent: boolean, previous: Fees): Fees | undefined {
  const cap = urgent ? policy.urgentCap : policy.cap;
  const wanted = firstFees(policy, baseFee, urgent);
  const tip = most(raised(previous.tip), wanted.tip);
  const needed = most(raised(previous.maxFee), tip);
  if (needed > cap) return undefined;
  return { maxFee: least(most(needed, 2n * baseFee + tip), cap), tip };
}
