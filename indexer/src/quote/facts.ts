import { packRules } from '@dpu/sdk/rules';
import { and, desc, eq, isNotNull } from 'drizzle-orm';
import type { Hex } from 'viem';
import { job, lease, node, params, protocol, seat, stats } from '../../ponder.schema.ts';
import type { Database } from '../api/app.ts';
import { readTip } from '../api/finality.ts';
import type { Claim } from './price.ts';

/** Newest claims that a quote looks at. */
const SAMPLED = 200;
/** Nodes that a quote looks at: the oldest, which are the ones with a record. */
const NODES = 10_000;

/** What governs a job that is posted now, and the second of the newest block. */
export interface Network {
  block: number;
  now: number;
  minStake: bigint;
  pausedUntil: number;
  feeBps: number;
  /** As one word; 0 before the first parameters. */
  rules: bigint;
}

export async function readNetwork(db: Database): Promise<Network> {
  const [[head], [governs], [newest], tip] = await Promise.all([
    db.select({ block: stats.block, timestamp: stats.timestamp }).from(stats).limit(1),
    db.select().from(protocol).limit(1),
    db.select().from(params).orderBy(desc(params.version)).limit(1),
    readTip(db),
  ]);
  return {
    block: head?.block ?? 0,
    // Blocks without events have no row, but time passes with them.
    now: Math.max(head?.timestamp ?? 0, tip.timestamp),
    minStake: governs?.minStake ?? 0n,
    pausedUntil: governs?.pausedUntil ?? 0,
    feeBps: newest?.feeBps ?? 0,
    rules: newest ? packRules(newest) : 0n,
  };
}

/** Every node, in the order of their ids. */
export function readNodes(db: Database): Promise<(typeof node.$inferSelect)[]> {
  return db.select().from(node).orderBy(node.id).limit(NODES);
}

/** The newest claims of leases and of seats, of jobs of the runtime and currency that anyone could take. */
export async function readClaims(db: Database, runtime: number, currency: Hex): Promise<Claim[]> {
  const open = and(eq(job.runtime, runtime), eq(job.currency, currency), eq(job.node, 0));
  const of = (table: typeof lease | typeof seat) =>
    db
      .select({
        price: table.price,
        claimedAt: table.claimedAt,
        minPrice: job.minPrice,
        maxPrice: job.maxPrice,
        ramp: job.ramp,
        start: job.start,
        postedAt: job.postedAt,
      })
      .from(table)
      .innerJoin(job, eq(job.id, table.job))
      .where(and(open, isNotNull(table.claimTransaction)))
      .orderBy(desc(table.event))
      .limit(SAMPLED);
  const [leases, seats] = await Promise.all([of(lease), of(seat)]);
  return [...leases, ...seats]
    .map(({ start, postedAt, ...claim }) => ({
      ...claim,
      openedAt: start === 0 ? postedAt : Math.max(start, postedAt),
    }))
    .sort((a, b) => b.claimedAt - a.claimedAt)
    .slice(0, SAMPLED);
}
