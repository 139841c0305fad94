import type { Address } from 'viem';
import { expect, test } from 'vitest';
import { NoGovernance, UnknownProposalState } from './governance.ts';
import { readProposalHistory, readSwitches } from './governanceHistory.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [GOVERNOR, TIMELOCK, MARKET, TOKEN, ANN, BEN] = ['1', '2', '3', '4', '5', '6'].map(at) as [
  Address,
  Address,
  Address,
  Address,
  Address,
  Address,
];
const deployment = { governor: GOVERNOR, timelock: TIMELOCK, market: MARKET, startBlock: 10 };

/** A chain of `height` blocks of two seconds, whose logs all lie in the first range that is asked for. */
function chain(height: bigint, logs: { eventName: string; blockNumber: bigint; args: object }[]) {
  const asked: [Address, bigint, bigint][] = [];
  const client = {
    getBlockNumber: () => Promise.resolve(height),
    getBlock: ({ blockNumber }: { blockNumber: bigint }) => Promise.resolve({ timestamp: blockNumber * 2n }),
    getLogs({ address, fromBlock, toBlock }: { address: Address; fromBlock: bigint; toBlock: bigint }) {
      asked.push([address, fromBlock, toBlock]);
      return Promise.resolve(asked.length === 1 ? logs.map((log) => ({ ...log, transactionHash: '0xaa' })) : []);
    },
  };
  return { client: client as never, asked };
}

const vote = (voter: Address, support: number, weight: bigint, reason: string, proposalId = 9n) => ({
  eventName: 'VoteCast',
  blockNumber: 60n,
  args: { voter, proposalId, support, weight, reason },
});

test('the steps and votes of one proposal are told from those of others, in order', async () => {
  const { client, asked } = chain(10_100n, [
    { eventName: 'ProposalCreated', blockNumber: 50n, args: { proposalId: 9n } },
    { eventName: 'ProposalCreated', blockNumber: 50n, args: { proposalId: 8n } },
    vote(ANN, 1, 30n, 'cheaper'),
    vote(BEN, 0, 5n, '', 8n),
    { ...vote(BEN, 2, 4n, 'no view'), eventName: 'VoteCastWithParams' },
    { eventName: 'ProposalExtended', blockNumber: 61n, args: { proposalId: 9n, extendedDeadline: 500n } },
    { eventName: 'ProposalQueued', blockNumber: 62n, args: { proposalId: 9n, etaSeconds: 700n } },
    { eventName: 'ProposalExecuted', blockNumber: 63n, args: { proposalId: 9n } },
    { eventName: 'ProposalCanceled', blockNumber: 64n, args: { proposalId: 8n } },
  ]);
  const place = { transaction: '0xaa' };
  expect(await readProposalHistory(client, deployment, { id: 9n, block: 50n })).toEqual({
    steps: [
      { step: 'created', block: 50n, timestamp: 100, ...place },
      { step: 'extended', block: 61n, timestamp: 122, until: 500, ...place },
      { step: 'queued', block: 62n, timestamp: 124, until: 700, ...place },
      { step: 'executed', block: 63n, timestamp: 126, ...place },
    ],
    votes: [
      { voter: ANN, choice: 'for', weight: 30n, reason: 'cheaper', block: 60n, ...place },
      { voter: BEN, choice: 'abstain', weight: 4n, reason: 'no view', block: 60n, ...place },
    ],
  });
  expect(asked).toEqual([
    [GOVERNOR, 50n, 10_049n],
    [GOVERNOR, 10_050n, 10_100n],
  ]);
});

test('a cancelled proposal says so; a choice that nobody knows is refused', async () => {
  const canceled = { eventName: 'ProposalCanceled', blockNumber: 51n, args: { proposalId: 9n } };
  const { steps } = await readProposalHistory(chain(60n, [canceled]).client, deployment, { id: 9n, block: 50n });
  expect(steps).toEqual([{ step: 'canceled', block: 51n, timestamp: 102, transaction: '0xaa' }]);
  const odd = chain(60n, [vote(ANN, 3, 1n, '')]).client;
  await expect(readProposalHistory(odd, deployment, { id: 9n, block: 50n })).rejects.toThrow(UnknownProposalState);
  await expect(readProposalHistory(odd, {}, { id: 9n, block: 50n })).rejects.toThrow(NoGovernance);
});

test('what was opened and closed is read from the deployment on', async () => {
  const { client, asked } = chain(20n, [
    { eventName: 'CurrencyAllowed', blockNumber: 11n, args: { currency: TOKEN, allowed: true } },
    { eventName: 'RuntimeAllowed', blockNumber: 12n, args: { runtime: 3, allowed: true } },
    { eventName: 'SeatsAllowed', blockNumber: 13n, args: { allowed: true } },
    { eventName: 'RuntimeAllowed', blockNumber: 14n, args: { runtime: 3, allowed: false } },
  ]);
  expect(await readSwitches(client, deployment)).toEqual([
    { what: { kind: 'currency', address: TOKEN }, allowed: true, block: 11n },
    { what: { kind: 'runtime', id: 3 }, allowed: true, block: 12n },
    { what: { kind: 'seats' }, allowed: true, block: 13n },
    { what: { kind: 'runtime', id: 3 }, allowed: false, block: 14n },
  ]);
  expect(asked).toEqual([[MARKET, 10n, 20n]]);
});
