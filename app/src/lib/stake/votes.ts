import type { VotingPower } from '@dpu/sdk/governanceReads';

/** Who votes with a part of what somebody owns. */
export type Voter = { who: 'self' } | { who: 'nobody' } | { who: 'other'; address: `0x${string}` };

/** One of the two places that DPU votes from. */
export interface Part {
  amount: bigint;
  voter: Voter;
}

/** Where an account's votes come from, and who votes with what it owns. DPU wei. */
export interface Votes {
  /** What it can vote with now. */
  now: bigint;
  wallet: Part;
  staked: Part;
  /** What others delegated to it. */
  received: bigint;
  /** Owned DPU that nobody votes with. */
  idle: bigint;
  /** Everything it owns votes with itself. */
  allSelf: boolean;
}

/** Reads voting power as `account` sees it. */
export function votesOf(power: VotingPower, account: string): Votes {
  const wallet = { amount: power.liquid, voter: voterOf(power.liquidDelegate, account) };
  const staked = { amount: power.staked, voter: voterOf(power.stakeDelegate, account) };
  const parts = [wallet, staked];
  const sum = (who: Voter['who']): bigint =>
    parts.reduce((total, { amount, voter }) => (voter.who === who ? total + amount : total), 0n);
  const received = power.votes - sum('self');
  return {
    now: power.votes,
    wallet,
    staked,
    // Reads of two blocks may disagree for a moment; less than nothing was never delegated.
    received: received > 0n ? received : 0n,
    idle: sum('nobody'),
    allSelf: parts.every(({ amount, voter }) => amount === 0n || voter.who === 'self'),
  };
}

/** Which of the two calls are needed so that `to` votes with the chosen parts. What it votes with already is left out. */
export function delegations(
  power: VotingPower,
  to: string,
  chosen: { wallet: boolean; staked: boolean },
): ('wallet' | 'staked')[] {
  const already = (delegate: string | undefined): boolean => delegate?.toLowerCase() === to.toLowerCase();
  const needed: ('wallet' | 'staked')[] = [];
  if (chosen.staked && !already(power.stakeDelegate)) needed.push('staked');
  if (chosen.wallet && !already(power.liquidDelegate)) needed.push('wallet');
  return needed;
}

function voterOf(delegate: `0x${string}` | undefined, account: string): Voter {
  if (!delegate) return { who: 'nobody' };
  return delegate.toLowerCase() === account.toLowerCase() ? { who: 'self' } : { who: 'other', address: delegate };
}
