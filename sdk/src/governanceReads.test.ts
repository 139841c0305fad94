import { zeroAddress, type Address } from 'viem';
import { describe, expect, test } from 'vitest';
import { NoGovernance } from './governance.ts';
import { findProposals, readProposal, readGovernanceSettings, readVotingPower } from './governanceReads.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [GOVERNOR, TIMELOCK, MARKET, TOKEN, SURROGATE, ANN, BEN] = ['1', '2', '3', '4', '5', '6', '7'].map(at) as [
  Address,
  Address,
  Address,
  Address,
  Address,
  Address,
  Address,
];
const deployment = { governor: GOVERNOR, timelock: TIMELOCK, market: MARKET, token: TOKEN, startBlock: 10 };

/** A chain whose contracts answer from a table, `address.function(first argument)`. */
function chain(answers: Record<string, unknown>) {
  return {
    readContract({ address, functionName, args }: { address: Address; functionName: string; args?: unknown[] }) {
      const key = `${address[2]}.${functionName}${args ? `(${String(args[0])})` : ''}`;
      if (!(key in answers)) throw new Error(`nobody expected ${key}`);
      return Promise.resolve(answers[key]);
    },
  } as never;
}

const rules = {
  '1.votingDelay': 86_400n,
  '1.votingPeriod': 432_000n,
  '1.lateQuorumVoteExtension': 86_400,
  '1.proposalThreshold': 5n,
  '1.quorumNumerator': 4n,
  '1.proposalGuardian': ANN,
  '1.proposalGuardianUntil': 1_900_000_000,
  '2.getMinDelay': 172_800n,
};

describe('the rules', () => {
  test('come from the governor and the timelock', async () => {
    expect(await readGovernanceSettings(chain(rules), deployment)).toEqual({
      votingDelay: 86_400,
      votingPeriod: 432_000,
      lateQuorumExtension: 86_400,
      timelockDelay: 172_800,
      proposalThreshold: 5n,
      quorumPercent: 4,
      guardian: ANN,
      guardianUntil: 1_900_000_000,
    });
  });

  test('name nobody once the term has ended', async () => {
    const read = await readGovernanceSettings(chain({ ...rules, '1.proposalGuardian': zeroAddress }), deployment);
    expect(read.guardian).toBeUndefined();
  });

  test('cannot be read where there is no governor', async () => {
    await expect(readGovernanceSettings(chain({}), { market: MARKET, token: TOKEN })).rejects.toThrow(NoGovernance);
  });
});

describe('a proposal', () => {
  const answers = {
    '1.state(9)': 1,
    '1.proposalProposer(9)': BEN,
    '1.proposalSnapshot(9)': 1_000n,
    '1.proposalDeadline(9)': 2_000n,
    '1.proposalEta(9)': 0n,
    '1.proposalVotes(9)': [1n, 2n, 3n],
    '1.quorum(1000)': 40n,
  };

  test('is read with its votes and quorum', async () => {
    expect(await readProposal(chain(answers), deployment, 9n, 1_001)).toEqual({
      state: 'active',
      proposer: BEN,
      snapshot: 1_000,
      deadline: 2_000,
      eta: undefined,
      votes: { against: 1n, for: 2n, abstain: 3n },
      quorum: 40n,
    });
  });

  test('has no quorum before its snapshot is past, and a time to execute once queued', async () => {
    const early = await readProposal(chain({ ...answers, '1.state(9)': 0 }), deployment, 9n, 1_000);
    expect([early.state, early.quorum]).toEqual(['pending', undefined]);
    const queued = { ...answers, '1.state(9)': 5, '1.proposalEta(9)': 3_000n };
    const late = await readProposal(chain(queued), deployment, 9n, 2_500);
    expect([late.state, late.eta]).toEqual(['queued', 3_000]);
  });

  test('is found in the logs, range by range', async () => {
    const asked: [bigint, bigint][] = [];
    const args = {
      proposalId: 9n,
      proposer: BEN,
      targets: [MARKET],
      values: [0n],
      calldatas: ['0x01'],
      description: 'Why',
    };
    const client = {
      getBlockNumber: () => Promise.resolve(10_010n),
      getLogs({ address, fromBlock, toBlock }: { address: Address; fromBlock: bigint; toBlock: bigint }) {
        expect(address).toBe(GOVERNOR);
        asked.push([fromBlock, toBlock]);
        return Promise.resolve(fromBlock === 10n ? [{ args, blockNumber: 77n }] : []);
      },
    } as never;
    expect(await findProposals(client, deployment)).toEqual([
      {
        id: 9n,
        proposer: BEN,
        targets: [MARKET],
        values: [0n],
        calldatas: ['0x01'],
        description: 'Why',
        block: 77n,
      },
    ]);
    expect(asked).toEqual([
      [10n, 10_009n],
      [10_010n, 10_010n],
    ]);
  });
});

describe('votes', () => {
  const answers = {
    [`3.surrogateOf(${ANN})`]: SURROGATE,
    [`4.getVotes(${ANN})`]: 30n,
    [`4.balanceOf(${ANN})`]: 10n,
    [`4.delegates(${ANN})`]: ANN,
    [`4.balanceOf(${SURROGATE})`]: 20n,
    [`4.delegates(${SURROGATE})`]: BEN,
  };

  test('are told apart by wallet and stake', async () => {
    expect(await readVotingPower(chain(answers), deployment, ANN)).toEqual({
      votes: 30n,
      liquid: 10n,
      liquidDelegate: ANN,
      staked: 20n,
      stakeDelegate: BEN,
    });
  });

  test('of somebody who never staked or delegated', async () => {
    const fresh = {
      ...answers,
      [`3.surrogateOf(${ANN})`]: zeroAddress,
      [`4.getVotes(${ANN})`]: 0n,
      [`4.delegates(${ANN})`]: zeroAddress,
    };
    expect(await readVotingPower(chain(fresh), deployment, ANN)).toEqual({
      votes: 0n,
      liquid: 10n,
      liquidDelegate: undefined,
      staked: 0n,
      stakeDelegate: undefined,
    });
  });
});
