/** From a template's name to jobs on chain: what it needs is stored, terms are proposed, and one transaction funds and posts all of them. */
import {
  parseAbi,
  zeroHash,
  type Address,
  type Hash,
  type Hex,
  type LocalAccount,
  type PublicClient,
  type WalletClient,
} from 'viem';

import { AWAITED } from './awaited.ts';
import type { Deployment } from './deployment.ts';
import { createMarket, permitTypedData, type Market } from './market.ts';
import {
  encodeFundAndPost,
  escrowOf,
  linked,
  proposeChain,
  readMarketFacts,
  toleranceOf,
  type MarketFacts,
  type PostingChoices,
} from './posting.ts';
import type { Identity } from './privacy/identity.ts';
import { keyToRecipient } from './privacy/recipient.ts';
import { HeldFiles, sealJobs } from './privacy/sealJobs.ts';
import { encodeSpec, type JobSpecInput } from './spec.ts';
import type { StorageBackend } from './storage/backend.ts';
import { templateNamed } from './templates/registry.ts';
import { jobId, marketDomain, type MarketDomain, type Terms } from './terms.ts';

/** Who may read private jobs. */
export interface PrivateWish {
  /** The requester's own key. */
  identity: Pick<Identity, 'recipient'>;
  /** Ids of the nodes that may compute; each must have a key on chain. None is possible: then nodes get the key later (`handOut`). */
  nodes: readonly number[];
  /** Keys of whoever may hand the jobs' keys on to other nodes later. */
  agents?: readonly string[];
}

/** What to post, and how. Amounts are per shard in the currency's smallest unit, times in seconds. */
export interface PostRequest {
  template: string;
  options?: Record<string, unknown>;
  files?: ReadonlyMap<string, Uint8Array>;
  requester: LocalAccount;
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

/** What posting works with. */
export interface PostDeps {
  publicClient: PublicClient;
  /** Signs and sends for the requester. */
  walletClient: WalletClient;
  deployment: Deployment;
  backend: StorageBackend;
  /** A built asset by its name. */
  asset: (name: string) => Promise<Uint8Array>;
  /** Told what will be posted, before anything is stored or paid; may throw. */
  onPrepared?: (specs: readonly JobSpecInput[]) => void;
}

const tokenAbi = parseAbi(['function name() view returns (string)', 'function nonces(address) view returns (uint256)']);
const DPU = 10n ** 18n;
const PERMIT_SECONDS = 3_600n;

/** Thrown when the transaction that should post the jobs reverted. */
export class PostReverted extends Error {
  override readonly name = 'PostReverted';
  readonly transaction: Hash;

  constructor(transaction: Hash) {
    super(`Posting reverted in ${transaction}: no money moved. Look at the transaction, then post again.`);
    this.transaction = transaction;
  }
}

/** Stores what a template's jobs need, and funds and posts them in one transaction with one permit. */
export async function postTemplate(deps: PostDeps, request: PostRequest): Promise<PostedJobs> {
  const { publicClient, deployment, backend, asset } = deps;
  const held = new HeldFiles();
  const prepared = await templateNamed(request.template).prepare(request.options ?? {}, request.files ?? new Map(), {
    asset,
    addFile: (bytes) => (request.private ? held : backend).addFile(bytes),
  });
  deps.onPrepared?.(prepared.jobs);

  const market = createMarket({ publicClient, walletClient: deps.walletClient, deployment });
  const { timestamp } = await publicClient.getBlock();
  const facts = await readMarketFacts(market, deployment.token, Number(timestamp));
  const domain = marketDomain(deployment.chainId, deployment.market);
  const choicesOf = choicesFor(request, deployment, prepared.jobs.length);
  const proposal = { backend, facts, domain, choicesOf };
  const terms = request.private
    ? await proposePrivate(prepared.jobs, request.private, { ...proposal, market, held })
    : await proposeOpen(prepared.jobs, proposal);

  const funding = await fund(deps, market, request.requester, terms);
  const transaction = await market.sendData(encodeFundAndPost(market, terms, funding));
  const receipt = await publicClient.waitForTransactionReceipt({ hash: transaction, ...AWAITED });
  if (receipt.status !== 'success') throw new PostReverted(transaction);
  const ids = terms.map((one) => jobId(one, domain));
  return { ids, specs: prepared.jobs, terms, transaction, gasUsed: receipt.gasUsed };
}

type ChoicesOf = (spec: JobSpecInput, digest: Hex) => PostingChoices;

function choicesFor(request: PostRequest, { token }: Pick<Deployment, 'token'>, jobs: number): ChoicesOf {
  return (spec, digest) => ({
    requester: request.requester.address,
    currency: token,
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
    window: request.window ?? (jobs > 2 ? 2 : 5),
    ramp: request.ramp ?? 60,
  });
}

/** What terms are made with. */
interface Proposal {
  backend: StorageBackend;
  facts: MarketFacts;
  domain: MarketDomain;
  /** What terms say of a job whose spec has the digest. */
  choicesOf: ChoicesOf;
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

/**
 * Seals inputs and specs, stores them, and proposes the terms.
 * @throws BadRecipientError when a node has no key.
 */
async function proposePrivate(
  specs: readonly JobSpecInput[],
  { identity, nodes, agents = [] }: PrivateWish,
  { market, backend, held, facts, domain, choicesOf }: Proposal & { market: Pick<Market, 'node'>; held: HeldFiles },
): Promise<Terms[]> {
  const views = await Promise.all(nodes.map((node) => market.node(node)));
  // Times and prices do not depend on what is sealed; ids do, so each job learns its own and its predecessor's in turn.
  const planned = proposeChain(
    specs.map((spec) => choicesOf(spec, zeroHash)),
    facts,
    domain,
  );
  const terms: Terms[] = [];
  const sealed = await sealJobs(specs, {
    requester: identity.recipient,
    nodes: views.map(({ key }) => keyToRecipient(key)),
    agents,
    files: held,
    addFile: (bytes) => backend.addFile(bytes),
    idOf(index, { digest }) {
      terms.push(linked(planned, terms, index, digest, domain));
      return jobId(terms[index]!, domain);
    },
  });
  for (const { cid, bytes } of sealed) await backend.putBlock(cid, bytes);
  return terms;
}

/** What must be deposited first, with a permit for it; undefined when the balance in the Market is enough. */
async function fund(
  { publicClient, deployment }: PostDeps,
  market: Market,
  requester: LocalAccount,
  terms: readonly Terms[],
): Promise<Parameters<typeof encodeFundAndPost>[2]> {
  const currency = terms[0]?.currency ?? (zeroHash as Address);
  const amount = escrowOf(terms) - (await market.balanceOf(currency, requester.address));
  if (amount <= 0n) return undefined;
  const read = { address: currency, abi: tokenAbi } as const;
  const name = await publicClient.readContract({ ...read, functionName: 'name' });
  const nonce = await publicClient.readContract({ ...read, functionName: 'nonces', args: [requester.address] });
  const deadline = (await publicClient.getBlock()).timestamp + PERMIT_SECONDS;
  const token = { address: currency, name, chainId: deployment.chainId };
  const signature = await requester.signTypedData(
    permitTypedData(token, requester.address, deployment.market, amount, nonce, deadline),
  );
  return { currency, amount, permit: { deadline, signature } };
}
