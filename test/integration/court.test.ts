import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Deployment } from '@dpu/sdk/deployment';
import { startGateway, type Gateway } from '@dpu/sdk/gateway/server';
import { provenShard } from '@dpu/sdk/court';
import { jobHistory, type JobHistory } from '@dpu/sdk/history';
import { decodeManifest } from '@dpu/sdk/manifest';
import { createMarket, type Market } from '@dpu/sdk/market';
import { downloadJob } from '@dpu/sdk/results';
import { encodeSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import { bytesToHex, parseEther, zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startAnvil, type TestChain } from '../../sdk/test/anvil.ts';
import { addNode, approve, deploy, done, give, PARAMS } from '../../sdk/test/localMarket.ts';
import { until } from '../lib/until.ts';
import { startToyNode, toyOutput, toyRuntime, type ToyNode, type ToyWish } from '../lib/toyNode.ts';

const DPU = 10n ** 18n;
const STAKE = parseEther('2000');
const SHARDS = 2;
const WINDOW = 45;
/** Anvil's accounts. The liar and the checker own themselves; one owner, who has no side, has six nodes. */
const REQUESTER = 1;
const LIAR = 2;
const CHECKER = 3;
const JURORS = [4, 5, 6, 7, 8, 9];
const JURORS_OWNER = 4;

let chain: TestChain;
let deployment: Deployment;
let gateway: Gateway;
const folder = mkdtempSync(join(tmpdir(), 'dpu-court-'));
const nodes: ToyNode[] = [];
/** Whether the jurors lie, all in the same way. */
let bribed = false;
const bribable = () => toyRuntime((request) => (bribed ? invented(request) : toyOutput(request)));
const invented = ({ shard }: { shard: number }): Uint8Array => createHash('sha256').update(`made up ${shard}`).digest();

const marketOf = (account: number): Market =>
  createMarket({ publicClient: chain.publicClient, walletClient: chain.wallet(account), deployment });
const keyOf = (account: number): Hex => bytesToHex(chain.person(account).getHdKey().privateKey!);

beforeAll(async () => {
  chain = await startAnvil();
  const short = { revealWindow: 6, auditWindow: 6, openFor: 0, drawStep: 1, drawOpenAfter: 2 };
  gateway = await startGateway({ dir: join(folder, 'gateway'), authorizeWrite: () => true });
  deployment = { ...(await deploy(chain, { ...PARAMS, ...short })), gatewayUrl: gateway.url };
  for (const account of [REQUESTER, LIAR, CHECKER, JURORS_OWNER]) {
    await give(chain, deployment.token, account, 20_000n * DPU);
    await approve(chain, deployment, account, 20_000n * DPU);
  }
  const owners = [LIAR, CHECKER, ...JURORS.map(() => JURORS_OWNER)];
  for (const [at, operator] of [LIAR, CHECKER, ...JURORS].entries()) {
    await addNode(chain, marketOf(owners[at]!), chain.person(operator).address, at + 1, STAKE);
  }
  const requester = chain.person(REQUESTER).address;
  await done(chain, marketOf(REQUESTER).deposit(deployment.token, requester, 1_000n * DPU));
  await chain.testClient.setAutomine(false);
  await chain.testClient.setIntervalMining({ interval: 1 });
}, 120_000);

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await gateway?.close();
  await chain?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function start(operator: number, checkRate: number, over: Partial<ToyWish> = {}): Promise<ToyNode> {
  const own = { operatorKey: keyOf(operator), folder: join(folder, `node-${operator}`) };
  const node = await startToyNode({ deployment, checkRate, runtime: toyRuntime(), ...own, ...over });
  nodes.push(node);
  return node;
}

/** Posts a job of two shards in one lease, which anybody may take and challenge. */
async function post(over: Partial<Terms> = {}): Promise<{ id: Hex; terms: Terms }> {
  const storage = new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url });
  const { cid } = await storage.addFile(Uint8Array.of(0));
  const spec = encodeSpec({
    ...{ version: 1, name: 'A toy', runtime: 'wasm', module: cid, args: [], inputs: [], shards: SHARDS },
    output: { name: 'out.bin', mediaType: 'application/octet-stream' },
    limits: { memoryBytes: 65_536, units: 10, outputBytes: 64, seconds: 5 },
    comparator: { kind: 'exact' },
  });
  await storage.putBlock(spec.cid, spec.bytes);
  const { timestamp } = await chain.publicClient.getBlock();
  const terms: Terms = {
    ...{ requester: chain.person(REQUESTER).address, currency: deployment.token, minPrice: DPU, maxPrice: DPU },
    ...{ bond: 16n * DPU, shards: SHARDS, maxLease: SHARDS, runtime: 1, tier: 0, seats: 1, direct: false },
    ...{ tolerant: false, auditBps: 0, rules: (await marketOf(REQUESTER).config()).rules, node: 0, start: 0 },
    ...{ expiry: Number(timestamp) + 600, ramp: 0, exec: 30, window: WINDOW, spec: spec.digest },
    ...{ afterJob: zeroHash, salt: 1n, ...over },
  };
  await done(chain, marketOf(REQUESTER).post(terms));
  return { id: jobId(terms, marketDomain(deployment.chainId, deployment.market)), terms };
}

const historyOf = (id: Hex): Promise<JobHistory> => jobHistory(chain.publicClient, deployment, id, { gas: false });

/** Waits; on failure the nodes' own words say what held it up. */
function eventually<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  const said = (): string => nodes.map((node, at) => `--- ${at}\n${node.said.slice(-25).join('\n')}`).join('\n');
  return until({ local: chain as never }, what, check, 140).catch((cause: unknown) =>
    Promise.reject(new Error(`${what}\n${said()}`, { cause })),
  );
}

test('a node that lies alone is caught by a check, convicted by a jury, and replaced', async () => {
  // It gets its lie again whenever it computes, so it would appeal.
  const liar = await start(LIAR, 0, { runtime: toyRuntime(invented), appealShare: 0 });
  const { id, terms } = await post();
  await eventually('the lie', async () => (await historyOf(id)).leases[0]?.state === 'revealed');
  await Promise.all([start(CHECKER, 1), ...JURORS.map((operator) => start(operator, 0, { runtime: bribable() }))]);

  const market = marketOf(REQUESTER);
  const convicted = await eventually('the conviction', async () => {
    const { stake } = await market.node(1);
    return stake < STAKE ? { stake } : undefined;
  });
  expect(STAKE - convicted.stake, 'the whole bond of the lease').toBe(BigInt(SHARDS) * terms.bond);

  await eventually('the right result', async () => {
    const [taken] = (await historyOf(id)).leases;
    return taken?.state === 'revealed' && taken.lease.node !== 1;
  });
  await chain.testClient.increaseTime({ seconds: WINDOW });
  const history = await eventually('the end of the job', async () => {
    const now = await historyOf(id);
    return now.state === 'complete' ? now : undefined;
  });
  expect(history.leases.map(({ state, lease }) => [state, lease.node === 1])).toEqual([['settled', false]]);
  expect(history.replaced).toMatchObject([{ lease: { node: 1 }, loss: { convicted: true, slashed: 32n * DPU } }]);
  expect(
    liar.said.some((line) => line.includes('Settle sent')),
    'the liar never asks to be paid',
  ).toBe(false);

  const [dispute, ...others] = history.disputes;
  expect(others).toEqual([]);
  expect(dispute).toMatchObject({ verdict: 'invalid', challenger: { node: 2 }, lease: { node: 1 } });
  expect(dispute!.juries.map(({ jurors, votes, judged }) => [jurors.length, [...votes.values()], judged])).toEqual([
    [5, Array(5).fill('invalid'), { found: 'invalid', paid: 5, at: expect.any(Number) }],
  ]);
  expect(dispute!.ended!.rewarded, 'five fees of 2, and 40 % of what is left of the bond').toBe(
    10n * DPU + (22n * DPU * 4n) / 10n,
  );
  const steps = history.steps.filter(({ event }) => event === 'JurorServed' || event === 'JurorSpoke');
  expect(steps.map(({ first }) => first)).toEqual(Array(10).fill(0));

  const backend = new HttpBackend({
    getHolders: () => [gateway.url, ...nodes.map(({ gatewayUrl }) => gatewayUrl)],
    writeTo: gateway.url,
  });
  const bytes: Uint8Array[] = [];
  for await (const { bytes: piece } of downloadJob(history, backend)) bytes.push(piece);
  const seed = Buffer.from(terms.spec.slice(2), 'hex');
  expect(bytes.map((piece) => Buffer.from(piece).toString('hex'))).toEqual(
    [0, 1].map((shard) => Buffer.from(toyOutput({ seed, shard })).toString('hex')),
  );
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) {
    expect((await market.node(id)).locked, `bonds of node ${id}`).toBe(0n);
  }
}, 170_000);

test('a node that was right and is convicted all the same calls the second jury by itself', async () => {
  bribed = true;
  const honest = 2;
  const { id, terms } = await post({ node: honest, salt: 2n });
  const held = await eventually('the right result', async () => {
    const [lease] = (await historyOf(id)).leases;
    return lease?.state === 'revealed' ? lease : undefined;
  });
  const result = held.result!;
  const storage = new HttpBackend({
    getHolders: () => nodes.map(({ gatewayUrl }) => gatewayUrl),
    writeTo: gateway.url,
  });
  const manifest = decodeManifest(await storage.getBlock(digestToCid(result.manifest, 'dag-cbor')));
  const shard = provenShard(manifest.shards, 1);
  await done(chain, marketOf(REQUESTER).challenge(terms, held.lease, result, { ...shard, proof: [...shard.proof] }, 0));

  const dispute = await eventually('the appeal', async () => {
    const [open] = (await historyOf(id)).disputes;
    return open?.appellant ? open : undefined;
  });
  expect(dispute).toMatchObject({ verdict: 'invalid', appellant: { node: honest }, challenger: { node: 0 } });
  expect(dispute.juries[0]!.judged).toMatchObject({ found: 'invalid', paid: 5 });
}, 170_000);
