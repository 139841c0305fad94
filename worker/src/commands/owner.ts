import { dpuTokenAbi } from '@dpu/sdk/abi';
import { createMarket, type Market } from '@dpu/sdk/market';
import { runtimeBits, type RuntimeName } from '@dpu/sdk/terms';
import {
  createPublicClient,
  createWalletClient,
  http,
  type Address,
  type Hash,
  type Hex,
  type PublicClient,
  type WalletClient,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { NodeConfig } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { readKeyFile } from '../keys/keyFile.ts';

/** What the owner's cold key does for a node: register, stake, leave. Never used while the node runs. */
export interface Owner {
  address: Address;
  /** Registers a node for `operator` that offers `runtimes`; private jobs are sealed to `key`. Answers its id. */
  register(operator: Address, runtimes: readonly RuntimeName[], key: Hex, endpoint: string): Promise<number>;
  /** Publishes another key for private jobs. */
  publishKey(node: number, key: Hex): Promise<void>;
  /** Makes another address the node's operator. */
  setOperator(node: number, operator: Address): Promise<void>;
  /** Stakes `amount` DPU wei on a node. */
  stake(node: number, amount: bigint): Promise<void>;
  /** Queues everything that is free to leave; answers how much and when it may. */
  queueUnstake(node: number): Promise<{ amount: bigint; unstakeAt: number }>;
}

/** Reads of the chain without a key. */
export function reader(config: NodeConfig): { client: PublicClient; market: Market } {
  const client = createPublicClient({ transport: http(config.rpcUrl, { timeout: config.rpcTimeoutMs }) });
  return { client, market: createMarket({ publicClient: client, deployment: config.network }) };
}

/** The owner whose key is in `keyFile`. */
export function ownerOf(config: NodeConfig, keyFile: string): Owner {
  const account = privateKeyToAccount(readKeyFile(keyFile, config.keyPassword));
  const { client } = reader(config);
  const wallet: WalletClient = createWalletClient({
    account,
    transport: http(config.rpcUrl, { timeout: config.rpcTimeoutMs }),
  });
  const market = createMarket({ publicClient: client, walletClient: wallet, deployment: config.network });

  async function mined(what: string, hash: Hash): Promise<void> {
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status === 'success') return;
    throw new OperatorError(`The transaction to ${what} reverted: ${hash}. Look it up, then run the command again.`, {
      hash,
    });
  }

  return {
    address: account.address,
    async register(operator, runtimes, key, endpoint) {
      await mined('register', await market.register(operator, runtimeBits(runtimes), key, endpoint));
      return market.nodeOf(operator);
    },
    async publishKey(node, key) {
      const { operator, runtimes, endpoint } = await market.node(node);
      await mined('publish the key', await market.setNode(node, operator, runtimes, key, endpoint));
    },
    async setOperator(node, operator) {
      const { key, runtimes, endpoint } = await market.node(node);
      await mined('change the operator', await market.setNode(node, operator, runtimes, key, endpoint));
    },
    async stake(node, amount) {
      const { token, market: spender } = config.network;
      const balance = await client.readContract({
        address: token,
        abi: dpuTokenAbi,
        functionName: 'balanceOf',
        args: [account.address],
      });
      if (balance < amount) {
        throw new OperatorError(
          `The owner ${account.address} has ${balance} DPU wei, the stake is ${amount}. Send it DPU or choose a smaller --stake.`,
          { balance, amount },
        );
      }
      const approval = await wallet.writeContract({
        address: token,
        abi: dpuTokenAbi,
        functionName: 'approve',
        args: [spender, amount],
        account,
        chain: null,
      });
      await mined('approve', approval);
      await mined('stake', await market.stake(node, amount));
    },
    async queueUnstake(node) {
      const { stake, locked, queued } = await market.node(node);
      const amount = stake - locked - queued;
      if (amount > 0n) await mined('queue the unstake', await market.queueUnstake(node, amount));
      const after = await market.node(node);
      return { amount: after.queued, unstakeAt: after.unstakeAt };
    },
  };
}
