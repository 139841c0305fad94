import { AWAITED } from '@dpu/sdk/awaited';
import { createMarket, SPARE_GAS, type Market } from '@dpu/sdk/market';
import { createWalletClient, http, type Hash } from 'viem';
import type { HDAccount } from 'viem/accounts';

import type { Network } from '../../script/network/network.ts';

/** The Market as `person` calls it. */
export function marketOf({ local, deployment }: Network, person: HDAccount): Market {
  const { publicClient, chain, rpcUrl } = local;
  const walletClient = createWalletClient({ account: person, chain, transport: http(rpcUrl) });
  return createMarket({
    publicClient,
    deployment,
    account: person.address,
    send: async (request) => {
      const gas = SPARE_GAS + (await publicClient.estimateGas({ account: person.address, ...request }));
      return walletClient.sendTransaction({ ...request, gas });
    },
  });
}

/** Waits for a transaction. @throws when it reverted. */
export async function mined({ local }: Network, hash: Hash): Promise<Hash> {
  const receipt = await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
  if (receipt.status !== 'success') throw new Error(`the transaction ${hash} reverted`);
  return hash;
}

/** Time of the newest block, unix seconds. */
export async function now({ local }: Network): Promise<number> {
  return Number((await local.publicClient.getBlock()).timestamp);
}

/** Makes the chain's clock jump, and mines the block that shows it. */
export async function pass({ local }: Network, seconds: number): Promise<void> {
  await local.testClient.increaseTime({ seconds });
  await local.testClient.mine({ blocks: 1 });
}

/** Runs `work` on a chain that stands still but for one block per transaction, and lets it go on afterwards. */
export async function stepwise<T>({ local }: Network, work: () => Promise<T>): Promise<T> {
  await local.testClient.setIntervalMining({ interval: 0 });
  await local.testClient.setAutomine(true);
  try {
    return await work();
  } finally {
    await local.testClient.setIntervalMining({ interval: 1 });
  }
}
