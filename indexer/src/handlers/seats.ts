/**
 * Ranges that several nodes compute: `docs/assurance.md`. The lease handlers hand the events of seats over to `seatSteps`; what only
 * panels say is in `panelHandlers`.
 */
import type { Lease } from '@dpu/sdk/lease';
import { joinUntil, OUTCOMES } from '@dpu/sdk/panel';
import { job, leaseHistory, node, panel, params, seat } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record, StartBlockError, treasuryOf } from '../network.ts';
import type { AnyContext, AnyEvent, Args, Handlers } from '../types.ts';
import { claimOf, GWEI, NOTHING_DONE } from './claim.ts';

type Hex = `0x${string}`;
type Event<Name extends keyof Handlers> = Args<Name>['event'];

const BPS = 10_000n;

/** Whether the job's ranges are panels. */
export async function hasSeats({ db }: AnyContext, id: Hex): Promise<boolean> {
  return ((await db.find(job, { id }))?.seats ?? 1) > 1;
}

/** What the events of leases mean for a seat. */
export const seatSteps = {
  /** The first claim opens the panel, or opens it again after a failure; later ones join it. */
  async claim(context: AnyContext, event: Event<'LeaseClaimed'>, word: Lease): Promise<void> {
    const { id, first, node: holder } = event.args;
    const { db } = context;
    const claimedAt = Number(event.block.timestamp);
    const before = await db.find(panel, { job: id, first });
    const joins = before !== null && before.outcome === null;

    let started = false;
    const of = await db.update(job, { id }).set((row) => {
      started = row.state === 'open';
      return {
        claimed: row.claimed + (joins ? 0 : word.count),
        ...(started && { state: 'running' as const }),
      };
    });

    const claim = { ...NOTHING_DONE, ...claimOf(event, word, of), slashed: 0n, withheld: false };
    await db
      .insert(seat)
      .values({ job: id, first, ...claim })
      .onConflictDoUpdate(claim);
    if (joins) {
      await db.update(panel, { job: id, first }).set((row) => ({ sitting: row.sitting + 1, bonus: 0n }));
    } else {
      const opening = {
        ...{ count: word.count, seats: of.seats, sitting: 1, committed: 0, event: event.id, openedAt: claimedAt },
        joinUntil: joinUntil(of, { openedAt: claimedAt }),
        ...{ outcome: null, root: null, units: null, manifest: null, endedAt: null, bonus: 0n },
        openTransaction: event.transaction.hash,
        endTransaction: null,
      };
      await db
        .insert(panel)
        .values({ job: id, first, ...opening, lapses: 0 })
        .onConflictDoUpdate(opening);
    }
    await takeOver(context, id, first, before?.lapses ?? 0, { takenOverBy: holder, takenOverAt: claimedAt });

    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      locked: row.locked + claim.bond,
      leasesLiving: row.leasesLiving + 1,
    }));
    const money = { account: owner, amount: claim.bond, currency: context.contracts.Token.address };
    const what = { type: 'leaseClaimed', job: id, first, node: holder, ...money } as const;
    await record(context, event, what, started ? { open: -1, running: 1 } : {});
  },

  async commit(context: AnyContext, event: Event<'LeaseCommitted'>): Promise<void> {
    const { id, first, node: holder, commitment } = event.args;
    const { db } = context;
    await db.update(seat, { job: id, first, node: holder }).set({
      phase: 'committed',
      commitment,
      committedAt: Number(event.block.timestamp),
      committedBlock: Number(event.block.number),
      commitTransaction: event.transaction.hash,
    });
    await db.update(panel, { job: id, first }).set((row) => ({ committed: row.committed + 1 }));
    await record(context, event, { type: 'leaseCommitted', job: id, first, node: holder });
  },

  async reveal(context: AnyContext, event: Event<'LeaseRevealed'>): Promise<void> {
    const { id, first, node: holder, result } = event.args;
    const { db } = context;
    const revealedAt = Number(event.block.timestamp);
    const of = await db.find(job, { id });
    await db.update(seat, { job: id, first, node: holder }).set({
      ...result,
      phase: 'revealed',
      revealedAt,
      windowEnd: revealedAt + (of?.window ?? 0),
      revealTransaction: event.transaction.hash,
    });
    await record(context, event, { type: 'leaseRevealed', job: id, first, node: holder });
  },

  /** A payment in full when the panel agreed, of half when it did not. `PanelEnded`, which says so, came before. */
  async settle(context: AnyContext, event: Event<'LeaseSettled'>): Promise<void> {
    const { id, first, node: holder, paid, fee, record: standing } = event.args;
    const { db } = context;
    const agreed = (await db.find(panel, { job: id, first }))?.outcome === 'agreed';
    const held = await db.update(seat, { job: id, first, node: holder }).set({
      phase: agreed ? 'settled' : 'unresolved',
      paid,
      fee,
      settledAt: Number(event.block.timestamp),
      settleTransaction: event.transaction.hash,
    });
    const of = await db.update(job, { id }).set((row) => ({ paid: row.paid + paid, fee: row.fee + fee }));
    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      record: standing,
      locked: row.locked - held.bond,
      leasesLiving: row.leasesLiving - 1,
      // Half a payment proves no work.
      leasesSettled: row.leasesSettled + (agreed ? 1 : 0),
      shardsSettled: row.shardsSettled + (agreed ? held.count : 0),
      unitsSettled: row.unitsSettled + (agreed ? (held.units ?? 0n) : 0n),
    }));

    const place = { job: id, first, node: holder };
    await move(context, event, { kind: 'paid', currency: of.currency, account: owner, amount: paid, ...place });
    await move(context, event, { kind: 'fee', currency: of.currency, account: null, amount: fee, ...place });
    if (agreed) {
      const currency = context.contracts.Token.address;
      await move(context, event, { kind: 'bonus', currency, account: owner, amount: held.bonus, ...place });
    } else {
      await toTreasury(context, event, held.bonus, place);
    }
    const money = { account: owner, amount: paid, currency: of.currency };
    await record(context, event, { type: 'leaseSettled', ...place, ...money });
  },

  /** The seat is free for another. With nobody left so is the range. */
  async lapse(context: AnyContext, event: Event<'LeaseLapsed'>): Promise<void> {
    const { id, first, node: holder, slashed, bonus, record: standing, withheld } = event.args;
    const { db } = context;
    const lapsedAt = Number(event.block.timestamp);
    const lapseTransaction = event.transaction.hash;

    const ended = { phase: 'lapsed', slashed, lapsedAt, lapseTransaction } as const;
    const held = await db.update(seat, { job: id, first, node: holder }).set(ended);
    const { count, price, bond, commitment, claimedAt, deadline, claimTransaction, commitTransaction } = held;
    const now = await db.update(panel, { job: id, first }).set((row) => ({
      sitting: row.sitting - 1,
      lapses: row.lapses + 1,
      bonus: row.bonus + bonus,
      ...(row.sitting === 1 && {
        outcome: 'lapsed' as const,
        endedAt: lapsedAt,
        endTransaction: lapseTransaction,
      }),
    }));
    await db.insert(leaseHistory).values({
      job: id,
      first,
      lapse: now.lapses,
      ...{ count, node: holder, price, bond, slashed, bonus, withheld, commitment, claimedAt, deadline, lapsedAt },
      ...{ claimTransaction, commitTransaction, lapseTransaction },
    });
    await db.update(job, { id }).set((row) => ({
      claimed: row.claimed - (now.sitting === 0 ? count : 0),
      lapses: row.lapses + 1,
    }));
    const owner = await fail(context, holder, bond, standing);
    const money = { account: owner, amount: slashed, currency: context.contracts.Token.address };
    await record(context, event, { type: 'leaseLapsed', job: id, first, node: holder, ...money });
  },

  async sweep(context: AnyContext, event: Event<'BonusSwept'>): Promise<void> {
    const { id, first, amount } = event.args;
    const currency = context.contracts.Token.address;
    const { lapses } = await context.db.update(panel, { job: id, first }).set({ bonus: 0n });
    await takeOver(context, id, first, lapses, { sweptAt: Number(event.block.timestamp) });
    await toTreasury(context, event, amount, { job: id, first });
    const account = await treasuryOf(context, event);
    await record(context, event, { type: 'bonusSwept', job: id, first, account, amount, currency });
  },
};

/** How panels end. */
export const panelHandlers = {
  async PanelEnded({ event, context }) {
    const { id, first, result } = event.args;
    const { db } = context;
    const outcome = OUTCOMES[event.args.outcome]!;
    const agreed = outcome === 'agreed';

    let waiting = 0n;
    const { count } = await db.update(panel, { job: id, first }).set((row) => {
      waiting = row.bonus;
      return {
        ...(agreed && result),
        outcome,
        sitting: 0,
        committed: 0,
        endedAt: Number(event.block.timestamp),
        endTransaction: event.transaction.hash,
        ...(outcome !== 'silent' && { bonus: 0n }),
      };
    });
    await db.update(job, { id }).set((row) => ({
      settled: row.settled + (agreed ? count : 0),
      claimed: row.claimed - (agreed ? 0 : count),
    }));
    if (outcome !== 'silent') await toTreasury(context, event, waiting, { job: id, first });
    const counters = agreed ? { shardsSettled: count, unitsSettled: result.units } : {};
    await record(context, event, { type: 'panelEnded', job: id, first }, counters);
  },

  /** The money of the slash comes with `NodeSlashed`. What of it would fund a retry waits only where the range is free again. */
  async SeatFaulted({ event, context }) {
    const { id, first, node: holder, slashed, record: standing, withheld } = event.args;
    const { db } = context;
    const place = { job: id, first, node: holder };

    const held = await db.update(seat, place).set({
      phase: 'faulted',
      slashed,
      withheld,
      lapsedAt: Number(event.block.timestamp),
      lapseTransaction: event.transaction.hash,
    });
    const bonus = held.bonus + (await retryOf(context, event, id, slashed));
    // A silent panel says that it ended after its faults, every other one before.
    const before = await db.find(panel, { job: id, first });
    if (before?.outcome) await toTreasury(context, event, bonus, place);
    else await db.update(panel, { job: id, first }).set((row) => ({ bonus: row.bonus + bonus }));

    const owner = await fail(context, holder, held.bond, standing);
    const money = { account: owner, amount: slashed, currency: context.contracts.Token.address };
    await record(context, event, { type: 'seatFaulted', ...place, ...money });
  },
} satisfies Partial<Handlers>;

/** Frees the bond of a node that failed. Returns its owner. */
async function fail({ db }: AnyContext, id: number, bond: bigint, standing: number): Promise<Hex> {
  const { owner } = await db.update(node, { id }).set((row) => ({
    record: standing,
    locked: row.locked - bond,
    leasesLiving: row.leasesLiving - 1,
    leasesLapsed: row.leasesLapsed + 1,
  }));
  return owner;
}

/** Says of every lapse that still waits who came, or when its bonus was swept: one who comes takes what all of them left. */
async function takeOver(
  { db }: AnyContext,
  id: Hex,
  first: number,
  newest: number,
  set: Partial<typeof leaseHistory.$inferSelect>,
): Promise<void> {
  for (let lapse = newest; lapse > 0; lapse -= 1) {
    const row = await db.find(leaseHistory, { job: id, first, lapse });
    if (!row || row.takenOverBy !== null) return;
    await db.update(leaseHistory, { job: id, first, lapse }).set(set);
  }
}

/** What of a slash would fund a retry, as `_retryGwei` rounds it. No event says it. */
async function retryOf({ db }: AnyContext, event: AnyEvent, id: Hex, slashed: bigint): Promise<bigint> {
  const version = (await db.find(job, { id }))?.params ?? 0;
  const rules = await db.find(params, { version });
  if (!rules) throw new StartBlockError(`the parameters of version ${version}`, event.block.number);
  return ((slashed * BigInt(rules.retryBps)) / BPS / GWEI) * GWEI;
}

/** DPU that failed holders left, and that no retry needs. */
async function toTreasury(
  context: AnyContext,
  event: AnyEvent,
  amount: bigint,
  place: { job: Hex; first: number; node?: number },
): Promise<void> {
  if (amount === 0n) return;
  const account = await treasuryOf(context, event);
  const currency = context.contracts.Token.address;
  await move(context, event, { kind: 'sweep', currency, account, amount, ...place });
}
