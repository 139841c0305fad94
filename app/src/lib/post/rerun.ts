import { linked, readMarketFacts } from '@dpu/sdk/posting';
import { marketDomain, type Terms } from '@dpu/sdk/terms';
import { jobId } from '@dpu/sdk/terms';
import type { Hash, Hex } from 'viem';

import type { App } from '../app.ts';
import type { TxSteps } from '../chain/tx.svelte.ts';
import { postTerms } from './poster.ts';

/**
 * The terms of jobs that are to run once more: the same work for the same money, claimable for as long from `now` on, under the protocol's
 * newest numbers. `salts` make them other jobs.
 */
export function again(
  jobs: readonly Terms[],
  { rules, now, postedAt, salts }: { rules: bigint; now: number; postedAt: number; salts: readonly bigint[] },
  domain: Parameters<typeof linked>[4],
): Terms[] {
  const planned = jobs.map((terms, index) => ({
    ...terms,
    rules,
    start: 0,
    expiry: now + Math.max(1, terms.expiry - postedAt),
    salt: salts[index] ?? 0n,
  }));
  const done: Terms[] = [];
  for (const [index, { spec }] of planned.entries()) done.push(linked(planned, done, index, spec, domain));
  return done;
}

/** Posts the jobs once more. Returns the id of the first. */
export async function rerun(
  app: App,
  jobs: readonly Terms[],
  postedAt: number,
  steps: TxSteps,
): Promise<{ id: Hex; hash: Hash }> {
  const chain = await app.chain();
  const { timestamp } = await chain.client.getBlock();
  const now = Number(timestamp);
  const { rules } = await readMarketFacts(chain.market(), app.deployment.token, now);
  const salts = jobs.map(() => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n);
  const domain = marketDomain(app.deployment.chainId, app.deployment.market);
  const terms = again(jobs, { rules, now, postedAt, salts }, domain);
  const [first] = terms;
  if (!first) throw new Error('There is no job to run again.');
  return { id: jobId(first, domain), hash: await postTerms(app, terms, steps) };
}
