import type { Deployment } from '@dpu/sdk/deployment';
import { escrowOf, proposeChain, toleranceOf, type MarketFacts, type PostingChoices } from '@dpu/sdk/posting';
import type { JobSpecInput } from '@dpu/sdk/spec';
import { TemplateError, type PreparedJobs, type Template } from '@dpu/sdk/templates/types';
import { marketDomain, type Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

/** What a person decides about money and time; amounts are in the currency's smallest unit, times in seconds. */
export interface DraftTerms {
  currency: Address;
  minPrice: bigint;
  maxPrice: bigint;
  /** DPU wei per shard; undefined takes the governed multiple, which exists for prices in DPU only. */
  bond: bigint | undefined;
  /** Nodes that compute each range. */
  seats: 1 | 3 | 5;
  direct: boolean;
  auditBps: number;
  ramp: number;
  exec: number;
  window: number;
  openFor: number;
}

/** What would be posted, as far as it can be known before anything is uploaded. */
export type Outline =
  { ok: true; jobs: PreparedJobs['jobs'] } | { ok: false; problems: readonly { path: string; sentence: string }[] };

/** A CID that stands for files that were not uploaded yet. */
const NO_FILE = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

/** What of a spec the terms depend on. */
export interface DraftSpec extends Pick<JobSpecInput, 'comparator' | 'runtime' | 'shards'> {
  digest: Hex;
}

/** Runs the template without storing anything, to learn the number of shards and what is wrong with the options. */
export async function outline(
  template: Template,
  options: unknown,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Outline> {
  try {
    const { jobs } = await template.prepare(options, files, {
      asset: () => Promise.resolve(new Uint8Array(1)),
      addFile: () => Promise.resolve({ cid: NO_FILE }),
    });
    return { ok: true, jobs };
  } catch (error) {
    if (error instanceof TemplateError) return { ok: false, problems: error.problems };
    throw error;
  }
}

/** What the draft decides about one job. */
function draftChoices(requester: Address, draft: DraftTerms, spec: DraftSpec): PostingChoices {
  const { bond, ...rest } = draft;
  const { digest, runtime, shards, comparator } = spec;
  return {
    ...rest,
    requester,
    spec: digest,
    runtime,
    shards,
    tolerant: toleranceOf({ comparator }),
    ...(bond !== undefined && { bond }),
  };
}

/** The terms of all jobs that belong to the draft, in order: each waits for the one before it. @throws ChainTooLong */
export function draftTerms(
  deployment: Pick<Deployment, 'chainId' | 'market'>,
  facts: MarketFacts,
  requester: Address,
  draft: DraftTerms,
  specs: readonly DraftSpec[],
): Terms[] {
  const choices = (spec: DraftSpec): PostingChoices => draftChoices(requester, draft, spec);
  const domain = marketDomain(deployment.chainId, deployment.market);
  return proposeChain(specs.map(choices), facts, domain);
}

export { escrowOf };
