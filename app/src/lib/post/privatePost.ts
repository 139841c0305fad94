import type { Deployment } from '@dpu/sdk/deployment';
import { proposeTerms, type MarketFacts } from '@dpu/sdk/posting';
import { keyToRecipient } from '@dpu/sdk/privacy/recipient';
import { HeldFiles, sealJobs } from '@dpu/sdk/privacy/sealJobs';
import type { JobSpecInput } from '@dpu/sdk/spec';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import type { Template } from '@dpu/sdk/templates/types';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

import { fetchAsset } from './assets.ts';
import { draftChoices, type DraftTerms } from './draft.ts';
import type { Uploader } from './upload.ts';

/** Who may read a private job. */
export interface Readers {
  /** The requester's own key, `age1…`. */
  own: string;
  /** Keys of the nodes that may compute, as they stand on chain. */
  nodes: readonly Hex[];
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
  const { map, reduce } = await template.prepare(options, files, {
    asset: fetchAsset,
    addFile: (bytes) => held.addFile(bytes),
  });
  const specs: JobSpecInput[] = reduce ? [map, reduce] : [map];
  const domain = marketDomain(deployment.chainId, deployment.market);
  const terms: Terms[] = [];
  const ids: Hex[] = [];
  uploader.say('Encrypting');
  const sealed = await sealJobs(specs, {
    requester: readers.own,
    nodes: readers.nodes.map(keyToRecipient),
    files: held,
    addFile: uploader.addFile,
    idOf(index, { digest }) {
      const { shards, comparator, after } = specs[index] as JobSpecInput;
      const afterJob = after && ids.at(-1);
      const choices = draftChoices(requester, draft, { digest, shards, comparator });
      const one = proposeTerms({ ...choices, ...(afterJob && { afterJob }) }, facts);
      terms.push(one);
      const id = jobId(one, domain);
      ids.push(id);
      return id;
    },
  });
  uploader.say('Storing the description');
  for (const { cid, bytes } of sealed) await backend.putBlock(cid, bytes);
  return terms;
}
