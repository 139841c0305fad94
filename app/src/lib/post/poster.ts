import { encodeFundAndPost, escrowOf, readMarketFacts, type MarketFacts } from '@dpu/sdk/posting';
import { encodeSpec } from '@dpu/sdk/spec';
import type { Template } from '@dpu/sdk/templates/types';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import {
  encodeFunctionData,
  erc20Abi,
  isAddressEqual,
  type Address,
  type Hash,
  type Hex,
  type WalletClient,
} from 'viem';

import type { App } from '../app.ts';
import type { Chain } from '../chain/chain.ts';
import type { TxSteps } from '../chain/tx.svelte.ts';
import { fetchAsset } from './assets.ts';
import { draftTerms, type DraftSpec, type DraftTerms } from './draft.ts';
import type { Readers } from './privatePost.ts';
import { Uploader, type UploadProgress } from './upload.ts';

export interface PostRequest {
  template: Template;
  options: unknown;
  files: ReadonlyMap<string, Uint8Array>;
  draft: DraftTerms;
  /** Makes the jobs private. */
  readers?: Readers | undefined;
  onUpload: (progress: UploadProgress) => void;
}

/** A permit is good for this long: enough to confirm in the wallet, too short to be found later. */
const PERMIT_SECONDS = 1_800n;

/** Funds and posts terms whose specs are stored already. */
export async function postTerms(app: App, terms: readonly Terms[], steps: TxSteps): Promise<Hash> {
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const requester = wallet.account?.address;
  if (!requester) throw new Error('The wallet gave no account. Connect it again.');
  const { timestamp } = await chain.client.getBlock();
  return send(app, chain, wallet, requester, terms, timestamp, steps);
}

/** Stores what the jobs need, then funds and posts them. Returns the id of the first job. */
export async function post(app: App, request: PostRequest, steps: TxSteps): Promise<{ id: Hex; hash: Hash }> {
  const specs = request.readers ? undefined : await store(app, request);
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const requester = wallet.account?.address;
  if (!requester) throw new Error('The wallet gave no account. Connect it again.');

  const block = await chain.client.getBlock();
  const facts = await readMarketFacts(chain.market(), app.deployment.token, Number(block.timestamp));
  const terms = specs
    ? draftTerms(app.deployment, facts, requester, request.draft, specs)
    : await sealed(app, request, facts, requester);
  const hash = await send(app, chain, wallet, requester, terms, block.timestamp, steps);
  const [first] = terms;
  if (!first) throw new Error('The template made no job.');
  return { id: jobId(first, marketDomain(app.deployment.chainId, app.deployment.market)), hash };
}

/** Uploads modules, inputs and specs; every one is complete at the gateway when this returns. */
async function store(app: App, { template, options, files, onUpload }: PostRequest): Promise<DraftSpec[]> {
  const { backend } = await app.storage();
  const uploader = new Uploader(backend, onUpload);
  const prepared = await template.prepare(options, files, { asset: fetchAsset, addFile: uploader.addFile });
  uploader.say('Storing the description');
  const specs: DraftSpec[] = [];
  for (const spec of prepared.jobs) {
    const { cid, bytes, digest } = encodeSpec(spec);
    await backend.putBlock(cid, bytes);
    const { shards, runtime, comparator } = spec;
    specs.push({ digest, shards, runtime, comparator });
  }
  return specs;
}

/** Seals and uploads what private jobs need. Their ids depend on the terms, so these are made on the way. */
async function sealed(app: App, request: PostRequest, facts: MarketFacts, requester: Address): Promise<Terms[]> {
  const { readers, onUpload } = request;
  if (!readers) throw new Error('The job is not private.');
  const [chain, { backend }, { checkReaders, storePrivate }] = await Promise.all([
    app.chain(),
    app.storage(),
    import('./privatePost.ts'),
  ]);
  await checkReaders(readers, (node) => chain.market().node(node));
  const uploader = new Uploader(backend, onUpload);
  return storePrivate({ ...request, readers }, { deployment: app.deployment, backend, uploader, facts, requester });
}

/** Brings the money in, if it is not there, and posts: with one confirmation where the wallet can batch. */
async function send(
  app: App,
  chain: Chain,
  wallet: WalletClient,
  requester: Address,
  terms: readonly Terms[],
  now: bigint,
  steps: TxSteps,
): Promise<Hash> {
  const currency = terms[0]?.currency;
  if (!currency) throw new Error('The template made no job.');
  const market = chain.market(wallet);
  const missing = escrowOf(terms) - (await market.balanceOf(currency, requester));
  const plain = encodeFundAndPost(market, terms);
  if (missing <= 0n) return sendOne(chain, market.sendData, plain, steps);

  if (await batches(app, requester)) {
    return sendBatch(app, chain, steps, [
      {
        to: currency,
        data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [market.address, missing] }),
      },
      { to: market.address, data: market.encode.deposit(currency, requester, missing) },
      { to: market.address, data: plain },
    ]);
  }

  if ((await chain.allowance(currency, requester)) >= missing) {
    return sendOne(chain, market.sendData, encodeFundAndPost(market, terms, { currency, amount: missing }), steps);
  }
  const deadline = now + PERMIT_SECONDS;
  const permit = await chain.permitData(currency, requester, missing, deadline);
  if (permit) {
    steps.wallet('Sign the permit (free)');
    const signature = await wallet.signTypedData({ ...permit, account: wallet.account ?? requester });
    const funding = { currency, amount: missing, permit: { deadline, signature } };
    return sendOne(chain, market.sendData, encodeFundAndPost(market, terms, funding), steps);
  }
  steps.wallet('Allow the Market to take the escrow');
  const approval = await wallet.writeContract({
    abi: erc20Abi,
    address: currency,
    functionName: 'approve',
    args: [market.address, missing],
    account: wallet.account ?? requester,
    chain: wallet.chain ?? null,
  });
  steps.chain('Allowing the escrow', approval);
  await chain.included(approval);
  return sendOne(chain, market.sendData, encodeFundAndPost(market, terms, { currency, amount: missing }), steps);
}

async function sendOne(chain: Chain, sendData: (data: Hex) => Promise<Hash>, data: Hex, steps: TxSteps): Promise<Hash> {
  steps.wallet('Post the job');
  const hash = await sendData(data);
  steps.chain('Posting the job', hash);
  await chain.included(hash);
  return hash;
}

/** Whether the wallet sends several calls as one (EIP-5792, atomic). */
async function batches(app: App, account: Address): Promise<boolean> {
  const { core, config } = await app.wallet.open();
  try {
    const { atomic } = await core.getCapabilities(config, { account, chainId: app.deployment.chainId });
    return atomic?.status === 'supported' || atomic?.status === 'ready';
  } catch {
    // Most wallets do not know the question.
    return false;
  }
}

async function sendBatch(app: App, chain: Chain, steps: TxSteps, calls: { to: Address; data: Hex }[]): Promise<Hash> {
  const { core, config } = await app.wallet.open();
  steps.wallet('Fund and post, one confirmation');
  const { id } = await core.sendCalls(config, { calls, chainId: app.deployment.chainId, forceAtomic: true });
  steps.chain('Posting the job');
  const { receipts = [] } = await core.waitForCallsStatus(config, { id, throwOnFailure: true });
  const ours = receipts.find(({ logs }) => logs.some(({ address }) => isAddressEqual(address, app.deployment.market)));
  const hash = (ours ?? receipts.at(-1))?.transactionHash;
  if (!hash) throw new Error('The wallet reported the batch as done but named no transaction.');
  await chain.included(hash);
  return hash;
}
