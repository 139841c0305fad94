import { encodeAbiParameters, encodeEventTopics, keccak256, numberToHex, toHex, zeroHash, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { marketAbi } from './abi/generated.ts';
import { buildHistory, findJobs, JobNotFound, jobHistory } from './history.ts';
import { claimedWord, DIRECT, SOLO, type Lease } from './lease.ts';
import type { ChainReader, JobLog } from './logs.ts';
import { packTerms } from './packedTerms.ts';
import { LEASE, RESULT, TERMS } from './testing.ts';

const ID = keccak256(toHex('job'));
const OWNER = TERMS.requester;
const COMMITMENT = keccak256(toHex('commitment'));
const hash = (n: number): Hex => keccak256(toHex(n));

/** A log of block `block` (one a second, transaction `block`). */
function log<Name extends JobLog['eventName']>(
  block: number,
  eventName: Name,
  args: Omit<Extract<JobLog, { eventName: Name }>['args'], 'id'>,
): JobLog {
  const place = { blockNumber: BigInt(block), transactionHash: hash(block), logIndex: 0, timestamp: 1_000 + block };
  return { eventName, args: { id: ID, ...args }, ...place, gasUsed: 50_000n } as unknown as JobLog;
}

const ESCROW = 24n * 10n ** 18n;
const posted = log(1, 'JobPosted', { requester: OWNER, terms: packTerms(TERMS) });
const claim = (block: number, over: Partial<Lease> = {}): JobLog => {
  const lease = { ...LEASE, first: 0, count: 3, price: 2n, bonus: 0n, deadline: 1_300 + block, ...over };
  return log(block, 'LeaseClaimed', { first: lease.first, node: lease.node, claimed: claimedWord(lease) });
};
const commit = log(3, 'LeaseCommitted', { first: 0, node: 4, commitment: COMMITMENT });
const reveal = log(4, 'LeaseRevealed', { first: 0, node: 4, result: RESULT });
const settle = log(5, 'LeaseSettled', { first: 0, node: 4, paid: 5n, fee: 1n, record: 5_078 });
const lapse = log(4, 'LeaseLapsed', {
  first: 0,
  node: 4,
  slashed: 7n,
  bonus: 3_000_000_000n,
  record: 4_375,
  withheld: true,
});

describe('a history', () => {
  test('follows a lease from claim to payment', () => {
    const history = buildHistory([posted, claim(2), commit, reveal, settle])!;
    expect(history).toMatchObject({
      id: ID,
      terms: TERMS,
      signed: false,
      escrow: ESCROW,
      state: 'open',
      postedAt: 1_001,
      postedBlock: 1,
      cursor: 3,
      refunded: 0n,
      replaced: [],
    });
    expect(history.leases).toEqual([
      {
        lease: {
          first: 0,
          count: 3,
          node: 4,
          price: 2n,
          bonus: 0n,
          deadline: 1_302,
          flags: 0,
          commitment: COMMITMENT,
          committedBlock: 3,
        },
        state: 'settled',
        at: 1_005,
        bond: 3n * TERMS.bond,
        takenOver: false,
        claimedAt: 1_002,
        committedAt: 1_003,
        revealedAt: 1_004,
        windowEnd: 1_064,
        settledAt: 1_005,
        result: RESULT,
        payment: { paid: 5n, fee: 1n, bonus: 0n, record: 5_078, accepted: false },
        transactions: { claim: hash(2), commit: hash(3), reveal: hash(4), settle: hash(5) },
      },
    ]);
    expect(history.steps[2]).toEqual({
      event: 'LeaseCommitted',
      transaction: hash(3),
      block: 3,
      timestamp: 1_003,
      gasUsed: 50_000n,
      first: 0,
      node: 4,
    });
  });

  test('keeps a lapsed holder beside the one who took over, with the bonus in gwei', () => {
    const over = claim(6, { node: 5, bonus: 3n });
    const settled = log(7, 'LeaseSettled', { first: 0, node: 5, paid: 5n, fee: 1n, record: 5_078 });
    const { leases, replaced, cursor } = buildHistory([posted, claim(2), commit, lapse, over])!;
    expect(replaced).toHaveLength(1);
    expect(replaced[0]).toMatchObject({
      state: 'lapsed',
      at: 1_004,
      lapsedAt: 1_004,
      loss: { slashed: 7n, bonus: 3_000_000_000n, record: 4_375, withheld: true },
      transactions: { lapse: hash(4) },
    });
    expect(leases).toHaveLength(1);
    expect(leases[0]).toMatchObject({
      takenOver: true,
      state: 'claimed',
      lease: { node: 5, bonus: 3n, commitment: zeroHash },
    });
    expect(cursor).toBe(3);
    const paid = buildHistory([posted, claim(2), commit, lapse, over, settled])!;
    expect(paid.leases[0]!.payment!.bonus).toBe(3_000_000_000n);
  });

  test('sorts leases by shard and knows the flags of their words', () => {
    const { leases, cursor } = buildHistory([posted, claim(2, { first: 3, flags: DIRECT }), claim(3)])!;
    expect(leases.map(({ lease }) => [lease.first, lease.flags])).toEqual([
      [0, 0],
      [3, DIRECT],
    ]);
    expect(cursor).toBe(6);
    expect(buildHistory([posted, claim(2, { count: 8, flags: SOLO })])!.leases[0]!.lease.flags).toBe(SOLO);
  });

  test('is one of a signed order when a claim came with the post', () => {
    expect(buildHistory([posted, claim(1)])!.signed).toBe(true);
    expect(buildHistory([posted, claim(2)])!.signed).toBe(false);
    expect(buildHistory([posted, log(1, 'JobCancelled', { refunded: 0n })])!.signed).toBe(false);
  });

  test('of a solo lease ends although the job completes before the payment is told', () => {
    const complete = log(5, 'JobCompleted', { refunded: 8n });
    const history = buildHistory([posted, claim(2, { count: 8 }), commit, reveal, complete, settle])!;
    expect(history).toMatchObject({ state: 'complete', closedAt: 1_005, refunded: 8n });
    expect(history.leases[0]!.state).toBe('settled');
  });

  test('of an accepted lease has the result that was accepted, and no record', () => {
    const accepted = log(5, 'LeaseAccepted', { first: 0, node: 4, paid: 5n, fee: 1n, result: RESULT });
    expect(buildHistory([posted, claim(2), accepted])!.leases[0]).toMatchObject({
      state: 'settled',
      result: RESULT,
      settledAt: 1_005,
    });
    expect(buildHistory([posted, claim(2), accepted])!.leases[0]!.payment).toEqual({
      paid: 5n,
      fee: 1n,
      bonus: 0n,
      accepted: true,
    });
  });

  test('of an order that was settled at once has one lease that was never claimed', () => {
    const complete = log(1, 'JobCompleted', { refunded: 8n });
    const paid = log(1, 'LeaseAccepted', { first: 0, node: 4, paid: 15n, fee: 1n, result: RESULT });
    const { leases, signed } = buildHistory([posted, complete, paid])!;
    expect(signed).toBe(true);
    expect(leases).toHaveLength(1);
    expect(leases[0]).toMatchObject({
      lease: { first: 0, count: 8, node: 4, price: 2n, flags: SOLO },
      state: 'settled',
      result: RESULT,
      payment: { paid: 15n, fee: 1n, accepted: true },
      transactions: { settle: hash(1) },
    });
    expect(leases[0]).not.toHaveProperty('claimedAt');
  });

  test('of a cancelled job adds up its refunds', () => {
    const cancelled = log(2, 'JobCancelled', { refunded: 4n });
    const closed = log(3, 'JobClosed', { refunded: 20n });
    expect(buildHistory([posted, cancelled])).toMatchObject({ state: 'cancelled', refunded: 4n });
    expect(buildHistory([posted, cancelled, closed])).toMatchObject({
      state: 'closed',
      refunded: 24n,
      closedAt: 1_003,
    });
  });

  test('of a job that was never posted does not exist', () => {
    expect(buildHistory([log(2, 'JobCancelled', { refunded: 0n })])).toBeUndefined();
  });
});

describe('reading logs', () => {
  const deployment = { market: TERMS.currency, startBlock: 5 };

  test('asks for ranges of 10,000 blocks by topic, and each block and receipt once', async () => {
    const { client, asked } = chain([rawPost(12_000, 0), rawCancel(12_000, 1)], 20_010);
    const history = await jobHistory(client, deployment, ID);
    expect(asked).toEqual([
      'logs 5-10004',
      'logs 10005-20004',
      'logs 20005-20010',
      'block 12000',
      `receipt ${hash(12_000)}`,
    ]);
    expect(history).toMatchObject({
      state: 'cancelled',
      postedAt: 112_000,
      postedBlock: 12_000,
      refunded: 3n,
      terms: TERMS,
    });
    expect(history.steps.map(({ event, gasUsed }) => [event, gasUsed])).toEqual([
      ['JobPosted', 77n],
      ['JobCancelled', 77n],
    ]);
  });

  test('leaves receipts out when asked to, and looks only where told', async () => {
    const { client, asked } = chain([rawPost(12_000, 0)], 20_010);
    const { steps } = await jobHistory(client, deployment, ID, { fromBlock: 11_000, toBlock: 12_500, gas: false });
    expect(asked).toEqual(['logs 11000-12500', 'block 12000']);
    expect(steps[0]!.gasUsed).toBeUndefined();
  });

  test('says where it looked when there is no such job', async () => {
    const { client } = chain([], 7);
    await expect(jobHistory(client, deployment, ID)).rejects.toThrow(new JobNotFound(ID, 5, 7));
  });

  test('stops when told', async () => {
    const { client, asked } = chain([], 20_010);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(jobHistory(client, deployment, ID, { signal: stop.signal })).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });

  test('finds jobs, newest first', async () => {
    const { client } = chain([rawPost(12_000, 0), rawPost(13_000, 0)], 20_010);
    const jobs = await findJobs(client, deployment, { requester: OWNER });
    expect(jobs.map(({ block, transaction }) => [block, transaction])).toEqual([
      [13_000, hash(13_000)],
      [12_000, hash(12_000)],
    ]);
    expect(jobs[0]).toMatchObject({ id: ID, requester: OWNER, terms: TERMS, escrow: ESCROW });
  });
});

interface RawLog {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  transactionHash: Hex;
  logIndex: Hex;
}

function rawPost(block: number, index: number): RawLog {
  const { inputs } = marketAbi.find((item) => item.type === 'event' && item.name === 'JobPosted') as {
    inputs: readonly { indexed: boolean }[];
  };
  const plain = inputs.filter(({ indexed }) => !indexed) as never;
  const topics = encodeEventTopics({ abi: marketAbi, eventName: 'JobPosted', args: { id: ID, requester: OWNER } });
  return raw(block, index, topics as Hex[], encodeAbiParameters(plain, [packTerms(TERMS)] as never));
}

function rawCancel(block: number, index: number): RawLog {
  const topics = encodeEventTopics({ abi: marketAbi, eventName: 'JobCancelled', args: { id: ID } });
  return raw(block, index, topics as Hex[], encodeAbiParameters([{ type: 'uint256' }], [3n]));
}

function raw(block: number, index: number, topics: Hex[], data: Hex): RawLog {
  const blockNumber = numberToHex(block);
  return {
    address: TERMS.currency,
    topics,
    data,
    blockNumber,
    transactionHash: hash(block),
    logIndex: numberToHex(index),
  };
}

/** A chain with these logs that says what it was asked. */
function chain(logs: RawLog[], height: number): { client: ChainReader; asked: string[] } {
  const asked: string[] = [];
  const client = {
    request({
      params: [{ fromBlock, toBlock, topics }],
    }: {
      params: [{ fromBlock: Hex; toBlock: Hex; topics: (Hex | Hex[] | null)[] }];
    }) {
      asked.push(`logs ${Number(fromBlock)}-${Number(toBlock)}`);
      const matches = (log: RawLog): boolean =>
        topics.every((wanted, at) => wanted === null || [wanted].flat().includes(log.topics[at]!));
      const inRange = ({ blockNumber }: RawLog): boolean =>
        Number(blockNumber) >= Number(fromBlock) && Number(blockNumber) <= Number(toBlock);
      return Promise.resolve(logs.filter((log) => inRange(log) && matches(log)));
    },
    getBlockNumber: () => Promise.resolve(BigInt(height)),
    getBlock({ blockNumber }: { blockNumber: bigint }) {
      asked.push(`block ${blockNumber}`);
      return Promise.resolve({ timestamp: blockNumber + 100_000n });
    },
    getTransactionReceipt({ hash: wanted }: { hash: Hex }) {
      asked.push(`receipt ${wanted}`);
      return Promise.resolve({ gasUsed: 77n });
    },
  };
  return { client: client as unknown as ChainReader, asked };
}
