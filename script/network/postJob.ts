import { createWalletClient, http, parseAbi, zeroHash, type Address, type Hash, type Hex, type HDAccount } from 'viem';
import { createMarket, permitTypedData, type Market } from '@dpu/sdk/market';
import {
  encodeFundAndPost,
  escrowOf,
  proposeMapReduce,
  proposeTerms,
  readMarketFacts,
  toleranceOf,
} from '@dpu/sdk/posting';
import { encodeSpec } from '@dpu/sdk/spec';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { templateNamed } from '@dpu/sdk/templates/registry';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import type { StorageBackend } from '@dpu/sdk/storage/backend';

import type { Network } from './network.ts';

/** What to post, and how. Amounts are per shard in the currency's smallest unit, times in seconds. */
export interface PostRequest {
  template: string;
  options?: Record<string, unknown>;
  files?: ReadonlyMap<string, Uint8Array>;
  requester: HDAccount;
  minPrice?: bigint;
  maxPrice?: bigint;
  maxLease?: number;
  exec?: number;
  window?: number;
  ramp?: number;
  direct?: boolean;
  /** Unix second at which claiming begins. Default: at once. */
  start?: number;
  /** Nodes that compute each range. Default 1. */
  seats?: 1 | 3 | 5;
}

/** A job, or a map job and its reduce job, on chain. */
export interface PostedJobs {
  ids: Hex[];
  terms: Terms[];
  transaction: Hash;
  gasUsed: bigint;
}

const tokenAbi = parseAbi(['function name() view returns (string)', 'function nonces(address) view returns (uint256)']);
const DPU = 10n ** 18n;

/** Stores what a template's jobs need, and funds and posts them in one transaction with one permit. */
export async function postTemplate(
  network: Network,
  backend: StorageBackend,
  request: PostRequest,
): Promise<PostedJobs> {
  const { deployment, local } = network;
  const template = templateNamed(request.template);
  const prepared = await template.prepare(request.options ?? {}, request.files ?? new Map(), {
    asset: diskAsset,
    addFile: (bytes) => backend.addFile(bytes),
  });
  const specs = [prepared.map, ...(prepared.reduce ? [prepared.reduce] : [])].map((spec) => ({
    spec,
    encoded: encodeSpec(spec),
  }));
  for (const { encoded } of specs) await backend.putBlock(encoded.cid, encoded.bytes);

  const walletClient = createWalletClient({
    account: request.requester,
    chain: local.chain,
    transport: http(local.rpcUrl),
  });
  const market = createMarket({ publicClient: local.publicClient, walletClient, deployment });
  const { timestamp } = await local.publicClient.getBlock();
  const facts = await readMarketFacts(market, deployment.token, Number(timestamp));
  const choices = specs.map(({ spec, encoded }) => ({
    requester: request.requester.address,
    currency: deployment.token,
    spec: encoded.digest,
    runtime: spec.runtime,
    shards: spec.shards,
    tolerant: toleranceOf(spec),
    minPrice: request.minPrice ?? DPU,
    maxPrice: request.maxPrice ?? 2n * DPU,
    ...(request.maxLease ? { maxLease: request.maxLease } : {}),
    ...(request.direct ? { direct: true } : {}),
    ...(request.start ? { start: request.start } : {}),
    ...(request.seats ? { seats: request.seats } : {}),
    exec: request.exec ?? 600,
    window: request.window ?? 5,
    ramp: request.ramp ?? 60,
  }));
  const domain = marketDomain(deployment.chainId, deployment.market);
  const [map, reduce] = choices;
  if (!map) throw new RangeError('a template prepared no job');
  const terms = reduce ? proposeMapReduce(map, reduce, facts, domain) : [proposeTerms(map, facts)];

  const data = encodeFundAndPost(market, terms, await fund(network, market, request.requester, terms));
  const transaction = await market.sendData(data);
  const receipt = await local.publicClient.waitForTransactionReceipt({ hash: transaction });
  if (receipt.status !== 'success') throw new Error(`the post reverted in ${transaction}`);
  return { ids: terms.map((one) => jobId(one, domain)), terms, transaction, gasUsed: receipt.gasUsed };
}

/** What must be deposited first, with a permit for it; undefined when the balance in the Market is enough. */
async function fund(
  { local, deployment }: Network,
  market: Market,
  requester: HDAccount,
  terms: readonly Terms[],
): Promise<Parameters<typeof encodeFundAndPost>[2]> {
  const currency = terms[0]?.currency ?? (zeroHash as Address);
  const free = await market.balanceOf(currency, requester.address);
  const amount = escrowOf(terms) - free;
  if (amount <= 0n) return undefined;
  const read = { address: currency, abi: tokenAbi } as const;
  const name = await local.publicClient.readContract({ ...read, functionName: 'name' });
  const nonce = await local.publicClient.readContract({ ...read, functionName: 'nonces', args: [requester.address] });
  const { timestamp } = await local.publicClient.getBlock();
  const deadline = timestamp + 3_600n;
  const token = { address: currency, name, chainId: deployment.chainId };
  const signature = await requester.signTypedData(
    permitTypedData(token, requester.address, deployment.market, amount, nonce, deadline),
  );
  return { currency, amount, permit: { deadline, signature } };
}
