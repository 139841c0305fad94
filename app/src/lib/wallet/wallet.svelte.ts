import type { Deployment } from '@dpu/sdk/deployment';
import type * as Core from '@wagmi/core';
import type { Config, Connector } from '@wagmi/core';
import { createSubscriber } from 'svelte/reactivity';
import type { Address, WalletClient } from 'viem';

import { LOCAL_CHAIN } from '../chain/networks.ts';
import { plainName } from '../plain.ts';

/** A wallet that the person may choose. */
export interface WalletChoice {
  id: string;
  name: string;
  /** A data URL, as EIP-6963 asks; anything else is not shown. */
  icon?: string;
  /** The built-in wallet with a public key: for local test networks only. */
  demo: boolean;
}

/** wagmi remembers the last wallet under this key (`createStorage` with key `dpu`). */
const RECENT = 'dpu.recentConnectorId';
const DEMO_ID = 'network.dpu.demo';

/** The person's wallet. wagmi and viem are loaded when they are first needed, not with the page. */
export class Wallet {
  #deployment: Deployment;
  #core: typeof Core | undefined;
  #config = $state.raw<Config>();
  #loading: Promise<{ core: typeof Core; config: Config }> | undefined;
  #restoring = $state(false);
  #connection = createSubscriber((update) => {
    const config = this.#config;
    return config && this.#core ? this.#core.watchConnection(config, { onChange: update }) : undefined;
  });
  #connectors = createSubscriber((update) => {
    const config = this.#config;
    return config && this.#core ? this.#core.watchConnectors(config, { onChange: update }) : undefined;
  });

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** A demo wallet exists here. */
  get canDemo(): boolean {
    return this.#deployment.chainId === LOCAL_CHAIN;
  }

  /** The connected account. */
  get address(): Address | undefined {
    return this.#connected()?.address;
  }

  /** The chain that the wallet is on, which may be another than ours. */
  get chainId(): number | undefined {
    return this.#connected()?.chainId;
  }

  get wrongNetwork(): boolean {
    const chainId = this.chainId;
    return chainId !== undefined && chainId !== this.#deployment.chainId;
  }

  /** Name of the connected wallet. */
  get name(): string | undefined {
    return this.#connected()?.connector?.name;
  }

  get isDemo(): boolean {
    return this.#connected()?.connector?.id === DEMO_ID;
  }

  /** A wallet of an earlier visit is being asked whether it is still there. */
  get restoring(): boolean {
    return this.#restoring;
  }

  /** The wallets in this browser, once `open` was called. */
  get choices(): WalletChoice[] {
    const config = this.#config;
    if (!config || !this.#core) return [];
    this.#connectors();
    return this.#core.getConnectors(config).map(({ id, name, icon }) => ({
      id,
      name: plainName(name, 'A wallet without a name'),
      demo: id === DEMO_ID,
      ...(icon?.startsWith('data:image/') && { icon }),
    }));
  }

  /** Loads wagmi. Called when a person is about to choose a wallet. */
  async open(): Promise<{ core: typeof Core; config: Config }> {
    this.#loading ??= (async () => {
      const [core, { createWagmi }] = await Promise.all([import('@wagmi/core'), import('./wagmi.ts')]);
      const config = createWagmi(this.#deployment);
      this.#core = core;
      this.#config = config;
      return { core, config };
    })();
    return this.#loading;
  }

  /** Takes up the connection of an earlier visit, if there was one. */
  async restore(): Promise<void> {
    if (localStorage.getItem(RECENT) === null) return;
    this.#restoring = true;
    try {
      const { core, config } = await this.open();
      await core.reconnect(config);
    } catch {
      // A wallet that is gone is simply not connected.
    } finally {
      this.#restoring = false;
    }
  }

  /** Asks wallet `id` for an account, and for our chain. */
  async connect(id: string): Promise<void> {
    const { core, config } = await this.open();
    const connector = core.getConnectors(config).find((candidate: Connector) => candidate.id === id);
    if (!connector) throw new Error('That wallet is no longer there. Reload the page and choose again.');
    await core.connect(config, { connector });
  }

  connectDemo(): Promise<void> {
    return this.connect(DEMO_ID);
  }

  async disconnect(): Promise<void> {
    const { core, config } = await this.open();
    await core.disconnect(config);
  }

  /** Asks the wallet to change to our chain, adding it if need be. */
  async switchNetwork(): Promise<void> {
    const { core, config } = await this.open();
    await core.switchChain(config, { chainId: this.#deployment.chainId });
  }

  /** What signs and sends. Refuses while the wallet is on another chain. */
  async client(): Promise<WalletClient> {
    const { core, config } = await this.open();
    return (await core.getWalletClient(config, { chainId: this.#deployment.chainId })) as WalletClient;
  }

  #connected() {
    const config = this.#config;
    if (!config || !this.#core) return undefined;
    this.#connection();
    const connection = this.#core.getConnection(config);
    return connection.status === 'connected' ? connection : undefined;
  }
}
