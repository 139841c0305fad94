/** The rows that the indexer's API gives page by page, beside those in `apiSchemas.ts`, whose words on amounts and times hold here too. */
import { z } from 'zod';

import {
  OPERATION_STATES,
  PAYMENT_KINDS,
  PERIOD_UNITS,
  PROPOSAL_STATES,
  SETTING_CONTRACTS,
  STAKE_KINDS,
  VOTE_SUPPORTS,
} from './apiEnums.ts';
import { addressSchema, amountSchema, hashSchema, pageOf, sourceSchema } from './apiSchemas.ts';

const count = z.int().nonnegative();
const seconds = count;
const source = sourceSchema;
const bytes = z.string().regex(/^0x([0-9a-f]{2})*$/, 'bytes as lower-case hex expected');
/** An amount that may be negative. */
const signedSchema = z
  .string()
  .regex(/^(0|-?[1-9][0-9]*)$/, 'a decimal string without leading zeros expected')
  .transform(BigInt);

/** A move of money; `account` is whose balance or stake it is, null where it belongs to nobody. */
export const paymentSchema = z.object({
  kind: z.enum(PAYMENT_KINDS),
  currency: addressSchema,
  account: addressSchema.nullable(),
  amount: amountSchema,
  job: hashSchema.nullable(),
  first: count.nullable(),
  node: count.nullable(),
  timestamp: seconds,
  source,
});
/** A change of a node's stake or of what waits to leave; both as they were afterwards. DPU wei. */
export const stakeEventSchema = z.object({
  node: count,
  kind: z.enum(STAKE_KINDS),
  amount: amountSchema,
  stake: amountSchema,
  queued: amountSchema,
  timestamp: seconds,
  source,
});
/** A change of what a node has locked, and what it has locked afterwards. DPU wei. */
export const bondChangeSchema = z.object({
  node: count,
  amount: signedSchema,
  locked: amountSchema,
  timestamp: seconds,
  source,
});
/** What happened in an hour or a day that began at `start`; one without events is absent. */
export const periodSchema = z.object({
  unit: z.enum(PERIOD_UNITS),
  start: seconds,
  events: count,
  posted: count,
  completed: count,
  cancelled: count,
  closed: count,
  claimed: count,
  settled: count,
  lapsed: count,
  challenged: count,
  /** Nodes that registered, and by how much the stake changed, DPU wei. */
  nodes: count,
  stake: signedSchema,
  shardsSettled: count,
  unitsSettled: amountSchema,
  /** What moved, per currency. */
  money: z.array(
    z.object({
      currency: addressSchema,
      deposited: amountSchema,
      withdrawn: amountSchema,
      escrowed: amountSchema,
      refunded: amountSchema,
      paid: amountSchema,
      fee: amountSchema,
      slashed: amountSchema,
      burnt: amountSchema,
    }),
  ),
  source,
});
/** A proposal as its events tell it. Votes are DPU wei. */
export const proposalSchema = z.object({
  id: amountSchema,
  proposer: addressSchema,
  description: z.string(),
  state: z.enum(PROPOSAL_STATES),
  voteStart: seconds,
  voteEnd: seconds,
  extended: z.boolean(),
  eta: seconds.nullable(),
  votesFor: amountSchema,
  votesAgainst: amountSchema,
  votesAbstain: amountSchema,
  voters: count,
  proposedAt: seconds,
  queuedAt: seconds.nullable(),
  endedAt: seconds.nullable(),
  transaction: hashSchema,
  source,
});
/** Who voted how. */
export const voteSchema = z.object({
  proposal: amountSchema,
  voter: addressSchema,
  support: z.enum(VOTE_SUPPORTS),
  weight: amountSchema,
  reason: z.string(),
  params: bytes,
  timestamp: seconds,
  source,
});
/** A proposal with its calls and its newest votes, at most 100. */
export const proposalDetailSchema = proposalSchema.extend({
  calls: z.array(z.object({ place: count, target: addressSchema, value: amountSchema, data: bytes })),
  votes: z.array(voteSchema),
});
/** To whom an account has given its votes. */
export const delegationSchema = z.object({ delegator: addressSchema, delegatee: addressSchema, source });
/** What an account votes with, DPU wei. */
export const votingPowerSchema = z.object({ account: addressSchema, votes: amountSchema, source });
/** A batch in the timelock. */
export const operationSchema = z.object({
  id: hashSchema,
  state: z.enum(OPERATION_STATES),
  predecessor: hashSchema,
  salt: hashSchema.nullable(),
  readyAt: seconds,
  calls: count,
  scheduledAt: seconds,
  endedAt: seconds.nullable(),
  transaction: hashSchema,
  source,
});
/** A number, flag or address that governs a contract, as it is in force. */
export const settingSchema = z.object({
  contract: z.enum(SETTING_CONTRACTS),
  name: z.string(),
  /** What it is set for, e.g. a currency; empty where there is one of it. */
  subject: z.string(),
  value: z.string(),
  source,
});
/** A change of a setting; `previous` is null for the first value. */
export const settingChangeSchema = settingSchema.extend({ previous: z.string().nullable(), timestamp: seconds });
/** Credits that were minted for a lease; amounts in wei, the pressure in billionths. */
export const creditMintSchema = z.object({
  job: hashSchema,
  first: count,
  node: count,
  owner: addressSchema,
  runtime: count,
  epoch: count,
  amount: amountSchema,
  value: amountSchema,
  pressure: amountSchema,
  timestamp: seconds,
  source,
});
/** An epoch of the credits. */
export const epochSchema = z.object({
  number: count,
  startedAt: seconds.nullable(),
  minted: amountSchema,
  missing: amountSchema,
  mints: count,
  source,
});
/** A runtime's weight, billionths, as an event said it last. */
export const weightSchema = z.object({ runtime: count, epoch: count, weight: amountSchema, source });
/** Credits burnt for a job in all. */
export const prioritySchema = z.object({ job: hashSchema, total: amountSchema, source });
/** What proves a tier of capability, in seconds; without `exec` it is closed. */
export const benchmarkSchema = z.object({
  tier: count,
  runtime: count,
  exec: count,
  validFor: count,
  spec: hashSchema,
  source,
});
/** A proof of capability that a node began; `until`, when the tier ends that it gave, and `finishedAt` are null until it was accepted. */
export const tierProofSchema = z.object({
  job: hashSchema,
  node: count,
  tier: count,
  nonce: hashSchema,
  begunAt: seconds,
  finishedAt: seconds.nullable(),
  until: seconds.nullable(),
  source,
});

export const paymentPageSchema = pageOf(paymentSchema);
export const stakeEventPageSchema = pageOf(stakeEventSchema);
export const bondChangePageSchema = pageOf(bondChangeSchema);
export const periodPageSchema = pageOf(periodSchema);
export const proposalPageSchema = pageOf(proposalSchema);
export const votePageSchema = pageOf(voteSchema);
export const delegationPageSchema = pageOf(delegationSchema);
export const votingPowerPageSchema = pageOf(votingPowerSchema);
export const operationPageSchema = pageOf(operationSchema);
export const settingPageSchema = pageOf(settingSchema);
export const settingChangePageSchema = pageOf(settingChangeSchema);
export const creditMintPageSchema = pageOf(creditMintSchema);
export const epochPageSchema = pageOf(epochSchema);
export const weightPageSchema = pageOf(weightSchema);
export const priorityPageSchema = pageOf(prioritySchema);
export const benchmarkPageSchema = pageOf(benchmarkSchema);
export const tierProofPageSchema = pageOf(tierProofSchema);
