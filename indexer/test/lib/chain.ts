import { AWAITED } from '@dpu/sdk/awaited';
import { dpuTokenAbi } from '@dpu/sdk/abi';
import type { WriteName } from '@dpu/sdk/calls';
import { createMarket } from '@dpu/sdk/market';
import { readFileSync } from 'node:fs';
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  http,
  type Abi,
  type Address,
  type Hex,
  type TransactionReceipt,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { freePort, start } from './process.ts';

const root = new URL('../../../', import.meta.url);

/** The people of the story, by their place in anvil's well-known mnemonic. */
export const people = Object.fromEntries(
  [
    'deployer',
    'requester',
    'treasury',
    'owner1',
    'owner2',
    'operator1',
    'operator2',
    'guardian',
    'stranger',
    'operator3',
  ].map((name, addressIndex) => [
    name,
    mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex }),
  ]),
) as Record<Person, ReturnType<typeof mnemonicToAccount>>;
export type Person =
  | 'deployer'
  | 'requester'
  | 'treasury'
  | 'owner1'
  | 'owner2'
  | 'operator1'
  | 'operator2'
  | 'guardian'
  | 'stranger'
  | 'operator3';

/** A local chain with the contracts on it, and the few ways in which the tests touch them. */
export type Chain = Awaited<ReturnType<typeof startChain>>;

/** Short windows, so that a story takes seconds. */
export const PARAMS = {
  feeBps: 300,
  bondTenths: 40,
  noShowBps: 2_000,
  burnBps: 5_000,
  retryBps: 4_000,
  auditRates: 0,
  revealWindow: 60,
  auditWindow: 60,
  openFor: 0,
  drawStep: 1,
  drawOpenAfter: 1,
};

export async function startChain() {
  const { nativeBinary } = (await import(new URL('script/native.mjs', root).href)) as {
    nativeBinary: (tool: string) => string;
  };
  const port = await freePort();
  const child = start(nativeBinary('anvil'), ['--port', String(port), '--hardfork', 'prague']);
  await child.line((line) => line.startsWith('Listening on'));

  const rpcUrl = `http://127.0.0.1:${port}`;
  const transport = http(rpcUrl);
  // No memory of the block number: the one that viem kept may be older than the receipt that was just awaited.
  const client = createPublicClient({ chain: foundry, transport, pollingInterval: 10, cacheTime: 0 });
  const wallet = createWalletClient({ chain: foundry, transport });
  const control = createTestClient({ chain: foundry, transport, mode: 'anvil' });

  async function confirm(hash: Hex): Promise<TransactionReceipt> {
    const receipt = await client.waitForTransactionReceipt({ hash, ...AWAITED });
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted`);
    return receipt;
  }

  async function deploy(name: string, args: readonly unknown[]): Promise<Address> {
    const path = new URL(`out/${name}.sol/${name}.json`, root);
    const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8')) as { abi: Abi; bytecode: { object: Hex } };
    const hash = await wallet.deployContract({ abi, bytecode: bytecode.object, args, account: people.deployer });
    return (await confirm(hash)).contractAddress!;
  }

  const startBlock = (await client.getBlockNumber()) + 1n;
  const token = await deploy('DpuToken', [people.deployer.address]);
  const dollar = await deploy('DpuToken', [people.deployer.address]);
  const parts = {
    extension: await deploy('MarketExtension', [token]),
    panels: await deploy('MarketPanels', [token]),
    exits: await deploy('MarketExits', [token]),
    court: await deploy('MarketCourt', [token]),
  };
  const market = await deploy('Market', [token, parts, people.deployer.address, people.treasury.address, PARAMS]);

  /** Calls a token as `who`. The reason of a revert is in the error. */
  const call = (to: Address, abi: Abi) => async (who: Person, functionName: string, args: readonly unknown[]) => {
    const { request } = await client.simulateContract({ address: to, abi, functionName, args, account: people[who] });
    return confirm(await wallet.writeContract(request));
  };

  const deployment = { chainId: foundry.id, market, rpcUrl };
  /** Calls the Market as `who`, with terms and leases in their readable form. */
  const act = async (who: Person, call: WriteName, args: readonly unknown[]): Promise<TransactionReceipt> => {
    const walletClient = createWalletClient({ account: people[who], chain: foundry, transport });
    const calls = createMarket({ publicClient: client, walletClient, deployment });
    return confirm(await (calls[call] as (...given: readonly unknown[]) => Promise<Hex>)(...args));
  };

  return {
    rpcUrl,
    client,
    control,
    token,
    dollar,
    market,
    startBlock,
    env: {
      PONDER_RPC_URL: rpcUrl,
      PONDER_CHAIN_ID: String(foundry.id),
      PONDER_MARKET: market,
      PONDER_START_BLOCK: String(startBlock),
    },
    act,
    token_: (currency: Address) => call(currency, dpuTokenAbi as Abi),
    /** Reads of the Market. */
    read: client.readContract.bind(client),
    /** Lets `seconds` pass and mines a block. */
    pass: async (seconds: number) => {
      await control.increaseTime({ seconds });
      await control.mine({ blocks: 1 });
    },
    now: async () => Number((await client.getBlock()).timestamp),
    stop: () => child.stop(),
  };
}
