import { readRules } from '@dpu/sdk/rules';
import type { Terms } from '@dpu/sdk/terms';
import { encodeAbiParameters, keccak256, type Hex } from 'viem';

const BPS = 10_000n;

/** From when and until when a committed lease may be revealed. Block time, unix seconds. */
export interface RevealTimes {
  opens: number;
  /** Last good second. */
  closes: number;
}

/**
 * The contract's `_revealOpens`: at once, or after the audit's window when the block after the commit drew this lease. `seed` is that
 * block's hash (`gone` when it is out of the contract's reach); undefined means that it is not mined, and so is the answer.
 */
export function revealTimes(
  terms: Pick<Terms, 'auditBps' | 'rules'>,
  lease: { job: Hex; first: number; committedAt: number },
  seed: Hex | 'gone' | undefined,
): RevealTimes | undefined {
  const rules = readRules(terms.rules);
  const rate = BigInt(rules.auditBps + terms.auditBps);
  let opens = lease.committedAt;
  if (rate > 0n) {
    if (seed === undefined) return undefined;
    if (seed === 'gone' || auditRoll(seed, lease.job, lease.first) < rate) opens += rules.auditWindow;
  }
  return { opens, closes: opens + rules.revealWindow };
}

function auditRoll(seed: Hex, job: Hex, first: number): bigint {
  const encoded = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint32' }, { type: 'string' }],
    [seed, job, first, 'audit'],
  );
  return BigInt(keccak256(encoded)) % BPS;
}
