import type { Deployment } from '@dpu/sdk/deployment';
import { createConfig, createStorage, http, injected, type Config } from '@wagmi/core';
import { defineChain, type Chain } from 'viem';

import { LOCAL_CHAIN, networkInfo } from '../chain/networks.ts';
import { DEMO_ID, demoProvider } from './demo.ts';

/** The deployment's chain in viem's form; this is also what a wallet is offered when it does not know the chain. */
export function chainOf({ chainId, rpcUrl }: Pick<Deployment, 'chainId' | 'rpcUrl'>): Chain {
  const { name, explorer } = networkInfo(chainId);
  return defineChain({
    id: chainId,
    name: chainId === LOCAL_CHAIN ? 'DPU local' : name,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
    ...(explorer && { blockExplorers: { default: { name: `${name} explorer`, url: explorer } } }),
  });
}

/** wagmi for one deployment: wallets are found by EIP-6963; on a local chain there is a demo wallet too. */
export function createWagmi(deployment: Deployment): Config {
  const chain = chainOf(deployment);
  const demo = injected({
    shimDisconnect: true,
    target: () => ({ id: DEMO_ID, name: 'Demo wallet', provider: demoProvider(chain) as never }),
  });
  return createConfig({
    chains: [chain],
    connectors: chain.id === LOCAL_CHAIN ? [demo] : [],
    multiInjectedProviderDiscovery: true,
    storage: createStorage({ storage: localStorage, key: 'dpu' }),
    pollingInterval: chain.id === LOCAL_CHAIN ? 500 : 3_000,
    transports: { [chain.id]: http(deployment.rpcUrl, { batch: true }) },
  });
}
