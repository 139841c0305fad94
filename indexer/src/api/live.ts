import { Hono } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { Changes, News } from './changes.ts';
import { ProblemError } from './problem.ts';

/** Bounds of the stream. */
export interface LiveOptions {
  /** Proxies cut silent connections, most after 30 s or more. */
  heartbeatMs?: number;
  /** Streams that are open at once. */
  streams?: number;
  /** Told how many are open, whenever that changes. */
  onStreams?: (open: number) => void;
}

/**
 * `GET /live`: server-sent events. The newest block at once, then each event of the Market and each block that changed rows. `?job=` and
 * `?node=` leave out events of others. In silence comments keep the connection open. `Last-Event-ID` goes on where a stream broke off.
 * A reader that falls too far behind is told to read all again, and nothing is queued for it.
 */
export function liveRoutes(
  changes: Changes,
  { heartbeatMs = 15_000, streams = 1_000, onStreams = () => {} }: LiveOptions = {},
): Hono {
  let open = 0;
  const count = (by: 1 | -1): void => onStreams((open += by));
  return new Hono().get('/live', (c) => {
    if (open >= streams) {
      const sentence = `${streams} streams are open, which is all that this indexer keeps; ask /v1/stats now and then instead`;
      throw new ProblemError('overloaded', sentence, { headers: { 'retry-after': '10' } });
    }
    const { job, node } = c.req.query();
    const wants = (news: News) =>
      news.event !== 'activity' ||
      ((job === undefined || news.data.job === job.toLowerCase()) &&
        (node === undefined || `${news.data.node}` === node));
    const last = c.req.header('last-event-id');
    // Tells nginx and its like to pass each event on at once.
    c.header('x-accel-buffering', 'no');
    count(1);
    return streamSSE(c, async (stream) => {
      const stop = changes.watch();
      try {
        await speak(stream, changes, { last, wants, heartbeatMs });
      } finally {
        stop();
        count(-1);
      }
    });
  });
}

interface Listener {
  last: string | undefined;
  wants: (news: News) => boolean;
  heartbeatMs: number;
}

async function speak(stream: SSEStreamingApi, changes: Changes, { last, wants, heartbeatMs }: Listener): Promise<void> {
  const say = async (news: readonly News[]) => {
    for (const one of news) {
      if (stream.aborted) return;
      if (wants(one)) await stream.writeSSE({ event: one.event, data: JSON.stringify(one.data), id: one.id });
    }
  };
  let wake = (): void => {};
  stream.onAbort(() => wake());
  // What comes while the past is read comes after it, and some of it twice: ids tell.
  let next = changes.end;
  if (last !== undefined) {
    const missed = await changes.resume(last);
    await say(missed ?? [{ event: 'reset', data: { reason: 'missed' }, id: last }]);
  }
  if (changes.block && next === changes.end) await say([changes.block]);
  while (!stream.aborted) {
    const news = changes.from(next) ?? [{ event: 'reset', data: { reason: 'missed' }, id: '0' } as const];
    next = changes.end;
    await say(news);
    if (changes.end !== next || stream.aborted) continue;
    const waiting = changes.next();
    wake = waiting.wake;
    const timer = setTimeout(wake, heartbeatMs);
    await waiting.promise;
    clearTimeout(timer);
    if (changes.end === next && !stream.aborted) await stream.write(': still here\n\n');
  }
}
