/** What the network says, over HTTP: the newest of each kind, and a stream of what is new. Mounted by gateways and by an indexer's API. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { isHex, type Hex } from 'viem';

import type { Gossip } from './gossip.ts';
import type { Checked } from './guard.ts';
import { peerAnswer } from './peerRecord.ts';
import { GOSSIP_TOPICS, type GossipTopic } from './topics.ts';
import { parseCid } from '../storage/cid.ts';

/** Bounds of the routes. */
export interface LiveRoutesOptions {
  /** Streams that are open at once. */
  readonly streams?: number;
  /** Events that wait for a slow reader before its stream is ended; it may come again and read the newest. */
  readonly waiting?: number;
  /** Pause between two signs of life on a silent stream, milliseconds. */
  readonly pingMs?: number;
}

type Place = Pick<Gossip, 'live' | 'directory' | 'answer' | 'subscribe'>;

/**
 * `GET /v1/peer`, `/v1/live/heartbeats`, `/v1/live/declines?job=`, `/v1/live/jobs/:id/progress`, `/v1/live/holders/:cid` and the SSE stream
 * `/v1/live/stream?topics=&job=`. `place` answers undefined until there is one: 503 until then.
 */
export function liveRoutes(place: () => Place | undefined, options: LiveRoutesOptions = {}): Hono {
  const { streams = 256, waiting = 256, pingMs = 15_000 } = options;
  const app = new Hono();
  let open = 0;
  const answer = (c: Context, read: (place: Place) => unknown): Response => {
    const there = place();
    if (!there) return c.json({ error: 'starting', message: 'This gateway has not joined the network yet.' }, 503);
    return c.body(toJson(read(there)), 200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  };
  const refuse = (c: Context, message: string): Response => c.json({ error: 'invalid-request', message }, 400);

  app.get('/v1/peer', (c) => answer(c, (there) => peerAnswer(there.answer())));
  app.get('/v1/live/heartbeats', (c) => answer(c, ({ live }) => ({ items: live.heartbeats() })));
  app.get('/v1/live/declines', (c) => {
    const job = c.req.query('job');
    if (job !== undefined && !isJob(job)) return refuse(c, 'job is a job id: 0x and 64 hex digits');
    return answer(c, ({ live }) => ({ items: live.declines(job) }));
  });
  app.get('/v1/live/jobs/:id/progress', (c) => {
    const id = c.req.param('id');
    if (!isJob(id)) return refuse(c, 'a job id is 0x and 64 hex digits');
    return answer(c, ({ live }) => ({ job: id.toLowerCase(), shards: live.progress(id) }));
  });
  app.get('/v1/live/holders/:cid', (c) => {
    try {
      const cid = parseCid(c.req.param('cid'));
      return answer(c, ({ live }) => ({ cid: cid.toString(), nodes: live.holders(cid) }));
    } catch {
      return refuse(c, 'the last part is a CID with sha2-256');
    }
  });
  app.get('/v1/live/stream', (c) => {
    const topics = topicsOf(c.req.query('topics'));
    const job = c.req.query('job');
    if (!topics) return refuse(c, `topics is a list of ${GOSSIP_TOPICS.join(', ')}`);
    if (job !== undefined && !isJob(job)) return refuse(c, 'job is a job id: 0x and 64 hex digits');
    const there = place();
    if (!there) return answer(c, () => undefined);
    if (open >= streams) return c.json({ error: 'busy', message: 'Too many streams are open; try again later.' }, 503);
    open += 1;
    return streamSSE(c, async (stream) => {
      const queue: string[][] = [];
      let wake = (): void => {};
      const stop = there.subscribe((statement) => {
        const { said } = statement;
        if (!topics.has(statement.topic) || (job && !('job' in said && said.job === job.toLowerCase()))) return;
        queue.push([statement.topic, toJson(shown(statement))]);
        wake();
      });
      let ended = false;
      stream.onAbort(() => {
        ended = true;
        wake();
      });
      try {
        // The head goes out at once, so that a reader knows that it listens.
        await stream.write(': listening\n\n');
        while (!ended && queue.length <= waiting) {
          const next = queue.shift();
          if (next) await stream.writeSSE({ event: next[0]!, data: next[1]! });
          else if (!(await sleepUntil((heard) => (wake = heard), pingMs))) await stream.write(': still here\n\n');
        }
      } finally {
        stop();
        open -= 1;
      }
    });
  });
  return app;
}

/** A statement as it is shown. */
export function shown({ node, time, topic, said }: Checked<GossipTopic>): Record<string, unknown> {
  return { topic, node, saidAt: time, ...said };
}

/** JSON with bytes as base64. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item,
  );
}

function isJob(text: string): text is Hex {
  return isHex(text) && text.length === 66;
}

function topicsOf(list: string | undefined): ReadonlySet<GossipTopic> | undefined {
  if (list === undefined) return new Set(GOSSIP_TOPICS);
  const named = list.split(',').map((name) => GOSSIP_TOPICS.find((topic) => topic === name));
  return named.every((name) => name !== undefined) ? new Set(named) : undefined;
}

/** @returns true when woken, false when the time was over. */
async function sleepUntil(listen: (wake: () => void) => void, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    listen(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
