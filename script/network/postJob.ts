import { createWalletClient, http, parseAbi, zeroHash, type Address, type Hash, type Hex, type HDAccount } from 'viem';
import { AWAITED } from '@dpu/sdk/awaited';
import { createMarket, permitTypedData, type Market } from '@dpu/sdk/market';
import { encodeFundAndPost, escrowOf, proposeChain, readMarketFacts, toleranceOf } from '@dpu/sdk/posting';
import type { MarketFacts, PostingChoices } from '@dpu/sdk/posting';
import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { templateNamed } from '@dpu/sdk/templates/registry';
import { HeldFiles } from '@dpu/sdk/privacy/sealJobs';
import { jobId, marketDomain, type MarketDomain, type Terms } from '@dpu/sdk/terms';
import type { StorageBackend } from '@dpu/sdk/storage/backend';

import { adviceFor, localRuntimes } from './localRuntimes.ts';
import type { Network } from './network.ts';
import { proposePrivate, type PrivateWish } from './postPrivate.ts';

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
  /** Makes the jobs private. Default: everyone can read them. */
  private?: PrivateWish;
}

/** A chain of jobs, or a single one, on chain. */
export interface PostedJobs {
  ids: Hex[];
  specs: readonly JobSpecInput[];
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
  const held = new HeldFiles();
  const template = templateNamed(request.template);
  const prepared = await template.prepare(request.options ?? {}, request.files ?? new Map(), {
    asset: diskAsset,
    addFile: (bytes) => (request.private ? held : backend).addFile(bytes),
  });
  const specs = prepared.jobs;
  for (const { runtime } of specs) {
    if (!localRuntimes().includes(runtime))
      throw new Error(
        `No node of this network runs ${runtime} jobs: this machine lacks what they need. ${adviceFor(runtime)}`,
      );
  }

  const walletClient = createWalletClient({
    account: request.requester,
    chain: local.chain,
    transport: http(local.rpcUrl),
  });
  const market = createMarket({ publicClient: local.publicClient, walletClient, deployment });
  const { timestamp } = await local.publicClient.getBlock();
  const facts = await readMarketFacts(market, deployment.token, Number(timestamp));
  const choicesOf = (spec: JobSpecInput, digest: Hex): PostingChoices => ({
    requester: request.requester.address,
    currency: deployment.token,
    spec: digest,
    shards: spec.shards,
    runtime: spec.runtime,
    tolerant: toleranceOf(spec),
    minPrice: request.minPrice ?? DPU,
    maxPrice: request.maxPrice ?? 2n * DPU,
    ...(request.maxLease ? { maxLease: request.maxLease } : {}),
    ...(request.direct ? { direct: true } : {}),
    ...(request.start ? { start: request.start } : {}),
    ...(request.seats ? { seats: request.seats } : {}),
    exec: request.exec ?? 600,
    // The windows of a long chain are waited for one after the other.
    window: request.window ?? (specs.length > 2 ? 2 : 5),
    ramp: request.ramp ?? 60,
  });
  const domain = marketDomain(deployment.chainId, deployment.market);
  const terms = request.private
    ? await proposePrivate(specs, request.private, { market, backend, held, facts, domain, choicesOf })
    : await proposeOpen(specs, { backend, facts, domain, choicesOf });

  const data = encodeFundAndPost(market, terms, await fund(network, market, request.requester, terms));
  const transaction = await market.sendData(data);
  const receipt = await local.publicClient.waitForTransactionReceipt({ hash: transaction, ...AWAITED });
  if (receipt.status !== 'success') throw new Error(`the post reverted in ${transaction}`);
  const ids = terms.map((one) => jobId(one, domain));
  return { ids, specs: prepared.jobs, terms, transaction, gasUsed: receipt.gasUsed };
}

/** What terms are made with. */
export interface Proposal {
  backend: StorageBackend;
  facts: MarketFacts;
  domain: MarketDomain;
  /** What terms say of a job whose spec has the digest. */
  choicesOf: (spec: JobSpecInput, digest: Hex) => PostingChoices;
}

/** Stores specs that everyone can read, and proposes their terms. */
async function proposeOpen(
  specs: readonly JobSpecInput[],
  { backend, facts, domain, choicesOf }: Proposal,
): Promise<Terms[]> {
  const choices: PostingChoices[] = [];
  for (const spec of specs) {
    const encoded = encodeSpec(spec);
    await backend.putBlock(encoded.cid, encoded.bytes);
    choices.push(choicesOf(spec, encoded.digest));
  }
  return proposeChain(choices, facts, domain);
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
