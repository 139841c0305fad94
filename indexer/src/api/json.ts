import type {
  activitySchema,
  disputeSchema,
  jobSummarySchema,
  leaseSchema,
  moneySchema,
  nodeSummarySchema,
  panelSchema,
  seatSchema,
  termsSchema,
} from '@dpu/sdk/api';
import type { z } from 'zod';
import { sourceOf, type Tip } from './finality.ts';
import type { activity, dispute, job, juror, lease, node, panel, seat } from '../../ponder.schema.ts';

/** The JSON of rows that are not given as they are. */
type JobRow = typeof job.$inferSelect;
type SeatRow = typeof seat.$inferSelect;
type NodeRow = typeof node.$inferSelect;
type Json<Schema extends z.ZodType> = z.input<Schema>;

const ZERO_HASH = `0x${'0'.repeat(64)}`;
const orNull = (hash: string) => (hash === ZERO_HASH ? null : hash);

export const moneyJson = (currency: string, amount: bigint): Json<typeof moneySchema> => ({
  currency,
  amount: String(amount),
});

export function jobJson(row: JobRow, tip: Tip): Json<typeof jobSummarySchema> {
  const { id, requester, currency, state, shards, claimed, settled, runtime, spec } = row;
  const { postedAt, postedBlock, transaction, closedAt } = row;
  return {
    ...{ id, requester, currency, state, name: null, shards, claimed, settled, runtime, spec },
    ...{ postedAt, postedBlock, transaction, closedAt },
    afterJob: orNull(row.afterJob),
    minPrice: String(row.minPrice),
    maxPrice: String(row.maxPrice),
    bond: String(row.bond),
    paid: String(row.paid),
    fee: String(row.fee),
    refunded: String(row.refunded),
    source: sourceOf(row, tip),
  };
}

export function termsJson(row: JobRow): Json<typeof termsSchema> {
  const { requester, currency, shards, maxLease, runtime, tier, seats, direct, tolerant, auditBps, node } = row;
  const { start, expiry, ramp, exec, window, spec, afterJob } = row;
  return {
    ...{ requester, currency, shards, maxLease, runtime, tier, seats, direct, tolerant, auditBps, node },
    ...{ start, expiry, ramp, exec, window, spec, afterJob },
    minPrice: String(row.minPrice),
    maxPrice: String(row.maxPrice),
    bond: String(row.bond),
    rules: String(row.rules),
    salt: String(row.salt),
  };
}

export function leaseJson(row: typeof lease.$inferSelect, tip: Tip): Json<typeof leaseSchema> {
  const { phase, accepted, lapses } = row;
  return { ...workJson(row, tip), phase, accepted, lapses };
}

export function seatJson(row: SeatRow, tip: Tip): Json<typeof seatSchema> {
  return { ...workJson(row, tip), phase: row.phase, slashed: String(row.slashed), withheld: row.withheld };
}

/** A panel with those of `seats` that are its own. */
export function panelJson(
  row: typeof panel.$inferSelect,
  seats: readonly SeatRow[],
  tip: Tip,
): Json<typeof panelSchema> {
  const { job, first, count, kind, auditor, pooled, sitting, committed, openedAt, joinUntil, outcome } = row;
  const { endedAt, lapses } = row;
  const agreed = outcome === 'agreed';
  return {
    ...{ job, first, count, kind, auditor, pooled, sitting, committed, openedAt, joinUntil, outcome, endedAt, lapses },
    root: agreed ? row.root : null,
    manifest: agreed ? row.manifest : null,
    asked: row.seats,
    units: agreed && row.units !== null ? String(row.units) : null,
    bonus: String(row.bonus),
    transactions: { open: row.openTransaction, end: row.endTransaction },
    seats: seats.filter((seat) => seat.first === first).map((seat) => seatJson(seat, tip)),
    source: sourceOf(row, tip),
  };
}

/** What a lease and a seat have in common. */
function workJson(row: Omit<typeof lease.$inferSelect, 'phase' | 'accepted' | 'lapses'>, tip: Tip) {
  const { job, first, count, node, deadline, claimedAt, committedAt, committedBlock, commitment, revealedAt } = row;
  const { windowEnd, root, manifest, settledAt, lapsedAt } = row;
  return {
    ...{ job, first, count, node, deadline, claimedAt, committedAt, committedBlock, commitment, revealedAt },
    ...{ windowEnd, root, manifest, settledAt, lapsedAt },
    price: String(row.price),
    bond: String(row.bond),
    bonus: String(row.bonus),
    units: row.units === null ? null : String(row.units),
    paid: String(row.paid),
    fee: String(row.fee),
    transactions: {
      claim: row.claimTransaction,
      commit: row.commitTransaction,
      reveal: row.revealTransaction,
      settle: row.settleTransaction,
      lapse: row.lapseTransaction,
    },
    source: sourceOf(row, tip),
  };
}

export function nodeJson(row: NodeRow, tip: Tip): Json<typeof nodeSummarySchema> {
  const { id, owner, operator, unstakeAt, record, tier, tierUntil, endpoint, since, registeredAt, shardsSettled } = row;
  return {
    ...{ id, owner, operator, unstakeAt, record, tier, tierUntil, endpoint, since, registeredAt, shardsSettled },
    key: orNull(row.key),
    stake: String(row.stake),
    locked: String(row.locked),
    queued: String(row.queued),
    slashed: String(row.slashed),
    unitsSettled: String(row.unitsSettled),
    runtimes: runtimeIds(row.runtimes),
    leases: { living: row.leasesLiving, settled: row.leasesSettled, lapsed: row.leasesLapsed },
    source: sourceOf(row, tip),
  };
}

/** The set bits of a 32-bit mask. */
export function runtimeIds(mask: number): number[] {
  return Array.from({ length: 32 }, (_, id) => id).filter((id) => (mask >>> id) & 1);
}

export function activityJson(row: typeof activity.$inferSelect, tip: Tip): Json<typeof activitySchema> {
  const { event, amount, ...rest } = row;
  return { id: event, ...rest, amount: amount === null ? null : String(amount), source: sourceOf(row, tip) };
}

/** A dispute with those of `jurors` that are its own. */
export function disputeJson(
  row: typeof dispute.$inferSelect,
  jurors: readonly (typeof juror.$inferSelect)[],
  tip: Tip,
): Json<typeof disputeSchema> {
  const { key, first, node, shard, hash, state, round, verdict, openedAt, judgedAt, endedAt } = row;
  return {
    ...{ key, first, node, shard, hash, state, round, verdict, openedAt, judgedAt, endedAt },
    units: String(row.units),
    challenger: { account: row.challenger, node: row.challengerNode },
    appellant:
      row.appellant === null && row.appellantNode === null ? null : { account: row.appellant, node: row.appellantNode },
    fee: String(row.fee),
    returned: String(row.returned),
    forfeited: String(row.forfeited),
    rewarded: String(row.rewarded),
    repaid: String(row.repaid),
    jurors: jurors
      .filter((one) => one.dispute === key)
      .map(({ round, node, vote, hash, units, evidence, paid, servedAt, spokenAt }) => ({
        ...{ round, node, vote, hash, evidence, paid, servedAt, spokenAt },
        units: units === null ? null : String(units),
      })),
    transactions: { open: row.openTransaction, end: row.endTransaction },
    source: sourceOf(row, tip),
  };
}
