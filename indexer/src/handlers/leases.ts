import { isSeat, leaseOfWord, SPEC_FAULT, type Result } from '@dpu/sdk/lease';
import { job, lease, leaseHistory, node } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record, treasuryOf } from '../network.ts';
import type { AnyContext, Args, Handlers } from '../types.ts';
import { claimOf, NOTHING_DONE } from './claim.ts';
import { isSeated, leavePanel, seatSteps } from './seats.ts';

/** A lease that nobody was paid for yet. */
const NOT_ACCEPTED = { ...NOTHING_DONE, accepted: false } as const;

/** From claim to payment or lapse. */
export const leaseHandlers = {
  async LeaseClaimed({ event, context }) {
    const { id, first, node: holder, claimed } = event.args;
    const word = leaseOfWord(first, claimed);
    if (isSeat(word)) return seatSteps.claim(context, event, word);
    const { db } = context;
    const claimedAt = Number(event.block.timestamp);
    const taken = { takenOverBy: holder, takenOverAt: claimedAt };

    let opened = false;
    const of = await db.update(job, { id }).set((row) => {
      opened = row.state === 'open';
      return {
        claimed: row.claimed + word.count,
        signed: row.signed || event.transaction.hash === row.transaction,
        ...(opened && { state: 'running' as const }),
      };
    });
    const claim = { ...claimOf(event, word, of), ...NOT_ACCEPTED };

    const lapsed = await db.find(lease, { job: id, first });
    if (lapsed) {
      await db.update(leaseHistory, { job: id, first, lapse: lapsed.lapses }).set(taken);
      await db.update(lease, { job: id, first }).set(claim);
    } else {
      // After an audit that nobody answered the range is a single lease again.
      const lapses = await leavePanel(context, id, first, taken);
      await db.insert(lease).values({ job: id, first, ...claim, lapses });
    }

    const { owner } = await db.update(node, { id: holder }).set((row) => ({
      locked: row.locked + claim.bond,
      leasesLiving: row.leasesLiving + 1,
    }));
    const what = {
      job: id,
      first,
      node: holder,
      account: owner,
      amount: claim.bond,
      currency: context.contracts.Token.address,
    };
    await record(context, event, { type: 'leaseClaimed', ...what }, opened ? { open: -1, running: 1 } : {});
  },

  async SeatCommitted({ event, context }) {
    const { claimed, commitment, ...who } = event.args;
    const word = leaseOfWord(who.first, claimed);
    await seatSteps.claim(context, { ...event, args: { ...who, claimed } }, word, 'seatCommitted');
    await seatSteps.commit(context, { ...event, args: { ...who, commitment } });
  },

  async LeaseCommitted({ event, context }) {
    const { id, first, node: holder, commitment } = event.args;
    if (await isSeated(context, id, first)) {
      await seatSteps.commit(context, event);
    } else {
      await context.db.update(lease, { job: id, first }).set({
        phase: 'committed',
        commitment,
        committedAt: Number(event.block.timestamp),
        committedBlock: Number(event.block.number),
        commitTransaction: event.transaction.hash,
      });
    }
    await record(context, event, { type: 'leaseCommitted', job: id, first, node: holder });
  },

  async LeaseRevealed({ event, context }) {
    const { id, first, node: holder, result } = event.args;
    if (await isSeated(context, id, first)) return seatSteps.reveal(context, event);
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
    const { id, first } = event.args;
    if (await isSeated(context, id, first)) return seatSteps.settle(context, event);
    await pay(context, event, 'leaseSettled', { record: event.args.record });
  },

  LeaseAccepted: ({ event, context }) => pay(context, event, 'leaseAccepted', { result: event.args.result }),

  async LeaseLapsed({ event, context }) {
    const { id, first, node: holder, slashed, bonus, record: standing, withheld } = event.args;
    if (await isSeated(context, id, first)) return seatSteps.lapse(context, event);
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
      locked: row.locked - (bond - slashed),
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
    if (await isSeated(context, id, first)) return seatSteps.sweep(context, event);
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

/** What only one of the two payments says: the new record after a window, the result with an acceptance. */
interface Extra {
  record?: number;
  result?: Result;
}

async function pay(
  context: AnyContext,
  event: Args<'LeaseSettled' | 'LeaseAccepted'>['event'],
  type: 'leaseSettled' | 'leaseAccepted',
  { record: standing, result }: Extra,
): Promise<void> {
  const { id, first, node: holder, paid, fee } = event.args;
  const { db } = context;
  const held = await db.find(lease, { job: id, first });
  const settled = {
    ...result,
    phase: 'settled',
    paid,
    fee,
    accepted: type === 'leaseAccepted',
    settledAt: Number(event.block.timestamp),
    settleTransaction: event.transaction.hash,
  } as const;

  // That a job cannot be done earns something, and settles no shard; where a requester accepts, it is a result like any other.
  const fault = type === 'leaseSettled' && held?.root === SPEC_FAULT;
  const now = await db.update(job, { id }).set((row) => ({
    settled: row.settled + (fault ? 0 : (held?.count ?? row.shards)),
    claimed: held ? row.claimed - (fault ? held.count : 0) : row.shards,
    signed: row.signed || event.transaction.hash === row.transaction,
    paid: row.paid + paid,
    fee: row.fee + fee,
  }));
  if (held) await db.update(lease, { job: id, first }).set(settled);
  else await db.insert(lease).values({ ...whole(event, now.shards), ...settled });

  const shards = fault ? 0 : (held?.count ?? now.shards);
  const units = fault ? 0n : (result?.units ?? held?.units ?? 0n);
  const { owner } = await db.update(node, { id: holder }).set((row) => ({
    record: standing ?? row.record,
    locked: row.locked - (held?.bond ?? 0n),
    leasesLiving: row.leasesLiving - (held ? 1 : 0),
    leasesSettled: row.leasesSettled + 1,
    shardsSettled: row.shardsSettled + shards,
    unitsSettled: row.unitsSettled + units,
  }));

  const of = { job: id, first, node: holder };
  await move(context, event, { kind: 'paid', currency: now.currency, account: owner, amount: paid, ...of });
  await move(context, event, { kind: 'fee', currency: now.currency, account: null, amount: fee, ...of });
  const token = context.contracts.Token.address;
  await move(context, event, { kind: 'bonus', currency: token, account: owner, amount: held?.bonus ?? 0n, ...of });
  const what = { type, ...of, account: owner, amount: paid, currency: now.currency };
  await record(context, event, what, { shardsSettled: shards, unitsSettled: units });
}

/** A signed order that was posted, accepted and paid in one transaction: nobody claimed, one lease is the whole job. */
function whole({ args, id, block }: Args<'LeaseSettled' | 'LeaseAccepted'>['event'], shards: number) {
  const at = Number(block.timestamp);
  return {
    ...NOT_ACCEPTED,
    job: args.id,
    first: args.first,
    count: shards,
    node: args.node,
    price: (args.paid + args.fee) / BigInt(shards),
    bond: 0n,
    bonus: 0n,
    deadline: at,
    event: id,
    claimedAt: at,
    lapses: 0,
    claimTransaction: null,
  };
}
