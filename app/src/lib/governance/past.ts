import type { Api } from '@dpu/sdk/api';

import type { Governance } from '../chain/governance.ts';
import type { Currency } from '../currency.ts';
import { loadNodes } from '../job/nodeList.ts';
import type { Past } from './replay.ts';

/** Newest jobs on which changes are replayed. */
const JOBS = 100;
/** A vote that came to an end by itself. */
const VOTED = new Set(['succeeded', 'defeated', 'queued', 'executed', 'expired']);

/** Reads what happened lately: jobs and nodes from the indexer, votes from the chain. @throws what the indexer answers when it cannot be asked */
export async function readPast(
  { api, governance }: { api: Pick<Api, 'jobs' | 'nodes'>; governance: Pick<Governance, 'proposals'> },
  { currencyOf, dpu }: Pick<Past, 'currencyOf'> & { dpu: Currency },
  signal: AbortSignal,
): Promise<Past> {
  const [jobs, nodes, proposals] = await Promise.all([
    api.jobs({ limit: JOBS, signal }),
    loadNodes(api, signal),
    governance.proposals(),
  ]);
  const votes = proposals.flatMap(({ status: { state, votes, quorum } }) =>
    VOTED.has(state) && quorum !== undefined ? [{ counted: votes.for + votes.abstain, quorum }] : [],
  );
  return { jobs: jobs.items, nodes, votes, currencyOf, dpu };
}
