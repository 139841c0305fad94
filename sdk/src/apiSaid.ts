/** What an indexer's API answers about what nodes say themselves: nobody's chain stands behind it, each node's signature does. */
import { z } from 'zod';

import { DECLINES } from './declines.ts';

const hex = z
  .string()
  .regex(/^0x[0-9a-f]*$/)
  .transform((text) => text as `0x${string}`);
const seconds = z.int().min(0);

/** A reason for which nodes left a job alone, and which nodes. */
export const declineCountSchema = z.object({
  /** Name of the reason: one of `DECLINES`, or one that is newer than this program. */
  code: z.string(),
  /** What it says to somebody who waits; null for a reason that this program does not know. */
  sentence: z.string().nullable(),
  /** How many nodes gave it last. */
  count: z.int().min(1),
  /** The newest of their decisions: block time, unix seconds. */
  at: seconds,
  /** Ids of the nodes, rising; at most a hundred. */
  nodes: z.array(z.int()),
});

/** What one node said last about a job. Texts come from the node: escape them. */
export const nodeDeclineSchema = z.object({
  node: z.int(),
  code: z.string(),
  /** Block time of the decision, unix seconds. */
  at: seconds,
  /** When it was said by the node's clock, unix seconds. */
  saidAt: seconds,
  /** The operator's signature of the decline (`sdk/declines`), where it made one. */
  signature: hex.nullable(),
  /** Facts of the decision; nobody signed them for others. */
  detail: z.record(z.string(), z.union([z.string(), z.number()])),
});

/** `GET /v1/jobs/:id/declines`. */
export const jobDeclinesSchema = z.object({
  job: hex,
  /** Whether this indexer listens to the nodes: if not, an empty list says nothing. */
  listening: z.boolean(),
  /** Most frequent first. A node counts once, with the last reason that it gave. */
  codes: z.array(declineCountSchema),
  /** Newest first, at most a hundred. */
  items: z.array(nodeDeclineSchema),
});

/** What a node said of itself last. */
export const nodeHeartbeatSchema = z.object({
  node: z.int(),
  /** When it was said by the node's clock, unix seconds. */
  saidAt: seconds,
  /** Newest block that it had seen. */
  head: z.int().min(0),
  slots: z.object({ capacity: z.int(), running: z.int(), free: z.int() }),
  healthy: z.boolean(),
  problems: z.array(z.string()),
  /** Hottest sensor, whole degrees Celsius; null when the machine has none. */
  celsius: z.number().nullable(),
  software: z.string(),
  runtimes: z.array(z.string()),
  /** Least price of a shard per currency, smallest units as decimal text. */
  asks: z.array(z.object({ currency: hex, amount: z.string() })),
  draining: z.boolean(),
});

/** `GET /v1/nodes/:id/heartbeat`: null when the node said nothing within a day, or this indexer does not listen. */
export const heartbeatAnswerSchema = z.object({
  node: z.int(),
  listening: z.boolean(),
  heartbeat: nodeHeartbeatSchema.nullable(),
});

/** How finely presence is kept, seconds; and for how many days, with today. */
export const UPTIME_SPAN_SECONDS = 300;
export const UPTIME_DAYS = 30;

/** One day of a node, by UTC, as one indexer heard it. */
export const uptimeDaySchema = z.object({
  /** Its beginning, unix seconds. */
  at: seconds,
  /** Spans of five minutes in which this indexer listened and the node was on the network already. */
  listened: z.int().min(0),
  /** In how many of these the node said that it is well. */
  heard: z.int().min(0),
});

/** `GET /v1/nodes/:id/uptime`. */
export const uptimeSchema = z.object({
  node: z.int(),
  /** Whether this indexer listens to the nodes: if not, an empty list says nothing. */
  listening: z.boolean(),
  /** From the day on which it was first heard, oldest first, thirty with today at most; empty when it was not heard in these. */
  days: z.array(uptimeDaySchema).max(UPTIME_DAYS),
});

export type DeclineCount = z.output<typeof declineCountSchema>;
export type ReportedDecline = z.output<typeof nodeDeclineSchema>;
export type JobDeclines = z.output<typeof jobDeclinesSchema>;
export type NodeHeartbeat = z.output<typeof nodeHeartbeatSchema>;
export type UptimeDay = z.output<typeof uptimeDaySchema>;
export type Uptime = z.output<typeof uptimeSchema>;

/** What a code says; null for one that is newer than this program. */
export function declineSentence(code: string): string | null {
  return Object.hasOwn(DECLINES, code) ? DECLINES[code as keyof typeof DECLINES].sentence : null;
}
