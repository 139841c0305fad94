/** What the indexer keeps for people who sign in (`docs/accounts.md`): requests and answers; amounts and times as in `apiSchemas.ts`. */
import { z } from 'zod';

import { addressSchema, amountSchema, hashSchema } from './apiSchemas.ts';

const count = z.int().nonnegative();
const seconds = count;
const UINT = (bits: number) => 1n << BigInt(bits);

/** What an API key may be good for. */
export const SCOPES = ['read', 'quote', 'notify', 'post'] as const;
/** What somebody can be told about. */
export const NOTIFICATION_KINDS = [
  'job.done',
  'job.challenged',
  'dispute.verdict',
  'node.unhealthy',
  'lease.risk',
  'proposal.live',
] as const;
/** What is sent: those, and what `test` sends. */
export const MESSAGE_KINDS = [...NOTIFICATION_KINDS, 'test'] as const;
/** `dead`: given up after a day, or refused for good. It can be replayed. */
export const DELIVERY_STATES = ['waiting', 'sent', 'dead'] as const;

export type Scope = (typeof SCOPES)[number];
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];
export type MessageKind = (typeof MESSAGE_KINDS)[number];

const nameIn = z
  .string('name must be text')
  .trim()
  .min(1, 'name must not be empty')
  .max(60, 'name must be at most 60 characters long')
  .regex(/^[^\p{C}]*$/u, 'name must not contain control characters');
const wholeIn = (name: string, least: number, most: number) => {
  const sentence = `${name} must be a whole number from ${least} to ${most}`;
  return z.int(sentence).min(least, sentence).max(most, sentence);
};
const amountIn = (name: string, bits: number) =>
  z
    .string(`${name} must be a decimal string`)
    .regex(/^(0|[1-9][0-9]{0,77})$/, `${name} must be a decimal string`)
    .transform(BigInt)
    .refine((value) => value < UINT(bits), `${name} must be below 2^${bits}`);
const hexIn = (name: string, bytes: number) =>
  z
    .string(`${name} must be hex`)
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `${name} must be 0x and ${2 * bytes} hexadecimal digits`)
    .transform((value) => value.toLowerCase() as `0x${string}`);
const signatureIn = z
  .string('signature must be hex')
  .regex(/^0x([0-9a-fA-F]{2}){32,2048}$/, 'signature must be 0x and 32 to 2,048 bytes in hexadecimal digits')
  .transform((value) => value as `0x${string}`);
const kindsIn = z
  .array(z.enum(NOTIFICATION_KINDS, `kinds must be of ${NOTIFICATION_KINDS.join(', ')}`), 'kinds must be a list')
  .max(NOTIFICATION_KINDS.length, 'kinds must name each kind once')
  .refine((kinds) => new Set(kinds).size === kinds.length, 'kinds must name each kind once');

/* SIGN-IN */

/** What a sign-in message needs. */
export const nonceSchema = z.object({
  nonce: z.string(),
  chainId: count,
  statement: z.string(),
  /** Until when it can be used. */
  expiresAt: seconds,
});
/** A signed EIP-4361 message. */
export const signInSchema = z.strictObject({
  message: z.string('message must be text').max(4_000, 'message must be at most 4,000 characters long'),
  signature: signatureIn,
  /** `cookie` for a page on the API's own origin, `bearer` for all others. */
  transport: z.enum(['cookie', 'bearer'], 'transport must be cookie or bearer'),
});
export const sessionSchema = z.object({
  id: z.string(),
  transport: z.enum(['cookie', 'bearer']),
  /** The page that signed in. */
  origin: z.string(),
  /** The browser as it named itself; escape it. */
  agent: z.string(),
  createdAt: seconds,
  usedAt: seconds,
  expiresAt: seconds,
  /** Whether it is the one that asks. */
  current: z.boolean(),
});
export const signedInSchema = z.object({
  account: addressSchema,
  session: sessionSchema,
  /** Shown this once, and only for `bearer`. */
  token: z.string().nullable(),
});
export const sessionListSchema = z.object({ items: z.array(sessionSchema) });
/** How many things were ended, removed or sent. */
export const doneSchema = z.object({ count });

/* PASSKEYS */

export const passkeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Host name of the pages that it works on. */
  host: z.string(),
  createdAt: seconds,
  usedAt: seconds.nullable(),
});
/** Options or answers of WebAuthn as `@simplewebauthn/browser` takes and gives them. */
export const webauthnSchema = z.record(z.string(), z.unknown());
export const passkeyOptionsSchema = z.object({ options: webauthnSchema });
export const newPasskeySchema = z.strictObject({ name: nameIn, response: webauthnSchema });
export const passkeyAnswerSchema = z.strictObject({ response: webauthnSchema });
export const passkeyCheckedSchema = z.object({ freshUntil: seconds });

/** Who is signed in, and what this indexer can do. */
export const mySchema = z.object({
  account: addressSchema,
  session: sessionSchema,
  passkeys: z.array(passkeySchema),
  /** Until when the last passkey assertion counts; null when there is none. */
  freshUntil: seconds.nullable(),
  /** When passkeys can be removed without one; null unless recovery was asked for. */
  recoveryAt: seconds.nullable(),
  /** Whether it sends e-mail, relays orders, and hears the nodes. */
  offers: z.object({ email: z.boolean(), relayer: z.boolean(), heartbeats: z.boolean() }),
});

/* API KEYS */

/** What may be spent in one currency; null is no limit. */
export const capSchema = z.object({
  currency: addressSchema,
  perDay: amountSchema.nullable(),
  total: amountSchema.nullable(),
  /** In the last 24 hours, and ever. */
  spentDay: amountSchema,
  spentTotal: amountSchema,
});
export const keySchema = z.object({
  /** How it begins: `dpuk_<id>`. */
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** Requests a second. */
  perSecond: count,
  caps: z.array(capSchema),
  createdAt: seconds,
  /** Null: it does not end by itself. */
  expiresAt: seconds.nullable(),
  usedAt: seconds.nullable(),
  revokedAt: seconds.nullable(),
});
export const keyListSchema = z.object({ items: z.array(keySchema) });
const capIn = z.strictObject({
  currency: hexIn('currency', 20),
  perDay: amountIn('perDay', 128).nullable(),
  total: amountIn('total', 128).nullable(),
});
const capsIn = z
  .array(capIn, 'caps must be a list')
  .max(20, 'caps must be at most 20')
  .refine(
    (caps) => new Set(caps.map(({ currency }) => currency)).size === caps.length,
    'caps must name a currency once',
  );
export const keyChangeSchema = z.strictObject({
  name: nameIn,
  perSecond: wholeIn('perSecond', 1, 1_000),
  caps: capsIn,
});
export const newKeySchema = z.strictObject({
  ...keyChangeSchema.shape,
  scopes: z
    .array(z.enum(SCOPES, `scopes must be of ${SCOPES.join(', ')}`), 'scopes must be a list')
    .min(1, 'scopes must not be empty')
    .refine((scopes) => new Set(scopes).size === scopes.length, 'scopes must name each scope once'),
  /** Null: it does not end by itself. */
  expiresAt: wholeIn('expiresAt', 0, 2 ** 40).nullable(),
});
/** The key itself is shown this once. */
export const madeKeySchema = z.object({ key: keySchema, secret: z.string() });

/* ORDERS */

const orderTerms = z.strictObject({
  requester: hexIn('requester', 20),
  currency: hexIn('currency', 20),
  minPrice: amountIn('minPrice', 96),
  maxPrice: amountIn('maxPrice', 96),
  bond: amountIn('bond', 96),
  shards: wholeIn('shards', 1, 16_777_215),
  maxLease: wholeIn('maxLease', 1, 65_535),
  runtime: wholeIn('runtime', 0, 255),
  tier: wholeIn('tier', 0, 255),
  seats: wholeIn('seats', 1, 5),
  direct: z.boolean('direct must be true or false'),
  tolerant: z.boolean('tolerant must be true or false'),
  auditBps: wholeIn('auditBps', 0, 10_000),
  rules: amountIn('rules', 152),
  node: wholeIn('node', 0, 2 ** 32 - 1),
  start: wholeIn('start', 0, 2 ** 40 - 1),
  expiry: wholeIn('expiry', 0, 2 ** 40 - 1),
  ramp: wholeIn('ramp', 0, 2 ** 32 - 1),
  exec: wholeIn('exec', 0, 2 ** 32 - 1),
  window: wholeIn('window', 0, 2 ** 32 - 1),
  spec: hexIn('spec', 32),
  afterJob: hexIn('afterJob', 32),
  salt: amountIn('salt', 64),
});
/** Terms as `termsToJson` writes them, and the requester's signature of `orderTypedData`. */
export const orderSchema = z.strictObject({ terms: orderTerms, signature: signatureIn });
export const placedOrderSchema = z.object({
  /** The job. */
  id: hashSchema,
  transaction: hashSchema,
  /** What counts as spent: the most that the job can cost. */
  spent: z.object({ currency: addressSchema, amount: amountSchema }),
});

/* NOTIFICATIONS */

export const channelSchema = z.object({
  id: z.string(),
  type: z.enum(['webhook', 'email']),
  /** The URL, or the address. */
  target: z.string(),
  kinds: z.array(z.enum(NOTIFICATION_KINDS)),
  createdAt: seconds,
  /** Null until an e-mail address was confirmed. */
  confirmedAt: seconds.nullable(),
  /** Until when the secret before the last rotation signs too; null when it does not. */
  rotatingUntil: seconds.nullable(),
  /** Deliveries by state. */
  waiting: count,
  sent: count,
  dead: count,
});
export const channelListSchema = z.object({ items: z.array(channelSchema) });
export const newWebhookSchema = z.strictObject({
  url: z.string('url must be text').max(2_000, 'url must be at most 2,000 characters long'),
  kinds: kindsIn,
});
export const newEmailSchema = z.strictObject({
  address: z.string('address must be text').max(254, 'address must be at most 254 characters long'),
  kinds: kindsIn,
});
export const channelChangeSchema = z.strictObject({ kinds: kindsIn });
/** `secret` (`whsec_…`) is shown when a webhook is made and when it is rotated. */
export const madeChannelSchema = z.object({ channel: channelSchema, secret: z.string().nullable() });
export const tokenSchema = z.strictObject({
  token: z.string('token must be text').max(400, 'token must be at most 400 characters long'),
});
export const deliverySchema = z.object({
  id: z.string(),
  channel: z.string(),
  /** `webhook-id`, the same in every attempt. */
  message: z.string(),
  kind: z.enum(MESSAGE_KINDS),
  state: z.enum(DELIVERY_STATES),
  attempts: count,
  /** When it is tried next; null unless it waits. */
  dueAt: seconds.nullable(),
  /** HTTP status of the last attempt; null where there was no answer, and of e-mail. */
  status: z.int().nullable(),
  /** What went wrong last. */
  error: z.string().nullable(),
  createdAt: seconds,
  doneAt: seconds.nullable(),
  /** What was or will be sent, as JSON. */
  body: z.string(),
});
export const deliveryPageSchema = z.object({ items: z.array(deliverySchema), next: z.string().nullable() });

export type My = z.output<typeof mySchema>;
export type Session = z.output<typeof sessionSchema>;
export type Passkey = z.output<typeof passkeySchema>;
export type Key = z.output<typeof keySchema>;
export type Cap = z.output<typeof capSchema>;
export type Channel = z.output<typeof channelSchema>;
export type Delivery = z.output<typeof deliverySchema>;
export type PlacedOrder = z.output<typeof placedOrderSchema>;
export type Order = z.output<typeof orderSchema>;
