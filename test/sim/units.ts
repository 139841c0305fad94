/** Most by which nodes of a runtime come or go in an epoch, before their own reluctance. */
export const MAX_SHARE = 0.5;

/** DPU or credits in wei, to nine digits. */
export function wei(amount: number): bigint {
  return BigInt(Math.round(amount * 1e9)) * 1_000_000_000n;
}

/** Wei as a number of DPU or credits, for tables. */
export function whole(amount: bigint): number {
  return Number(amount) / 1e18;
}
