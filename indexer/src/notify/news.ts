/** What the chain's events tell people: read from the index after a cursor, once they are safe. */
import type { NotificationKind } from '@dpu/sdk/apiAccount';
import { and, asc, desc, eq, gt, inArray, lte } from 'ponder';

import { activity, dispute, job, node } from '../../ponder.schema.ts';
import type { Database } from '../api/app.ts';
import type { Tip } from '../api/finality.ts';
import type { Told } from './message.ts';

type Hex = `0x${string}`;
type Event = typeof activity.$inferSelect;

/** Sorts before every event. */
export const NO_EVENT = '0';
/** Events of one look. */
const MOST = 200;

/** Events that somebody may want to know of. */
const KINDS = {
  jobCompleted: 'job.done',
  jobClosed: 'job.done',
  challenged: 'job.challenged',
  judged: 'dispute.verdict',
  disputeEnded: 'dispute.verdict',
  nodeSlashed: 'node.unhealthy',
  leaseLapsed: 'lease.risk',
  seatFaulted: 'lease.risk',
} as const satisfies Partial<Record<Event['type'], NotificationKind>>;
type Type = keyof typeof KINDS;
const TYPES = Object.keys(KINDS) as Type[];

/**
 * The events after `cursor` of the kinds that are wanted, and the cursor after them. What is not safe yet is left for a later look. Where nobody wants
 * anything the cursor goes on to the newest safe event: channels are told of what comes after they were made.
 */
export async function readNews(
  db: Database,
  { cursor, tip, wanted }: { cursor: string; tip: Tip; wanted: ReadonlySet<NotificationKind> },
): Promise<{ told: Told[]; cursor: string; more: boolean }> {
  const types = TYPES.filter((type) => wanted.has(KINDS[type]));
  if (types.length === 0) {
    const safe = and(gt(activity.event, cursor), lte(activity.block, tip.safe));
    const [newest] = await db
      .select({ event: activity.event })
      .from(activity)
      .where(safe)
      .orderBy(desc(activity.event))
      .limit(1);
    return { told: [], cursor: newest?.event ?? cursor, more: false };
  }
  const events = await db
    .select()
    .from(activity)
    .where(and(gt(activity.event, cursor), inArray(activity.type, types)))
    .orderBy(asc(activity.event))
    .limit(MOST);
  const safe = events.filter(({ block }) => block <= tip.safe);
  const told: Told[] = [];
  for (const event of safe) {
    const one = await tell(db, event);
    if (one) told.push({ ...one, event: event.event, at: event.timestamp });
  }
  return { told, cursor: safe.at(-1)?.event ?? cursor, more: safe.length === MOST };
}

async function tell(db: Database, event: Event): Promise<Omit<Told, 'event' | 'at'> | undefined> {
  const where = { block: event.block, transaction: event.transaction };
  switch (event.type) {
    case 'jobCompleted':
    case 'jobClosed': {
      const of = await jobOf(db, event.job);
      if (!of) return undefined;
      const outcome = event.type === 'jobCompleted' ? 'complete' : 'closed';
      const money = { paid: String(of.paid), refunded: String(of.refunded), currency: of.currency };
      return {
        kind: 'job.done',
        subject: of.id,
        accounts: [of.requester],
        data: { job: of.id, outcome, shards: of.shards, settled: of.settled, ...money, ...where },
        path: `/jobs/${of.id}`,
      };
    }
    case 'challenged': {
      const of = (await db.select().from(dispute).where(eq(dispute.event, event.event)).limit(1))[0];
      if (!of) return undefined;
      return {
        kind: 'job.challenged',
        subject: of.key,
        accounts: await parties(db, of, false),
        data: { ...factsOf(of), ...where },
        path: `/court/${of.key}`,
      };
    }
    case 'judged':
    case 'disputeEnded': {
      const final = event.type === 'disputeEnded';
      const time = final ? dispute.endedAt : dispute.judgedAt;
      const found = await db
        .select()
        .from(dispute)
        .where(and(eq(dispute.job, event.job!), eq(dispute.first, event.first!), eq(time, event.timestamp)));
      // Of several disputes about one lease in one block, the events are told apart by their order.
      const of = found.find(({ node: holder }) => event.node === null || holder === event.node) ?? found[0];
      if (!of) return undefined;
      return {
        kind: 'dispute.verdict',
        subject: final ? `${of.key} end` : `${of.key} ${of.round}`,
        accounts: await parties(db, of, true),
        data: { ...factsOf(of), verdict: of.verdict, round: of.round, final, ...where },
        path: `/court/${of.key}`,
      };
    }
    case 'nodeSlashed':
      return {
        kind: 'node.unhealthy',
        subject: `slashed ${event.event}`,
        accounts: event.account ? [event.account] : [],
        data: { node: event.node, state: 'slashed', amount: String(event.amount ?? 0n), ...where },
        path: `/nodes/${event.node}`,
      };
    default: {
      const owner = await ownerOf(db, event.node);
      return {
        kind: 'lease.risk',
        subject: `lost ${event.event}`,
        accounts: owner ? [owner] : [],
        data: { node: event.node, job: event.job, first: event.first, state: 'lapsed', ...where },
        path: `/nodes/${event.node}`,
      };
    }
  }
}

const factsOf = ({ key, job: id, first, shard, node: holder }: typeof dispute.$inferSelect) => ({
  ...{ dispute: key, job: id, first, shard, node: holder },
});

async function parties(db: Database, of: typeof dispute.$inferSelect, challenger: boolean): Promise<Hex[]> {
  const all = [
    (await jobOf(db, of.job))?.requester,
    await ownerOf(db, of.node),
    ...(challenger ? [of.challenger, await ownerOf(db, of.challengerNode)] : []),
  ];
  return all.filter((one): one is Hex => typeof one === 'string');
}

async function jobOf(db: Database, id: Hex | null): Promise<typeof job.$inferSelect | undefined> {
  if (id === null) return undefined;
  return (await db.select().from(job).where(eq(job.id, id)).limit(1))[0];
}

async function ownerOf(db: Database, id: number | null): Promise<Hex | undefined> {
  if (id === null) return undefined;
  return (await db.select({ owner: node.owner }).from(node).where(eq(node.id, id)).limit(1))[0]?.owner;
}
