import type { whyNotSchema } from '@dpu/sdk/apiQuote';
import { DECLINES } from '@dpu/sdk/declines';
import { priceAt, rampStart } from '@dpu/sdk/terms';
import { eq } from 'drizzle-orm';
import { zeroHash, type Hex } from 'viem';
import type { z } from 'zod';
import { job } from '../../ponder.schema.ts';
import type { Database } from '../api/app.ts';
import { sourceOf, type Tip } from '../api/finality.ts';
import { unknownJob } from '../api/jobs.ts';
import { eligibilityOf, type Wanted } from './eligibility.ts';
import { readNetwork, readNodes, type Network } from './facts.ts';
import type { DeclineView, LiveView } from './view.ts';

type JobRow = typeof job.$inferSelect;
/** The job that must be complete before. */
type Before = Pick<JobRow, 'state' | 'closedAt'> | undefined;

/** Why nobody took the job, or not all of it: what holds it up, what nodes said, and who could take it. */
export async function whyNotOf(
  id: Hex,
  { db, live, tip }: { db: Database; live: LiveView | undefined; tip: Tip },
): Promise<z.input<typeof whyNotSchema>> {
  const [[row], network, nodes] = await Promise.all([
    db.select().from(job).where(eq(job.id, id)).limit(1),
    readNetwork(db),
    readNodes(db),
  ]);
  if (!row) throw unknownJob(id);
  const before =
    row.afterJob === zeroHash
      ? undefined
      : (
          await db
            .select({ state: job.state, closedAt: job.closedAt })
            .from(job)
            .where(eq(job.id, row.afterJob))
            .limit(1)
        )[0];
  const moment = { now: network.now, minStake: network.minStake, live };
  return {
    job: id,
    state: row.state,
    free: freeShards(row),
    obstacles: obstaclesOf(row, network, before),
    price: priceNow(row, network.now, before),
    declines: tally(live?.declinesOf(id) ?? []),
    eligibility: eligibilityOf(nodes, wantedOf(row), moment),
    source: sourceOf(row, tip),
  };
}

/** What of a posted job decides who may take it. Whether it is private is in its spec, off chain. */
export const wantedOf = (row: JobRow): Wanted => ({
  ...{ runtime: row.runtime, tier: row.tier, bond: row.bond, currency: row.currency, maxPrice: row.maxPrice },
  ...{ node: row.node, private: false },
});

/** Shards that anyone could claim now, were it not for obstacles. */
export const freeShards = (row: JobRow): number =>
  row.state === 'open' || row.state === 'running' ? row.shards - row.claimed : 0;

/** What holds a job up whoever comes, in sentences. */
export function obstaclesOf(row: JobRow, { now, pausedUntil }: Network, before: Before): string[] {
  const ended = { complete: 'is complete', cancelled: 'was cancelled', closed: 'has ended' } as const;
  const state = row.state;
  if (state === 'complete' || state === 'cancelled' || state === 'closed')
    return [`The job ${ended[state]}: nobody can claim it any more.`];
  const said: string[] = [];
  if (row.claimed === row.shards) said.push('Every shard is taken or done.');
  if (now > row.expiry) said.push(`The last second for a claim was ${row.expiry}; anyone can close the job.`);
  if (now < row.start) said.push(`Claims begin at ${row.start}.`);
  if (now <= pausedUntil) said.push(`The network has stopped new claims until ${pausedUntil}.`);
  if (row.afterJob !== zeroHash && before?.state !== 'complete')
    said.push(
      before?.state === 'closed' || before?.state === 'cancelled'
        ? `The job before it, ${row.afterJob}, ended without being complete, so nobody can ever claim this one.`
        : `The job before it, ${row.afterJob}, is not complete yet.`,
    );
  return said;
}

function priceNow(row: JobRow, now: number, before: Before): string | null {
  if (row.lapses > 0 || (row.state !== 'open' && row.state !== 'running')) return null;
  const facts = {
    postedAt: row.postedAt,
    ...(before?.closedAt !== null && before?.closedAt !== undefined && { afterCompletedAt: before.closedAt }),
  };
  const from = rampStart(row, facts);
  return String(priceAt(row, from, Math.max(now, from)));
}

/** Refusals by reason, the most frequent first; of a node the newest of each reason counts. */
export function tally(declines: readonly DeclineView[]): z.input<typeof whyNotSchema>['declines'] {
  const byCode = new Map<DeclineView['code'], Set<number>>();
  for (const { code, node } of declines) byCode.set(code, (byCode.get(code) ?? new Set()).add(node));
  return [...byCode]
    .map(([code, nodes]) => ({
      ...{ code, sentence: DECLINES[code].sentence, count: nodes.size },
      nodes: [...nodes].sort((a, b) => a - b).slice(0, 100),
    }))
    .sort((a, b) => b.count - a.count || DECLINES[a.code].number - DECLINES[b.code].number);
}
