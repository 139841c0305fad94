import { zeroAddress, zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  delegation,
  delegationChange,
  operation,
  operationCall,
  proposal,
  proposalCall,
  role,
  setting,
  settingChange,
  stats,
  surrogate,
  vote,
  votesChange,
  votingPower,
} from '../ponder.schema.ts';
import { DOLLAR, eventId, OPERATOR, OWNER, OWNER_2, REQUESTER, START, TREASURY, World } from './lib/world.ts';

const ID = 77n;

async function proposed(): Promise<World> {
  const world = new World();
  await world.emitOf('Governor', 'ProposalCreated', {
    ...{ proposalId: ID, proposer: OWNER, targets: [DOLLAR, TREASURY], values: [0n, 5n], signatures: ['', ''] },
    ...{ calldatas: ['0x01', '0x'], voteStart: BigInt(START + 10), voteEnd: BigInt(START + 20), description: 'Less' },
  });
  return world;
}
const cast = (voter: `0x${string}`, support: number, weight: bigint) =>
  ({ voter, proposalId: ID, support, weight, reason: 'so' }) as const;

describe('proposals', () => {
  test('one is kept with its calls', async () => {
    const world = await proposed();
    expect(world.memory.rows(proposal)).toMatchObject([
      { id: ID, proposer: OWNER, state: 'proposed', voteStart: START + 10, voteEnd: START + 20, eta: null, voters: 0 },
    ]);
    expect(world.memory.rows(proposalCall)).toEqual([
      { proposal: ID, place: 0, target: DOLLAR, value: 0n, data: '0x01' },
      { proposal: ID, place: 1, target: TREASURY, value: 5n, data: '0x' },
    ]);
    expect(world.memory.rows(stats), 'live listeners hear of it').toMatchObject([{ event: eventId(1), block: 1 }]);
  });

  test('votes add up by what they support, with or without parameters', async () => {
    const world = await proposed();
    await world.emitOf('Governor', 'VoteCast', cast(OWNER, 1, 30n));
    await world.emitOf('Governor', 'VoteCast', cast(OWNER_2, 0, 20n));
    await world.emitOf('Governor', 'VoteCastWithParams', { ...cast(REQUESTER, 2, 7n), params: '0xab' });
    expect(world.memory.rows(proposal)).toMatchObject([
      { votesFor: 30n, votesAgainst: 20n, votesAbstain: 7n, voters: 3, ...world.changed },
    ]);
    expect(world.memory.rows(vote).map(({ voter, support, params }) => [voter, support, params])).toEqual([
      [OWNER, 'for', '0x'],
      [OWNER_2, 'against', '0x'],
      [REQUESTER, 'abstain', '0xab'],
    ]);
  });

  test('a late quorum moves the end; then it is queued and executed', async () => {
    const world = await proposed();
    await world.emitOf('Governor', 'ProposalExtended', { proposalId: ID, extendedDeadline: BigInt(START + 33) });
    expect(world.memory.rows(proposal)).toMatchObject([{ voteEnd: START + 33, extended: true }]);
    await world.emitOf('Governor', 'ProposalQueued', { proposalId: ID, etaSeconds: BigInt(START + 50) });
    expect(world.memory.rows(proposal)).toMatchObject([{ state: 'queued', eta: START + 50, queuedAt: START + 3 }]);
    await world.emitOf('Governor', 'ProposalExecuted', { proposalId: ID });
    expect(world.memory.rows(proposal)).toMatchObject([{ state: 'executed', endedAt: START + 4 }]);
  });

  test('one that is taken back is cancelled', async () => {
    const world = await proposed();
    await world.emitOf('Governor', 'ProposalCanceled', { proposalId: ID });
    expect(world.memory.rows(proposal)).toMatchObject([{ state: 'canceled', endedAt: START + 2 }]);
  });
});

describe('settings', () => {
  test('the value in force and every change of it are kept', async () => {
    const world = new World();
    await world.emitOf('Governor', 'VotingDelaySet', { oldVotingDelay: 0n, newVotingDelay: 60n });
    await world.emitOf('Governor', 'VotingDelaySet', { oldVotingDelay: 60n, newVotingDelay: 90n });
    expect(world.memory.rows(setting)).toEqual([
      {
        sortKey: 'governor.votingDelay.',
        contract: 'governor',
        name: 'votingDelay',
        subject: '',
        value: '90',
        ...world.changed,
      },
    ]);
    expect(world.memory.rows(settingChange).map(({ previous, value, block }) => [previous, value, block])).toEqual([
      [null, '60', 1],
      ['60', '90', 2],
    ]);
  });

  test('one that is set for a currency or a runtime is kept for each', async () => {
    const world = new World();
    await world.emitOf('Credits', 'RateSet', { currency: DOLLAR, rate: 5n });
    await world.emitOf('Credits', 'PerUnitSet', { runtime: 1, perUnit: 10n });
    await world.emitOf('Credits', 'WeightBoundsSet', { least: 500, most: 4_000 });
    await world.emit('RuntimeAllowed', { runtime: 2, allowed: true });
    expect(world.memory.rows(setting).map((row) => [row.contract, row.name, row.subject, row.value])).toEqual([
      ['credits', 'rate', DOLLAR, '5'],
      ['credits', 'perUnit', '1', '10'],
      ['credits', 'leastWeight', '', '500'],
      ['credits', 'mostWeight', '', '4000'],
      ['market', 'runtime', '2', 'true'],
    ]);
  });
});

describe('votes of DPU', () => {
  test('a delegation moves them, and both are remembered', async () => {
    const world = new World();
    const moved = { delegator: OWNER, fromDelegate: zeroAddress, toDelegate: OPERATOR };
    await world.emitOf('Token', 'DelegateChanged', moved);
    await world.emitOf('Token', 'DelegateVotesChanged', { delegate: OPERATOR, previousVotes: 0n, newVotes: 9n });
    await world.emitOf('Token', 'DelegateChanged', { ...moved, fromDelegate: OPERATOR, toDelegate: OWNER });
    await world.emitOf('Token', 'DelegateVotesChanged', { delegate: OPERATOR, previousVotes: 9n, newVotes: 0n });
    expect(world.memory.rows(delegation)).toMatchObject([{ delegator: OWNER, delegatee: OWNER, changedBlock: 3 }]);
    expect(world.memory.rows(delegationChange).map(({ from, to }) => [from, to])).toEqual([
      [zeroAddress, OPERATOR],
      [OPERATOR, OWNER],
    ]);
    expect(world.memory.rows(votingPower)).toMatchObject([{ account: OPERATOR, votes: 0n }]);
    expect(world.memory.rows(votesChange)).toHaveLength(2);
  });

  test('who votes with a stake is the newest that was named', async () => {
    const world = new World();
    await world.emit('StakeDelegated', { owner: OWNER, surrogate: TREASURY, delegatee: OWNER });
    await world.emit('StakeDelegated', { owner: OWNER, surrogate: TREASURY, delegatee: OPERATOR });
    expect(world.memory.rows(surrogate)).toEqual([
      { owner: OWNER, surrogate: TREASURY, delegatee: OPERATOR, ...world.changed },
    ]);
  });
});

describe('timelock', () => {
  const call = { id: zeroHash, target: DOLLAR, value: 0n, data: '0x01', predecessor: zeroHash, delay: 60n } as const;

  test('a batch waits, and is executed call by call', async () => {
    const world = new World();
    await world.emitOf('Timelock', 'CallScheduled', { ...call, index: 0n });
    await world.emitOf('Timelock', 'CallScheduled', { ...call, index: 1n, target: TREASURY });
    await world.emitOf('Timelock', 'CallSalt', { id: zeroHash, salt: `0x${'11'.repeat(32)}` });
    expect(world.memory.rows(operation)).toMatchObject([
      { state: 'scheduled', calls: 2, readyAt: START + 61, salt: `0x${'11'.repeat(32)}` },
    ]);
    await world.emitOf('Timelock', 'CallExecuted', {
      id: zeroHash,
      index: 0n,
      target: DOLLAR,
      value: 0n,
      data: '0x01',
    });
    expect(world.memory.rows(operation)).toMatchObject([{ state: 'executed', endedAt: START + 4 }]);
    expect(world.memory.rows(operationCall).map(({ place, executedAt }) => [place, executedAt])).toEqual([
      [0, START + 4],
      [1, null],
    ]);
  });

  test('one that was cancelled can be scheduled again', async () => {
    const world = new World();
    await world.emitOf('Timelock', 'CallScheduled', { ...call, index: 0n });
    await world.emitOf('Timelock', 'Cancelled', { id: zeroHash });
    expect(world.memory.rows(operation)).toMatchObject([{ state: 'cancelled', endedAt: START + 2 }]);
    await world.emitOf('Timelock', 'CallScheduled', { ...call, index: 0n });
    expect(world.memory.rows(operation)).toMatchObject([
      { state: 'scheduled', calls: 1, scheduledAt: START + 3, endedAt: null },
    ]);
  });

  test('roles are given and taken', async () => {
    const world = new World();
    await world.emitOf('Timelock', 'RoleGranted', { role: zeroHash, account: OWNER, sender: TREASURY });
    await world.emitOf('Timelock', 'RoleRevoked', { role: zeroHash, account: OWNER, sender: OWNER });
    expect(world.memory.rows(role)).toMatchObject([{ account: OWNER, member: false, sender: OWNER }]);
  });
});
