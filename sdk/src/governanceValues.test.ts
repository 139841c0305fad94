import { zeroAddress, type Address } from 'viem';
import { expect, test } from 'vitest';
import { readInForce } from './governanceValues.ts';
import { packRules } from './rules.ts';
import { RULES } from './testing.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [GOVERNOR, TIMELOCK, MARKET, TOKEN, ANN] = ['1', '2', '3', '4', '5'].map(at) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const deployment = { governor: GOVERNOR, timelock: TIMELOCK, market: MARKET, token: TOKEN };
const params = { ...RULES, noShowBps: 2_000, burnBps: 5_000, retryBps: 4_000, openFor: 60 };

/** Contracts that answer from a table, and the blocks that they were asked about. */
function chain(over: Record<string, unknown> = {}) {
  const answers: Record<string, unknown> = {
    '3.config': [packRules({ ...RULES, version: 7 }), 0, 1_000n, 604_800, 3],
    '3.params(7)': params,
    '3.treasury': TIMELOCK,
    '3.guardian': [ANN, 1_900_000_000],
    '1.votingDelay': 86_400n,
    '1.votingPeriod': 432_000n,
    '1.lateQuorumVoteExtension': 86_400,
    '1.proposalThreshold': 5n,
    '1.quorumNumerator': 4n,
    '1.proposalGuardian': ANN,
    '1.proposalGuardianUntil': 1_900_000_000,
    '2.getMinDelay': 172_800n,
    '1.FIRST_VOTING_DELAY': 10,
    '1.FIRST_VOTING_PERIOD': 120,
    '1.FIRST_LATE_QUORUM_EXTENSION': 30,
    '2.FIRST_DELAY': 11n,
    ...over,
  };
  const blocks = new Set<unknown>();
  const client = {
    readContract(request: { address: Address; functionName: string; args?: unknown[]; blockNumber?: bigint }) {
      const { address, functionName, args, blockNumber } = request;
      const key = `${address[2]}.${functionName}${args ? `(${String(args[0])})` : ''}`;
      if (!(key in answers)) throw new Error(`nobody expected ${key}`);
      blocks.add(blockNumber);
      return Promise.resolve(answers[key]);
    },
  } as never;
  return { client, blocks };
}

test('everything in force is read, with the numbers of the newest version', async () => {
  const { client, blocks } = chain();
  expect(await readInForce(client, deployment)).toEqual({
    version: 7,
    params,
    minStake: 1_000n,
    unbonding: 604_800,
    treasury: TIMELOCK,
    guardian: ANN,
    guardianUntil: 1_900_000_000,
    settings: {
      votingDelay: 86_400,
      votingPeriod: 432_000,
      lateQuorumExtension: 86_400,
      timelockDelay: 172_800,
      proposalThreshold: 5n,
      quorumPercent: 4,
      guardian: ANN,
      guardianUntil: 1_900_000_000,
    },
    first: { votingDelay: 10, votingPeriod: 120, lateQuorumExtension: 30, timelockDelay: 11 },
  });
  expect([...blocks]).toEqual([undefined]);
});

test('as of an earlier block, every contract is asked about that block', async () => {
  const { client, blocks } = chain({ '3.guardian': [zeroAddress, 0] });
  expect((await readInForce(client, deployment, 55n)).guardian).toBeUndefined();
  expect([...blocks]).toEqual([55n]);
});
