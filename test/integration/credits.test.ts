import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AWAITED } from '@dpu/sdk/awaited';
import { computeCreditsAbi } from '@dpu/sdk/abi';
import {
  creditsRevertOf,
  encodeMint,
  encodePrioritize,
  encodePrioritizeWithSignature,
  encodeSettleAndMint,
  prioritizeTypedData,
  readCredits,
  readEpoch,
  readPriority,
  readRuntime,
  readSupply,
} from '@dpu/sdk/credits';
import { packLease, type Lease, type Result } from '@dpu/sdk/lease';
import { splitSignature } from '@dpu/sdk/market';
import { packTerms } from '@dpu/sdk/packedTerms';
import {
  encodeSwapExactIn,
  encodeSwapExactOut,
  quoteExactIn,
  quoteExactOut,
  readReserves,
  type Call,
  type TradeLimits,
} from '@dpu/sdk/pair';
import type { Terms } from '@dpu/sdk/terms';
import {
  encodeFunctionData,
  erc20Abi,
  keccak256,
  parseEther,
  toHex,
  zeroHash,
  type Abi,
  type Address,
  type Hex,
} from 'viem';
import type { HDAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { root } from '../../script/native.mjs';
import { startChain, type LocalChain } from '../../script/network/chain.ts';
import { send, walletOf } from '../../script/network/equip.ts';
import { deployPair, LOCAL_SEED, seedPair } from '../../script/network/pair.ts';
import { people } from '../../script/network/people.ts';
import { freePort } from '../../script/network/ports.ts';
import { ProcessTree } from '../../script/network/processTree.ts';

const DPU = parseEther('1');
const DAY = 86_400;
/** Units of a lease that earns 0.01 credits, below its fee of 0.0375 DPU. */
const UNITS = 1_000n;
const alice = people.owner(1);
const trader = people.requester;

const tree = new ProcessTree({});
let local: LocalChain;
/** What keeps the receipts: the tests' honest stand-in, in the place of the Market. */
let market: { address: Address; abi: Abi };
let deployment: { chainId: number; credits: Address; token: Address; exchange: { router: Address; pair: Address } };
let salt = 0n;

beforeAll(async () => {
  local = await startChain(tree, { port: await freePort(8_700) });
  const token = await create('DpuToken', 'DpuToken', [people.deployer.address]);
  market = await create('HonestReceipts', 'HonestReceipts', [people.guardian.address]);
  const owner = people.deployer.address;
  const credits = await create('ComputeCredits', 'ComputeCredits', [market.address, token.address, owner, DAY]);
  await write(people.deployer, market.address, market.abi, 'setCredits', [credits.address]);
  const contracts = { credits: credits.address, token: token.address };
  deployment = { chainId: 31_337, ...contracts, exchange: await deployPair(local, people.deployer, contracts) };
}, 120_000);
afterAll(() => tree.stop());

async function create(file: string, name: string, args: unknown[]): Promise<{ address: Address; abi: Abi }> {
  const text = readFileSync(join(root, `out/${file}.sol/${name}.json`), 'utf8');
  const { abi, bytecode } = JSON.parse(text) as { abi: Abi; bytecode: { object: Hex } };
  const deploy = { abi, bytecode: bytecode.object, args, account: people.deployer, chain: local.chain };
  const hash = await walletOf(local, people.deployer).deployContract(deploy);
  const { contractAddress } = await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
  return { address: contractAddress as Address, abi };
}

async function write(by: HDAccount, to: Address, abi: Abi, functionName: string, args: unknown[]): Promise<void> {
  await send(local, by, { to, data: encodeFunctionData({ abi, functionName, args }) });
}

const tokensOf = (token: Address, account: Address): Promise<bigint> =>
  local.publicClient.readContract({ address: token, abi: erc20Abi, functionName: 'balanceOf', args: [account] });

const allow = (by: HDAccount, token: Address, amount: bigint): Promise<void> =>
  write(by, token, erc20Abi as Abi, 'approve', [deployment.exchange.router, amount]);

async function limits(over: Partial<TradeLimits> = {}): Promise<TradeLimits> {
  const { timestamp } = await local.publicClient.getBlock();
  return { to: alice.address, slippageBps: 50, deadline: Number(timestamp) + 60, ...over };
}

/** A drawn job in DPU, price 1 … 2, with `count` leases at 1.25 that were shown for nodes of alice. */
async function work(count: number, units: bigint): Promise<[terms: Terms, leases: Lease[], results: Result[]]> {
  salt += 1n;
  const { timestamp } = await local.publicClient.getBlock();
  const terms: Terms = {
    ...{ requester: trader.address, currency: deployment.token, minPrice: DPU, maxPrice: 2n * DPU, bond: 8n * DPU },
    ...{
      shards: count,
      maxLease: 1,
      runtime: 1,
      tier: 0,
      seats: 1,
      direct: false,
      tolerant: false,
      auditBps: 0,
      node: 0,
      start: 0,
    },
    // Version 1 of the parameters, with a fee of 300 basis points.
    ...{ rules: (300n << 16n) | 1n, expiry: Number(timestamp) + 3_600, ramp: 60, exec: 60, window: 0 },
    ...{ spec: keccak256('0x01'), afterJob: zeroHash, salt },
  };
  const leases = Array.from({ length: count }, (_, first): Lease => ({
    ...{ first, count: 1, node: 1, price: (5n * DPU) / 4n, bonus: 0n, deadline: 5, flags: 0 },
    ...{ commitment: keccak256('0x02'), committedBlock: 3 },
  }));
  const results = leases.map(({ first }) => ({ root: keccak256(toHex(first)), units, manifest: keccak256('0x03') }));
  for (const [index, lease] of leases.entries()) {
    const args = [packTerms(terms), packLease(lease), results[index], alice.address];
    await write(trader, market.address, market.abi, 'reveal', args);
  }
  return [terms, leases, results];
}

const attempt = (by: HDAccount, call: Call): Promise<unknown> =>
  local.publicClient.call({ account: by, ...call }).then(
    () => undefined,
    (error: unknown) => error,
  );

test('the pair is seeded when there is something to seed it with, and only then', async () => {
  expect(await seedPair(local, trader, deployment)).toBe(false);
  expect(await readReserves(local.publicClient, deployment)).toEqual({ credits: 0n, dpu: 0n });

  expect(await seedPair(local, people.deployer, deployment)).toBe(true);
  expect(await readReserves(local.publicClient, deployment)).toEqual(LOCAL_SEED);
  // The credits were bought at the offer: 0.2 DPU each, to the treasury.
  expect(await tokensOf(deployment.token, people.guardian.address)).toBe(LOCAL_SEED.credits / 5n);
  expect(await readSupply(local.publicClient, deployment)).toBe(LOCAL_SEED.credits);
});

test('settled work is minted for, by anyone, once', async () => {
  const [terms, leases, results] = await work(2, UNITS);
  await send(local, trader, encodeSettleAndMint(deployment, terms, leases, results));
  expect(await readCredits(local.publicClient, deployment, alice.address)).toBe(DPU / 50n);
  const epoch = await readEpoch(local.publicClient, deployment);
  expect(epoch.minted).toBe(DPU / 50n);
  expect(epoch.endsAt - epoch.startedAt).toBe(DAY);
  const runtime = await readRuntime(local.publicClient, deployment, 1);
  expect(runtime).toEqual({ weight: 10n ** 9n, perUnit: 10n ** 13n, fees: 75_000n, pressure: 250_000_000n });

  const again = await attempt(trader, encodeMint(deployment, terms, leases, results));
  expect(again, 'a receipt counts once').toBeDefined();
});

test('a refusal has a name', async () => {
  const [terms, leases, results] = await work(1, UNITS);
  const call = encodeMint(deployment, { ...terms, runtime: 4 }, leases, results);
  expect(creditsRevertOf(await attempt(trader, call))).toEqual({ name: 'RuntimeEarnsNothing', args: [4] });
});

test('earned credits are sold at exactly what was quoted', async () => {
  const held = await readCredits(local.publicClient, deployment, alice.address);
  await allow(alice, deployment.credits, held);
  const quote = quoteExactIn('sellCredits', held, await readReserves(local.publicClient, deployment));
  await send(local, alice, encodeSwapExactIn(deployment, quote, await limits()));
  expect(await readCredits(local.publicClient, deployment, alice.address)).toBe(0n);
  expect(await tokensOf(deployment.token, alice.address)).toBe(quote.amountOut);
  const after = await readReserves(local.publicClient, deployment);
  expect(after).toEqual({ credits: LOCAL_SEED.credits + held, dpu: LOCAL_SEED.dpu - quote.amountOut });
});

test('an exact amount of credits is bought for exactly what was quoted, and burnt for a job', async () => {
  const wanted = 100n * DPU;
  const quote = quoteExactOut('buyCredits', wanted, await readReserves(local.publicClient, deployment));
  const transfer = [trader.address, 2n * quote.amountIn];
  await write(people.deployer, deployment.token, erc20Abi as Abi, 'transfer', transfer);
  await allow(trader, deployment.token, 2n * quote.amountIn);
  await send(local, trader, encodeSwapExactOut(deployment, quote, await limits({ to: trader.address })));
  expect(await readCredits(local.publicClient, deployment, trader.address)).toBe(wanted);
  expect(await tokensOf(deployment.token, trader.address)).toBe(quote.amountIn);

  const job = keccak256('0x04');
  await send(local, trader, encodePrioritize(deployment, job, 60n * DPU));
  const signed = { owner: trader.address, job, amount: 40n * DPU, nonce: 0n, deadline: 2n ** 40n };
  const data = prioritizeTypedData(deployment.chainId, deployment.credits, signed);
  const signature = splitSignature(await trader.signTypedData(data));
  await send(local, alice, encodePrioritizeWithSignature(deployment, signed, signature));
  expect(await readPriority(local.publicClient, deployment, job)).toBe(wanted);
  expect(await readCredits(local.publicClient, deployment, trader.address)).toBe(0n);
});

test('a trade that came too late, or that others have made worse than allowed, is refused whole', async () => {
  await allow(people.deployer, deployment.token, 1_000n * DPU);
  const quote = quoteExactIn('buyCredits', DPU, await readReserves(local.publicClient, deployment));
  const { timestamp } = await local.publicClient.getBlock();
  const late = encodeSwapExactIn(deployment, quote, await limits({ deadline: Number(timestamp) - 1 }));
  expect(String(await attempt(people.deployer, late))).toContain('UniswapV2Router: EXPIRED');

  const before = encodeSwapExactIn(deployment, quote, await limits({ slippageBps: 0 }));
  const first = quoteExactIn('buyCredits', 10n * DPU, await readReserves(local.publicClient, deployment));
  await send(local, people.deployer, encodeSwapExactIn(deployment, first, await limits()));
  expect(String(await attempt(people.deployer, before))).toContain('UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT');
});

test('whoever sees the pair dearer than the offer buys at the offer and sells to the pair', async () => {
  const dear = quoteExactIn('buyCredits', 500n * DPU, await readReserves(local.publicClient, deployment));
  await send(local, people.deployer, encodeSwapExactIn(deployment, dear, await limits()));
  const before = await tokensOf(deployment.token, people.deployer.address);

  const amount = 1_000n * DPU;
  const { address, abi } = { address: deployment.credits, abi: computeCreditsAbi as Abi };
  await write(people.deployer, deployment.token, erc20Abi as Abi, 'approve', [address, amount]);
  await write(people.deployer, address, abi, 'buy', [amount, people.deployer.address, amount / 5n]);
  await allow(people.deployer, address, amount);
  const quote = quoteExactIn('sellCredits', amount, await readReserves(local.publicClient, deployment));
  const deadline = await limits({ to: people.deployer.address });
  await send(local, people.deployer, encodeSwapExactIn(deployment, quote, deadline));
  expect(await tokensOf(deployment.token, people.deployer.address)).toBeGreaterThan(before);
});
