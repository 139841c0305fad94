import {
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  hexToBytes,
  http,
  parseEther,
  parseUnits,
  type Account,
  type Address,
  type EncodeFunctionDataParameters,
  type Hash,
  type Hex,
  type TransactionReceipt,
  type WalletClient,
} from 'viem';
import { AWAITED } from '@dpu/sdk/awaited';
import { marketAbi } from '@dpu/sdk/abi';
import { SPARE_GAS } from '@dpu/sdk/market';
import { identityOfBytes } from '@dpu/sdk/privacy/identity';
import { runtimeBits, type RuntimeName } from '@dpu/sdk/terms';

import type { LocalChain } from './chain.ts';
import { localRuntimes } from './localRuntimes.ts';
import { nodeSecret, people } from './people.ts';

/** What the deployment script wrote. */
export interface DeployedContracts {
  chainId: number;
  market: Address;
  extension: Address;
  token: Address;
  governor: Address;
  timelock: Address;
  credits: Address;
  /** Proofs of capability. */
  proofs: Address;
  /** Opened beside DPU; on a local network the local dollar. */
  currencies: Address[];
  startBlock: number;
}

/** DPU wei that each node stakes on a local network. */
export const STAKE = parseEther('100000');
/** DPU wei that each requester gets. */
const POCKET_MONEY = parseEther('1000000');

/** A wallet of one of the local people. */
export function walletOf(local: LocalChain, account: Account): WalletClient {
  return createWalletClient({ account, chain: local.chain, transport: http(local.rpcUrl) });
}

/** Sends calldata, waits for it, and returns its receipt. @throws when it reverted. */
export async function send(
  local: LocalChain,
  account: Account,
  { to, data }: { to: Address; data: Hex },
): Promise<TransactionReceipt> {
  const gas = SPARE_GAS + (await local.publicClient.estimateGas({ account, to, data }));
  const hash = await walletOf(local, account).sendTransaction({ to, data, gas, account, chain: local.chain });
  const receipt = await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
  if (receipt.status !== 'success') throw new Error(`the call ${data.slice(0, 10)} of ${to} reverted in ${hash}`);
  return receipt;
}

/** Sends a call, waits for it, and returns its hash. @throws when it reverted. */
export async function call(
  local: LocalChain,
  account: Account,
  request: { address: Address; abi: readonly unknown[]; functionName: string; args: readonly unknown[] },
): Promise<Hash> {
  const data = encodeFunctionData(request as EncodeFunctionDataParameters);
  return (await send(local, account, { to: request.address, data })).transactionHash;
}

/** Gives the requesters DPU and dollars to spend. */
export async function fundRequesters(local: LocalChain, token: Address, dollar: Address): Promise<void> {
  for (const to of [people.requester.address, people.browser.address]) {
    await call(local, people.deployer, {
      address: token,
      abi: erc20Abi,
      functionName: 'transfer',
      args: [to, POCKET_MONEY],
    });
    await call(local, people.deployer, {
      address: dollar,
      abi: erc20Abi,
      functionName: 'transfer',
      args: [to, parseUnits('100000', 6)],
    });
  }
}

/** Registers and stakes nodes 1 … `count`, each with its own owner, operator and key for private jobs; all owners act at the same time. */
export async function addNodes(
  local: LocalChain,
  contracts: DeployedContracts,
  endpoints: readonly string[],
  runtimes: readonly RuntimeName[] = localRuntimes(),
): Promise<number[]> {
  const { market, token } = contracts;
  for (const [index] of endpoints.entries()) {
    const to = people.owner(index + 1).address;
    await call(local, people.deployer, { address: token, abi: erc20Abi, functionName: 'transfer', args: [to, STAKE] });
  }
  const ids: number[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    const owner = people.owner(index + 1);
    const operator = people.operator(index + 1).address;
    const { key } = await identityOfBytes(hexToBytes(nodeSecret(index + 1)));
    const args = [operator, runtimeBits(runtimes), key, endpoint];
    await call(local, owner, { address: market, abi: marketAbi, functionName: 'register', args });
    const id = await local.publicClient.readContract({
      address: market,
      abi: marketAbi,
      functionName: 'nodeOf',
      args: [operator],
    });
    await call(local, owner, { address: token, abi: erc20Abi, functionName: 'approve', args: [market, STAKE] });
    await call(local, owner, { address: market, abi: marketAbi, functionName: 'stake', args: [id, STAKE] });
    ids.push(id);
  }
  return ids;
}
