import { keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deployment } from '../src/deployment.ts';
import { jobHistory } from '../src/history.ts';
import type { Result } from '../src/lease.ts';
import { createMarket, type Market } from '../src/market.ts';
import { MarketRevert } from '../src/revert.ts';
import {
  encodeFundAndPost,
  escrowOf,
  MAX_CHAIN,
  MAX_OPEN,
  proposeChain,
  readMarketFacts,
  type PostingChoices,
} from '../src/posting.ts';
import { jobId, latestEnd, marketDomain } from '../src/terms.ts';
import { startAnvil, type TestChain } from './anvil.ts';
import { addNode, approve, deploy, done, give } from './localMarket.ts';

const DPU = 10n ** 18n;
const [REQUESTER, OWNER, OPERATOR] = [1, 3, 6];
const NODE = 1;
const RESULT: Result = { root: keccak256(toHex('root')), units: 1n, manifest: keccak256(toHex('manifest')) };

let chain: TestChain;
let deployment: Deployment;
let requester: Market;
let operator: Market;

beforeAll(async () => {
  chain = await startAnvil();
  deployment = await deploy(chain);
  const market = (index: number): Market =>
    createMarket({ publicClient: chain.publicClient, walletClient: chain.wallet(index), deployment });
  [requester, operator] = [market(REQUESTER), market(OPERATOR)];
  for (const index of [REQUESTER, OWNER]) {
    await give(chain, deployment.token, index, 100_000n * DPU);
    await approve(chain, deployment, index, 50_000n * DPU);
  }
  await addNode(chain, market(OWNER), chain.person(OPERATOR).address, NODE, 50_000n * DPU);
});

afterAll(() => chain?.stop());

const choice = (over: Partial<PostingChoices> = {}): PostingChoices => ({
  requester: chain.person(REQUESTER).address,
  currency: deployment.token,
  spec: keccak256(toHex('spec')),
  shards: 1,
  minPrice: DPU,
  maxPrice: 2n * DPU,
  node: NODE,
  ...over,
});

async function propose(choices: readonly PostingChoices[]) {
  const { timestamp } = await chain.publicClient.getBlock();
  const facts = await readMarketFacts(requester, deployment.token, Number(timestamp));
  return proposeChain(choices, facts, marketDomain(deployment.chainId, deployment.market));
}

/** Funds and posts in one transaction. */
async function post(terms: Awaited<ReturnType<typeof propose>>) {
  const funding = { currency: deployment.token, amount: escrowOf(terms) };
  return done(chain, requester.sendData(encodeFundAndPost(requester, terms, funding)));
}

test('three jobs are posted and paid in as one, run one after the other, and end complete', async () => {
  const before = await requester.balanceOf(deployment.token, chain.person(REQUESTER).address);
  const direct = choice({ direct: true, window: 0, bond: 0n, openFor: 3_600 });
  const terms = await propose([direct, { ...direct, shards: 2, maxLease: 2 }, direct]);
  const receipt = await post(terms);
  const posted = requester.eventsOf(receipt).filter(({ eventName }) => eventName === 'JobPosted');
  const ids = terms.map((one) => jobId(one, marketDomain(deployment.chainId, deployment.market)));
  expect(posted.map(({ args }) => 'id' in args && args.id)).toEqual(ids);

  for (const [index, one] of terms.entries()) {
    const next = terms[index + 1];
    if (next) {
      await expect(operator.claim(next, NODE, next.shards)).rejects.toThrow(MarketRevert);
      await expect(operator.claim(next, NODE, next.shards)).rejects.toThrow(/AfterNotComplete/);
    }
    await done(chain, operator.claim(one, NODE, one.shards));
    const [held] = (await jobHistory(chain.publicClient, deployment, ids[index]!)).leases;
    await done(chain, operator.submit(ids[index]!, held!.lease, RESULT));
    const [shown] = (await jobHistory(chain.publicClient, deployment, ids[index]!)).leases;
    await done(chain, operator.settle(one, [shown!.lease], [RESULT]));
  }
  const histories = await Promise.all(ids.map((id) => jobHistory(chain.publicClient, deployment, id)));
  expect(histories.map(({ state, terms: { afterJob } }) => [state, afterJob])).toEqual([
    ['complete', `0x${'0'.repeat(64)}`],
    ['complete', ids[0]],
    ['complete', ids[1]],
  ]);
  const paid = histories.flatMap(({ leases }) => leases.map(({ payment }) => payment!.paid + payment!.fee));
  const after = await requester.balanceOf(deployment.token, chain.person(REQUESTER).address);
  expect(after - before).toBe(escrowOf(terms) - paid.reduce((sum, one) => sum + one, 0n));
});

test('the longest chain that is allowed is posted in one transaction', async () => {
  const jobs = Array.from({ length: MAX_CHAIN }, () => choice({ openFor: 7 * 86_400, exec: 3_600 }));
  const terms = await propose(jobs);
  const { gasUsed } = await post(terms);
  expect(gasUsed).toBeLessThan(3_000_000n);
  expect(terms.at(-1)!.expiry - terms[0]!.expiry).toBeLessThanOrEqual(MAX_OPEN);
});

describe('the last second at which money can be bound is the contract’s', () => {
  test.each<[string, Partial<PostingChoices>]>([
    ['a committed job', {}],
    ['a direct job', { direct: true }],
    ['a direct job without a window', { direct: true, window: 0 }],
    ['a job without a window', { window: 0 }],
    ['three seats', { seats: 3, node: 0 }],
    ['five seats and no window', { seats: 5, node: 0, window: 0 }],
  ])('%s', async (_what, over) => {
    const [terms] = await propose([choice(over)]);
    expect(await requester.worstCaseExit(terms!)).toBe(latestEnd(terms!));
  });
});
