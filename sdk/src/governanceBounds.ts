/** The hard bounds of every number that a vote may turn, as `Parameters.sol` has them. A proposal outside them is refused when it is executed. */
import type { Params } from './governance.ts';

/** Least and most that a number may be, both allowed. */
export interface Bounds {
  least: bigint;
  most: bigint;
}

const BPS = 10_000n;
const MINUTE = 60n;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
const DPU = 10n ** 18n;

const within = (least: bigint, most: bigint): Bounds => ({ least, most });

/** Least stake of a claiming node, DPU wei; whole DPU only. */
export const MIN_STAKE_BOUNDS: Bounds = within(DPU, 1_000_000n * DPU);
/** Unbonding time, seconds. */
export const UNBONDING_BOUNDS: Bounds = within(7n * DAY, 60n * DAY);
/** Votes that a proposer needs, DPU wei. */
export const PROPOSAL_THRESHOLD_BOUNDS: Bounds = within(100_000n * DPU, 10_000_000n * DPU);
/** Quorum, per cent of the supply. */
export const QUORUM_BOUNDS: Bounds = within(1n, 20n);
/** Longest window of governance, seconds. */
export const MAX_GOVERNANCE_WINDOW = 30n * DAY;
/** A window may be turned down to this part of its first value. */
const FLOOR_PART = 4n;

const PARAM_BOUNDS: Readonly<Record<keyof Params, Bounds>> = {
  feeBps: within(0n, 1_000n),
  bondTenths: within(0n, 1_000n),
  noShowBps: within(100n, BPS),
  burnBps: within(1_000n, BPS),
  retryBps: within(0n, BPS),
  // Two bits for each of eight runtimes; beside this, no rate may be above the fee.
  auditRates: within(0n, 0xffffn),
  revealWindow: within(5n, 2n * HOUR),
  auditWindow: within(5n, 12n * HOUR),
  openFor: within(0n, DAY),
  drawStep: within(1n, HOUR),
  drawOpenAfter: within(1n, 6n * HOUR),
};

/** Bounds of one number of a parameter version. What funds the retry is at most what is not burnt, so it depends on `burnBps`. */
export function paramBounds(name: keyof Params, { burnBps }: Pick<Params, 'burnBps'>): Bounds {
  const bounds = PARAM_BOUNDS[name];
  return name === 'retryBps' ? within(bounds.least, BPS - BigInt(burnBps)) : bounds;
}

/** Bounds of a window of governance whose value at deployment was `first` seconds. */
export function windowBounds(first: number): Bounds {
  const floor = BigInt(first) / FLOOR_PART;
  return within(floor === 0n ? 1n : floor, MAX_GOVERNANCE_WINDOW);
}

/** Whether `value` may be set. */
export function inBounds(value: bigint, { least, most }: Bounds): boolean {
  return value >= least && value <= most;
}
