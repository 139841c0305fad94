import type { JobHistory } from '@dpu/sdk/history';

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

/** Adds up a job's money from its history. Nothing is lost: paid, fee, refunded and left make escrowed. */
export function moneyFlow({
  escrow,
  refunded,
  leases,
  replaced,
}: Pick<JobHistory, 'escrow' | 'refunded' | 'leases' | 'replaced'>): MoneyFlow {
  let paid = 0n;
  let fee = 0n;
  let slashed = 0n;
  let bonded = 0n;
  for (const { payment, loss, state, bond } of [...leases, ...replaced]) {
    paid += payment?.paid ?? 0n;
    fee += payment?.fee ?? 0n;
    slashed += loss?.slashed ?? 0n;
    if (state === 'claimed' || state === 'committed' || state === 'revealed') bonded += bond;
  }
  return { escrowed: escrow, paid, fee, refunded, left: escrow - paid - fee - refunded, slashed, bonded };
}
