/**
 * The indexer's REST API: the shape of every answer.
 *
 * On the wire amounts are decimal strings and addresses and hashes are lower-case hex. The schemas check that and turn
 * amounts into bigint, so `z.input` of a schema is the JSON and `z.output` is what callers of the client get.
 */
import { z } from 'zod';

import {
  ACTIVITY_TYPES,
  DISPUTE_STATES,
  FINALITIES,
  JOB_STATES,
  LEASE_PHASES,
  PANEL_KINDS,
  PANEL_OUTCOMES,
  SEAT_PHASES,
} from './apiEnums.ts';
import { VERDICTS } from './verdicts.ts';

type Hex = `0x${string}`;

const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes of lower-case hex expected`)
    .transform((value) => value as Hex);

/** A token amount in its smallest unit, or an integer too big for a number. */
export const amountSchema = z
  .string()
  .regex(/^(0|[1-9][0-9]*)$/, 'a decimal string without sign or leading zeros expected')
  .transform(BigInt);
export const addressSchema = hexOf(20);
export const hashSchema = hexOf(32);
const count = z.int().nonnegative();
const seconds = count; // Unix time.

/**
 * The event that made an object or changed it last, and how sure it is that its block stays, by its depth: `finalized`: so deep that the chain
 * does not take it back (30 blocks where nobody knows better); `safe`: half as deep; `latest`: newer.
 */
export const sourceSchema = z.object({ block: count, transaction: hashSchema, finality: z.enum(FINALITIES) });
/** Every answer of this version has it; pages that were built for an earlier indexer do not need it. */
const source = sourceSchema.optional();

/** An amount of one currency. */
export const moneySchema = z.object({ currency: addressSchema, amount: amountSchema });

export const jobStateSchema = z.enum(JOB_STATES);
export const leasePhaseSchema = z.enum(LEASE_PHASES);
export const seatPhaseSchema = z.enum(SEAT_PHASES);
export const panelKindSchema = z.enum(PANEL_KINDS);
export const panelOutcomeSchema = z.enum(PANEL_OUTCOMES);
export const activityTypeSchema = z.enum(ACTIVITY_TYPES);

export const statsSchema = z.object({
  /** Newest block with an event of the Market; 0 before the first. For the newest indexed block ask `/status`. */
  block: count,
  timestamp: seconds,
  jobs: z.object({ open: count, running: count, complete: count, cancelled: count, closed: count }),
  /** Nodes ever registered. */
  nodes: count,
  /** DPU at stake, in wei. */
  stake: amountSchema,
  /** Paid to nodes since the beginning, per currency. */
  paid: z.array(moneySchema),
  shardsSettled: count,
  unitsSettled: amountSchema,
  /** New jobs may ask for several seats on each range. */
  seatsAllowed: z.boolean(),
});

/** A row of the index that is not what the chain says. */
export const wrongRowSchema = z.object({
  table: z.string(),
  /** Its primary key, parts separated by spaces. */
  key: z.string(),
  /** `missing` or `extra` in the index, `changed` in the columns named, or contradicted by a contract's `view`. */
  kind: z.enum(['missing', 'extra', 'changed', 'view']),
  columns: z.array(z.string()),
});

/** How far an index is, and whether it equals the chain. */
export const statusSchema = z.object({
  /** One word for all: what the header `dpu-trust` of each answer says. */
  mark: z.enum(['trusted', 'unverified', 'untrusted', 'stale']),
  /** Whether the last pass found every row equal; null before the first. */
  trusted: z.boolean().nullable(),
  /** The chain took back what counted as final: no rows are served until the index is rebuilt. */
  stale: z.boolean(),
  staleSince: seconds.nullable(),
  /** The backfill is not over. */
  indexing: z.boolean(),
  /** The newest indexed block, and the newest one that is never taken back. */
  block: count,
  timestamp: seconds,
  finalized: count,
  /** The chain's newest block, and by how much the index is behind; null while the endpoint does not answer. */
  head: z.object({ number: count, timestamp: seconds }).nullable(),
  lag: z.object({ blocks: count, seconds: count }).nullable(),
  /** The last pass that found its tables equal. */
  passed: z.object({ at: seconds, block: count, tables: count, rows: count, seconds: z.number() }).nullable(),
  /** Rows that differ, and the first twenty of them. */
  wrongRows: count,
  wrong: z.array(wrongRowSchema),
});

export const jobSummarySchema = z.object({
  id: hashSchema,
  requester: addressSchema,
  currency: addressSchema,
  state: jobStateSchema,
  /** Always null: a job's name is in its spec, off chain. */
  name: z.null(),
  shards: count,
  /** Shards that cannot be claimed because a living lease or panel holds them or because they are settled. */
  claimed: count,
  settled: count,
  /** Prices of one shard. */
  minPrice: amountSchema,
  maxPrice: amountSchema,
  /** DPU that a node locks for each shard. */
  bond: amountSchema,
  runtime: count,
  /** sha2-256 of the spec; the same 32 bytes are its CID. */
  spec: hashSchema,
  afterJob: hashSchema.nullable(),
  postedAt: seconds,
  postedBlock: count,
  transaction: hashSchema,
  /** When the job ended; null while it lives. */
  closedAt: seconds.nullable(),
  /** Paid to nodes, and taken as fee, so far. */
  paid: amountSchema,
  fee: amountSchema,
  /** Given back to the requester so far. */
  refunded: amountSchema,
  source,
});

/** The terms field by field: assignable to the argument of every call of the Market client. */
export const termsSchema = z.object({
  requester: addressSchema,
  currency: addressSchema,
  minPrice: amountSchema,
  maxPrice: amountSchema,
  bond: amountSchema,
  shards: count,
  maxLease: count,
  runtime: count,
  tier: count,
  seats: count,
  direct: z.boolean(),
  tolerant: z.boolean(),
  auditBps: count,
  rules: amountSchema,
  node: count,
  start: seconds,
  expiry: seconds,
  ramp: count,
  exec: count,
  window: count,
  spec: hashSchema,
  afterJob: hashSchema,
  salt: amountSchema,
});

export const leaseSchema = z.object({
  job: hashSchema,
  first: count,
  count: z.int().positive(),
  node: count,
  /** Agreed price of one shard. */
  price: amountSchema,
  /** DPU locked by the holder, in wei; 0 when the job was settled in one transaction. */
  bond: amountSchema,
  /** DPU in wei that failed holders left for whoever finishes. */
  bonus: amountSchema,
  /** Last second for commit or submit. */
  deadline: seconds,
  phase: leasePhaseSchema,
  /** When it was claimed; when it was settled if the job was settled in one transaction. */
  claimedAt: seconds,
  committedAt: seconds.nullable(),
  committedBlock: count.nullable(),
  commitment: hashSchema.nullable(),
  revealedAt: seconds.nullable(),
  /** Last second of the challenge window. */
  windowEnd: seconds.nullable(),
  root: hashSchema.nullable(),
  units: amountSchema.nullable(),
  manifest: hashSchema.nullable(),
  settledAt: seconds.nullable(),
  lapsedAt: seconds.nullable(),
  paid: amountSchema,
  fee: amountSchema,
  /** Paid by the requester's signed acceptance. */
  accepted: z.boolean(),
  /** How often this range lapsed, this holder included. */
  lapses: count,
  transactions: z.object({
    claim: hashSchema.nullable(),
    commit: hashSchema.nullable(),
    reveal: hashSchema.nullable(),
    settle: hashSchema.nullable(),
    lapse: hashSchema.nullable(),
  }),
  source,
});

/** A node's seat on a range that several compute: a lease that is not paid by itself. */
export const seatSchema = leaseSchema.omit({ phase: true, accepted: true, lapses: true }).extend({
  phase: seatPhaseSchema,
  /** DPU lost, in wei. */
  slashed: amountSchema,
  /** Faulted because it showed nothing. */
  withheld: z.boolean(),
});

/** A range that several nodes compute, from its newest opening on: several seats, or a lease and its audit. */
export const panelSchema = z.object({
  job: hashSchema,
  first: count,
  count: z.int().positive(),
  /** `audit`: a single lease was drawn, and `auditor` computes it again. */
  kind: panelKindSchema,
  /** The node that audits; null for several seats. */
  auditor: count.nullable(),
  /** The protocol pays the auditor, not the requester. */
  pooled: z.boolean(),
  /** How many nodes it asks for (1 after an auditor has failed); how many sit now, and how many of them have committed. */
  asked: z.int().positive(),
  sitting: count,
  committed: count,
  openedAt: seconds,
  /** Last second at which a node may join; of an audit, at which its auditor must have committed. */
  joinUntil: seconds,
  /** Null while nodes sit. */
  outcome: panelOutcomeSchema.nullable(),
  /** What a quorum agreed on. */
  root: hashSchema.nullable(),
  units: amountSchema.nullable(),
  manifest: hashSchema.nullable(),
  endedAt: seconds.nullable(),
  /** How often a seat lapsed, over all openings. */
  lapses: count,
  /** DPU in wei that waits for whoever joins or takes over. */
  bonus: amountSchema,
  transactions: z.object({ open: hashSchema, end: hashSchema.nullable() }),
  /** In the order in which they were taken, those who failed and may have been replaced included. */
  seats: z.array(seatSchema),
  source,
});

export const activitySchema = z.object({
  /** Unique and ordered: a later event has a greater id, compared as text. */
  id: z.string(),
  type: activityTypeSchema,
  job: hashSchema.nullable(),
  first: count.nullable(),
  node: count.nullable(),
  account: addressSchema.nullable(),
  amount: amountSchema.nullable(),
  currency: addressSchema.nullable(),
  block: count,
  timestamp: seconds,
  transaction: hashSchema,
  source,
});

/** What jurors say and juries find; see `court.ts`. */
export const verdictSchema = z.enum(VERDICTS);

/** A juror of a round, in the order in which they sat down. */
export const jurorSchema = z.object({
  round: z.int().min(1).max(2),
  node: count,
  /** `none` while it has not spoken. */
  vote: verdictSchema,
  /** What it computed, and the digest of what it published. */
  hash: hashSchema.nullable(),
  units: amountSchema.nullable(),
  evidence: hashSchema.nullable(),
  /** Null until the round is counted; false: it lost its bond. */
  paid: z.boolean().nullable(),
  servedAt: seconds,
  spokenAt: seconds.nullable(),
});

/** One shard of a lease before a jury. */
export const disputeSchema = z.object({
  key: hashSchema,
  /** The lease or seat: its first shard and its holder; the shard, and what was shown of it. */
  first: count,
  node: count,
  shard: count,
  hash: hashSchema,
  units: amountSchema,
  /** Who challenged: an account, or the node whose stake pays; likewise who appealed. */
  challenger: z.object({ account: addressSchema.nullable(), node: count.nullable() }),
  appellant: z.object({ account: addressSchema.nullable(), node: count.nullable() }).nullable(),
  state: z.enum(DISPUTE_STATES),
  round: z.int().min(1).max(2),
  /** What stands. */
  verdict: verdictSchema,
  /** Fee and bond of a juror, DPU wei. */
  fee: amountSchema,
  /** DPU wei, once it ended: of the challenger's bond, what it got on top, what the appellant got back. */
  returned: amountSchema,
  forfeited: amountSchema,
  rewarded: amountSchema,
  repaid: amountSchema,
  openedAt: seconds,
  judgedAt: seconds.nullable(),
  endedAt: seconds.nullable(),
  jurors: z.array(jurorSchema),
  transactions: z.object({ open: hashSchema, end: hashSchema.nullable() }),
  source,
});

export const jobSchema = jobSummarySchema.extend({
  terms: termsSchema,
  /** In order of their first shard. */
  leases: z.array(leaseSchema),
  /** Ranges that several nodes compute, in order of their first shard. An audited lease is among these seats, not among the leases. */
  panels: z.array(panelSchema),
  /** In the order in which they were opened. */
  disputes: z.array(disputeSchema).default([]),
  /** Newest first, at most 100. */
  activity: z.array(activitySchema),
});

export const nodeSummarySchema = z.object({
  id: z.int().positive(),
  owner: addressSchema,
  operator: addressSchema,
  /** DPU in wei: at stake in all, locked as bonds, and waiting to leave. */
  stake: amountSchema,
  locked: amountSchema,
  queued: amountSchema,
  /** When `queued` may leave; null when nothing is queued. */
  unstakeAt: seconds.nullable(),
  /** Record in basis points. */
  record: count,
  /** Runtime ids. */
  runtimes: z.array(count),
  tier: count,
  tierUntil: seconds,
  /** age X25519 recipient, or null. */
  key: hashSchema.nullable(),
  endpoint: z.string(),
  since: seconds,
  registeredAt: seconds,
  /** Seats among several count too; `lapsed` are all that failed. */
  leases: z.object({ living: count, settled: count, lapsed: count }),
  shardsSettled: count,
  unitsSettled: amountSchema,
  /** DPU lost since the beginning, in wei. */
  slashed: amountSchema,
  source,
});

/** One node with its newest leases and its newest seats among several, at most 100 of each. */
export const nodeSchema = nodeSummarySchema.extend({ recent: z.array(leaseSchema), seats: z.array(seatSchema) });

export const accountSchema = z.object({
  address: addressSchema,
  /** Free balances in the Market; currencies the account never held are absent. */
  balances: z.array(moneySchema),
  nodes: z.array(nodeSummarySchema),
  /** Newest first, at most 100. */
  jobs: z.array(jobSummarySchema),
});

/** A page: pass `next` as `cursor` to get the following one; null on the last. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });
export const jobPageSchema = pageOf(jobSummarySchema);
export const nodePageSchema = pageOf(nodeSummarySchema);
export const activityPageSchema = pageOf(activitySchema);

/** The data of a `block` event of `/v1/live`. */
export const liveBlockSchema = z.object({ number: count, timestamp: seconds });

/** RFC 9457 problem details, the body of every refusal. `type` is a name for programs, `detail` a sentence for people. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** What is wrong with a request, where more than one thing may be. */
  errors: z.array(z.object({ path: z.string(), sentence: z.string() })).optional(),
});

export type Source = z.output<typeof sourceSchema>;
export type Money = z.output<typeof moneySchema>;
export type JobState = z.output<typeof jobStateSchema>;
export type LeasePhase = z.output<typeof leasePhaseSchema>;
export type ActivityType = z.output<typeof activityTypeSchema>;
export type Status = z.output<typeof statusSchema>;
export type Stats = z.output<typeof statsSchema>;
export type JobSummary = z.output<typeof jobSummarySchema>;
export type ApiTerms = z.output<typeof termsSchema>;
export type ApiLease = z.output<typeof leaseSchema>;
export type SeatPhase = z.output<typeof seatPhaseSchema>;
export type PanelOutcome = z.output<typeof panelOutcomeSchema>;
export type ApiSeat = z.output<typeof seatSchema>;
export type ApiPanel = z.output<typeof panelSchema>;
export type PanelKind = z.output<typeof panelKindSchema>;
export type Activity = z.output<typeof activitySchema>;
export type Job = z.output<typeof jobSchema>;
export type NodeSummary = z.output<typeof nodeSummarySchema>;
export type Node = z.output<typeof nodeSchema>;
export type Account = z.output<typeof accountSchema>;
export type LiveBlock = z.output<typeof liveBlockSchema>;
export type Problem = z.output<typeof problemSchema>;
export interface Page<Item> {
  items: Item[];
  next: string | null;
}
