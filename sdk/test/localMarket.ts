/** A token and a Market on a test chain, with what tests do to get there. */
import { erc20Abi, getAddress, zeroHash, type Address, type Hash, type TransactionReceipt } from 'viem';
import { expect } from 'vitest';
import { AWAITED } from '../src/awaited.ts';
import type { Deployment } from '../src/deployment.ts';
import type { Market } from '../src/market.ts';
import { artifact, type TestChain } from './anvil.ts';

/** Anvil's account that deploys, governs and holds the whole supply. */
export const DEPLOYER = 0;

/** Waits until a transaction is in a block, which it must be without reverting. */
export async function done(chain: TestChain, sending: Promise<Hash>): Promise<TransactionReceipt> {
  const receipt = await chain.publicClient.waitForTransactionReceipt({ hash: await sending, ...AWAITED });
  expect(receipt.status).toBe('success');
  return receipt;
}

/** Deploys the token, the Market's parts and the Market, which begins with `params`. */
export async function deploy(chain: TestChain, params = PARAMS): Promise<Deployment> {
  const deployer = chain.person(DEPLOYER).address;
  const create = async (name: string, args: unknown[]): Promise<{ address: Address; block: number }> => {
    const hash = chain.wallet(DEPLOYER).deployContract({ ...artifact(name), args });
    const { contractAddress, blockNumber } = await done(chain, hash);
    return { address: getAddress(contractAddress!), block: Number(blockNumber) };
  };
  const { address: token } = await create('DpuToken', [deployer]);
  const { address: extension } = await create('MarketExtension', [token]);
  const { address: panels } = await create('MarketPanels', [token]);
  const { address: exits } = await create('MarketExits', [token]);
  const { address: court } = await create('MarketCourt', [token]);
  const parts = { extension, panels, exits, court };
  const { address: market, block } = await create('Market', [token, parts, deployer, deployer, params]);
  const urls = { rpcUrl: chain.rpcUrl, indexerUrl: chain.rpcUrl, gatewayUrl: chain.rpcUrl };
  return {
    chainId: 31_337,
    market,
    token,
    currencies: [{ address: token, symbol: 'DPU', decimals: 18 }],
    startBlock: block,
    ...urls,
  };
}

/** As `Parameters.initial()`, but that the protocol audits nothing. */
export const PARAMS = {
  feeBps: 300,
  bondTenths: 40,
  noShowBps: 2_000,
  burnBps: 5_000,
  retryBps: 4_000,
  auditRates: 0,
  revealWindow: 600,
  auditWindow: 1_800,
  openFor: 60,
  drawStep: 30,
  drawOpenAfter: 1_800,
};

/** Gives account `index` DPU. */
export async function give(chain: TestChain, token: Address, index: number, amount: bigint): Promise<void> {
  const args = [chain.person(index).address, amount] as const;
  const request = { abi: erc20Abi, address: token, functionName: 'transfer', args } as const;
  await done(chain, chain.wallet(DEPLOYER).writeContract(request));
}

/** Lets the Market take DPU of account `index`. */
export async function approve(
  chain: TestChain,
  { token, market }: Deployment,
  index: number,
  amount: bigint,
): Promise<void> {
  const request = { abi: erc20Abi, address: token, functionName: 'approve', args: [market, amount] } as const;
  await done(chain, chain.wallet(index).writeContract(request));
}

/** Registers node `id` for `owner`, with its operator and a stake that was approved before. */
export async function addNode(
  chain: TestChain,
  owner: Market,
  operator: Address,
  id: number,
  stake: bigint,
): Promise<void> {
  await done(chain, owner.register(operator, 1 << 1, zeroHash, 'http://127.0.0.1:24101'));
  await done(chain, owner.stake(id, stake));
  // Draws leave out who staked in the very second in which something began; blocks of one second are common here.
  await chain.testClient.increaseTime({ seconds: 1 });
}
