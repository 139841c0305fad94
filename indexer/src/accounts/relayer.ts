/** Sends signed orders from an account of the service's own. */
import { createMarket } from '@dpu/sdk/market';
import { createWalletClient, defineChain, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { Relay } from './orders.ts';

type Hex = `0x${string}`;

/** A relayer with this key. Each order is simulated first, from the relayer's own account. */
export function relayer(options: { key: Hex; rpcUrl: string; chainId: number; market: Hex }): Relay {
  const { key, rpcUrl, chainId, market } = options;
  const chain = defineChain({
    id: chainId,
    name: 'DPU',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const client = createWalletClient({ account: privateKeyToAccount(key), chain, transport: http(rpcUrl) });
  const on = createMarket({
    publicClient: client.extend(publicActions),
    walletClient: client,
    deployment: { chainId, market, rpcUrl },
  });
  return (terms, signature) => on.postOrder(terms, signature);
}
