import {
  creditMint,
  creditPurchase,
  epoch,
  priority,
  priorityPayment,
  weight,
  weightChange,
} from '../../ponder.schema.ts';
import { happenedAt, touch } from '../network.ts';
import { keepSetting } from '../settings.ts';
import type { AnyContext, AnyEvent, HandlersOf } from '../types.ts';
import { moveTokens } from './token.ts';

/** Compute credits: `docs/credits.md`. Every event of a setting carries the whole new value. */
export const creditsHandlers: HandlersOf<'Credits'> = {
  async Transfer({ event, context }) {
    await moveTokens(context, event, context.contracts.Credits.address as `0x${string}`, event.args);
    await touch(context, event);
  },

  async CreditsMinted({ event, context }) {
    const { job, node, owner, first, runtime, epoch: number, amount, value, pressure } = event.args;
    await context.db.insert(creditMint).values({
      ...{ event: event.id, job, first, node, owner, runtime, epoch: number, amount, value, pressure },
      ...happenedAt(event),
    });
    await addToEpoch(context, number, { minted: amount, mints: 1 });
    await touch(context, event);
  },

  async CreditsBought({ event, context }) {
    const { buyer, to, amount, cost } = event.args;
    await context.db.insert(creditPurchase).values({ event: event.id, buyer, to, amount, cost, ...happenedAt(event) });
    await touch(context, event);
  },

  async JobPrioritized({ event, context }) {
    const { job, payer, amount, total } = event.args;
    await context.db.insert(priority).values({ job, total }).onConflictDoUpdate({ total });
    await context.db
      .insert(priorityPayment)
      .values({ event: event.id, job, payer, amount, total, ...happenedAt(event) });
    await touch(context, event);
  },

  async EpochRolled({ event, context }) {
    await addToEpoch(context, event.args.epoch, { startedAt: event.args.startedAt });
    await touch(context, event);
  },

  async EpochCapReached({ event, context }) {
    await addToEpoch(context, event.args.epoch, { missing: event.args.missing });
    await touch(context, event);
  },

  async WeightMoved({ event, context }) {
    const { runtime, epoch: number, fees, pressures } = event.args;
    const now = { epoch: number, weight: BigInt(event.args.weight) };
    await context.db
      .insert(weight)
      .values({ runtime, ...now })
      .onConflictDoUpdate(now);
    await context.db
      .insert(weightChange)
      .values({ event: event.id, runtime, ...now, fees, pressures, ...happenedAt(event) });
    await touch(context, event);
  },

  RateSet: ({ event, context }) => set(context, event, 'rate', event.args.rate, event.args.currency),
  PerUnitSet: ({ event, context }) => set(context, event, 'perUnit', event.args.perUnit, event.args.runtime),
  EpochLengthSet: ({ event, context }) => set(context, event, 'epochLength', event.args.length),
  CapSet: ({ event, context }) => set(context, event, 'cap', event.args.cap),
  TargetSet: ({ event, context }) => set(context, event, 'target', event.args.target),
  OfferSet: ({ event, context }) => set(context, event, 'offer', event.args.offer),
  async WeightBoundsSet({ event, context }) {
    await keepSetting(context, event, { contract: 'credits', name: 'leastWeight' }, event.args.least);
    await set(context, event, 'mostWeight', event.args.most);
  },
  OwnershipTransferStarted: ({ event, context }) => set(context, event, 'pendingOwner', event.args.newOwner),
  OwnershipTransferred: ({ event, context }) => set(context, event, 'owner', event.args.newOwner),
};

async function set(
  context: AnyContext,
  event: AnyEvent,
  name: string,
  value: bigint | number | string,
  subject?: string | number,
): Promise<void> {
  await keepSetting(context, event, { contract: 'credits', name, ...(subject !== undefined && { subject }) }, value);
  await touch(context, event);
}

const EMPTY = { startedAt: null, minted: 0n, missing: 0n, mints: 0 };

async function addToEpoch(
  { db }: AnyContext,
  number: number,
  add: Partial<Omit<typeof epoch.$inferInsert, 'number'>>,
): Promise<void> {
  await db
    .insert(epoch)
    .values({ number, ...EMPTY, ...add })
    .onConflictDoUpdate((row) => ({
      startedAt: add.startedAt ?? row.startedAt,
      minted: row.minted + (add.minted ?? 0n),
      missing: row.missing + (add.missing ?? 0n),
      mints: row.mints + (add.mints ?? 0),
    }));
}
