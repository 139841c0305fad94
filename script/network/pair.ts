import { AWAITED } from '@dpu/sdk/awaited';
import { computeCreditsAbi } from '@dpu/sdk/abi';
import { costOf } from '@dpu/sdk/creditRules';
import { encodeAddLiquidity, uniswapFactoryAbi, type Reserves } from '@dpu/sdk/pair';
import {
  encodeFunctionData,
  erc20Abi,
  parseEther,
  zeroAddress,
  type Account,
  type Address,
  type Hex,
  type TransactionReceipt,
} from 'viem';

import { send, walletOf } from './equip.ts';
import type { LocalChain } from './chain.ts';
import { uniswapArtifact, type UniswapContract } from './uniswap.ts';

/** Where credits are traded on a network. */
export interface Exchange {
  factory: Address;
  weth: Address;
  router: Address;
  /** The pair of credits and DPU. */
  pair: Address;
}

/** What the pair of a local network begins with: 0.15 DPU a credit, three quarters of what the contract sells them at. */
export const LOCAL_SEED: Reserves = { credits: parseEther('10000'), dpu: parseEther('1500') };

/** Seconds that adding liquidity may wait to be mined. */
const PATIENCE = 600;

/** Thrown when a contract that was deployed has no address: its creation failed. */
export class NotDeployed extends Error {
  constructor(name: string, hash: Hex) {
    super(`${name} was not deployed by ${hash}: the transaction reverted. Start the network again.`);
    this.name = 'NotDeployed';
  }
}

/** Deploys Uniswap v2 from its npm packages and creates the pair of credits and DPU, empty. Nobody is set to take a protocol fee. */
export async function deployPair(
  local: LocalChain,
  account: Account,
  { credits, token }: { credits: Address; token: Address },
): Promise<Exchange> {
  const factory = await create(local, account, 'UniswapV2Factory', [zeroAddress]);
  const weth = await create(local, account, 'WETH9', []);
  const router = await create(local, account, 'UniswapV2Router02', [factory, weth]);
  const args = [credits, token] as const;
  await send(local, account, {
    to: factory,
    data: encodeFunctionData({ abi: uniswapFactoryAbi, functionName: 'createPair', args }),
  });
  const pair = await local.publicClient.readContract({
    address: factory,
    abi: uniswapFactoryAbi,
    functionName: 'getPair',
    args,
  });
  return { factory, weth, router, pair };
}

/**
 * Puts `seed` into the pair, when `account` has the DPU for both sides: credits that it lacks it buys at the contract's offer. The liquidity is
 * the account's. Returns whether it was seeded.
 */
export async function seedPair(
  local: LocalChain,
  account: Account,
  { credits, token, exchange }: { credits: Address; token: Address; exchange: Pick<Exchange, 'router' | 'pair'> },
  seed: Reserves = LOCAL_SEED,
): Promise<boolean> {
  const balanceOf = (address: Address): Promise<bigint> =>
    local.publicClient.readContract({ address, abi: erc20Abi, functionName: 'balanceOf', args: [account.address] });
  const [, , , offer] = await local.publicClient.readContract({
    address: credits,
    abi: computeCreditsAbi,
    functionName: 'settings',
  });
  const held = await balanceOf(credits);
  const lacking = held < seed.credits ? seed.credits - held : 0n;
  const cost = costOf(lacking, offer);
  if ((await balanceOf(token)) < seed.dpu + cost) return false;

  const approve = (address: Address, spender: Address, amount: bigint): Promise<TransactionReceipt> =>
    send(local, account, {
      to: address,
      data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [spender, amount] }),
    });
  if (lacking !== 0n) {
    await approve(token, credits, cost);
    const args = [lacking, account.address, cost] as const;
    await send(local, account, {
      to: credits,
      data: encodeFunctionData({ abi: computeCreditsAbi, functionName: 'buy', args }),
    });
  }
  await approve(credits, exchange.router, seed.credits);
  await approve(token, exchange.router, seed.dpu);
  const { timestamp } = await local.publicClient.getBlock();
  const limits = { to: account.address, slippageBps: 0, deadline: Number(timestamp) + PATIENCE };
  await send(local, account, encodeAddLiquidity({ credits, token, exchange }, seed, limits));
  return true;
}

async function create(
  local: LocalChain,
  account: Account,
  name: UniswapContract,
  args: readonly unknown[],
): Promise<Address> {
  const { abi, bytecode } = uniswapArtifact(name);
  const hash = await walletOf(local, account).deployContract({ abi, bytecode, args, account, chain: local.chain });
  const { contractAddress, status } = await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
  if (status !== 'success' || !contractAddress) throw new NotDeployed(name, hash);
  return contractAddress;
}
