/** What the indexer answers to "will it run, when, for how much?" and "why did nobody take it?"; words on amounts and times as in `apiSchemas.ts`. */
import { z } from 'zod';

import { addressSchema, amountSchema, hashSchema, jobStateSchema, sourceSchema } from './apiSchemas.ts';
import { DECLINE_CODES, type DeclineCode } from './declines.ts';

const count = z.int().nonnegative();
const seconds = count;
const share = z.number().min(0).max(1);
const addressIn = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'currency must be 0x and 40 hexadecimal digits')
  .transform((value) => value.toLowerCase() as `0x${string}`);
const amountIn = (name: string) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,28})$/, `${name} must be a decimal string of at most 29 digits`)
    .transform(BigInt)
    .refine((value) => value < 1n << 96n, `${name} must be below 2^96`);
const wholeIn = (name: string, least: number, most: number) => {
  const sentence = `${name} must be a whole number from ${least} to ${most}`;
  return z.int(sentence).min(least, sentence).max(most, sentence);
};

/** Why a node cannot or will not take a job now. */
export const EXCLUSIONS = [
  'allowlist',
  'runtime',
  'tier',
  'minStake',
  'freeStake',
  'key',
  'offline',
  'busy',
  'price',
] as const;
/** What each of them says about a node. */
export const EXCLUSION_SENTENCES: Readonly<Record<(typeof EXCLUSIONS)[number], string>> = {
  allowlist: 'The job is for other nodes.',
  runtime: 'The node does not offer the runtime.',
  tier: 'The node has not proven the tier, or its proof has run out.',
  minStake: 'The node’s stake, less what waits to leave, is below the network’s least.',
  freeStake: 'The node’s free stake does not cover the bond of one shard.',
  key: 'The job is private and the node has no key for private jobs.',
  offline: 'The node says nothing, or says that it is not well or takes no new work.',
  busy: 'The node says that no slot is free.',
  price: 'The node asks for more than the highest price.',
};

/** What a job would be: its terms as far as they decide who takes it, and when. Amounts are decimal strings. */
export const quoteRequestSchema = z.strictObject({
  runtime: wholeIn('runtime', 0, 31),
  currency: addressIn,
  /** Prices of one shard. The price climbs from the least to the highest in `ramp` seconds. */
  minPrice: amountIn('minPrice'),
  maxPrice: amountIn('maxPrice'),
  ramp: wholeIn('ramp', 0, 31_536_000),
  /** DPU wei that a node locks for each shard. */
  bond: amountIn('bond'),
  shards: wholeIn('shards', 1, 16_777_215),
  maxLease: wholeIn('maxLease', 1, 65_535),
  seats: z.union([z.literal(1), z.literal(3), z.literal(5)], 'seats must be 1, 3 or 5').default(1),
  tier: wholeIn('tier', 0, 255).default(0),
  direct: z.boolean('direct must be true or false').default(false),
  tolerant: z.boolean('tolerant must be true or false').default(false),
  auditBps: wholeIn('auditBps', 0, 10_000).default(0),
  /** Seconds from the post to the last claim, of one lease, and of the challenge window. */
  openFor: wholeIn('openFor', 1, 31_536_000),
  exec: wholeIn('exec', 1, 86_400),
  window: wholeIn('window', 0, 86_400).default(0),
  /** The one node that may take it, 0 for any; or the nodes that the requester would have. */
  node: wholeIn('node', 0, 4_294_967_295).default(0),
  allow: z
    .array(wholeIn('allow', 1, 4_294_967_295))
    .max(1_000)
    .optional(),
  /** Only nodes with a key for private jobs can open it. */
  private: z.boolean('private must be true or false').default(false),
  /** Share of the stake that would join in a lie, basis points. */
  colludingBps: wholeIn('colludingBps', 0, 10_000).default(2_000),
});

const excludedSchema = z.object({ node: count, reasons: z.array(z.enum(EXCLUSIONS)) });
/** How many nodes each reason excludes; a node can have several. */
const excludedBySchema = z.object(
  Object.fromEntries(EXCLUSIONS.map((name) => [name, count])) as Record<(typeof EXCLUSIONS)[number], typeof count>,
);
/** Who can take a job now. */
export const eligibilitySchema = z.object({
  eligible: count,
  /** Whether nodes said how they are; where not, `offline`, `busy` and `price` exclude nobody. */
  live: z.boolean(),
  nodes: z.array(
    z.object({
      node: count,
      tier: count,
      record: count,
      freeStake: amountSchema,
      /** Least price of a shard in the job's currency, as the node says it; null where it says none. */
      asks: amountSchema.nullable(),
      /** When it spoke last; null where it did not. */
      heardAt: seconds.nullable(),
    }),
  ),
  excluded: z.array(excludedSchema),
  excludedBy: excludedBySchema,
});
const rangeSchema = z.object({ p50: count, p90: count.nullable() });
/** What is to be expected at one highest price. */
export const pricePointSchema = z.object({
  point: z.enum(['half', 'asked', 'double']),
  maxPrice: amountSchema,
  escrow: amountSchema,
  /** Part of the sample that takes the job at this price at all. */
  taken: share,
  /** Seconds from the post to the first claim, and the price of a shard then; null where the sample does not reach so far. */
  startsIn: rangeSchema.nullable(),
  price: z.object({ p50: amountSchema, p90: amountSchema.nullable() }).nullable(),
});
/** The answer to a quote. It promises nothing. */
export const quoteSchema = z.object({
  /** Newest indexed block with an event. */
  block: count,
  timestamp: seconds,
  eligibility: eligibilitySchema,
  /** `heartbeats`: prices that eligible nodes ask now; `history`: what earlier jobs of the runtime and currency were claimed for. */
  basis: z.enum(['heartbeats', 'history', 'none']),
  samples: count,
  points: z.array(pricePointSchema),
  gas: z.object({
    source: z.string(),
    steps: z.array(z.object({ step: z.string(), by: z.enum(['requester', 'node']), gas: count })),
    /** Gas of the requester's steps, at `gasPrice` wei; null where the chain did not answer. */
    requester: count,
    gasPrice: amountSchema.nullable(),
  }),
  /** Last second at which money of the job can still be bound; from the contract's `worstCaseExit`, or the same formula where it did not answer. */
  exit: z.object({ at: seconds, source: z.enum(['contract', 'formula']) }),
  fee: z.object({ bps: count, most: amountSchema }),
  assurance: z.object({
    colluding: share,
    /** Cost as a multiple of one node's price, paid by the requester and by the protocol. */
    cost: z.number(),
    pooled: z.number(),
    /** Probability that a wrong result does not become the job's. */
    caught: share,
  }),
});

/** Why a job was not taken, or not wholly. */
export const whyNotSchema = z.object({
  job: hashSchema,
  state: jobStateSchema,
  /** Shards that anyone could claim now. */
  free: count,
  /** What holds it up whoever comes, in sentences; empty where nothing does. */
  obstacles: z.array(z.string()),
  /** Price of a shard now, where nobody has failed on it. */
  price: amountSchema.nullable(),
  /** Signed refusals of nodes, by reason, the most frequent first. */
  declines: z.array(
    z.object({
      code: z.enum(DECLINE_CODES as [DeclineCode, ...DeclineCode[]]),
      sentence: z.string(),
      count,
      nodes: z.array(count),
    }),
  ),
  eligibility: eligibilitySchema,
  source: sourceSchema,
});

/** A payment with the numbers that it follows from. */
export const explainedPaymentSchema = z.object({
  job: hashSchema,
  first: count,
  currency: addressSchema,
  paid: amountSchema,
  fee: amountSchema,
  /** Why it was paid: what became of the lease. */
  reason: z.string(),
  formula: z.string(),
  numbers: z.object({
    price: amountSchema,
    count,
    feeBps: count,
    /** price × count, and what of it was paid before the fee. */
    full: amountSchema,
    gross: amountSchema,
  }),
  /** Whether the formula gives exactly what was paid. */
  exact: z.boolean(),
  timestamp: seconds,
  source: sourceSchema,
});
/** Why a node was not assigned to jobs that are open now, and why it was paid what it was. */
export const whySchema = z.object({
  node: count,
  jobs: z.array(z.object({ job: hashSchema, free: count, eligible: z.boolean(), sentences: z.array(z.string()) })),
  payments: z.array(explainedPaymentSchema),
});

export type QuoteRequest = z.input<typeof quoteRequestSchema>;
export type Quote = z.output<typeof quoteSchema>;
export type Exclusion = (typeof EXCLUSIONS)[number];
export type WhyNot = z.output<typeof whyNotSchema>;
export type Why = z.output<typeof whySchema>;
