import { activity, protocol, stats } from '../ponder.schema.ts';
import { countEvent } from './periods.ts';
import type { AnyContext, AnyEvent } from './types.ts';

type Stats = typeof stats.$inferSelect;
type Activity = typeof activity.$inferInsert;
type Protocol = typeof protocol.$inferSelect;
/** The counters of `stats`; a job is counted under its state. */
export type Counters = Omit<Stats, 'id' | 'event' | 'block' | 'blockHash' | 'timestamp'>;

const ZERO: Counters = {
  open: 0,
  running: 0,
  complete: 0,
  cancelled: 0,
  closed: 0,
  nodes: 0,
  stake: 0n,
  shardsSettled: 0,
  unitsSettled: 0n,
};

/** When and where an event was: the columns that `happened` in `changed.schema.ts` names. */
export function happenedAt(event: AnyEvent): { block: number; timestamp: number; transaction: `0x${string}` } {
  const { block, transaction } = event;
  return { block: Number(block.number), timestamp: Number(block.timestamp), transaction: transaction.hash };
}

/** A handler's last step: what happened, for the activity feed, and what it adds to the network's counters. */
export async function record(
  context: AnyContext,
  event: AnyEvent,
  what: Omit<Activity, 'event' | 'block' | 'timestamp' | 'transaction'>,
  add: Partial<Counters> = {},
): Promise<void> {
  await context.db.insert(activity).values({ event: event.id, ...what, ...happenedAt(event) });
  await countEvent(context, event, what.type, add);
  await touch(context, event, add);
}

/** Says that an event changed rows: live listeners hear of its block. */
export async function touch({ db }: AnyContext, event: AnyEvent, add: Partial<Counters> = {}): Promise<void> {
  const { block, timestamp } = happenedAt(event);
  const newest = { event: event.id, block, timestamp, blockHash: event.block.hash };
  await db
    .insert(stats)
    .values({ id: 0, ...newest, ...ZERO, ...add })
    .onConflictDoUpdate((row) => ({
      ...newest,
      open: row.open + (add.open ?? 0),
      running: row.running + (add.running ?? 0),
      complete: row.complete + (add.complete ?? 0),
      cancelled: row.cancelled + (add.cancelled ?? 0),
      closed: row.closed + (add.closed ?? 0),
      nodes: row.nodes + (add.nodes ?? 0),
      stake: row.stake + (add.stake ?? 0n),
      shardsSettled: row.shardsSettled + (add.shardsSettled ?? 0),
      unitsSettled: row.unitsSettled + (add.unitsSettled ?? 0n),
    }));
}

/** Changes what governs the network. */
export async function govern({ db }: AnyContext, change: Partial<Omit<Protocol, 'id'>>): Promise<void> {
  await db
    .insert(protocol)
    .values({ id: 0, ...change })
    .onConflictDoUpdate(change);
}

/** Indexing began after the block that deployed the Market, so facts that only its first events hold are missing. */
export class StartBlockError extends Error {
  override readonly name = 'StartBlockError';

  constructor(missing: string, block: bigint) {
    super(
      `block ${block} needs ${missing}, which no event has named; set PONDER_START_BLOCK to the deployment's first block or earlier`,
    );
  }
}

/** Who receives what slashes and sweeps leave over. */
export async function treasuryOf({ db }: AnyContext, event: AnyEvent): Promise<`0x${string}`> {
  const treasury = (await db.find(protocol, { id: 0 }))?.treasury;
  if (!treasury) throw new StartBlockError('the treasury', event.block.number);
  return treasury;
}
