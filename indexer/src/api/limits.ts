import type { Context, MiddlewareHandler } from 'hono';
import { ProblemError } from './problem.ts';

/** How much one caller, and all of them together, may ask. */
export interface Limits {
  /** Plain reads per second and caller, and how many at once after a pause. A costly route counts as several. */
  perSecond: number;
  burst: number;
  /** Requests that are worked on at once; more are told to come back. Streams are counted apart. */
  atOnce: number;
  /** Bytes of a body, and characters of an address with its query. */
  bodyBytes: number;
  urlChars: number;
}

export const LIMITS: Limits = { perSecond: 1_000, burst: 2_000, atOnce: 200, bodyBytes: 65_536, urlChars: 4_096 };

/** Callers whose buckets are kept; the one that asked longest ago is forgotten first, with a bucket that is full again by then. */
const CALLERS = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/** A bucket of reads for each caller that fills up with time. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #limits: Pick<Limits, 'perSecond' | 'burst'>;
  readonly #now: () => number;

  constructor(limits: Pick<Limits, 'perSecond' | 'burst'>, deps: { now: () => number }) {
    this.#limits = limits;
    this.#now = deps.now;
  }

  /** Takes `cost` reads; returns 0, or the milliseconds after which they would be there. */
  take(caller: string, cost: number): number {
    const { perSecond, burst } = this.#limits;
    const now = this.#now();
    const bucket = this.#buckets.get(caller) ?? { left: burst, at: now };
    this.#buckets.delete(caller);
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * perSecond);
    const enough = left >= cost;
    this.#buckets.set(caller, { left: enough ? left - cost : left, at: now });
    if (this.#buckets.size > CALLERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return enough ? 0 : Math.ceil(((cost - left) / perSecond) * 1_000);
  }
}

/** Refuses callers that ask too much; `cost` is how many plain reads a request counts as. */
export function rateLimited(limit: RateLimit, callerOf: (c: Context) => string, cost: number): MiddlewareHandler {
  return async (c, next) => {
    const wait = cost === 0 ? 0 : limit.take(callerOf(c), cost);
    if (wait > 0) {
      const seconds = String(Math.ceil(wait / 1_000));
      const sentence = `you ask more than this indexer gives one caller; come back in ${seconds} s`;
      throw new ProblemError('too-many-requests', sentence, { headers: { 'retry-after': seconds } });
    }
    await next();
  };
}

/** Refuses what would only wait, so that what is worked on is answered in time. */
export function shedding(atOnce: number): MiddlewareHandler {
  let running = 0;
  return async (_c, next) => {
    if (running >= atOnce) {
      const sentence = 'the indexer has more requests than it can answer; come back in a second';
      throw new ProblemError('overloaded', sentence, { headers: { 'retry-after': '1' } });
    }
    running += 1;
    try {
      await next();
    } finally {
      running -= 1;
    }
  };
}

/** Refuses bodies and addresses that no honest request needs, before they are read. */
export function sized({ bodyBytes, urlChars }: Pick<Limits, 'bodyBytes' | 'urlChars'>): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.url.length > urlChars)
      throw new ProblemError('too-large', `the address must be at most ${urlChars} characters long`);
    if (c.req.raw.body !== null) {
      const sentence = `the body must be at most ${bodyBytes} bytes long`;
      if (Number(c.req.header('content-length') ?? 0) > bodyBytes) throw new ProblemError('too-large', sentence);
      // What is too long is not read to its end; what says nothing of its length is counted.
      let size = 0;
      const counted = c.req.raw.body.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            size += chunk.byteLength;
            if (size > bodyBytes) controller.error(new ProblemError('too-large', sentence));
            else controller.enqueue(chunk);
          },
        }),
      );
      c.req.raw = new Request(c.req.raw, { body: counted, duplex: 'half' } as RequestInit);
    }
    await next();
  };
}
