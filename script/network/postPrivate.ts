import type { Market } from '@dpu/sdk/market';
import { linked, proposeChain } from '@dpu/sdk/posting';
import { openJob, resultKeyOf, type OpenedJob } from '@dpu/sdk/privacy/openJob';
import type { Identity } from '@dpu/sdk/privacy/identity';
import type { ResultKey } from '@dpu/sdk/privacy/outputs';
import { keyToRecipient } from '@dpu/sdk/privacy/recipient';
import { sealJobs, type HeldFiles } from '@dpu/sdk/privacy/sealJobs';
import { decodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { jobId, type Terms } from '@dpu/sdk/terms';
import { zeroHash, type Hex } from 'viem';

import type { Network } from './network.ts';
import type { Proposal } from './postJob.ts';

/** How jobs are made private. */
export interface PrivateWish {
  /** The requester's own key. */
  identity: Identity;
  /** Ids of the nodes that may compute; each must have a key on chain. */
  nodes: readonly number[];
  /** Keys of whoever may hand the jobs' keys on to other nodes later. */
  agents?: readonly string[];
}

/**
 * Seals inputs and specs, stores them, and proposes the terms.
 * @throws BadRecipientError when a node has no key.
 */
export async function proposePrivate(
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

/** Opens a private job that is on chain, from what the network stores. @throws as `openJob`. */
export async function openPosted(
  { storage }: Pick<Network, 'storage'>,
  id: Hex,
  { spec }: Pick<Terms, 'spec'>,
  identity: Identity,
): Promise<{ opened: OpenedJob; key: ResultKey }> {
  const posted = decodeSpec(await storage.getBlock(digestToCid(spec, 'dag-cbor')));
  const opened = await openJob(posted, id, identity);
  return { opened, key: resultKeyOf(opened, identity) };
}
