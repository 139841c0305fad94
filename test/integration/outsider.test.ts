import type { Result } from '@dpu/sdk/lease';
import { permitTypedData } from '@dpu/sdk/market';
import { encodeFundAndPost, escrowOf } from '@dpu/sdk/posting';
import { acceptanceTypedData, marketDomain, orderTypedData, type Acceptance } from '@dpu/sdk/terms';
import { parseAbi, parseUnits, type Address } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { honestModule } from '../lib/badModules.ts';
import { expectEvenBooks, finish, fundRequester, historyOf, readMarket, tokensOf } from '../lib/books.ts';
import { marketOf, mined, now, pass, stepwise } from '../lib/market.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

const FEE = (gross: bigint): bigint => (gross * 300n) / 10_000n;
const PRICE = 3n * DPU;
const BOND = 12n * DPU;
const tokenAbi = parseAbi(['function name() view returns (string)', 'function nonces(address) view returns (uint256)']);

let network: Network;
/** Runs. */
let node: LocalNode;
/** Is registered and staked, but does not run. */
let silent: LocalNode;
let jobs: TestJob[] = [];

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-outsider',
    runtimes: ['wasm'],
    nodes: 2,
    without: ['app', 'indexer'],
    blockSeconds: 1,
  });
  [node, silent] = network.nodes as [LocalNode, LocalNode];
  silent.process.kill('SIGINT');
  await silent.process.exited;
  await fundRequester(network, 200n * DPU);
}, 600_000);
afterAll(() => network?.stop());
afterEach(async () => {
  for (const job of jobs) await finish(network, job);
  jobs = [];
  await expectEvenBooks(network);
}, 120_000);

const domain = () => marketDomain(network.deployment.chainId, network.deployment.market);
const free = (account: Address, currency = network.deployment.token) =>
  readMarket(network).balanceOf(currency, account);

function sign(job: TestJob, result: Result, holder: number): Promise<`0x${string}`> {
  const acceptance: Acceptance = { job: job.id, first: 0, node: holder, ...result };
  return people.requester.signTypedData(acceptanceTypedData(acceptance, domain()));
}

/** A job for one node alone, stored but not on chain. */
async function orderFor(holder: LocalNode): Promise<TestJob> {
  const digest = await storeSpec(network, honestModule(), { shards: 2 });
  const prices = { minPrice: PRICE, maxPrice: PRICE, bond: BOND };
  return testTerms(network, digest, { ...prices, node: holder.id, shards: 2, exec: 60, window: 3_600 });
}

test('a signed order that its node brings is computed, and a signed acceptance pays it at once', async () => {
  const job = await orderFor(node);
  const owner = people.owner(1).address;
  const before = { owner: await free(owner), requester: await free(people.requester.address) };
  const signature = await people.requester.signTypedData(orderTypedData(job.terms, domain()));
  await mined(network, await marketOf(network, people.operator(1)).claimOrder(job.terms, signature, node.id, 2));
  jobs.push(job);

  const held = await until(network, 'the result', async () => {
    const [lease] = (await historyOf(network, job.id)).leases;
    return lease?.state === 'revealed' ? lease : undefined;
  });
  const result = held.result as Result;
  const other = { ...result, units: result.units + 1n };
  const stranger = marketOf(network, people.guardian);
  const forOther = await sign(job, other, node.id);
  await expect(stranger.accept(job.terms, held.lease, result, forOther)).rejects.toMatchObject({
    errorName: 'SignatureInvalid',
  });
  await mined(network, await stranger.accept(job.terms, held.lease, result, await sign(job, result, node.id)));

  const history = await historyOf(network, job.id);
  expect([history.signed, history.state, history.refunded]).toEqual([true, 'complete', 0n]);
  expect(history.leases[0]?.payment).toMatchObject({ accepted: true, paid: 2n * PRICE - FEE(2n * PRICE) });
  expect(history.closedAt).toBeLessThan((held.revealedAt ?? 0) + job.terms.window);
  expect((await free(owner)) - before.owner).toBe(2n * PRICE - FEE(2n * PRICE));
  expect(before.requester - (await free(people.requester.address))).toBe(2n * PRICE);
});

test('parties that trust each other settle a whole order in one transaction', async () => {
  const job = await orderFor(silent);
  const owner = people.owner(2).address;
  const before = await free(owner);
  const result: Result = { root: `0x${'01'.repeat(32)}`, units: 9n, manifest: `0x${'02'.repeat(32)}` };
  const signature = await people.requester.signTypedData(orderTypedData(job.terms, domain()));
  const acceptance = await sign(job, result, silent.id);
  const operator = marketOf(network, people.operator(2));
  await mined(network, await operator.settleOrder(job.terms, signature, silent.id, result, acceptance));

  const history = await historyOf(network, job.id);
  expect(history.steps.map(({ event }) => event)).toEqual(['JobPosted', 'JobCompleted', 'LeaseAccepted']);
  expect((await free(owner)) - before).toBe(2n * PRICE - FEE(2n * PRICE));
  await expect(operator.settleOrder(job.terms, signature, silent.id, result, acceptance)).rejects.toMatchObject({
    errorName: 'JobInState',
  });
});

test('cancelling gives everything back, but not before the job was open for a while', async () => {
  const before = await free(people.requester.address);
  const requester = marketOf(network, people.requester);
  const order = await orderFor(silent);
  const job = await stepwise(network, async () => {
    const posted = await postTerms(network, order);
    const { postedAt } = await historyOf(network, posted.id);
    await expect(requester.cancel(posted.terms)).rejects.toMatchObject({
      errorName: 'TooEarly',
      args: [posted.id, 0, postedAt + 5],
    });
    return posted;
  });
  jobs.push(job);
  expect(before - (await free(people.requester.address))).toBe(2n * PRICE);
  await expect(marketOf(network, people.browser).cancel(job.terms)).rejects.toMatchObject({
    errorName: 'NotRequester',
  });
  await pass(network, 5);
  await mined(network, await requester.cancel(job.terms));
  expect(await free(people.requester.address)).toBe(before);
  expect(await historyOf(network, job.id)).toMatchObject({ state: 'closed', refunded: 2n * PRICE });
});

test('anybody closes what nobody claimed in time, and the requester has everything back', async () => {
  const before = await free(people.requester.address);
  const job = await postTerms(network, await orderFor(silent));
  jobs.push(job);
  const stranger = marketOf(network, people.guardian);
  await expect(stranger.close(job.terms)).rejects.toMatchObject({
    errorName: 'TooEarly',
    args: [job.id, 0, job.terms.expiry + 1],
  });
  await pass(network, job.terms.expiry - (await now(network)) + 1);
  await mined(network, await stranger.close(job.terms));
  expect(await free(people.requester.address)).toBe(before);
});

test('a job is paid in another currency, brought in by a permit in the same transaction', async () => {
  const { local, deployment } = network;
  const dollar = deployment.currencies[1]?.address as Address;
  const price = parseUnits('0.25', 6);
  const { requester } = people;
  const digest = await storeSpec(network, honestModule(), { shards: 2 });
  const prices = { currency: dollar, minPrice: price, maxPrice: price, bond: DPU };
  const job = await testTerms(network, digest, { ...prices, shards: 2, node: node.id });
  jobs.push(job);
  const owner = people.owner(1).address;
  const before = { owner: await free(owner, dollar), tokens: await tokensOf(network, dollar, requester.address) };

  const read = { address: dollar, abi: tokenAbi } as const;
  const name = await local.publicClient.readContract({ ...read, functionName: 'name' });
  const nonce = await local.publicClient.readContract({ ...read, functionName: 'nonces', args: [requester.address] });
  const amount = escrowOf([job.terms]);
  const deadline = BigInt((await now(network)) + 600);
  const token = { address: dollar, name, chainId: deployment.chainId };
  const permit = permitTypedData(token, requester.address, deployment.market, amount, nonce, deadline);
  const market = marketOf(network, requester);
  const funding = { currency: dollar, amount, permit: { deadline, signature: await requester.signTypedData(permit) } };
  await mined(network, await market.sendData(encodeFundAndPost(market, [job.terms], funding)));

  await until(network, 'the end of the job', async () => (await historyOf(network, job.id)).state === 'complete');
  expect(before.tokens - (await tokensOf(network, dollar, requester.address))).toBe(2n * price);
  expect((await free(owner, dollar)) - before.owner).toBe(2n * price - FEE(2n * price));
  expect(await free(requester.address, dollar)).toBe(0n);
});
