/** What no event says: nodes that fall silent, leases that run out, votes that begin. Read again with every look; ids keep each from being told twice. */
import { and, eq, gte, inArray, lte } from 'ponder';

import { lease, node, proposal, seat } from '../../ponder.schema.ts';
import type { Sql } from '../accounts/store.ts';
import type { Database } from '../api/app.ts';
import type { Tip } from '../api/finality.ts';
import type { LiveFacts } from '../live/facts.ts';
import type { Told } from './message.ts';
import { listeners } from './queue.ts';

/** A node that says nothing for so long is silent, seconds; it speaks every few seconds. */
export const SILENT_S = 120;
/** How long a state must hold before it is told, milliseconds: one bad heartbeat wakes nobody. */
export const STEADY_MS = 30_000;
/** Rows of one look. */
const MOST = 1_000;

type State = 'well' | 'unhealthy' | 'silent';

/** Leases and seats of which three quarters of the time are over, with nothing committed. By the chain's clock. */
export async function watchLeases(db: Database, sql: Sql, tip: Tip): Promise<Told[]> {
  const owners = await listeners(sql, 'lease.risk');
  if (owners.length === 0) return [];
  const nodes = await db.select({ id: node.id, owner: node.owner }).from(node).where(inArray(node.owner, owners));
  if (nodes.length === 0) return [];
  const ownerOf = new Map(nodes.map(({ id, owner }) => [id, owner]));
  const columns = <Table extends typeof lease | typeof seat>({
    job,
    first,
    node: holder,
    claimedAt,
    deadline,
  }: Table) => ({
    ...{ job, first, holder, claimedAt, deadline },
  });
  const living = (table: typeof lease | typeof seat) =>
    and(eq(table.phase, 'claimed'), inArray(table.node, [...ownerOf.keys()]), gte(table.deadline, tip.timestamp));
  const rows = [
    ...(await db.select(columns(lease)).from(lease).where(living(lease)).limit(MOST)),
    ...(await db.select(columns(seat)).from(seat).where(living(seat)).limit(MOST)),
  ];
  return rows
    .filter(({ claimedAt, deadline }) => 4 * (deadline - tip.timestamp) <= deadline - claimedAt)
    .map(({ job, first, holder, claimedAt, deadline }) => ({
      kind: 'lease.risk' as const,
      subject: `due ${job} ${first} ${holder} ${claimedAt}`,
      accounts: [ownerOf.get(holder)!],
      event: null,
      at: tip.timestamp,
      data: { node: holder, job, first, state: 'due', deadline },
      path: `/nodes/${holder}`,
    }));
}

/** Votes that have begun and are not over, by the newest block that is safe. */
export async function watchProposals(db: Database, sql: Sql, tip: Tip): Promise<Told[]> {
  const accounts = await listeners(sql, 'proposal.live');
  if (accounts.length === 0) return [];
  const { timestamp: now } = tip;
  const rows = await db
    .select()
    .from(proposal)
    .where(and(eq(proposal.state, 'proposed'), lte(proposal.voteStart, now), gte(proposal.voteEnd, now)))
    .limit(MOST);
  return rows
    .filter(({ changedBlock }) => changedBlock <= tip.safe)
    .map(({ id, proposer, description, voteStart, voteEnd, transaction }) => ({
      kind: 'proposal.live' as const,
      subject: String(id),
      accounts,
      event: null,
      at: voteStart,
      data: { proposal: String(id), proposer, title: titleOf(description), voteStart, voteEnd, transaction },
      path: `/governance/${id}`,
    }));
}

/** The first line, as it was written by whoever proposed it. */
const titleOf = (description: string): string =>
  description
    .split('\n')[0]!
    .replace(/^#+\s*/, '')
    .slice(0, 200);

interface Watched {
  node: number;
  seen: State;
  since: number;
  told: State;
}

/**
 * How nodes are by their heartbeats, and whether that changed. A node that never spoke is not watched. The state is kept, so a restart
 * neither repeats a warning nor forgets one. @param now Unix ms.
 */
export async function watchNodes(db: Database, sql: Sql, live: LiveFacts, now: number): Promise<Told[]> {
  if (!live.listening) return [];
  const owners = await listeners(sql, 'node.unhealthy');
  if (owners.length === 0) return [];
  const nodes = await db
    .select({ id: node.id, owner: node.owner })
    .from(node)
    .where(inArray(node.owner, owners))
    .limit(MOST);
  const told: Told[] = [];
  for (const { id, owner } of nodes) {
    const heard = live.heartbeatOf(id);
    const [was] = await sql.query<Watched>('SELECT * FROM watch WHERE node = $1', [id]);
    if (!heard && !was) continue;
    const seen: State =
      !heard || now / 1_000 - heard.saidAt > SILENT_S ? 'silent' : heard.healthy ? 'well' : 'unhealthy';
    const before = was ?? { node: id, seen, since: now, told: 'well' as State };
    const since = before.seen === seen ? before.since : now;
    // Silence has lasted long enough by itself.
    const steady = seen === 'silent' || now - since >= STEADY_MS;
    const isNews = steady && seen !== before.told;
    if (isNews) {
      told.push({
        kind: 'node.unhealthy',
        subject: `${id} ${seen} ${since}`,
        accounts: [owner],
        event: null,
        at: Math.floor(now / 1_000),
        data: {
          ...{ node: id, state: seen, since: Math.floor(since / 1_000), heardAt: heard?.saidAt ?? null },
          problems: heard?.problems.join('; ').slice(0, 500) ?? '',
        },
        path: `/nodes/${id}`,
      });
    }
    await sql.query(
      `INSERT INTO watch (node, seen, since, told) VALUES ($1, $2, $3, $4)
       ON CONFLICT (node) DO UPDATE SET seen = excluded.seen, since = excluded.since, told = excluded.told`,
      [id, seen, since, isNews ? seen : before.told],
    );
  }
  return told;
}
