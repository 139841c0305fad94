import { keccak256, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { marketAbi } from '../src/abi/generated.ts';
import { assuranceOf, auditDraw } from '../src/assurance.ts';
import type { Deployment } from '../src/deployment.ts';
import { jobHistory } from '../src/history.ts';
import { commitmentOf, type Result } from '../src/lease.ts';
import { createMarket, type Market } from '../src/market.ts';
import { packTerms } from '../src/packedTerms.ts';
import { revertOf } from '../src/revert.ts';
import { readRules } from '../src/rules.ts';
import { jobId, marketDomain, type Terms } from '../src/terms.ts';
import { TERMS } from '../src/testing.ts';
import { startAnvil, type TestChain } from './anvil.ts';
import { addNode, approve, deploy, DEPLOYER, done, give, PARAMS } from './localMarket.ts';

const DPU = 10n ** 18n;
const [REQUESTER, OWNER, OPERATOR] = [1, 3, 6];
const NODE = 1;
const SHARDS = 32;
const SALT = keccak256(toHex('salt'));
const RESULT: Result = { root: keccak256(toHex('root')), units: 1n, manifest: keccak256(toHex('manifest')) };

let chain: TestChain;
let deployment: Deployment;
let market: (index: number) => Market;

beforeAll(async () => {
  chain = await startAnvil();
  deployment = await deploy(chain);
  market = (index) => createMarket({ publicClient: chain.publicClient, walletClient: chain.wallet(index), deployment });
  for (const index of [REQUESTER, OWNER]) {
    await give(chain, deployment.token, index, 10_000n * DPU);
    await approve(chain, deployment, index, 10_000n * DPU);
  }
  await addNode(chain, market(OWNER), chain.person(OPERATOR).address, NODE, 10_000n * DPU);
  await done(chain, market(REQUESTER).deposit(deployment.token, chain.person(REQUESTER).address, 1_000n * DPU));
  // Runtime 1 at 2 %, beside what the job buys.
  await done(chain, market(DEPLOYER).addParams({ ...PARAMS, auditRates: 0b1000 }));
});

afterAll(() => chain?.stop());

test('the contract draws for audits exactly the leases that are drawn here', async () => {
  const terms: Terms = {
    ...TERMS,
    requester: chain.person(REQUESTER).address,
    currency: deployment.token,
    minPrice: DPU,
    maxPrice: DPU,
    bond: 4n * DPU,
    rules: (await market(REQUESTER).config()).rules,
    node: NODE,
    ...{ shards: SHARDS, maxLease: 1, auditBps: 5_000, window: 0, exec: 3_600 },
    expiry: Number((await chain.publicClient.getBlock()).timestamp) + 86_400,
  };
  const id = jobId(terms, marketDomain(deployment.chainId, deployment.market));
  await done(chain, market(REQUESTER).post(terms));
  const operator = market(OPERATOR);
  await chain.testClient.mine({ blocks: 2 });
  for (let first = 0; first < SHARDS; first += 1) await done(chain, operator.claim(terms, NODE, 1));
  for (const { lease } of (await jobHistory(chain.publicClient, deployment, id, { gas: false })).leases) {
    const commitment = commitmentOf({ id, first: lease.first, node: NODE, result: RESULT, salt: SALT });
    await done(chain, operator.commit(id, lease, commitment));
  }
  await chain.testClient.mine({ blocks: 2 });

  const here: boolean[] = [];
  const there: boolean[] = [];
  for (const { lease } of (await jobHistory(chain.publicClient, deployment, id, { gas: false })).leases) {
    const { hash } = await chain.publicClient.getBlock({ blockNumber: BigInt(lease.committedBlock + 1) });
    here.push(auditDraw(terms, id, lease.first, hash).drawn);
    // A lease that was drawn must wait for its auditor before it may be shown.
    const data = operator.encode.reveal(terms, lease, RESULT, SALT);
    const refusal = await chain.publicClient.call({ to: deployment.market, data }).then(
      () => undefined,
      (error: unknown) => revertOf(error)?.name,
    );
    expect([undefined, 'TooEarly']).toContain(refusal);
    there.push(refusal === 'TooEarly');
  }
  expect(here).toEqual(there);
  expect(new Set(here).size, 'some are drawn, some are not').toBe(2);
}, 60_000);

test('what a policy is worth is the same here and there', async () => {
  const rules = (await market(REQUESTER).config()).rules;
  const terms = { ...TERMS, currency: deployment.token, rules };
  const policies: Partial<Terms>[] = [
    { auditBps: 0 },
    { auditBps: 500 },
    { auditBps: 10_000, currency: deployment.market },
    { auditBps: 300, node: NODE },
    { auditBps: 0, direct: true },
    ...[3, 5].flatMap((seats) => [{ seats }, { seats, tolerant: true }, { seats, tolerant: true, window: 0 }]),
  ];
  for (const policy of policies) {
    for (const bps of [0, 1_000, 4_000, 10_000]) {
      const all = { ...terms, window: 60, ...policy };
      const there = await chain.publicClient.readContract({
        ...{ address: deployment.market, abi: marketAbi, functionName: 'assuranceOf' },
        args: [packTerms(all), BigInt(bps)],
      });
      const { cost, pooled, caught } = assuranceOf(all, bps / 10_000, deployment.token);
      // The chain rounds down; 1e-6 is for what binary fractions cannot say.
      const here = [cost, pooled, caught].map((part) => BigInt(Math.floor(part * 10_000 + 1e-6)));
      expect(there, JSON.stringify(policy)).toEqual(here);
    }
  }
});

test('a seat that is taken with its commitment is told as claimed and committed', async () => {
  await done(chain, market(DEPLOYER).allowSeats(true));
  const terms: Terms = {
    ...TERMS,
    requester: chain.person(REQUESTER).address,
    currency: deployment.token,
    ...{ minPrice: DPU, maxPrice: DPU, bond: 8n * DPU, seats: 3, shards: 2, maxLease: 2, node: 0, exec: 3_600 },
    rules: (await market(REQUESTER).config()).rules,
    expiry: Number((await chain.publicClient.getBlock()).timestamp) + 86_400,
  };
  const id = jobId(terms, marketDomain(deployment.chainId, deployment.market));
  await done(chain, market(REQUESTER).post(terms));
  await chain.testClient.increaseTime({ seconds: readRules(terms.rules).drawOpenAfter });
  await chain.testClient.mine({ blocks: 2 });
  const commitment = commitmentOf({ id, first: 0, node: NODE, result: RESULT, salt: SALT });
  await done(chain, market(OPERATOR).sit(terms, 0, 2, NODE, commitment));

  const history = await jobHistory(chain.publicClient, deployment, id);
  expect(history.steps.map(({ event, node }) => [event, node])).toEqual([
    ['JobPosted', undefined],
    ['LeaseClaimed', NODE],
    ['LeaseCommitted', NODE],
  ]);
  const { transaction } = history.steps[1]!;
  expect(history.leases).toMatchObject([
    {
      state: 'committed',
      lease: { first: 0, count: 2, commitment },
      transactions: { claim: transaction, commit: transaction },
    },
  ]);
});
