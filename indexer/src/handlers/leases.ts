import { job, lease, leaseHistory, node } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record, treasuryOf } from '../network.ts';
import type { AnyContext, Args, Handlers } from '../types.ts';

/** Everything that a fresh holder has not done yet. */
const NOTHING_DONE = {
  committedAt: null,
  committedBlock: null,
  commitment: null,
  revealedAt: null,
  windowEnd: null,
  root: null,
  units: null,
  manifest: null,
  settledAt: null,
  lapsedAt: null,
  paid: 0n,
  fee: 0n,
  accepted: false,
  commitTransaction: null,
  revealTransaction: null,
  settleTransaction: null,
  lapseTransaction: null,
} as const;

/** From claim to payment or lapse. */
export const leaseHandlers = {
  async LeaseClaimed({ event, context }) {
    const { id, first, node: holder, count, price, bond, bonus, deadline } = event.args;
    const { db } = context;
    const claimedAt = Number(event.block.timestamp);
    const claim = {
      ...NOTHING_DONE,
      count,
      node: holder,
      price,
      bond,
      bonus,
      deadline,
      phase: 'claimed',
      event: event.id,
      claimedAt,
      claimTransaction: event.transaction.hash,
    } as const;

    const lapsed = await db.find(lease, { job: id, first });
    if (lapsed) {
      await db
        .update(leaseHistory, { job: id, first, lapse: lapsed.lapses })
        .set({ takenOverBy: holder, takenOverAt: claimedAt });
      await db.update(lease, { job: id, first }).set(claim);
    } else {
      await db.insert(lease).values({ job: id, first, ...claim, lapses: 0 });
    }

    let opened = false;
    await db.update(job, { id }).set((row) => {
      opened = row.state === 'open';
      return { claimed: row.claimed + count, ...(opened && { state: 'running' as const }) };
    });
    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      locked: row.locked + bond,
      leasesLiving: row.leasesLiving + 1,
    }));
    const what = {
      job: id,
      first,
      node: holder,
      account: owner,
      amount: bond,
      currency: context.contracts.Token.address,
    };
    await record(context, event, { type: 'leaseClaimed', ...what }, opened ? { open: -1, running: 1 } : {});
  },

  async LeaseCommitted({ event, context }) {
    const { id, first, node: holder, commitment } = event.args;
    await context.db.update(lease, { job: id, first }).set({
      phase: 'committed',
      commitment,
      committedAt: Number(event.block.timestamp),
      committedBlock: Number(event.block.number),
      commitTransaction: event.transaction.hash,
    });
    await record(context, event, { type: 'leaseCommitted', job: id, first, node: holder });
  },

  async LeaseRevealed({ event, context }) {
    const { id, first, node: holder, result } = event.args;
    const revealedAt = Number(event.block.timestamp);
    const of = await context.db.find(job, { id });
    await context.db.update(lease, { job: id, first }).set({
      ...result,
      phase: 'revealed',
      revealedAt,
      windowEnd: revealedAt + (of?.window ?? 0),
      revealTransaction: event.transaction.hash,
    });
    await record(context, event, { type: 'leaseRevealed', job: id, first, node: holder });
  },

  async LeaseSettled({ event, context }) {
    const { id, first, node: holder, owner, paid, fee, bonus, record: standing, accepted, result } = event.args;
    const { db } = context;
    const settled = {
      ...result,
      phase: 'settled',
      paid,
      fee,
      accepted,
      settledAt: Number(event.block.timestamp),
      settleTransaction: event.transaction.hash,
    } as const;

    const held = await db.find(lease, { job: id, first });
    if (held) await db.update(lease, { job: id, first }).set(settled);
    else await insertWhole({ event, context }, settled);

    const now = await db.update(job, { id }).set((row) => ({
      settled: row.settled + (held?.count ?? row.shards),
      claimed: held ? row.claimed : row.shards,
      paid: row.paid + paid,
      fee: row.fee + fee,
    }));
    const shards = held?.count ?? now.shards;
    await db.update(node, { id: holder }).set((row) => ({
      record: standing,
      locked: row.locked - (held?.bond ?? 0n),
      leasesLiving: row.leasesLiving - (held ? 1 : 0),
      leasesSettled: row.leasesSettled + 1,
      shardsSettled: row.shardsSettled + shards,
      unitsSettled: row.unitsSettled + result.units,
    }));

    const of = { job: id, first, node: holder };
    await move(context, event, { kind: 'paid', currency: now.currency, account: owner, amount: paid, ...of });
    await move(context, event, { kind: 'fee', currency: now.currency, account: null, amount: fee, ...of });
    const token = context.contracts.Token.address;
    await move(context, event, { kind: 'bonus', currency: token, account: owner, amount: bonus, ...of });
    await record(
      context,
      event,
      { type: 'leaseSettled', ...of, account: owner, amount: paid, currency: now.currency },
      { shardsSettled: shards, unitsSettled: result.units },
    );
  },

  async LeaseLapsed({ event, context }) {
    const { id, first, node: holder, slashed, bonus, record: standing, withheld } = event.args;
    const { db } = context;
    const lapsedAt = Number(event.block.timestamp);
    const lapseTransaction = event.transaction.hash;

    const held = await db.update(lease, { job: id, first }).set((row) => ({
      phase: 'lapsed',
      bonus,
      lapsedAt,
      lapseTransaction,
      lapses: row.lapses + 1,
    }));
    const { count, price, bond, commitment, claimedAt, deadline, claimTransaction, commitTransaction } = held;
    await db.insert(leaseHistory).values({
      job: id,
      first,
      lapse: held.lapses,
      ...{ count, node: holder, price, bond, slashed, bonus, withheld, commitment, claimedAt, deadline, lapsedAt },
      ...{ claimTransaction, commitTransaction, lapseTransaction },
    });
    await db.update(job, { id }).set((row) => ({ claimed: row.claimed - count, lapses: row.lapses + 1 }));
    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      record: standing,
      locked: row.locked - bond,
      leasesLiving: row.leasesLiving - 1,
      leasesLapsed: row.leasesLapsed + 1,
    }));
    const currency = context.contracts.Token.address;
    await record(context, event, {
      type: 'leaseLapsed',
      ...{ job: id, first, node: holder, account: owner, amount: slashed, currency },
    });
  },

  async BonusSwept({ event, context }) {
    const { id, first, amount } = event.args;
    const account = await treasuryOf(context, event);
    const currency = context.contracts.Token.address;
    const { lapses } = await context.db.update(lease, { job: id, first }).set({ bonus: 0n });
    await context.db
      .update(leaseHistory, { job: id, first, lapse: lapses })
      .set({ sweptAt: Number(event.block.timestamp) });
    await move(context, event, { kind: 'sweep', currency, account, amount, job: id, first });
    await record(context, event, { type: 'bonusSwept', job: id, first, account, amount, currency });
  },
} satisfies Partial<Handlers>;

type Settled = Pick<
  typeof lease.$inferInsert,
  'phase' | 'paid' | 'fee' | 'accepted' | 'settledAt' | 'settleTransaction'
>;

/** A signed order that was posted, accepted and paid in one transaction: nobody claimed, one lease is the whole job. */
async function insertWhole(
  { event, context }: { event: Args<'LeaseSettled'>['event']; context: AnyContext },
  settled: Settled,
): Promise<void> {
  const { id, first, node: holder, paid, fee, bonus } = event.args;
  const at = Number(event.block.timestamp);
  const shards = (await context.db.find(job, { id }))?.shards ?? 1;
  await context.db.insert(lease).values({
    ...NOTHING_DONE,
    job: id,
    first,
    count: shards,
    node: holder,
    price: (paid + fee) / BigInt(shards),
    bond: 0n,
    bonus,
    deadline: at,
    event: event.id,
    claimedAt: at,
    lapses: 0,
    claimTransaction: null,
    ...settled,
  });
}
