import type { Deployment } from '@dpu/sdk/deployment';
import { linked, type MarketFacts } from '@dpu/sdk/posting';
import { keyToRecipient } from '@dpu/sdk/privacy/recipient';
import { HeldFiles, sealJobs } from '@dpu/sdk/privacy/sealJobs';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import type { Template } from '@dpu/sdk/templates/types';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import { zeroHash, type Address, type Hex } from 'viem';

import { fetchAsset } from './assets.ts';
import { draftTerms, type DraftTerms } from './draft.ts';
import type { Uploader } from './upload.ts';

/** Who may read a private job. */
export interface Readers {
  /** The requester's own key, `age1…`. */
  own: string;
  /** The nodes that may compute, with their keys as an indexer tells them: `checkReaders` asks the chain before anything is sealed. */
  nodes: readonly { id: number; key: Hex }[];
}

/** A node's key is another one on chain than was told. Sealed for it, strangers could read the job. */
export class KeyDiffers extends Error {
  override readonly name = 'KeyDiffers';
  readonly action = 'Nothing was sealed or sent. Choose other nodes, or ask another indexer.';

  constructor(node: number) {
    super(`The indexer tells another key of node ${node} than the chain has: whoever holds it could read the job.`);
  }
}

/** Compares every reader's key with the chain. @throws KeyDiffers */
export async function checkReaders({ nodes }: Readers, keyOf: (node: number) => Promise<{ key: Hex }>): Promise<void> {
  const onChain = await Promise.all(nodes.map(({ id }) => keyOf(id)));
  const wrong = nodes.find(({ key }, at) => onChain[at]?.key.toLowerCase() !== key.toLowerCase());
  if (wrong) throw new KeyDiffers(wrong.id);
}

/** What is posted, and for whom. */
export interface PrivateRequest {
  template: Template;
  options: unknown;
  files: ReadonlyMap<string, Uint8Array>;
  draft: DraftTerms;
  readers: Readers;
}

/** What it is posted with. */
export interface PrivateDeps {
  deployment: Pick<Deployment, 'chainId' | 'market'>;
  backend: Pick<StorageBackend, 'putBlock'>;
  uploader: Uploader;
  facts: MarketFacts;
  requester: Address;
}

/** Seals inputs and specs in this page, stores what is sealed, and gives the terms of the jobs. */
export async function storePrivate(
  { template, options, files, draft, readers }: PrivateRequest,
  { deployment, backend, uploader, facts, requester }: PrivateDeps,
): Promise<Terms[]> {
  const held = new HeldFiles();
  const { jobs: specs } = await template.prepare(options, files, {
    asset: fetchAsset,
    addFile: (bytes) => held.addFile(bytes),
  });
  const domain = marketDomain(deployment.chainId, deployment.market);
  // Times and prices do not depend on what is sealed; ids do, so each job learns its own and its predecessor's in turn.
  const planned = draftTerms(
    deployment,
    facts,
    requester,
    draft,
    specs.map((spec) => ({ ...spec, digest: zeroHash })),
  );
  const terms: Terms[] = [];
  uploader.say('Encrypting');
  const sealed = await sealJobs(specs, {
    requester: readers.own,
    nodes: readers.nodes.map(({ key }) => keyToRecipient(key)),
    files: held,
    addFile: uploader.addFile,
    idOf(index, { digest }) {
      terms.push(linked(planned, terms, index, digest, domain));
      return jobId(terms[index]!, domain);
    },
  });
  uploader.say('Storing the description');
  for (const { cid, bytes } of sealed) await backend.putBlock(cid, bytes);
  return terms;
}
