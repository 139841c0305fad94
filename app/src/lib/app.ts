import { parseDeployment, type Deployment } from '@dpu/sdk/deployment';
import type { FoundJob } from '@dpu/sdk/history';
import { createContext } from 'svelte';
import type { Address } from 'viem';
import { config } from 'zod/mini';

import type { Chain } from './chain/chain.ts';
import type { CreditsView } from './chain/credits.ts';
import type { CourtCase } from './chain/court.ts';
import type { Governance } from './chain/governance.ts';
import { Head } from './chain/head.svelte.ts';
import { LOCAL_CHAIN } from './chain/networks.ts';
import type { Stakes } from './chain/stakes.ts';
import { Tx, type Explanation } from './chain/tx.svelte.ts';
import { Keys } from './privacy/keys.svelte.ts';
import { indexedKeys } from './privacy/keyStore.ts';
import { recoveryInWorker } from './privacy/recovery.ts';
import { Feed } from './state/feed.svelte.ts';
import { plainName } from './plain.ts';
import { Names } from './state/names.svelte.ts';
import { poll } from './state/poll.ts';
import type { Storage } from './storage/storage.ts';
import { Wallet } from './wallet/wallet.svelte.ts';

/** Milliseconds between two looks at the chain while the indexer is silent. */
const SILENT_MS = 3_000;
/** Milliseconds between two readings of what only the chain tells. */
const BLOCKS_MS = 12_000;
const LOCAL_MS = 2_000;

/** Everything that pages share. */
export interface App {
  deployment: Deployment;
  feed: Feed;
  head: Head;
  wallet: Wallet;
  /** Calls back when something may have changed on chain: as the indexer says, or every few seconds while it is silent. */
  changes(notify: () => void): () => void;
  /** The chain by RPC, for money and proof. Loaded when first asked for. */
  chain(): Promise<Chain>;
  /** Proposals and votes, from the chain alone. Loaded when first asked for. */
  governance(): Promise<Governance>;
  /** Every challenged shard, newest first, from the chain alone. */
  cases(): Promise<CourtCase[]>;
  /** Epoch, weights and pair, and what the account holds. */
  credits(account: Address | undefined): Promise<CreditsView>;
  /** An owner's nodes, stake and votes, from the chain alone. */
  stakes(owner: Address): Promise<Stakes>;
  /** Calls back every few blocks: for what the indexer does not tell of. */
  blocks(notify: () => void): () => void;
  /** Specs, manifests and files by their hashes. Loaded when first asked for. */
  storage(): Promise<Storage>;
  /** The person's own keys for private jobs. */
  keys: Keys;
  /** Names of jobs, fetched behind the page. */
  names: Names;
  /** Every post on the chain, newest first: what a list can be without an indexer. */
  postedJobs(): Promise<FoundJob[]>;
  /** A new transaction whose failures are put into words. */
  tx(): Tx;
  explain(error: unknown): Promise<Explanation>;
}

/** Reads where the network is from `/config.json` and builds what pages share. */
export async function createApp(fetcher: typeof fetch): Promise<App> {
  // The page's content security policy forbids compiling code from text, which zod would try.
  config({ jitless: true });
  const response = await fetcher('/config.json', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`/config.json answered ${response.status}. It says where the network is.`);
  const parsed = parseDeployment(await response.text());
  // Symbols are the tokens' own words.
  const currencies = parsed.currencies.map((one) => ({ ...one, symbol: plainName(one.symbol, '?') }));
  const deployment = { ...parsed, currencies };

  const wallet = new Wallet(deployment);
  let chain: Promise<Chain> | undefined;
  const getChain = (): Promise<Chain> =>
    (chain ??= import('./chain/chain.ts').then(({ createChain }) => createChain(deployment)));
  let governance: Promise<Governance> | undefined;
  let stakes: Promise<(owner: Address) => Promise<Stakes>> | undefined;
  let storage: Promise<Storage> | undefined;
  const getStorage = (): Promise<Storage> =>
    (storage ??= import('./storage/storage.ts').then(({ createStorage }) =>
      createStorage(deployment, {
        account: () => wallet.address,
        async sign(grant) {
          const client = await wallet.client();
          if (!client.account) throw new Error('The wallet gave no account. Connect it again.');
          return client.signTypedData({ ...grant, account: client.account });
        },
      }),
    ));
  const explain = async (error: unknown): Promise<Explanation> => (await import('./chain/explain.ts')).explain(error);
  const feed = new Feed(deployment.indexerUrl, deployment.chainId);
  return {
    deployment,
    feed,
    changes(notify) {
      const stop = feed.changes(notify);
      const timer = setInterval(() => feed.down && notify(), SILENT_MS);
      return () => {
        stop();
        clearInterval(timer);
      };
    },
    head: new Head({ rpcUrl: deployment.rpcUrl, everyMs: deployment.chainId === LOCAL_CHAIN ? 1_000 : 4_000 }),
    wallet,
    chain: getChain,
    governance: () =>
      (governance ??= Promise.all([getChain(), import('./chain/governance.ts')]).then(
        ([{ client }, { createGovernance }]) => createGovernance(client, deployment),
      )),
    async cases() {
      const [{ client }, { readCases }] = await Promise.all([getChain(), import('./chain/court.ts')]);
      return readCases(client, deployment);
    },
    async credits(account) {
      const [{ client }, { readCreditsView }] = await Promise.all([getChain(), import('./chain/credits.ts')]);
      return readCreditsView(client, deployment, account);
    },
    async stakes(owner) {
      stakes ??= Promise.all([getChain(), import('./chain/stakes.ts')]).then(([{ client }, { createStakes }]) =>
        createStakes(client, deployment),
      );
      return (await stakes)(owner);
    },
    blocks: poll(deployment.chainId === LOCAL_CHAIN ? LOCAL_MS : BLOCKS_MS),
    postedJobs: async () => (await getChain()).posts(),
    storage: getStorage,
    keys: new Keys({ store: indexedKeys, recovery: recoveryInWorker(), now: Date.now }),
    names: new Names({
      load: async (digest) => plainName((await (await getStorage()).spec(digest)).name, 'A job without a name'),
    }),
    tx: () => new Tx(explain),
    explain,
  };
}

/** What pages share, from the root layout. */
export const [getApp, setApp] = createContext<App>();
