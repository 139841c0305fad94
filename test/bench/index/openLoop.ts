import { Agent, request } from 'node:http';

/** One kind of request of a load. */
export interface Shot {
  name: string;
  method?: string;
  path: () => string;
  body?: () => string;
}

/** What a load found. Latencies are from the moment at which a request was due, not sent: a stall counts for everything that waited. */
export interface Load {
  sent: number;
  /** Sorted milliseconds by name of the shot, of the answers that were not refused. */
  latencies: Map<string, number[]>;
  /** How many answers had each status; 0 for none. */
  statuses: Map<number, number>;
  /** When the last refusal and the first answer after it came, milliseconds from the start. */
  lastRefusal: number;
}

/** Sends `perSecond` requests a second for `seconds`, by turns, whether or not earlier ones were answered. */
export async function openLoop(url: string, shots: readonly Shot[], perSecond: number, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const { hostname, port } = new URL(url);
  const load: Load = { sent: 0, latencies: new Map(), statuses: new Map(), lastRefusal: 0 };
  const began = performance.now();
  const open = new Set<Promise<void>>();
  const fire = (due: number, { name, method = 'GET', path, body }: Shot): Promise<void> =>
    new Promise((resolve) => {
      const done = (status: number): void => {
        const now = performance.now();
        load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1);
        if (status >= 200 && status < 400) {
          const of = load.latencies.get(name) ?? [];
          load.latencies.set(name, of);
          of.push(now - due);
        } else load.lastRefusal = now - began;
        resolve();
      };
      const text = body?.();
      const headers =
        text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const sent = request({ hostname, port, agent, method, path: path(), headers }, (response) => {
        response
          .resume()
          .on('end', () => done(response.statusCode ?? 0))
          .on('error', () => done(0));
      });
      sent.setTimeout(15_000, () => sent.destroy());
      sent.on('error', () => done(0));
      sent.end(text);
    });
  const total = Math.round(perSecond * seconds);
  while (load.sent < total) {
    // All that are due by now, at once: a timer that comes late must not lower the rate.
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * perSecond) + 1);
    for (; load.sent < due; load.sent += 1) {
      const at = began + (load.sent / perSecond) * 1_000;
      const one = fire(at, shots[load.sent % shots.length]!);
      open.add(one);
      void one.then(() => open.delete(one));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
  agent.destroy();
  for (const of of load.latencies.values()) of.sort((a, b) => a - b);
  return load;
}

/** The value below which `share` of the sorted values lie. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
