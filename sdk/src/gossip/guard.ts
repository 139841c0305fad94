/** Decides about every message before anything else sees it. Never throws, whatever the bytes are. */
import type { Address } from 'viem';

import { decodeCanonical } from '../canonical.ts';
import { Buckets } from './bucket.ts';
import type { Place } from './replay.ts';
import { decodeStatement, encodeBody, ENVELOPE_BYTES, type Statement, type StatementDomain } from './statement.ts';
import { AHEAD_MS, TOPICS, type Bodies, type TopicName } from './topics.ts';

/** Why a message is not taken. */
export type Refusal =
  | 'size'
  | 'form'
  | 'topic'
  | 'signature'
  | 'body'
  | 'stale'
  | 'future'
  | 'stranger'
  | 'rotated'
  | 'heard'
  | 'rate'
  | 'source-rate';

/** A statement that was checked, with what it says. */
export interface Checked<Name extends TopicName = TopicName> extends Statement {
  topic: Name;
  said: Bodies[Name];
  /** The statement as it came: what is handed on to others. A copy, as what came may be part of something larger. */
  bytes: Uint8Array;
}

/**
 * What becomes of a message. `reject`: no honest node says or forwards it, so whoever sent it is scored down. `ignore`: not taken, but nobody's
 * fault for sure.
 */
export type Verdict<Name extends TopicName = TopicName> =
  { verdict: 'accept'; statement: Checked<Name> } | { verdict: 'ignore' | 'reject'; reason: Refusal };

/** Who is who. */
export interface Operators {
  /** Operator of a registered node with stake, and when that was read (unix milliseconds); undefined for none. */
  operatorOf(node: number): { operator: Address; readAt: number } | undefined;
  /** Asks the chain again soon: a node or an operator is not as it was known. */
  refresh(): void;
}

/** What remembers which statements were heard. */
export interface Heard {
  mark(place: Place): boolean;
  windows: { isNew(place: Omit<Place, 'time'>): boolean };
}

/** What the guard works with. */
export interface GuardDeps {
  domain: StatementDomain;
  operators: Operators;
  heard: Heard;
  /** Unix milliseconds. */
  now: () => number;
  /** Told about everything that is not taken. */
  onRefused?: (reason: Refusal, topic: TopicName) => void;
}

/** How a message arrived. */
export interface Arrival {
  /** Who handed it over; its share of this machine's time is bounded. */
  source?: string;
  /** Handed on to somebody who joined late: it may be as old as it is worth keeping, and heard before. */
  late?: boolean;
}

/** Signatures that one neighbour may have checked: at once, and per second. A thousand nodes say about 70 things a second. */
const SOURCE_LIMIT = { burst: 2_000, perSecond: 250 };
/** A record of the chain that is younger than this is believed against a signature, milliseconds. */
const TRUSTED_RECORD_MS = 10_000;

const FAULTS: ReadonlySet<Refusal> = new Set(['size', 'form', 'topic', 'signature', 'body']);

/** The rules that every message must pass. */
export class Guard {
  readonly #deps: GuardDeps;
  readonly #sources = new Buckets(SOURCE_LIMIT);
  readonly #speakers: { readonly [Name in TopicName]: Buckets };

  constructor(deps: GuardDeps) {
    this.#deps = deps;
    const entries = Object.entries(TOPICS).map(([name, limits]) => [name, new Buckets(limits)]);
    this.#speakers = Object.fromEntries(entries) as { [Name in TopicName]: Buckets };
  }

  /** Checks a message that came on `topic`. Cheap rules first: a stranger's bytes cost a hash, not a signature. */
  async check<Name extends TopicName>(topic: Name, bytes: Uint8Array, arrival: Arrival = {}): Promise<Verdict<Name>> {
    try {
      return await this.#check(topic, bytes, arrival);
    } catch {
      // Nothing above is known to throw; bytes of strangers are no reason to find out in production.
      return this.#refuse('form', topic);
    }
  }

  async #check<Name extends TopicName>(topic: Name, bytes: Uint8Array, arrival: Arrival): Promise<Verdict<Name>> {
    const { domain, heard, operators, now } = this.#deps;
    const { source, late = false } = arrival;
    const limits = TOPICS[topic];
    if (bytes.length > limits.bodyBytes + ENVELOPE_BYTES) return this.#refuse('size', topic);
    const statement = decodeStatement(bytes);
    if (!statement) return this.#refuse('form', topic);
    if (statement.topic !== topic) return this.#refuse('topic', topic);
    const { node, sequence, time } = statement;
    const place = { node, topic, sequence, time };
    if (time > now() + AHEAD_MS) return this.#refuse('future', topic);
    if (time < now() - (late ? limits.keptMs : limits.freshMs)) return this.#refuse('stale', topic);
    if (!late && !heard.windows.isNew(place)) return this.#refuse('heard', topic);
    const known = operators.operatorOf(node);
    if (!known) {
      operators.refresh();
      return this.#refuse('stranger', topic);
    }
    if (source !== undefined && !this.#sources.take(source, now())) return this.#refuse('source-rate', topic);
    const signer = await domain.signerOf(statement);
    if (signer === undefined) return this.#refuse('signature', topic);
    if (signer.toLowerCase() !== known.operator.toLowerCase()) {
      if (known.readAt >= now() - TRUSTED_RECORD_MS) return this.#refuse('signature', topic);
      // The operator's key may have changed since the chain was read: then whoever forwards this is honest.
      operators.refresh();
      return this.#refuse('rotated', topic);
    }
    const said = readBody(topic, statement.body);
    if (said === undefined) return this.#refuse('body', topic);
    // What was handed on late is no new speech: the rate of its speaker was counted when it was.
    if (!late && !this.#speakers[topic].take(String(node), now())) return this.#refuse('rate', topic);
    const first = heard.mark(place);
    if (!late && !first) return this.#refuse('heard', topic);
    return { verdict: 'accept', statement: { ...statement, topic, said, bytes: Uint8Array.from(bytes) } };
  }

  #refuse(reason: Refusal, topic: TopicName): { verdict: 'ignore' | 'reject'; reason: Refusal } {
    this.#deps.onRefused?.(reason, topic);
    return { verdict: FAULTS.has(reason) ? 'reject' : 'ignore', reason };
  }
}

/** What a body says; undefined when it is not what the topic is for. */
export function readBody<Name extends TopicName>(topic: Name, body: Uint8Array): Bodies[Name] | undefined {
  const { bodyBytes, schema } = TOPICS[topic];
  if (body.length > bodyBytes) return undefined;
  const parsed = schema.safeParse(decodeCanonical(body));
  return parsed.success ? parsed.data : undefined;
}

/** Thrown when this program itself would say something that others refuse. */
export class UnfitStatement extends Error {
  readonly topic: TopicName;

  constructor(topic: TopicName, problem: string) {
    super(`The statement on ${topic} cannot be sent: ${problem}. Say less, or correct it.`);
    this.name = 'UnfitStatement';
    this.topic = topic;
  }
}

/** A body that others will take. @throws UnfitStatement */
export function fitBody(topic: TopicName, value: unknown): Uint8Array {
  const body = encodeBody(value);
  const { bodyBytes, schema } = TOPICS[topic];
  if (body.length > bodyBytes) throw new UnfitStatement(topic, `it has ${body.length} bytes of at most ${bodyBytes}`);
  const parsed = schema.safeParse(decodeCanonical(body));
  if (!parsed.success) throw new UnfitStatement(topic, parsed.error.issues.map(({ message }) => message).join(', '));
  return body;
}
