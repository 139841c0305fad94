import type { JobHistory } from '@dpu/sdk/history';
import { isSeat } from '@dpu/sdk/lease';

/** Where a job's money is. All but `slashed` and `bonded` (DPU wei) are in the job's currency. */
export interface MoneyFlow {
  /** Set aside at the post. */
  escrowed: bigint;
  /** Gone to nodes. */
  paid: bigint;
  fee: bigint;
  /** Gone back to the requester. */
  refunded: bigint;
  /** Still in the contract. */
  left: bigint;
  /** DPU that nodes lost on this job. */
  slashed: bigint;
  /** DPU that nodes have locked for it now. */
  bonded: bigint;
}

/**
 * Adds up a job's money from its history. Nothing is lost: paid, fee, refunded and left make escrowed. What the protocol pays auditors is not
 * the job's.
 */
export function moneyFlow({
  escrow,
  refunded,
  leases,
  replaced,
  audits,
}: Pick<JobHistory, 'escrow' | 'refunded' | 'leases' | 'replaced' | 'audits'>): MoneyFlow {
  let paid = 0n;
  let fee = 0n;
  let slashed = 0n;
  let bonded = 0n;
  const pooled = audits.filter((audit) => audit.pooled);
  for (const { lease, payment, loss, state, bond } of [...leases, ...replaced]) {
    const isPooled = isSeat(lease) && pooled.some((one) => one.first === lease.first && one.auditor === lease.node);
    if (payment && !isPooled) {
      paid += payment.paid;
      fee += payment.fee;
    }
    slashed += loss?.slashed ?? 0n;
    if (state === 'claimed' || state === 'committed' || state === 'revealed') bonded += bond;
  }
  return { escrowed: escrow, paid, fee, refunded, left: escrow - paid - fee - refunded, slashed, bonded };
}
