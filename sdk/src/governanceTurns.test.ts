import type { Address } from 'viem';
import { expect, test } from 'vitest';
import { inForceAt, readTurns, type Turn } from './governanceTurns.ts';
import type { InForce } from './governanceValues.ts';
import { RULES } from './testing.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [GOVERNOR, TIMELOCK, MARKET, ANN, BEN] = ['1', '2', '3', '4', '5'].map(at) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const old = { ...RULES, noShowBps: 2_000, burnBps: 5_000, retryBps: 4_000, openFor: 60 };
const params = { ...old, feeBps: 200 };
const now = {
  version: 2,
  params,
  minStake: 9n,
  unbonding: 800_000,
  treasury: BEN,
  settings: { votingDelay: 20, votingPeriod: 120, timelockDelay: 8, proposalThreshold: 70n, quorumPercent: 5 },
} as unknown as InForce;
const turns: Turn[] = [
  { name: 'params', version: 1, params: old, block: 1n },
  { name: 'treasury', value: ANN, block: 1n },
  { name: 'minStake', value: 5n, block: 1n },
  { name: 'unbonding', value: 600_000n, block: 1n },
  { name: 'votingDelay', before: 10n, value: 15n, block: 10n },
  { name: 'votingDelay', before: 15n, value: 20n, block: 20n },
  { name: 'params', version: 2, params, block: 20n },
  { name: 'minStake', value: 9n, block: 30n },
  { name: 'unbonding', value: 800_000n, block: 30n },
  { name: 'treasury', value: BEN, block: 30n },
  { name: 'proposalThreshold', before: 60n, value: 70n, block: 30n },
];

test('the present is taken back turn by turn, and what was turned in the block itself counts', () => {
  const told = (block: bigint) => {
    const then = inForceAt(now, turns, block);
    return (
      then && [
        then.version,
        then.params.feeBps,
        then.settings.votingDelay,
        then.minStake,
        then.unbonding,
        then.treasury,
        then.settings.proposalThreshold,
      ]
    );
  };
  expect(told(9n)).toEqual([1, 300, 10, 5n, 600_000, ANN, 60n]);
  expect(told(10n)).toEqual([1, 300, 15, 5n, 600_000, ANN, 60n]);
  expect(told(19n)).toEqual([1, 300, 15, 5n, 600_000, ANN, 60n]);
  expect(told(20n)).toEqual([2, 200, 20, 5n, 600_000, ANN, 60n]);
  expect(told(30n)).toEqual([2, 200, 20, 9n, 800_000, BEN, 70n]);
  expect(inForceAt(now, turns, 30n)).toBe(now);
  expect(inForceAt(now, turns, 5n)?.settings.votingPeriod).toBe(120);
});

test('before the first word about a number nobody can say what it was', () => {
  expect(inForceAt(now, turns, 0n)).toBeUndefined();
});

test('turns are read from the Market, the governor and the timelock', async () => {
  const logs = [
    { eventName: 'ParamsAdded', args: { version: 1, params: old } },
    { eventName: 'TreasurySet', args: { treasury: ANN } },
    { eventName: 'MinStakeSet', args: { minStake: 5n } },
    { eventName: 'UnbondingSet', args: { unbonding: 600_000 } },
    { eventName: 'VotingDelaySet', args: { oldVotingDelay: 1n, newVotingDelay: 2n } },
    { eventName: 'VotingPeriodSet', args: { oldVotingPeriod: 3n, newVotingPeriod: 4n } },
    { eventName: 'LateQuorumVoteExtensionSet', args: { oldVoteExtension: 5n, newVoteExtension: 6n } },
    { eventName: 'ProposalThresholdSet', args: { oldProposalThreshold: 7n, newProposalThreshold: 8n } },
    { eventName: 'QuorumNumeratorUpdated', args: { oldQuorumNumerator: 9n, newQuorumNumerator: 10n } },
    { eventName: 'MinDelayChange', args: { oldDuration: 11n, newDuration: 12n } },
  ];
  const client = {
    getBlockNumber: () => Promise.resolve(12n),
    getLogs({ address, fromBlock, toBlock }: { address: Address[]; fromBlock: bigint; toBlock: bigint }) {
      expect([address, fromBlock, toBlock]).toEqual([[MARKET, GOVERNOR, TIMELOCK], 3n, 12n]);
      return Promise.resolve(logs.map((log) => ({ ...log, blockNumber: 4n })));
    },
  } as never;
  const block = 4n;
  expect(await readTurns(client, { governor: GOVERNOR, timelock: TIMELOCK, market: MARKET, startBlock: 3 })).toEqual([
    { name: 'params', version: 1, params: old, block },
    { name: 'treasury', value: ANN, block },
    { name: 'minStake', value: 5n, block },
    { name: 'unbonding', value: 600_000n, block },
    { name: 'votingDelay', before: 1n, value: 2n, block },
    { name: 'votingPeriod', before: 3n, value: 4n, block },
    { name: 'lateQuorumExtension', before: 5n, value: 6n, block },
    { name: 'proposalThreshold', before: 7n, value: 8n, block },
    { name: 'quorumPercent', before: 9n, value: 10n, block },
    { name: 'timelockDelay', before: 11n, value: 12n, block },
  ]);
});
