import type { ProposalState } from '@dpu/sdk/governance';
import type { ProposalStep } from '@dpu/sdk/governanceHistory';
import { describe, expect, test } from 'vitest';

import { momentsOf, nextOf, offersOf, tallyOf } from './progress.ts';

const ANN = '0xAAaaaaaaaAaaAAaAaaAaaAaAaAaAAaaAaAaaAAAa' as const;
const BEN = '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as const;
const DPU = 10n ** 18n;
const status = (state: ProposalState, eta?: number) => ({
  state,
  proposer: ANN,
  snapshot: 1_000,
  deadline: 2_000,
  eta,
});
const viewer = (over: object = {}) => ({
  account: BEN as string | undefined,
  voted: false,
  weight: 5n as bigint | undefined,
  ...over,
});
const offered = (
  state: ProposalState,
  who: object = {},
  guardian: `0x${string}` | undefined = undefined,
  now = 1_500,
  eta?: number,
) =>
  Object.entries(offersOf(status(state, eta), viewer(who), { guardian }, now))
    .filter(([, is]) => is)
    .map(([name]) => name);

describe('the buttons', () => {
  test('a vote is offered while it is open, to whoever has votes and has not voted', () => {
    expect(offered('active')).toEqual(['vote']);
    expect(offered('active', { voted: true })).toEqual([]);
    expect(offered('active', { weight: 0n })).toEqual([]);
    expect(offered('active', { weight: undefined })).toEqual([]);
    expect(offered('active', { account: undefined })).toEqual([]);
    expect(offered('pending')).toEqual([]);
  });

  test('queueing and executing are for anyone, executing from the second on that the timelock names', () => {
    expect(offered('succeeded')).toEqual(['queue']);
    expect(offered('succeeded', { account: undefined })).toEqual([]);
    expect(offered('queued', {}, undefined, 2_999, 3_000)).toEqual([]);
    expect(offered('queued', {}, undefined, 3_000, 3_000)).toEqual(['execute']);
    expect(offered('queued', { account: undefined }, undefined, 3_000, 3_000)).toEqual([]);
    expect(offered('queued')).toEqual([]);
  });

  test('the guardian may cancel until the end, the proposer before the vote', () => {
    const living: ProposalState[] = ['pending', 'active', 'succeeded', 'queued'];
    const cancels = (who: object, guardian?: `0x${string}`) =>
      living.filter((state) => offered(state, who, guardian).includes('cancel'));
    expect(cancels({}, BEN)).toEqual(living);
    expect(cancels({ account: ANN.toLowerCase() }, BEN)).toEqual(['pending']);
    expect(cancels({ account: ANN }, undefined)).toEqual(living);
    expect(cancels({}, undefined)).toEqual([]);
    expect(cancels({ account: undefined }, BEN)).toEqual([]);
  });

  test.each(['canceled', 'defeated', 'expired', 'executed'] as const)('nothing is left once it is %s', (state) => {
    expect(offered(state, { account: ANN }, ANN, 9_999, 3_000)).toEqual([]);
  });
});

test('what comes next, to the second: voting is open from the second after the snapshot to the deadline', () => {
  expect(nextOf(status('pending'), 500)).toEqual({
    label: 'Voting opens',
    comes: 'Voting opens in {time}',
    at: 1_001,
  });
  expect(nextOf(status('active'), 1_500)).toEqual({
    label: 'Voting closes',
    comes: 'Voting closes in {time}',
    at: 2_001,
  });
  expect(nextOf(status('succeeded'), 2_500)).toEqual({ label: 'Waits to be queued', comes: '{time}' });
  expect(nextOf(status('queued', 3_000), 2_999)).toEqual({
    label: 'Can be executed',
    comes: 'Can be executed in {time}',
    at: 3_000,
  });
  expect(nextOf(status('queued', 3_000), 3_000)).toEqual({ label: 'Waits to be executed', comes: '{time}' });
  expect(nextOf(status('executed', 3_000), 3_001)).toBeUndefined();
});

describe('the timeline', () => {
  const step = (name: ProposalStep['step'], timestamp: number, until?: number): ProposalStep => ({
    step: name,
    block: 1n,
    timestamp,
    transaction: '0xaa',
    ...(until !== undefined && { until }),
  });
  const created = step('created', 900);
  const told = (state: ProposalState, steps: ProposalStep[], now: number, eta?: number) =>
    momentsOf(status(state, eta), [created, ...steps], { timelockDelay: 500 }, now).map(({ label, at, when }) => [
      label,
      at,
      when,
    ]);

  test('of one that is open names what comes, at the earliest', () => {
    expect(told('active', [], 1_500)).toEqual([
      ['Proposed', 900, 'past'],
      ['Voting opened', 1_001, 'past'],
      ['Voting closes', 2_001, 'next'],
      ['Queued', undefined, 'later'],
      ['Can be executed', 2_501, 'later'],
      ['Executed', undefined, 'later'],
    ]);
    expect(told('pending', [], 1_000)[1]).toEqual(['Voting opens', 1_001, 'next']);
    expect(told('pending', [], 1_001)[1]).toEqual(['Voting opened', 1_001, 'past']);
  });

  test('of one that passed counts the timelock from now on, and from its queueing once queued', () => {
    expect(told('succeeded', [], 5_000).slice(3)).toEqual([
      ['Queued', undefined, 'next'],
      ['Can be executed', 5_500, 'later'],
      ['Executed', undefined, 'later'],
    ]);
    expect(told('queued', [step('queued', 2_100, 2_600)], 2_300, 2_600).slice(3)).toEqual([
      ['Queued', 2_100, 'past'],
      ['Can be executed', 2_600, 'next'],
      ['Executed', undefined, 'later'],
    ]);
  });

  test('of one that ended says how', () => {
    const queued = step('queued', 2_100, 2_600);
    expect(told('executed', [queued, step('executed', 2_700)], 9_000, 2_600).slice(3)).toEqual([
      ['Queued', 2_100, 'past'],
      ['Could be executed', 2_600, 'past'],
      ['Executed', 2_700, 'past'],
    ]);
    expect(told('defeated', [], 2_500)).toEqual([
      ['Proposed', 900, 'past'],
      ['Voting opened', 1_001, 'past'],
      ['Defeated', 2_001, 'past'],
    ]);
    expect(told('canceled', [step('canceled', 950)], 2_500)).toEqual([
      ['Proposed', 900, 'past'],
      ['Cancelled', 950, 'past'],
    ]);
    expect(told('canceled', [queued, step('canceled', 2_200)], 2_500)).toEqual([
      ['Proposed', 900, 'past'],
      ['Voting opened', 1_001, 'past'],
      ['Voting closed', 2_001, 'past'],
      ['Queued', 2_100, 'past'],
      ['Cancelled', 2_200, 'past'],
    ]);
  });

  test('says that a vote was extended', () => {
    const moments = momentsOf(status('active'), [created, step('extended', 1_400, 2_000)], { timelockDelay: 1 }, 1_500);
    expect(moments.find(({ label }) => label === 'Voting closes')?.note).toBe(
      'Extended, because quorum was reached late.',
    );
  });
});

describe('the tally', () => {
  const tally = (
    inFavour: bigint,
    against: bigint,
    abstain: bigint,
    quorum?: bigint,
    state: ProposalState = 'active',
  ) =>
    tallyOf({
      votes: { for: inFavour * DPU, against: against * DPU, abstain: abstain * DPU },
      quorum: quorum && quorum * DPU,
      state,
    });

  test('is drawn against the quorum until more was cast', () => {
    expect(tally(10n, 5n, 5n, 40n)).toMatchObject({ for: 25, against: 12.5, abstain: 12.5, quorum: 100 });
    expect(tally(60n, 20n, 0n, 40n)).toMatchObject({ for: 75, against: 25, abstain: 0, quorum: 50 });
    expect(tally(0n, 0n, 0n)).toMatchObject({ for: 0, against: 0, abstain: 0, quorum: undefined });
  });

  test.each([
    [10n, 50n, 5n, 40n, 'active', '25 DPU more must vote for or abstain to reach the quorum.'],
    [10n, 50n, 5n, 40n, 'defeated', 'The quorum was missed by 25 DPU.'],
    [41n, 40n, 0n, 40n, 'active', 'Quorum is reached and more are for than against: it would pass.'],
    [40n, 40n, 0n, 40n, 'active', 'Quorum is reached, but not more are for than against: it would fail.'],
    [40n, 40n, 0n, 40n, 'defeated', 'Quorum was reached, but not more were for than against.'],
    [39n, 1n, 1n, 40n, 'executed', 'Quorum was reached, and more were for than against.'],
    [41n, 0n, 0n, 40n, 'canceled', 'Cancelled: the votes do not count.'],
    [0n, 0n, 0n, undefined, 'pending', 'Voting has not begun.'],
  ] as const)(
    '%s for, %s against, %s abstaining, quorum %s, %s',
    (inFavour, against, abstain, quorum, state, verdict) => {
      expect(tally(inFavour, against, abstain, quorum, state).verdict).toBe(verdict);
    },
  );

  test('what is missing for the quorum is never said to be less than it is', () => {
    const votes = { for: 1n, against: 0n, abstain: 0n };
    const { missing, verdict } = tallyOf({ votes, quorum: 2n * DPU, state: 'active' });
    expect([missing, verdict]).toEqual([2n * DPU - 1n, '2 DPU more must vote for or abstain to reach the quorum.']);
  });
});
