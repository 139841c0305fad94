/** The court: `docs/court.md`. What `NodeSlashed` says of a slash is not said again here: stake, burnt, treasury, and the lock that is gone. */
import { graver, jurySeats, VERDICTS, type Verdict } from '@dpu/sdk/court';
import { readRules } from '@dpu/sdk/rules';
import { dispute, job, juror, lease, leaseHistory, node, panel, seat, tab } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record } from '../network.ts';
import type { AnyContext, AnyEvent, Args, Handlers } from '../types.ts';
import { bpsOf, isSeated, retryOf, toTreasury } from './seats.ts';

type Hex = `0x${string}`;
type Dispute = typeof dispute.$inferSelect;
type JudgedLease = Args<'LeaseJudged'>['event'];

const FEE_PART = 8n;
const CHALLENGE_FEES = 10n;
const SECOND_FEES = BigInt(jurySeats(2).seats);
const BPS = 10_000n;
const ZERO_HASH = `0x${'0'.repeat(64)}`;

/** An account, or a node whose stake pays. */
interface Party {
  account: Hex | null;
  node: number | null;
}

const partyOf = (account: Hex, byNode: number): Party =>
  byNode === 0 ? { account, node: null } : { account: null, node: byNode };
const challengerOf = ({ challenger, challengerNode }: Dispute): Party => ({
  account: challenger,
  node: challengerNode,
});
const appellantOf = ({ appellant, appellantNode }: Dispute): Party => ({ account: appellant, node: appellantNode });

/** Disputes, juries, and what becomes of the lease. */
export const courtHandlers = {
  async Challenged({ event, context }) {
    const { dispute: key, id, node: holder, first, index, hash, units, challenger, byNode } = event.args;
    const { db } = context;
    const fee = await feeOf(context, id);
    const party = partyOf(challenger, byNode);
    const at = Number(event.block.timestamp);
    await db.insert(dispute).values({
      ...{ key, job: id, first, node: holder, shard: index, hash, units, fee, openedAt: at, event: event.id },
      ...{ challenger: party.account, challengerNode: party.node, appellant: null, appellantNode: null },
      ...{ state: 'serving', round: 1, verdict: 'none', served: 0, paid: 0, paidAgain: 0 },
      ...{ returned: 0n, forfeited: 0n, rewarded: 0n, repaid: 0n, judgedAt: null, endedAt: null },
      openTransaction: event.transaction.hash,
      endTransaction: null,
    });
    await db
      .insert(tab)
      .values({ job: id, first, node: holder, open: 1, worst: 'none', payee: null })
      .onConflictDoUpdate((row) => ({ open: row.open + 1 }));
    const amount = CHALLENGE_FEES * fee;
    const account = await pledge(context, event, party, amount, { job: id, first });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'challenged', job: id, first, node: holder, account, amount, currency });
  },

  async JurorServed({ event, context }) {
    const { dispute: key, node: id, round, commitment } = event.args;
    const { db } = context;
    let place = 0;
    const of = await db.update(dispute, { key }).set((row) => {
      place = row.served;
      return { served: row.served + 1 };
    });
    const at = { event: event.id, servedAt: Number(event.block.timestamp), spokenAt: null };
    const nothing = { vote: 'none', hash: null, units: null, evidence: null, paid: null } as const;
    await db.insert(juror).values({ dispute: key, round, place, node: id, commitment, ...nothing, ...at });
    const { owner: account } = await lock(context, id, of.fee);
    const currency = context.contracts.Token.address;
    const place_ = { job: of.job, first: of.first, node: id };
    await record(context, event, { type: 'jurorServed', ...place_, account, amount: of.fee, currency });
  },

  async JurorSpoke({ event, context }) {
    const { dispute: key, node: id, round, verdict, hash, units, evidence } = event.args;
    const { db } = context;
    const of = await known(context, key);
    for (let place = 0; place < of.served; place += 1) {
      if ((await db.find(juror, { dispute: key, round, place }))?.node !== id) continue;
      const spoken = { vote: VERDICTS[verdict]!, hash, units, evidence, spokenAt: Number(event.block.timestamp) };
      await db.update(juror, { dispute: key, round, place }).set(spoken);
    }
    await record(context, event, { type: 'jurorSpoke', job: of.job, first: of.first, node: id });
  },

  async Judged({ event, context }) {
    const { dispute: key, round, found: finding, stands, paid } = event.args;
    const { db } = context;
    const found = VERDICTS[finding]!;
    const of = await db.update(dispute, { key }).set({
      state: 'judged',
      verdict: VERDICTS[stands]!,
      judgedAt: Number(event.block.timestamp),
      ...(round === 1 ? { paid: Number(paid) } : { paidAgain: Number(paid) }),
    });
    const currency = context.contracts.Token.address;
    for (let place = 0; place < of.served; place += 1) {
      const one = await db.find(juror, { dispute: key, round, place });
      if (!one) continue;
      const right = isPaid(one.vote, found, of.hash === ZERO_HASH);
      await db.update(juror, { dispute: key, round, place }).set({ paid: right });
      const where = { job: of.job, first: of.first, node: one.node, part: place };
      if (right) {
        const { owner } = await lock(context, one.node, -of.fee);
        await move(context, event, { kind: 'jury', currency, account: owner, amount: of.fee, ...where });
      } else {
        // No retry is to be funded.
        await toTreasury(context, event, await retryOf(context, event, of.job, of.fee), where);
      }
    }
    await record(context, event, { type: 'judged', job: of.job, first: of.first, node: of.node });
  },

  async Appealed({ event, context }) {
    const { dispute: key, appellant, byNode } = event.args;
    const party = partyOf(appellant, byNode);
    const of = await context.db.update(dispute, { key }).set({
      ...{ state: 'serving', round: 2, served: 0, judgedAt: null },
      appellant: party.account,
      appellantNode: party.node,
    });
    const amount = SECOND_FEES * of.fee;
    const account = await pledge(context, event, party, amount, { job: of.job, first: of.first });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'appealed', job: of.job, first: of.first, account, amount, currency });
  },

  async DisputeEnded({ event, context }) {
    const { dispute: key, returned, forfeited, rewarded, repaid, record: standing } = event.args;
    const { db } = context;
    const currency = context.contracts.Token.address;
    const verdict = VERDICTS[event.args.verdict]!;
    const of = await db.update(dispute, { key }).set({
      ...{ state: 'ended', verdict, returned, forfeited, rewarded, repaid },
      endedAt: Number(event.block.timestamp),
      endTransaction: event.transaction.hash,
    });
    const place = { job: of.job, first: of.first, node: of.node };
    const { owner } = await db.update(node, { id: of.node }).set({ record: standing });

    const challenger = challengerOf(of);
    const payee = await ownerOf(context, challenger);
    await release(context, event, challenger, returned, place, 0);
    await move(context, event, { kind: 'reward', currency, account: payee, amount: rewarded, ...place });
    if (forfeited !== 0n) {
      const half = (forfeited - repaid) / 2n;
      await move(context, event, { kind: 'forfeit', currency, account: owner, amount: half, ...place });
      const burnt = forfeited - repaid - half;
      // A node's part is in its `NodeSlashed`.
      if (challenger.node === null)
        await move(context, event, { kind: 'burn', currency, account: null, amount: burnt });
    }
    if (of.round === 2) {
      const second = appellantOf(of);
      await release(context, event, second, (SECOND_FEES - BigInt(of.paidAgain)) * of.fee, place, 1);
      const account = await ownerOf(context, second);
      await move(context, event, { kind: 'repaid', currency, account, amount: repaid, ...place });
    }

    let alone = false;
    await db.update(tab, place).set((row) => {
      alone = row.open === 1 && row.worst !== 'invalid';
      const worst = graver(row.worst, verdict);
      return { open: row.open - 1, ...(worst !== row.worst && { worst, payee }) };
    });
    if (verdict === 'withheld') await shrink(context, of, () => rewarded + repaid);
    if (verdict === 'invalid') {
      const whole = await db.find(job, { id: of.job });
      await shrink(context, of, (bond) => (alone ? bond : (whole?.bond ?? 0n)));
    }
    await record(context, event, { type: 'disputeEnded', ...place, account: payee, amount: rewarded, currency });
  },

  async LeaseJudged({ event, context }) {
    const { id, node: holder, first, paid } = event.args;
    const verdict = VERDICTS[event.args.verdict]!;
    const place = { job: id, first, node: holder };
    if (verdict === 'invalid') await lose(context, event, place);
    else if (verdict === 'specFault' || verdict === 'undecided') await endUndone(context, event, place);
    const { currency } = (await context.db.find(job, { id }))!;
    const { owner: account } = (await context.db.find(node, { id: holder }))!;
    await record(context, event, { type: 'leaseJudged', ...place, account, amount: paid, currency });
  },
} satisfies Partial<Handlers>;

/** Whether a juror that voted `vote` is paid where its jury found `found`; as the contract's `_isPaid`. */
export function isPaid(vote: Verdict, found: Verdict, claimsFault: boolean): boolean {
  if (vote === 'none') return false;
  if (found === 'none' || found === 'undecided') return true;
  const meaning = claimsFault ? (vote === 'specFault' ? 'valid' : 'invalid') : vote;
  const side = (verdict: Verdict): Verdict => (verdict === 'withheld' ? 'valid' : verdict);
  return side(meaning) === side(found);
}

async function known({ db }: AnyContext, key: Hex): Promise<Dispute> {
  const row = await db.find(dispute, { key });
  if (!row) throw new Error(`no dispute ${key} was opened in an indexed block; index from the Market's deployment on`);
  return row;
}

async function feeOf({ db }: AnyContext, id: Hex): Promise<bigint> {
  return ((await db.find(job, { id }))?.bond ?? 0n) / FEE_PART;
}

async function lock({ db }: AnyContext, id: number, amount: bigint): Promise<typeof node.$inferSelect> {
  return db.update(node, { id }).set((row) => ({ locked: row.locked + amount }));
}

async function ownerOf({ db }: AnyContext, party: Party): Promise<Hex | null> {
  return party.node === null ? party.account : ((await db.find(node, { id: party.node }))?.owner ?? null);
}

/** Sets aside what a party stakes: of its balance, or of its node's stake. Answers who that is. */
async function pledge(
  context: AnyContext,
  event: AnyEvent,
  party: Party,
  amount: bigint,
  place: { job: Hex; first: number },
): Promise<Hex | null> {
  if (party.node !== null) return (await lock(context, party.node, amount)).owner;
  const currency = context.contracts.Token.address;
  await move(context, event, { kind: 'pledge', currency, account: party.account, amount, ...place });
  return party.account;
}

/** Gives what was set aside back. `part` tells two of one event apart. */
async function release(
  context: AnyContext,
  event: AnyEvent,
  party: Party,
  amount: bigint,
  place: { job: Hex; first: number },
  part: number,
): Promise<void> {
  const currency = context.contracts.Token.address;
  if (party.node !== null) await lock(context, party.node, -amount);
  else await move(context, event, { kind: 'release', currency, account: party.account, amount, ...place, part });
}

/** Takes what juries took off the bond that the lease or seat still has. */
async function shrink(
  context: AnyContext,
  { job: id, first, node: holder }: Dispute,
  taken: (bond: bigint) => bigint,
): Promise<void> {
  const { db } = context;
  const change = (row: { bond: bigint }) => ({ bond: row.bond - taken(row.bond) });
  if (await isSeated(context, id, first)) await db.update(seat, { job: id, first, node: holder }).set(change);
  else await db.update(lease, { job: id, first }).set(change);
}

interface Place {
  job: Hex;
  first: number;
  node: number;
}

/** Wrong: the rest of the bond is gone, and the range is free again; a seat leaves its panel to the others. */
async function lose(context: AnyContext, event: JudgedLease, place: Place): Promise<void> {
  const { db } = context;
  const { job: id, first, node: holder } = place;
  const seated = await isSeated(context, id, first);
  const lapsedAt = Number(event.block.timestamp);
  const lapseTransaction = event.transaction.hash;
  const of = (await db.find(job, { id }))!;
  const before = seated ? await db.find(seat, place) : await db.find(lease, { job: id, first });
  const left = before?.bond ?? 0n;
  // With several disputes the rest is taken with the last, for who was first.
  const { payee } = (await db.find(tab, place))!;
  const reward = (left * (await bpsOf(context, event, id))) / BPS;
  const currency = context.contracts.Token.address;
  await move(context, event, { kind: 'reward', currency, account: payee, amount: reward, ...place });

  if (seated) {
    const slashed = of.bond * BigInt(before?.count ?? 0);
    await db.update(seat, place).set({ phase: 'faulted', slashed, lapsedAt, lapseTransaction });
    await db.update(panel, { job: id, first }).set((row) => ({ bonus: row.bonus + (before?.bonus ?? 0n) }));
  } else {
    const held = await db.update(lease, { job: id, first }).set((row) => ({
      phase: 'lapsed',
      lapses: row.lapses + 1,
      ...{ lapsedAt, lapseTransaction },
    }));
    const { count, price, bonus, commitment, claimedAt, deadline, claimTransaction, commitTransaction } = held;
    const bond = of.bond * BigInt(count);
    await db.insert(leaseHistory).values({
      ...{ job: id, first, lapse: held.lapses, count, node: holder, price, bond, slashed: bond, bonus },
      ...{ withheld: false, commitment, claimedAt, deadline, lapsedAt },
      ...{ claimTransaction, commitTransaction, lapseTransaction },
    });
    await db.update(job, { id }).set((row) => ({ claimed: row.claimed - count, lapses: row.lapses + 1 }));
  }
  await db.update(node, { id: holder }).set((row) => ({
    leasesLiving: row.leasesLiving - 1,
    leasesLapsed: row.leasesLapsed + 1,
  }));
  await db.delete(tab, place);
}

/** Nobody can say whether it is right: part of the price for the holder, where the job is impossible the rest for who found it. */
async function endUndone(context: AnyContext, event: JudgedLease, place: Place): Promise<void> {
  const { db } = context;
  const { job: id, first, node: holder } = place;
  const { paid, fee, compensation } = event.args;
  const seated = await isSeated(context, id, first);
  const ended = { paid, fee, settledAt: Number(event.block.timestamp), settleTransaction: event.transaction.hash };
  const held = seated
    ? await db.update(seat, place).set({ phase: 'excused', ...ended })
    : await db.update(lease, { job: id, first }).set({ phase: 'excused', ...ended });
  const { payee } = (await db.find(tab, place))!;
  const { currency, rules } = (await db.find(job, { id }))!;
  const compensationFee = (compensation * BigInt(readRules(rules).feeBps)) / BPS;
  await db.update(job, { id }).set((row) => ({
    claimed: row.claimed - (seated ? 0 : held.count),
    paid: row.paid + paid + compensation - compensationFee,
    fee: row.fee + fee + compensationFee,
  }));
  const { owner } = await db.update(node, { id: holder }).set((row) => ({
    locked: row.locked - held.bond,
    leasesLiving: row.leasesLiving - 1,
  }));
  await move(context, event, { kind: 'paid', currency, account: owner, amount: paid, ...place });
  await move(context, event, { kind: 'fee', currency, account: null, amount: fee, ...place });
  const rest = compensation - compensationFee;
  await move(context, event, { kind: 'paid', currency, account: payee, amount: rest, ...place, part: 1 });
  await move(context, event, { kind: 'fee', currency, account: null, amount: compensationFee, ...place, part: 1 });
  if (seated) await db.update(panel, { job: id, first }).set((row) => ({ bonus: row.bonus + held.bonus }));
  else await toTreasury(context, event, held.bonus, place);
  await db.delete(tab, place);
}
