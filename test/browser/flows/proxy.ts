import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands between a page and its indexer does with an answer. */
export interface Mischief {
  /** Every answer comes this much later, milliseconds. */
  delayMs?: number;
  /** Every answer is the first that this address ever got; what was never asked before is not found. */
  frozen?: boolean;
  /** Every answer is this status, with nothing to read. */
  status?: number;
  /** Changes what the indexer says. */
  lie?: (path: string, answer: unknown) => unknown;
}

/** A proxy that misbehaves as it is told. */
export interface LyingProxy {
  url: string;
  mischief: Mischief;
  stop(): Promise<void>;
}

/** Starts a proxy before the indexer at `target`. Only JSON is tampered with; the live stream ends when answers are delayed, frozen or refused. */
export async function startLyingProxy(target: string): Promise<LyingProxy> {
  const remembered = new Map<string, { status: number; body: Buffer; type: string }>();
  const timers = new Set<NodeJS.Timeout>();
  const proxy: LyingProxy = { url: '', mischief: {}, stop };

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    outgoing.setHeader('access-control-allow-origin', '*');
    outgoing.setHeader('access-control-allow-headers', '*');
    if (incoming.method === 'OPTIONS') return void outgoing.end();
    const { delayMs, frozen, status, lie } = proxy.mischief;
    if (path.startsWith('/v1/live')) {
      if (delayMs || frozen || status) return void outgoing.writeHead(503).end();
      return void incoming.pipe(
        request(`${target}${path}`, { headers: { accept: 'text/event-stream' } }, (from) => {
          outgoing.writeHead(from.statusCode ?? 502, { 'content-type': from.headers['content-type'] ?? 'text/plain' });
          from.pipe(outgoing);
          outgoing.on('close', () => from.destroy());
        }).on('error', () => outgoing.destroy()),
      );
    }
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    if (delayMs) await later(delayMs);
    if (status) return void outgoing.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    const got = frozen ? remembered.get(path) : await ask(incoming.method ?? 'GET', path, Buffer.concat(parts));
    if (!got) return void outgoing.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    if (!remembered.has(path)) remembered.set(path, got);
    outgoing.writeHead(got.status, { 'content-type': got.type });
    outgoing.end(lie ? JSON.stringify(lie(path, JSON.parse(got.body.toString()))) : got.body);
  }

  async function ask(
    method: string,
    path: string,
    body: Buffer,
  ): Promise<{ status: number; body: Buffer; type: string }> {
    const init = body.length > 0 ? { body: new Uint8Array(body), headers: { 'content-type': 'application/json' } } : {};
    const response = await fetch(`${target}${path}`, { method, ...init });
    const type = response.headers.get('content-type') ?? 'application/json';
    return { status: response.status, type, body: Buffer.from(await response.arrayBuffer()) };
  }

  function later(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => (timers.delete(timer), resolve()), ms);
      timers.add(timer);
    });
  }

  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  async function stop(): Promise<void> {
    for (const timer of timers) clearTimeout(timer);
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
