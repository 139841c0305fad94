/** What a command works with: the network, the wallet that pays, and storage. */
import { readFileSync } from 'node:fs';

import {
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  isHex,
  type PrivateKeyAccount,
  type PublicClient,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { parseDeployment, type Deployment } from '../deployment.ts';
import type { HistoryLease } from '../history.ts';
import { createMarket, type Market } from '../market.ts';
import { copyEndpoints } from '../storage/copies.ts';
import { digestToCid } from '../storage/cid.ts';
import { HttpBackend } from '../storage/httpBackend.ts';
import { storageDomain } from '../storage/receipt.ts';
import { uploadGrant } from '../storage/uploadGrant.ts';
import { CliError, messageOf } from './cliError.ts';

/** Where a command's network and wallet are. */
export interface ConnectOptions {
  /** File or URL of the deployment; the dApp serves it as `/config.json`. */
  network: string | undefined;
  /** File with the wallet's private key, 32 bytes as hex; for commands that pay. */
  walletKeyFile?: string | undefined;
}

/** A network that commands talk to. */
export interface Connection {
  deployment: Deployment;
  publicClient: PublicClient;
  market: Market;
  /** Reads from the gateway and from every holder that {@link knowHolders} found, writes to the gateway. */
  storage: HttpBackend;
  account: PrivateKeyAccount | undefined;
  walletClient: ReturnType<typeof createWalletClient> | undefined;
  /** Finds the gateways that hold a lease's result: its node's, and those of the copies. */
  knowHolders: (leases: readonly HistoryLease[]) => Promise<void>;
}

/** @throws CliError when the network or the wallet is not named, or cannot be read. */
export async function connect({ network, walletKeyFile }: ConnectOptions): Promise<Connection> {
  if (!network) throw new CliError('Say which network: --network with a deployment file or URL, or DPU_NETWORK_FILE.');
  const deployment = parseDeployment(await textOf(network));
  const account = walletKeyFile === undefined ? undefined : readWallet(walletKeyFile);
  const transport = http(deployment.rpcUrl);
  const chain = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
  const publicClient = createPublicClient({ chain, transport });
  const walletClient = account && createWalletClient({ account, chain, transport });
  const market = createMarket({ publicClient, ...(walletClient ? { walletClient } : {}), deployment });
  const holders = new Set<string>([deployment.gatewayUrl]);
  const headers =
    account &&
    uploadGrant(
      { domain: storageDomain(deployment.chainId, deployment.market) },
      { sign: (data) => account.signTypedData(data), fetch, nowSeconds: () => Math.floor(Date.now() / 1_000) },
    );
  const storage = new HttpBackend(
    { getHolders: () => [...holders], writeTo: deployment.gatewayUrl },
    headers ? { headers } : {},
  );
  return {
    ...{ deployment, publicClient, market, storage, account, walletClient },
    async knowHolders(leases) {
      const endpointOf = async (id: number): Promise<string> => (await market.node(id)).endpoint;
      const { nodeCount: count } = await market.config();
      for (const { lease, result } of leases) {
        if (!result) continue;
        const own = await endpointOf(lease.node);
        if (/^https?:\/\//.test(own)) holders.add(own);
        const copies = await copyEndpoints(digestToCid(result.manifest, 'dag-cbor'), { count, endpointOf });
        for (const url of copies) holders.add(url);
      }
    },
  };
}

async function textOf(network: string): Promise<string> {
  try {
    if (!/^https?:\/\//.test(network)) return readFileSync(network, 'utf8');
    const answer = await fetch(network);
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    return await answer.text();
  } catch (error) {
    throw new CliError(`The network at ${network} cannot be read: ${messageOf(error)}. Correct --network.`, error);
  }
}

function readWallet(file: string): PrivateKeyAccount {
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError(`The wallet's key cannot be read: ${messageOf(error)}. Correct --wallet-key-file.`, error);
  }
  if (!isHex(key) || key.length !== 66)
    throw new CliError(`${file} does not hold a private key: 0x and 64 hex digits.`);
  return privateKeyToAccount(key);
}
