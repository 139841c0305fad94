import { auditDraw, baseRateOf, type AuditTerms } from '@dpu/sdk/assurance';
import { readRules } from '@dpu/sdk/rules';
import type { Hex } from 'viem';

/** From when and until when a committed lease may be revealed. Block time, unix seconds. */
export interface RevealTimes {
  opens: number;
  /** Last good second. */
  closes: number;
}

/** Whether leases of a job with these terms can be drawn for audits at all. */
export function isAuditable(terms: AuditTerms): boolean {
  return baseRateOf(terms) + terms.auditBps > 0;
}

/**
 * The contract's `_revealOpens`: at once, or after the audit's window when the block after the commit drew this lease. `seed` is that
 * block's hash (`gone` when it is out of the contract's reach); undefined means that it is not mined, and so is the answer.
 */
export function revealTimes(
  terms: AuditTerms,
  lease: { job: Hex; first: number; committedAt: number },
  seed: Hex | 'gone' | undefined,
): RevealTimes | undefined {
  const rules = readRules(terms.rules);
  let opens = lease.committedAt;
  if (isAuditable(terms)) {
    if (seed === undefined) return undefined;
    if (auditDraw(terms, lease.job, lease.first, seed).drawn) opens += rules.auditWindow;
  }
  return { opens, closes: opens + rules.revealWindow };
}
