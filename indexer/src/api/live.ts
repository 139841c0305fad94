import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Changes, Head } from './changes.ts';

/** Proxies cut silent connections, most after 30 s or more. */
const HEARTBEAT_MS = 15_000;

/**
 * `GET /live`: server-sent events. `block` with the newest block at once and after each that changed rows, `heartbeat` in
 * silence. A slow reader skips blocks instead of queueing them: only the newest matters.
 */
export function liveRoutes(changes: Changes, heartbeatMs: number = HEARTBEAT_MS): Hono {
  return new Hono().get('/live', (c) => {
    // Tells nginx and its like to pass each event on at once.
    c.header('x-accel-buffering', 'no');
    return streamSSE(c, async (stream) => {
      let newest: Head | undefined;
      let wake = Promise.withResolvers<void>();
      const stop = changes.listen((head) => {
        newest = head;
        wake.resolve();
      });
      stream.onAbort(() => {
        stop();
        wake.resolve();
      });
      while (!stream.aborted) {
        const timer = setTimeout(() => wake.resolve(), heartbeatMs);
        await wake.promise;
        clearTimeout(timer);
        wake = Promise.withResolvers<void>();
        const head = newest;
        newest = undefined;
        if (stream.aborted) break;
        if (head) {
          const data = JSON.stringify({ number: head.number, timestamp: head.timestamp });
          await stream.writeSSE({ event: 'block', data, id: head.key });
        } else {
          await stream.writeSSE({ event: 'heartbeat', data: '{}' });
        }
      }
    });
  });
}
