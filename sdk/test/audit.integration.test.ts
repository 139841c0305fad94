import { keccak256, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { auditDraw } from '../src/assurance.ts';
import type { Deployment } from '../src/deployment.ts';
import { jobHistory } from '../src/history.ts';
import { commitmentOf, type Result } from '../src/lease.ts';
import { createMarket, type Market } from '../src/market.ts';
import { revertOf } from '../src/revert.ts';
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
