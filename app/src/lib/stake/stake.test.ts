import { describe, expect, test } from 'vitest';

import { amountProblem, exitOf, freeOf, mostOf, warningOf, works, type StakedNode } from './exit.ts';
import { delegations, votesOf } from './votes.ts';

const DPU = { decimals: 18, symbol: 'DPU' };
const whole = (amount: number): bigint => BigInt(amount) * 10n ** 18n;
const MIN = whole(1_000);
const node = (over: Partial<StakedNode> = {}): StakedNode => ({
  id: 1,
  stake: whole(5_000),
  locked: whole(1_500),
  queued: 0n,
  unstakeAt: 0,
  record: 5_000,
  tier: 0,
  tierUntil: 0,
  ...over,
});

describe('the exit queue', () => {
  test('counts down to the second in which it may leave', () => {
    const leaving = { queued: whole(5), unstakeAt: 1_000 };
    expect(exitOf(leaving, 999)).toEqual({ amount: whole(5), at: 1_000, left: 1, ready: false });
    expect(exitOf(leaving, 1_000)).toEqual({ amount: whole(5), at: 1_000, left: 0, ready: true });
    expect(exitOf(leaving, 5_000)).toMatchObject({ left: 0, ready: true });
    expect(exitOf({ queued: 0n, unstakeAt: 0 }, 5_000)).toBeUndefined();
  });

  test('what waits is neither free nor counted for the least stake', () => {
    const leaving = node({ queued: whole(3_000) });
    expect(freeOf(leaving)).toBe(whole(500));
    expect(works(leaving, MIN)).toBe(true);
    expect(works(node({ queued: whole(4_000) }), MIN)).toBe(true);
    expect(works(node({ queued: whole(4_000) + 1n }), MIN)).toBe(false);
  });
});

describe('an amount', () => {
  const problem = (kind: 'stake' | 'exit', amount: bigint | undefined, empty = false) =>
    amountProblem(node(), { kind, amount, empty, wallet: whole(100) }, DPU);

  test('is at most what the wallet holds, or what is free', () => {
    expect(mostOf(node(), { kind: 'exit', wallet: 0n })).toBe(whole(3_500));
    expect(problem('stake', whole(100))).toBeUndefined();
    expect(problem('stake', whole(100) + 1n)).toBe('The wallet holds 100 DPU.');
    expect(problem('exit', whole(3_500))).toBeUndefined();
    expect(problem('exit', whole(3_500) + 1n)).toBe(
      '3,500 DPU are free. Locked bonds must come back first, and what is queued is on its way.',
    );
  });

  test('is above zero, once something was typed', () => {
    expect(problem('stake', undefined, true)).toBeUndefined();
    expect(problem('stake', undefined)).toBe('An amount of DPU, above zero.');
    expect(problem('exit', 0n)).toBe('An amount of DPU, above zero.');
  });

  test('that restarts the clock, or ends the work of a node, is warned of', () => {
    const warned = (over: Partial<StakedNode>, kind: 'stake' | 'exit', amount: bigint) =>
      warningOf(node(over), { kind, amount }, MIN, DPU);
    expect(warned({ locked: 0n }, 'exit', whole(4_000))).toBeUndefined();
    expect(warned({ locked: 0n }, 'exit', whole(4_000) + 1n)).toBe(
      'Less than the least stake of 1,000 DPU stays: the node gets no new work from then on.',
    );
    expect(warned({ queued: whole(5) }, 'exit', 1n)).toBe(
      '5 DPU already wait. The clock starts again for all of it, from the beginning.',
    );
    expect(warned({ stake: 0n, locked: 0n }, 'stake', MIN)).toBeUndefined();
    expect(warned({ stake: 0n, locked: 0n }, 'stake', MIN - 1n)).toBe(
      'The node would still get no work: it needs 1,000 DPU that do not leave.',
    );
    expect(warned({}, 'exit', 0n)).toBeUndefined();
  });
});

describe('votes', () => {
  const ANN = '0xAAaaaaaaaAaaAAaAaaAaaAaAaAaAAaaAaAaaAAAa' as const;
  const BEN = '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as const;
  const power = { votes: 37n, liquid: 10n, liquidDelegate: ANN, staked: 20n, stakeDelegate: ANN };

  test('are told apart by who casts them', () => {
    expect(votesOf(power, ANN.toLowerCase())).toEqual({
      now: 37n,
      wallet: { amount: 10n, voter: { who: 'self' } },
      staked: { amount: 20n, voter: { who: 'self' } },
      received: 7n,
      idle: 0n,
      allSelf: true,
    });
    expect(votesOf({ ...power, votes: 7n, liquidDelegate: undefined, stakeDelegate: BEN }, ANN)).toEqual({
      now: 7n,
      wallet: { amount: 10n, voter: { who: 'nobody' } },
      staked: { amount: 20n, voter: { who: 'other', address: BEN } },
      received: 7n,
      idle: 10n,
      allSelf: false,
    });
  });

  test('of an empty wallet need no delegate, and less than nothing was never received', () => {
    const empty = { ...power, votes: 19n, liquid: 0n, liquidDelegate: undefined };
    expect(votesOf(empty, ANN)).toMatchObject({ idle: 0n, allSelf: true, received: 0n });
  });

  test('are moved with as few calls as it takes', () => {
    const both = { wallet: true, staked: true };
    expect(delegations(power, BEN, both)).toEqual(['staked', 'wallet']);
    expect(delegations(power, ANN.toLowerCase(), both)).toEqual([]);
    expect(delegations({ ...power, liquidDelegate: undefined }, ANN, both)).toEqual(['wallet']);
    expect(delegations(power, BEN, { wallet: false, staked: true })).toEqual(['staked']);
  });
});
