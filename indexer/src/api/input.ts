/** What callers may send, as zod schemas: each refusal is a sentence that names what is wrong. */
import {
  ACTIVITY_TYPES,
  DISPUTE_STATES,
  JOB_STATES,
  LEASE_PHASES,
  PAYMENT_KINDS,
  PERIOD_UNITS,
  SETTING_CONTRACTS,
} from '@dpu/sdk/apiEnums';
import { z } from 'zod';

type Hex = `0x${string}`;

/** Items of a page when the caller does not say how many. */
const DEFAULT_LIMIT = 50;
/** Most items of a page, and of every list inside one answer. */
export const MOST = 100;
const UINT32_MAX = 2 ** 32 - 1;

const hex = (name: string, bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `${name} must be 0x and ${2 * bytes} hexadecimal digits`)
    .transform((value) => value.toLowerCase() as Hex);

const whole = (name: string, least: number, most: number) => {
  const sentence = `${name} must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, sentence)
    .transform(Number)
    .refine((value) => value >= least && value <= most, sentence);
};

const oneOf = <const Words extends readonly [string, ...string[]]>(name: string, words: Words) =>
  z.enum(words, `${name} must be one of ${words.join(', ')}`);

export const jobId = hex('the job id', 32);
export const disputeKey = hex('the dispute key', 32);
export const address = hex('the address', 20);
export const nodeId = whole('the node id', 1, UINT32_MAX);
export const proposalId = z
  .string()
  .regex(/^\d{1,78}$/, 'the proposal id must be a whole number')
  .transform(BigInt);

/** The ways in which lists can be narrowed. */
export const by = {
  account: hex('account', 20).optional(),
  requester: hex('requester', 20).optional(),
  proposer: hex('proposer', 20).optional(),
  voter: hex('voter', 20).optional(),
  delegatee: hex('delegatee', 20).optional(),
  owner: hex('owner', 20).optional(),
  currency: hex('currency', 20).optional(),
  job: hex('job', 32).optional(),
  node: whole('node', 1, UINT32_MAX).optional(),
  runtime: whole('runtime', 0, 255).optional(),
  epoch: whole('epoch', 0, UINT32_MAX).optional(),
  state: oneOf('state', JOB_STATES).optional(),
  phase: oneOf('phase', LEASE_PHASES).optional(),
  disputeState: oneOf('state', DISPUTE_STATES).optional(),
  kind: oneOf('kind', PAYMENT_KINDS).optional(),
  type: oneOf('type', ACTIVITY_TYPES).optional(),
  contract: oneOf('contract', SETTING_CONTRACTS).optional(),
  name: z
    .string()
    .regex(/^[a-zA-Z]{1,40}$/, 'name must be the name of a setting: letters only')
    .optional(),
  unit: oneOf('unit', PERIOD_UNITS).default('day'),
  from: whole('from', 0, 2 ** 40).optional(),
  to: whole('to', 0, 2 ** 40).optional(),
} as const;

/** `cursor` and `limit`, as every list takes them. */
export const paging = {
  cursor: z.string().max(300, 'cursor must be the `next` of an earlier page of the same list').optional(),
  limit: whole('limit', 1, MOST).default(DEFAULT_LIMIT),
} as const;
