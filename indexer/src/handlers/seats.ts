/**
 * Ranges that several nodes compute: `docs/assurance.md`. The lease handlers hand the events of seats over to `seatSteps`; what only
 * panels say is in `panelHandlers`.
 */
import { SPEC_FAULT, type Lease } from '@dpu/sdk/lease';
import { AUDIT_SEATS, joinUntil, OUTCOMES } from '@dpu/sdk/panel';
import { job, lease, leaseHistory, node, panel, params, seat } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record, StartBlockError, treasuryOf } from '../network.ts';
import type { AnyContext, AnyEvent, Args, Handlers } from '../types.ts';
import { claimOf, GWEI, NOTHING_DONE } from './claim.ts';

type Hex = `0x${string}`;
type Event<Name extends keyof Handlers> = Args<Name>['event'];

const BPS = 10_000n;

/** Whether several nodes compute the range, or did and nobody has taken it over alone since. */
export async function isSeated({ db }: AnyContext, id: Hex, first: number): Promise<boolean> {
  return (await db.find(lease, { job: id, first })) === null && (await db.find(panel, { job: id, first })) !== null;
}

/** A single node takes over what an audit left, with its bonus. Returns how often the range has lapsed. */
export async function leavePanel(
  context: AnyContext,
  id: Hex,
  first: number,
  taken: { takenOverBy: number; takenOverAt: number },
): Promise<number> {
  const before = await context.db.find(panel, { job: id, first });
  if (!before) return 0;
  await context.db.update(panel, { job: id, first }).set({ bonus: 0n });
  await takeOver(context, id, first, before.lapses, taken);
  return before.lapses;
}

/** What the events of leases mean for a seat. */
export const seatSteps = {
  /** The first claim opens the panel, or opens it again after a failure; later ones join it. */
  async claim(
    context: AnyContext,
    event: Event<'LeaseClaimed'>,
    word: Lease,
    type: 'leaseClaimed' | 'seatCommitted' = 'leaseClaimed',
  ): Promise<void> {
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
        ...{ kind: 'seats' as const, auditor: null, pooled: false },
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
    const what = { type, job: id, first, node: holder, ...money } as const;
    await record(context, event, what, started ? { open: -1, running: 1 } : {});
  },

  /** Says nothing of it: the caller knows whether the claim did. */
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
    const ended = await db.find(panel, { job: id, first });
    const agreed = ended?.outcome === 'agreed';
    const done = agreed && ended.root !== SPEC_FAULT;
    const settledAt = Number(event.block.timestamp);
    // What a seat shows only there, and the very result that `PanelEnded` told, nothing else tells.
    const told = { root: ended?.root ?? null, units: ended?.units ?? null, manifest: ended?.manifest ?? null };
    const shown = { ...told, revealedAt: settledAt, windowEnd: settledAt, revealTransaction: event.transaction.hash };
    const held = await db.update(seat, { job: id, first, node: holder }).set((row) => ({
      ...(row.root === null && shown),
      phase: agreed ? ('settled' as const) : ('unresolved' as const),
      paid,
      fee,
      settledAt,
      settleTransaction: event.transaction.hash,
    }));
    const pooled = ended?.pooled === true && ended.auditor === holder;
    const of = await db.update(job, { id }).set((row) => ({
      paid: row.paid + (pooled ? 0n : paid),
      fee: row.fee + (pooled ? 0n : fee),
    }));
    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      record: standing,
      locked: row.locked - held.bond,
      leasesLiving: row.leasesLiving - 1,
      // Half a payment proves no work.
      leasesSettled: row.leasesSettled + (agreed ? 1 : 0),
      shardsSettled: row.shardsSettled + (done ? held.count : 0),
      unitsSettled: row.unitsSettled + (done ? (held.units ?? 0n) : 0n),
    }));

    const place = { job: id, first, node: holder };
    await move(context, event, { kind: 'paid', currency: of.currency, account: owner, amount: paid, ...place });
    await move(context, event, { kind: 'fee', currency: of.currency, account: null, amount: fee, ...place });
    if (pooled) await toPool(context, event, of.currency, held.price * BigInt(held.count) - paid - fee, place);
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
    let pooled = false;
    const now = await db.update(panel, { job: id, first }).set((row) => {
      pooled = row.pooled;
      return {
        // Without its auditor, the holder ends an audit alone.
        ...(row.kind === 'audit' && { seats: 1, pooled: false }),
        sitting: row.sitting - 1,
        lapses: row.lapses + 1,
        bonus: row.bonus + bonus,
        ...(row.sitting === 1 && {
          outcome: 'lapsed' as const,
          endedAt: lapsedAt,
          endTransaction: lapseTransaction,
        }),
      };
    });
    await db.insert(leaseHistory).values({
      job: id,
      first,
      lapse: now.lapses,
      ...{ count, node: holder, price, bond, slashed, bonus, withheld, commitment, claimedAt, deadline, lapsedAt },
      ...{ claimTransaction, commitTransaction, lapseTransaction },
    });
    const of = await db.update(job, { id }).set((row) => ({
      claimed: row.claimed - (now.sitting === 0 ? count : 0),
      lapses: row.lapses + 1,
    }));
    if (pooled) {
      await toPool(context, event, of.currency, price * BigInt(count), { job: id, first, node: holder });
    }
    const owner = await fail(context, holder, bond - slashed, standing);
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

/** How panels begin with an audit, and how they end. */
export const panelHandlers = {
  /** The lease becomes the first of two seats. The auditor's own claim follows. */
  async AuditOpened({ event, context }) {
    const { id, auditor, first, pooled } = event.args;
    const { db } = context;
    const [held, of] = [await db.find(lease, { job: id, first }), await db.find(job, { id })];
    if (!held || !of) throw new StartBlockError(`the lease at shard ${first} of job ${id}`, event.block.number);
    await db.delete(lease, { job: id, first });

    const { count, price, bond, bonus, deadline, claimedAt, lapses } = held;
    const { committedAt, committedBlock, commitment, commitTransaction } = held;
    const holding = {
      ...NOTHING_DONE,
      ...{ count, node: held.node, price, bond, bonus, deadline, event: held.event, claimedAt },
      ...{ committedAt, committedBlock, commitment, commitTransaction },
      claimTransaction: held.claimTransaction ?? event.transaction.hash,
      ...{ phase: 'committed' as const, slashed: 0n, withheld: false },
    };
    await db
      .insert(seat)
      .values({ job: id, first, ...holding })
      .onConflictDoUpdate(holding);
    const opening = {
      ...{ kind: 'audit' as const, auditor, pooled, count, seats: AUDIT_SEATS, sitting: 1, committed: 1 },
      ...{ event: event.id, openedAt: committedAt ?? Number(event.block.timestamp) },
      joinUntil: Number(event.block.timestamp) + of.exec,
      ...{ outcome: null, root: null, units: null, manifest: null, endedAt: null, lapses, bonus: 0n },
      ...{ openTransaction: event.transaction.hash, endTransaction: null },
    };
    await db
      .insert(panel)
      .values({ job: id, first, ...opening })
      .onConflictDoUpdate(opening);

    const place = { job: id, first, node: auditor };
    const amount = price * BigInt(count);
    const { currency } = of;
    if (!pooled) {
      await record(context, event, { type: 'auditOpened', ...place });
      return;
    }
    const account = await treasuryOf(context, event);
    await move(context, event, { kind: 'audit', currency, account, amount, ...place });
    await record(context, event, { type: 'auditOpened', ...place, account, amount, currency });
  },

  async PanelEnded({ event, context }) {
    const { id, first, result } = event.args;
    const { db } = context;
    const outcome = OUTCOMES[event.args.outcome]!;
    // A quorum for the finding that the job cannot be done settles nothing.
    const done = outcome === 'agreed' && result.root !== SPEC_FAULT;

    let waiting = 0n;
    const { count } = await db.update(panel, { job: id, first }).set((row) => {
      waiting = row.bonus;
      return {
        ...(outcome !== 'silent' && result),
        outcome,
        sitting: 0,
        committed: 0,
        endedAt: Number(event.block.timestamp),
        endTransaction: event.transaction.hash,
        ...(outcome !== 'silent' && { bonus: 0n }),
      };
    });
    await db.update(job, { id }).set((row) => ({
      settled: row.settled + (done ? count : 0),
      claimed: row.claimed - (done ? 0 : count),
    }));
    if (outcome !== 'silent') await toTreasury(context, event, waiting, { job: id, first });
    const counters = done ? { shardsSettled: count, unitsSettled: result.units } : {};
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
    if (before?.pooled && before.auditor === holder) {
      const of = await db.find(job, { id });
      if (of) await toPool(context, event, of.currency, held.price * BigInt(held.count), place);
    }

    const owner = await fail(context, holder, held.bond - slashed, standing);
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
export async function retryOf(context: AnyContext, event: AnyEvent, id: Hex, slashed: bigint): Promise<bigint> {
  return ((slashed * (await bpsOf(context, event, id))) / BPS / GWEI) * GWEI;
}

/** The part of a slash, in basis points, that funds a retry, or rewards who challenged, under the job's rules. */
export async function bpsOf({ db }: AnyContext, event: AnyEvent, id: Hex): Promise<bigint> {
  const version = (await db.find(job, { id }))?.params ?? 0;
  const rules = await db.find(params, { version });
  if (!rules) throw new StartBlockError(`the parameters of version ${version}`, event.block.number);
  return BigInt(rules.retryBps);
}

/** What the protocol had set aside for an auditor that did not earn it. */
async function toPool(
  context: AnyContext,
  event: AnyEvent,
  currency: Hex,
  amount: bigint,
  place: { job: Hex; first: number; node: number },
): Promise<void> {
  const account = await treasuryOf(context, event);
  await move(context, event, { kind: 'auditRefund', currency, account, amount, ...place });
}

/** DPU that failed holders left, and that no retry needs. */
export async function toTreasury(
  context: AnyContext,
  event: AnyEvent,
  amount: bigint,
  place: { job: Hex; first: number; node?: number; part?: number },
): Promise<void> {
  if (amount === 0n) return;
  const account = await treasuryOf(context, event);
  const currency = context.contracts.Token.address;
  await move(context, event, { kind: 'sweep', currency, account, amount, ...place });
}
