import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { cors } from 'hono/cors';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { MAX_BLOCK_BYTES } from '../storage/cid.ts';
import { InvalidRequestError, QuotaExceededError, StorageError, UnauthorizedError } from '../storage/errors.ts';
import type { Patience } from '../storage/gatewayRequest.ts';
import { errorBody, statusOf } from '../storage/wire.ts';
import { FileBlockstore } from './fileBlockstore.ts';
import { collectGarbage } from './garbage.ts';
import type { Collected } from './garbage.ts';
import { PinSet } from './pinSet.ts';
import { readRoutes } from './readRoutes.ts';
import { writeRoutes } from './writeRoutes.ts';

/** Where a gateway writes what happens; pino's loggers fit. */
export interface GatewayLog {
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

/** How to run a gateway. */
export interface GatewayOptions {
  /** Folder for blocks and pins; made if absent. One gateway at a time may own it. */
  readonly dir: string;
  /** Address to listen at; 127.0.0.1 if absent. */
  readonly host?: string;
  /** TCP port; 0 or absent takes a free one. */
  readonly port?: number;
  /** Largest block taken, in bytes; 2 MiB (the most) if absent. */
  readonly maxBlockBytes?: number;
  /** Largest request body, in bytes; 256 MiB if absent. Clients send shards of 16 MiB. */
  readonly maxUploadBytes?: number;
  /** Bytes of blocks held at most; unlimited if absent. */
  readonly quotaBytes?: number;
  /**
   * Age in milliseconds from which blocks that no pin reaches may be removed, which happens by itself when the store is
   * full; 6 hours if absent. Longer than any upload takes.
   */
  readonly garbageAgeMs?: number;
  readonly log?: GatewayLog;
  /**
   * Peers to pull a CID from when a pin request names no origins. A GET of what is not here never pulls: the gateway
   * is no proxy, clients ask the other holders themselves.
   */
  readonly pullFrom?: (cid: string) => Promise<readonly string[]> | readonly string[];
  /** Decides who may write; everybody may if absent. Gets the request's method, path and headers. */
  readonly authorizeWrite?: (request: { method: string; path: string; headers: Headers }) => Promise<boolean> | boolean;
  /** Further routes that are served beside these. */
  readonly routes?: Hono;
  /** Patience with the peers that content is pulled from. */
  readonly patience?: Partial<Patience>;
  /** The fetch used for pulling. */
  readonly fetch?: typeof fetch;
}

/** A running gateway. */
export interface Gateway {
  /** Its base URL, without a slash at the end. */
  readonly url: string;
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  /** Removes old blocks that no pin reaches; to be called now and then, as when a job's content was unpinned. */
  collectGarbage(): Promise<Collected>;
  /** Stops listening, ends what is under way and returns when the port is free. */
  close(): Promise<void>;
}

/** What the routes of a gateway work on. */
export interface GatewayParts {
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  /** Ends pulls when the gateway closes. */
  readonly signal: AbortSignal;
  /** Told when a write found no room. */
  readonly onFull: () => void;
}

const DEFAULT_GARBAGE_AGE_MS = 6 * 60 * 60 * 1000;
const DEFAULT_UPLOAD_BYTES = 256 * 1024 * 1024;
const SILENT: GatewayLog = { warn: () => {}, error: () => {} };

/** Opens the block store in `dir` and serves it over HTTP. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const maxBlockBytes = Math.min(options.maxBlockBytes ?? MAX_BLOCK_BYTES, MAX_BLOCK_BYTES);
  const store = await FileBlockstore.open({
    dir: join(options.dir, 'blocks'),
    maxBlockBytes,
    quotaBytes: options.quotaBytes,
  });
  const pins = await PinSet.open(join(options.dir, 'pins.json'));
  const closing = new AbortController();
  const minAgeMs = options.garbageAgeMs ?? DEFAULT_GARBAGE_AGE_MS;
  const collect = (): Promise<Collected> => collectGarbage({ store, pins }, { minAgeMs });
  const onFull = onceAtATime(collect, options.log ?? SILENT);
  const app = gatewayApp({ ...options, maxBlockBytes }, { store, pins, signal: closing.signal, onFull });
  const host = options.host ?? '127.0.0.1';
  const server = await listen(app, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    store,
    pins,
    collectGarbage: collect,
    async close() {
      closing.abort(new Error('the gateway is closing'));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

/** The gateway's routes over an open store, for whoever has a server already. */
export function gatewayApp(
  options: Omit<GatewayOptions, 'dir' | 'host' | 'port' | 'quotaBytes' | 'garbageAgeMs'>,
  { store, pins, signal, onFull }: GatewayParts,
): Hono {
  const log = options.log ?? SILENT;
  const app = new Hono();
  app.use(
    cors({
      origin: '*',
      allowMethods: ['GET', 'HEAD', 'POST', 'OPTIONS'],
      allowHeaders: ['Accept', 'Authorization', 'Content-Type', 'If-None-Match'],
      exposeHeaders: ['Content-Length', 'ETag', 'X-Ipfs-Path', 'X-Ipfs-Roots'],
      maxAge: 86_400,
    }),
  );
  app.post('*', async (c, next) => {
    const { method, path, raw } = c.req;
    const allowed = (await options.authorizeWrite?.({ method, path, headers: raw.headers })) ?? true;
    if (!allowed) throw new UnauthorizedError();
    await next();
  });

  app.get('/health', (c) => c.json({ ...store.size, pins: pins.count }));
  app.route('/', readRoutes({ store, onBroken: (cid, error) => log.warn({ cid, error }, 'Download broken off') }));
  app.route(
    '/',
    writeRoutes({
      store,
      pins,
      maxBlockBytes: options.maxBlockBytes ?? MAX_BLOCK_BYTES,
      maxUploadBytes: options.maxUploadBytes ?? DEFAULT_UPLOAD_BYTES,
      pullFrom: options.pullFrom,
      patience: options.patience,
      fetch: options.fetch ?? fetch,
      signal,
    }),
  );
  if (options.routes) app.route('/', options.routes);
  app.notFound((c) => answer(c, new InvalidRequestError(`there is nothing at ${c.req.method} ${c.req.path}`), 404));
  app.onError((error, c) => {
    if (error instanceof QuotaExceededError) onFull();
    if (error instanceof StorageError && error.code !== 'internal') return answer(c, error);
    // the client is told that we failed, never how
    log.error({ method: c.req.method, path: c.req.path, error }, 'Request failed');
    return answer(c, new StorageError('internal', 'the gateway failed at this request; its log says why'));
  });
  return app;
}

/** Starts `collect` unless it runs already. */
function onceAtATime(collect: () => Promise<Collected>, log: GatewayLog): () => void {
  let running = false;
  return () => {
    if (running) return;
    running = true;
    collect()
      .then(({ blocks, bytes }) => log.warn({ blocks, bytes }, 'Store was full, garbage collected'))
      .catch((error: unknown) => log.error({ error }, 'Garbage could not be collected'))
      .finally(() => (running = false));
  };
}

const answer = (c: Context, error: StorageError, status: number = statusOf(error.code)): Response =>
  c.json(errorBody(error), status as ContentfulStatusCode, { 'cache-control': 'no-store' });

async function listen(app: Hono, hostname: string, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port }, () => {
      server.off('error', reject);
      resolve(server);
    });
    server.once('error', reject);
  });
}
