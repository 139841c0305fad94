/** What nodes say to each other, and how much of it: a schema and limits for every topic. Schemas drop fields that they do not know. */
import { bytesToHex, type Hex } from 'viem';
import * as z from 'zod';

import type { MarketDomain } from '../terms.ts';
import { ENVELOPE_BYTES } from './statement.ts';
import { LINE_CHARS, LINE_LEVELS } from '../shardLog.ts';

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) => z.int().min(least).max(most);
const text = (most: number) => z.string().max(most);
const name = text(32).regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/);
const octets = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');
const bytes = (most: number) => octets.refine((value) => value.length <= most, 'too many bytes');
const hexOf = (length: number) =>
  octets
    .refine((value) => value.length === length, `must be ${length} bytes`)
    .transform((value): Hex => bytesToHex(value));

/** Most shards in one message about progress. */
export const PROGRESS_SHARDS = 32;
/** Most lines of one shard in one message. */
export const PROGRESS_LINES = 64;
/** Most bytes of a preview. */
export const PREVIEW_BYTES = 12 * 1024;
/** Most bytes of sealed lines and a preview. */
export const SEALED_BYTES = 20 * 1024;
/** Most bytes of a filter of held content. */
export const FILTER_BYTES = 4 * 1024;

/** One line: milliseconds since the shard began, level, text. */
const line = z.tuple([whole(0), z.enum(LINE_LEVELS), text(LINE_CHARS)]);
/** A small picture or text of what a shard has so far. */
const preview = z.object({
  type: z.enum(['image/png', 'image/jpeg', 'image/webp', 'text/plain']),
  bytes: bytes(PREVIEW_BYTES),
});

/** How a node is: said every 15 seconds. */
export const heartbeatSchema = z.object({
  /** Newest block that it has seen. */
  head: whole(0),
  slots: z.object({ capacity: whole(0, 65_535), running: whole(0, 65_535), free: whole(0, 65_535) }),
  healthy: z.boolean(),
  /** What its operator must do, in sentences. */
  problems: z.array(text(160)).max(8),
  /** Hottest sensor, whole degrees Celsius; null when the machine has none. */
  celsius: z.int().min(-60).max(200).nullable(),
  /** Version of the node's program. */
  software: name,
  /** Runtimes that passed their self-test. */
  runtimes: z.array(name).max(32),
  /** Least price of a shard per currency, smallest units as decimal text. */
  asks: z.array(z.object({ currency: hexOf(20), amount: z.string().regex(/^\d{1,29}$/) })).max(16),
  /** Takes no new work. */
  draining: z.boolean(),
});

const shardStates = ['running', 'done', 'failed'] as const;
/** How shards of one job come along on one node. */
export const progressSchema = z.object({
  job: hexOf(32),
  shards: z
    .array(
      z.object({
        shard: whole(0, 0xffff_ffff),
        state: z.enum(shardStates),
        /** Thousandths that are done; null when nobody knows. */
        permille: whole(0, 1000).nullable(),
        /** Milliseconds since it began. */
        ms: whole(0),
        /** Entries of the shard's log so far, and the hash of the last one: the live log can be held against the stored one. */
        entries: whole(0),
        head: hexOf(32),
        /** Number of the first of `lines` in the shard's log. */
        from: whole(0),
        lines: z.array(line).max(PROGRESS_LINES),
        preview: z.exactOptional(preview),
        /** Of a private job: lines and preview, sealed to its readers (age), instead of those. */
        sealed: z.exactOptional(bytes(SEALED_BYTES)),
      }),
    )
    .min(1)
    .max(PROGRESS_SHARDS),
});
/** What is inside `sealed` of a private job's progress, as canonical dag-cbor. */
export const sealedProgressSchema = z.object({
  lines: z.array(line).max(PROGRESS_LINES),
  preview: z.exactOptional(preview),
});

/** Why a node does not take a job. */
export const declineSchema = z.object({
  job: hexOf(32),
  code: name,
  /** Block time of the decision, unix seconds. */
  at: whole(0, 0xff_ffff_ffff),
  /** The operator's signature of the decline alone, where it made one: with it the decline can be shown outside of the network. */
  signature: z.exactOptional(hexOf(65)),
  /** Facts of the decision. */
  detail: z
    .record(text(32), z.union([text(160), z.int()]))
    .refine((facts) => Object.keys(facts).length <= 8, 'too many facts'),
});

/** What content a node holds: a Bloom filter over the sha2-256 digests of files and blocks. */
export const holdingsSchema = z.object({
  /** How many things went into the filter. */
  items: whole(0, 65_535),
  /** Bits that each sets. */
  hashes: whole(1, 16),
  filter: bytes(FILTER_BYTES).refine(({ length }) => length > 0, 'must not be empty'),
});

/** Where a node's libp2p host is reached. Not gossiped: served by its gateway and handed on by peers. */
export const peerSchema = z.object({
  peer: text(128).regex(/^[1-9A-HJ-NP-Za-km-z]+$/),
  addresses: z.array(text(256)).max(8),
});

export type Heartbeat = z.output<typeof heartbeatSchema>;
export type Progress = z.output<typeof progressSchema>;
export type ShardProgress = Progress['shards'][number];
export type SealedProgress = z.output<typeof sealedProgressSchema>;
export type ProgressLine = z.output<typeof line>;
export type Preview = z.output<typeof preview>;
export type DeclineNotice = z.output<typeof declineSchema>;
export type Holdings = z.output<typeof holdingsSchema>;
export type PeerNotice = z.output<typeof peerSchema>;

/** What is said on each topic. */
export interface Bodies {
  heartbeat: Heartbeat;
  progress: Progress;
  decline: DeclineNotice;
  holdings: Holdings;
  peer: PeerNotice;
}
/** What can be said on each topic: hashes and addresses as bytes. */
export interface Sayings {
  heartbeat: z.input<typeof heartbeatSchema>;
  progress: z.input<typeof progressSchema>;
  decline: z.input<typeof declineSchema>;
  holdings: z.input<typeof holdingsSchema>;
  peer: z.input<typeof peerSchema>;
}
/** Name of a topic; `peer` is one for signatures only. */
export type TopicName = keyof Bodies;
/** Name of a topic that is gossiped. */
export type GossipTopic = Exclude<TopicName, 'peer'>;

/** A topic's limits. */
export interface Topic<Name extends TopicName = TopicName> {
  readonly schema: z.ZodType<Bodies[Name]>;
  /** Most bytes of a body. */
  readonly bodyBytes: number;
  /** How old a statement may be when it is heard live, milliseconds. */
  readonly freshMs: number;
  /** How long it is worth keeping, and how old it may be when a peer hands it on to who joins late, milliseconds. */
  readonly keptMs: number;
  /** Statements that one node may send at once, and per second after that. */
  readonly burst: number;
  readonly perSecond: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How far a speaker's clock may be ahead, milliseconds. */
export const AHEAD_MS = 30 * SECOND;

/** Every topic with its limits. */
export const TOPICS: { readonly [Name in TopicName]: Topic<Name> } = {
  heartbeat: {
    schema: heartbeatSchema,
    bodyBytes: 3 * 1024,
    freshMs: MINUTE,
    keptMs: 5 * MINUTE,
    burst: 8,
    perSecond: 0.5,
  },
  progress: {
    schema: progressSchema,
    bodyBytes: 24 * 1024,
    freshMs: 2 * MINUTE,
    keptMs: HOUR,
    burst: 16,
    perSecond: 4,
  },
  decline: {
    schema: declineSchema,
    bodyBytes: 2 * 1024,
    freshMs: 2 * MINUTE,
    keptMs: 15 * MINUTE,
    burst: 32,
    perSecond: 2,
  },
  holdings: {
    schema: holdingsSchema,
    bodyBytes: FILTER_BYTES + 64,
    freshMs: 2 * MINUTE,
    keptMs: HOUR,
    burst: 4,
    perSecond: 0.1,
  },
  peer: { schema: peerSchema, bodyBytes: 3 * 1024, freshMs: 24 * HOUR, keptMs: 24 * HOUR, burst: 8, perSecond: 0.1 },
};

/** Topics that are gossiped. */
export const GOSSIP_TOPICS = ['heartbeat', 'progress', 'decline', 'holdings'] as const satisfies GossipTopic[];

/** Most bytes of any message. */
export const MAX_MESSAGE_BYTES = Math.max(...Object.values(TOPICS).map(({ bodyBytes }) => bodyBytes)) + ENVELOPE_BYTES;

/** Name of a topic on the wire: networks do not hear each other. */
export function wireTopic(topic: GossipTopic, { chainId, verifyingContract }: MarketDomain): string {
  // Four bytes tell networks apart well enough; the signature's domain does it for certain.
  return `/dpu/${chainId}/${verifyingContract.slice(2, 10).toLowerCase()}/${topic}/1`;
}
