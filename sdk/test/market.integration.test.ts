import { keccak256, toHex, zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dpuTokenAbi } from '../src/abi/generated.ts';
import type { Deployment } from '../src/deployment.ts';
import { explain } from '../src/errors.ts';
import { findJobs, jobHistory, type HistoryLease, type JobHistory } from '../src/history.ts';
import { claimedWord, commitmentOf, DIRECT, lapsedWord, leaseWordOf, PHASES, readWord, SOLO } from '../src/lease.ts';
import type { Result } from '../src/lease.ts';
import { createMarket, permitTypedData, type Market } from '../src/market.ts';
import { merkleProof, merkleRoot, type ShardLeaf } from '../src/merkle.ts';
import {
  acceptanceTypedData,
  jobId,
  marketDomain,
  orderTypedData,
  priceAt,
  rampStart,
  type Terms,
} from '../src/terms.ts';
import { packRules, readRules } from '../src/rules.ts';
import { RULES, TERMS } from '../src/testing.ts';
import { startAnvil, type TestChain } from './anvil.ts';
import { addNode, approve, deploy, done, give } from './localMarket.ts';

const DPU = 10n ** 18n;
/** Anvil's accounts, as docs/architecture.md casts them. */
const REQUESTER = 1;
const OWNER = 3;
const OPERATOR = 6;
const NODE = 1;
const SECOND_NODE = 2;
const SALT = keccak256(toHex('salt'));

const leaves: ShardLeaf[] = [0, 1, 2].map((shard) => ({
  shard,
  hash: keccak256(toHex(`output ${shard}`)),
  units: BigInt(shard + 1),
}));
const result: Result = { root: merkleRoot(leaves), units: 6n, manifest: keccak256(toHex('manifest')) };

let chain: TestChain;
let deployment: Deployment;
let as: Record<'requester' | 'owner' | 'operator' | 'secondOwner' | 'secondOperator' | 'anyone', Market>;

beforeAll(async () => {
  chain = await startAnvil();
  deployment = await deploy(chain);
  const market = (index: number): Market =>
    createMarket({ publicClient: chain.publicClient, walletClient: chain.wallet(index), deployment });
  as = {
    requester: market(REQUESTER),
    owner: market(OWNER),
    operator: market(OPERATOR),
    secondOwner: market(OWNER + 1),
    secondOperator: market(OPERATOR + 1),
    anyone: market(9),
  };
  for (const index of [REQUESTER, OWNER, OWNER + 1]) {
    await give(chain, deployment.token, index, 100_000n * DPU);
    await approve(chain, deployment, index, 50_000n * DPU);
  }
  await addNode(chain, as.owner, chain.person(OPERATOR).address, NODE, 50_000n * DPU);
  await addNode(chain, as.secondOwner, chain.person(OPERATOR + 1).address, SECOND_NODE, 50_000n * DPU);
  await done(chain, as.requester.deposit(deployment.token, chain.person(REQUESTER).address, 10_000n * DPU));
});

afterAll(() => chain?.stop());

describe('ids, prices and commitments', () => {
  test('equal the contract', async () => {
    const terms = await termsOf({ afterJob: keccak256(toHex('earlier')), salt: 2n ** 64n - 1n, direct: true });
    expect(jobId(terms, domain())).toBe(await as.anyone.jobId(terms));
    // Every field with a value of its own: one in another's place would change the id.
    const shape = { shards: 0xa1a2a3a4, maxLease: 0xb1b2, runtime: 0xc1, tier: 0xc2, seats: 0xc3, auditBps: 0xd1d2 };
    const times = { node: 0xe1e2e3e4, start: 0xf1f2f3f4f5, expiry: 0xf6f7f8f9fa, ramp: 0x11121314, exec: 0x21222324 };
    const money = { minPrice: 2n ** 96n - 1n, maxPrice: 2n ** 95n, bond: 2n ** 94n, rules: 2n ** 152n - 2n };
    const odd = { ...terms, ...shape, ...times, ...money, window: 0x31323334, salt: 0x4142434445464748n };
    expect(jobId(odd, domain())).toBe(await as.anyone.jobId(odd));
    const parts = { id: zeroHash, first: 7, seat: 2, node: 9, result, salt: SALT } as const;
    expect(commitmentOf(parts)).toBe(await as.anyone.commitmentOf(zeroHash, 7, 2, 9, result, SALT));
  });

  test('of a posted job give the price that the contract gives, all along the ramp', async () => {
    const terms = await termsOf({ salt: 1n, minPrice: 7n, maxPrice: 1_000_003n, ramp: 61 });
    const { postedAt } = await posted(terms);
    const from = rampStart(terms, { postedAt });
    const times = [postedAt, postedAt + 1, postedAt + 30, postedAt + 60, postedAt + 61, postedAt + 1_000];
    const theirs = await Promise.all(times.map((time) => as.anyone.priceAt(terms, BigInt(time))));
    expect(times.map((time) => priceAt(terms, from, time))).toEqual(theirs);
  });

  test('the rules in force are the ones that terms carry', async () => {
    const { rules } = await as.anyone.config();
    expect(rules).toBe(packRules(RULES));
    const { version, ...numbers } = readRules(rules);
    expect(await as.anyone.params(version)).toMatchObject(numbers);
  });

  test('prove shards to the contract', async () => {
    for (const { shard, hash, units } of leaves) {
      const proof = merkleProof(leaves, shard);
      expect(await as.anyone.isShardOf(result.root, shard, hash, units, proof)).toBe(true);
      expect(await as.anyone.isShardOf(result.root, shard, hash, units + 1n, proof)).toBe(false);
    }
  });
});

describe('storage words equal the contract in each phase', () => {
  test.each([
    ['a lease that shares its job', { shards: 8, maxLease: 3 }, 3, 0],
    ['a lease that is the whole job', { shards: 3, maxLease: 3 }, 3, SOLO],
  ])('%s', async (_what, over, count, flags) => {
    const terms = await termsOf({ ...over, salt: 10n + BigInt(flags) });
    const { id } = await posted(terms);

    await done(chain, as.operator.claim(terms, NODE, count));
    let lease = await leaseOf(id, 'claimed');
    expect(lease.lease.flags).toBe(flags);
    await expectWord(id, lease);

    await done(
      chain,
      as.operator.commit(id, lease.lease, commitmentOf({ id, first: 0, node: NODE, result, salt: SALT })),
    );
    lease = await leaseOf(id, 'committed');
    await expectWord(id, lease);

    await done(chain, as.anyone.reveal(terms, lease.lease, result, SALT));
    lease = await leaseOf(id, 'revealed');
    expect(lease.result).toEqual(result);
    await expectWord(id, lease);

    await warp(lease.windowEnd! + 1);
    await done(chain, as.anyone.settle(terms, [lease.lease], [result]));
    lease = await leaseOf(id, 'settled');
    expect(lease.payment).toMatchObject({ bonus: 0n, accepted: false });
    expect(lease.payment!.paid + lease.payment!.fee).toBe(lease.lease.price * BigInt(count));
    expect(await as.anyone.lease(id, 0)).toEqual({ phase: PHASES.indexOf('none'), at: 0 });
  });

  test('a lease of a direct job, submitted and accepted', async () => {
    const terms = await termsOf({ shards: 3, maxLease: 3, direct: true, bond: 0n, salt: 20n });
    const { id } = await posted(terms);
    await done(chain, as.operator.claim(terms, NODE, 3));
    let lease = await leaseOf(id, 'claimed');
    expect(lease.lease.flags).toBe(SOLO | DIRECT);
    await expectWord(id, lease);

    await done(chain, as.operator.submit(id, lease.lease, result));
    lease = await leaseOf(id, 'revealed');
    await expectWord(id, lease);

    const acceptance = { job: id, first: 0, node: NODE, ...result };
    const signature = await chain.person(REQUESTER).signTypedData(acceptanceTypedData(acceptance, domain()));
    await done(chain, as.anyone.accept(terms, lease.lease, result, signature));
    const history = await historyOf(id);
    expect([history.state, history.leases[0]!.payment!.accepted]).toEqual(['complete', true]);
  });

  test.each([
    ['shares its job', { shards: 8, maxLease: 3 }, 30n],
    ['is the whole job', { shards: 3, maxLease: 3 }, 31n],
  ])('a lapsed lease that %s and is taken over', async (_what, over, salt) => {
    const terms = await termsOf({ ...over, salt, node: 0 });
    const { id } = await posted(terms);
    await warp((await now()) + 1_800);
    await done(chain, as.operator.claim(terms, NODE, 3));
    const claimed = await leaseOf(id, 'claimed');
    await warp(claimed.lease.deadline + 1);
    await done(chain, as.anyone.lapse(terms, claimed.lease));

    const lapsed = await leaseOf(id, 'lapsed');
    const bonus = lapsed.loss!.bonus / 10n ** 9n;
    expect(bonus).toBeGreaterThan(0n);
    expect(await as.anyone.leaseWord(id, 0)).toBe(lapsedWord({ ...lapsed.lease, bonus }, lapsed.at));
    expect(await as.anyone.lease(id, 0)).toEqual({ phase: PHASES.indexOf('lapsed'), at: lapsed.at });

    await warp((await now()) + 1_800);
    await done(chain, as.secondOperator.takeOver(terms, 0, SECOND_NODE));
    const history = await historyOf(id);
    const [taken] = history.leases as [HistoryLease];
    expect(taken).toMatchObject({ takenOver: true, state: 'claimed', lease: { node: SECOND_NODE, bonus } });
    expect(taken.lease.price).toBe(
      priceAt(terms, rampStart(terms, { ...history, lapsedAt: lapsed.at }), taken.claimedAt!),
    );
    expect(history.replaced.map(({ lease }) => lease.node)).toEqual([NODE]);
    await expectWord(id, taken);
  });
});

describe('a history', () => {
  test('of a signed order that a node brings, works on and is paid for', async () => {
    const terms = await termsOf({ shards: 8, maxLease: 3, salt: 40n });
    const signature = await chain.person(REQUESTER).signTypedData(orderTypedData(terms, domain()));
    const receipt = await done(chain, as.operator.claimOrder(terms, signature, NODE, 3));
    expect(as.operator.eventsOf(receipt).map(({ eventName }) => eventName)).toEqual(['JobPosted', 'LeaseClaimed']);
    const history = await historyOf(jobId(terms, domain()));
    expect(history).toMatchObject({ terms, signed: true, escrow: 24n * DPU, cursor: 3, state: 'open' });
    expect(history.steps.map(({ gasUsed }) => gasUsed)).toEqual([receipt.gasUsed, receipt.gasUsed]);
  });

  test('of a signed order that was settled at once', async () => {
    const terms = await termsOf({ shards: 3, maxLease: 3, salt: 41n });
    const id = jobId(terms, domain());
    const requester = chain.person(REQUESTER);
    const signature = await requester.signTypedData(orderTypedData(terms, domain()));
    const acceptance = acceptanceTypedData({ job: id, first: 0, node: NODE, ...result }, domain());
    await done(chain, as.anyone.settleOrder(terms, signature, NODE, result, await requester.signTypedData(acceptance)));
    const history = await historyOf(id);
    expect(history).toMatchObject({ state: 'complete', signed: true });
    expect(history.leases).toHaveLength(1);
    expect(history.leases[0]).toMatchObject({ state: 'settled', result, lease: { first: 0, count: 3, price: DPU } });
    expect(history.refunded).toBe(6n * DPU);
  });

  test('is found by its requester, newest first', async () => {
    const jobs = await findJobs(chain.publicClient, deployment, { requester: chain.person(REQUESTER).address });
    expect(jobs.map(({ terms }) => terms.salt).slice(0, 2)).toEqual([41n, 40n]);
    expect(await findJobs(chain.publicClient, deployment, { requester: chain.person(OWNER).address })).toEqual([]);
  });
});

test('one transaction permits, deposits and posts', async () => {
  const requester = chain.person(REQUESTER);
  const terms = await termsOf({ salt: 50n });
  const amount = 24n * DPU;
  const before = await as.anyone.balanceOf(deployment.token, requester.address);
  const nonce = await chain.publicClient.readContract({
    abi: dpuTokenAbi,
    address: deployment.token,
    functionName: 'nonces',
    args: [requester.address],
  });
  const deadline = BigInt((await now()) + 600);
  const token = { address: deployment.token, name: 'DPU', chainId: deployment.chainId };
  const signature = await requester.signTypedData(
    permitTypedData(token, requester.address, deployment.market, amount, nonce, deadline),
  );

  await done(
    chain,
    as.requester.depositPermitAndPost({ currency: deployment.token, amount, deadline, signature, terms }),
  );
  expect((await historyOf(jobId(terms, domain()))).escrow).toBe(amount);
  expect(await as.anyone.balanceOf(deployment.token, requester.address)).toBe(before);
});

describe('real refusals are explained', () => {
  test.each<[string, () => Promise<unknown>, object]>([
    [
      'a balance that is too low',
      async () => as.anyone.post(await termsOf({ requester: chain.person(9).address })),
      {
        name: 'BalanceTooLow',
        sentence: 'The balance of 0xa0Ee…9720 in the Market is 0 DPU, but 24 DPU is needed.',
        action: 'Deposit at least 24 DPU more.',
        retryable: false,
      },
    ],
    [
      'a requester who is another',
      async () => as.anyone.post(await termsOf({ salt: 60n })),
      { name: 'NotRequester', action: 'Switch to the account that the terms name as requester.' },
    ],
    [
      'terms that are not possible',
      async () => as.requester.post(await termsOf({ seats: 3, salt: 61n })),
      { name: 'TermsInvalid', sentence: expect.stringContaining('this number of seats is not offered') },
    ],
    [
      'a job that was never posted',
      async () => as.operator.claim(await termsOf({ salt: 62n }), NODE, 1),
      { name: 'JobInState', sentence: expect.stringContaining('was never posted') },
    ],
    [
      'a node that does not exist',
      () => as.anyone.node(99),
      { name: 'NodeUnknown', sentence: 'Node 99 does not exist.' },
    ],
    [
      'a token that is not held, from inside the token',
      () => as.anyone.deposit(deployment.token, chain.person(9).address, 5n),
      { name: 'ERC20InsufficientAllowance', action: 'Approve the amount, or sign a new permit, then try again.' },
    ],
    [
      'a call that is reserved for governance',
      () => as.anyone.setMinStake(DPU),
      { name: 'OwnableUnauthorizedAccount', action: 'Make a proposal instead.' },
    ],
  ])('%s', async (_what, act, words) => {
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(explain(error, deployment)).toMatchObject(words);
  });

  test('a chain that does not answer', async () => {
    const gone = await startAnvil();
    await gone.stop();
    const market = createMarket({ publicClient: gone.publicClient, deployment });
    const error = await market.config().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(explain(error)).toMatchObject({ name: 'RpcUnreachable', retryable: true });
  });

  test('a Market that is not there', async () => {
    const market = createMarket({
      publicClient: chain.publicClient,
      deployment: { ...deployment, market: chain.person(9).address },
    });
    const error = await market.config().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(explain(error)).toMatchObject({ name: 'NoContract' });
  });
});

function domain() {
  return marketDomain(deployment.chainId, deployment.market);
}

/** Terms of an eight-shard job in DPU that node 1 works on without a draw. */
async function termsOf(over: Partial<Terms>): Promise<Terms> {
  const times = { expiry: (await now()) + 86_400, ramp: 3_600, window: 60 };
  return {
    ...TERMS,
    ...times,
    requester: chain.person(REQUESTER).address,
    currency: deployment.token,
    node: NODE,
    ...over,
  };
}

async function posted(terms: Terms): Promise<JobHistory> {
  await done(chain, as.requester.post(terms));
  return historyOf(jobId(terms, domain()));
}

function historyOf(id: Hex): Promise<JobHistory> {
  return jobHistory(chain.publicClient, deployment, id);
}

/** The lease at shard 0, which must be in `state`. */
async function leaseOf(id: Hex, state: HistoryLease['state']): Promise<HistoryLease> {
  const lease = (await historyOf(id)).leases[0]!;
  expect(lease.state).toBe(state);
  return lease;
}

async function expectWord(id: Hex, { lease, at, state, result: shown }: HistoryLease): Promise<void> {
  const word = await as.anyone.leaseWord(id, lease.first);
  expect(toHex(leaseWordOf(lease, at, shown))).toBe(toHex(word));
  expect(readWord(word)).toMatchObject({ phase: state, flags: lease.flags });
  if (state === 'claimed') expect(word).toBe(claimedWord(lease));
  const onChain = await as.anyone.lease(id, lease.first);
  expect(onChain).toEqual({ phase: PHASES.indexOf(state as 'claimed'), at: state === 'claimed' ? lease.deadline : at });
}

async function now(): Promise<number> {
  return Number((await chain.publicClient.getBlock()).timestamp);
}

/** Mines a block at second `time`, and two more so that a draw has its seed. */
async function warp(time: number): Promise<void> {
  await chain.testClient.setNextBlockTimestamp({ timestamp: BigInt(time) });
  await chain.testClient.mine({ blocks: 3 });
}
