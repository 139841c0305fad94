import { encodeAbiParameters, encodeEventTopics, numberToHex, pad, zeroAddress, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { marketAbi } from './abi/generated.ts';
import { VERDICTS } from './court.ts';
import { buildHistory, jobHistory } from './history.ts';
import { claimedWord, SOLO } from './lease.ts';
import type { ChainReader, JobLog } from './logs.ts';
import { packTerms } from './packedTerms.ts';
import { LEASE, RESULT, TERMS } from './testing.ts';

const KEY: Hex = `0x${'d1'.repeat(32)}`;
const OTHER: Hex = `0x${'d2'.repeat(32)}`;
const ID: Hex = `0x${'0a'.repeat(32)}`;
const at = (verdict: (typeof VERDICTS)[number]): number => VERDICTS.indexOf(verdict);
const held = { ...LEASE, first: 0, count: 8, node: 4, flags: SOLO };
const claimed = claimedWord(held);

/** What happened, in order: one event for each block. */
const STORY: [JobLog['eventName'], Record<string, unknown>][] = [
  ['JobPosted', { id: ID, requester: TERMS.requester, terms: packTerms(TERMS) }],
  ['LeaseClaimed', { id: ID, first: 0, node: 4, claimed }],
  ['LeaseCommitted', { id: ID, first: 0, node: 4, commitment: zeroHash }],
  ['LeaseRevealed', { id: ID, first: 0, node: 4, result: RESULT }],
  [
    'Challenged',
    {
      ...{ dispute: KEY, id: ID, node: 4, claimed, first: 0, index: 3, hash: zeroHash, units: 7n },
      ...{ challenger: zeroAddress, byNode: 9 },
    },
  ],
  ['JurorServed', { dispute: KEY, node: 20, round: 1, commitment: zeroHash }],
  ['JurorServed', { dispute: KEY, node: 21, round: 1, commitment: zeroHash }],
  ['JurorSpoke', spoken(20, 'invalid')],
  ['Judged', { dispute: KEY, round: 1, found: at('invalid'), stands: at('invalid'), served: 2n, paid: 1n }],
  ['Appealed', { dispute: KEY, appellant: zeroAddress, byNode: 4 }],
  ['JurorServed', { dispute: KEY, node: 30, round: 2, commitment: zeroHash }],
  ['Judged', { dispute: KEY, round: 2, found: at('none'), stands: at('invalid'), served: 1n, paid: 0n }],
  [
    'DisputeEnded',
    {
      ...{ dispute: KEY, verdict: at('invalid'), returned: 9n, forfeited: 0n, rewarded: 5n, repaid: 0n },
      ...{ record: 5_000 },
    },
  ],
  ['LeaseJudged', { id: ID, first: 0, node: 4, verdict: at('invalid'), paid: 0n, fee: 0n, compensation: 0n }],
];

function spoken(node: number, verdict: 'invalid'): Record<string, unknown> {
  const own = { hash: zeroHash, units: 7n, evidence: zeroHash };
  return { dispute: KEY, node, round: 1, verdict: at(verdict), ...own };
}

const logs = STORY.map(
  ([eventName, args], index) =>
    ({
      ...{ eventName, args, blockNumber: BigInt(index + 1), transactionHash: numberToHex(index + 1, { size: 32 }) },
      ...{ logIndex: 0, timestamp: 1_000 + index + 1, gasUsed: undefined },
    }) as unknown as JobLog,
);

test('a dispute is folded from its events', () => {
  const [dispute, ...others] = buildHistory(logs)!.disputes;
  expect(others).toEqual([]);
  expect(dispute).toMatchObject({
    ...{ key: KEY, index: 3, units: 7n, verdict: 'invalid', lease: { node: 4, first: 0, count: 8 } },
    ...{ challenger: { account: zeroAddress, node: 9 }, appellant: { node: 4 } },
    ended: { returned: 9n, forfeited: 0n, rewarded: 5n, repaid: 0n, record: 5_000, at: 1_013 },
  });
  const { juries } = dispute!;
  expect(juries.map(({ jurors, calledAt }) => [calledAt, jurors.map(({ node }) => node)])).toEqual([
    [1_005, [20, 21]],
    [1_010, [30]],
  ]);
  expect([...juries[0]!.votes]).toEqual([[20, 'invalid']]);
  expect(juries.map(({ judged }) => judged)).toEqual([
    { found: 'invalid', paid: 1, at: 1_009 },
    { found: 'none', paid: 0, at: 1_012 },
  ]);
});

test('every event of a dispute is a step of the lease that it is about', () => {
  const steps = buildHistory(logs)!.steps.slice(4);
  expect(steps.map(({ event, first, node }) => [event, first, node])).toEqual([
    ['Challenged', 0, 4],
    ['JurorServed', 0, 20],
    ['JurorServed', 0, 21],
    ['JurorSpoke', 0, 20],
    ['Judged', 0, undefined],
    ['Appealed', 0, undefined],
    ['JurorServed', 0, 30],
    ['Judged', 0, undefined],
    ['DisputeEnded', 0, undefined],
    ['LeaseJudged', 0, 4],
  ]);
});

/** A chain with these events; it counts the questions for logs. */
function chainOf(story: typeof STORY): { client: ChainReader; questions: () => number } {
  let asked = 0;
  const raw = story.map(([eventName, args], index) => rawLog(eventName, args, index + 1));
  const request = async ({ params }: { params: [Filter] }): Promise<unknown[]> => {
    asked += 1;
    const [{ topics, fromBlock, toBlock }] = params;
    const fits = ({ topics: has }: { topics: Hex[] }): boolean =>
      topics.every((wanted, place) => wanted === null || [wanted].flat().includes(has[place]!));
    return raw.filter(
      (log) => fits(log) && Number(log.blockNumber) >= Number(fromBlock) && Number(log.blockNumber) <= Number(toBlock),
    );
  };
  const getBlock = async ({ blockNumber }: { blockNumber: bigint }): Promise<unknown> => ({
    timestamp: 1_000n + blockNumber,
  });
  const client = { request, getBlock, getBlockNumber: async () => 100n } as unknown as ChainReader;
  return { client, questions: () => asked };
}

interface Filter {
  topics: (Hex | Hex[] | null)[];
  fromBlock: Hex;
  toBlock: Hex;
}

function rawLog(eventName: JobLog['eventName'], args: Record<string, unknown>, block: number) {
  const event = marketAbi.find((item) => item.type === 'event' && item.name === eventName) as {
    inputs: readonly { name: string; type: string; indexed?: boolean }[];
  };
  const plain = event.inputs.filter(({ indexed }) => !indexed);
  return {
    address: zeroAddress,
    topics: encodeEventTopics({ abi: marketAbi, eventName, args } as never) as Hex[],
    data: encodeAbiParameters(plain as never, plain.map(({ name }) => args[name]) as never),
    ...{ blockNumber: numberToHex(block), transactionHash: numberToHex(block, { size: 32 }), logIndex: '0x0' },
    ...{ blockHash: pad(numberToHex(block)), transactionIndex: '0x0', removed: false },
  };
}

test('disputes are read with the job that they are about, and those about other jobs are not', async () => {
  const stranger = STORY.filter(([, args]) => 'dispute' in args).map(
    ([name, args]): [JobLog['eventName'], Record<string, unknown>] => [
      name,
      { ...args, dispute: OTHER, ...('id' in args ? { id: zeroHash } : {}) },
    ],
  );
  const { client, questions } = chainOf([...STORY, ...stranger]);
  const history = await jobHistory(client, { market: zeroAddress, startBlock: 1 }, ID, { gas: false });
  expect(history).toEqual(buildHistory(logs));
  expect(questions()).toBe(3);
});

test.each([
  ['was not shown', 3, 1],
  ['nobody challenged', 4, 2],
])('a job that %s costs no question too many', async (_what, events, questions) => {
  const chain = chainOf(STORY.slice(0, events));
  const history = await jobHistory(chain.client, { market: zeroAddress, startBlock: 1 }, ID, { gas: false });
  expect([history.disputes, chain.questions()]).toEqual([[], questions]);
});
