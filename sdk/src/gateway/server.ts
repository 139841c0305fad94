import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { cors } from 'hono/cors';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { CID } from 'multiformats/cid';
import { MAX_BLOCK_BYTES } from '../storage/cid.ts';
import {
  InvalidRequestError,
  NotFoundError,
  QuotaExceededError,
  StorageError,
  UnauthorizedError,
} from '../storage/errors.ts';
import type { Patience } from '../storage/gatewayRequest.ts';
import { errorBody, statusOf } from '../storage/wire.ts';
import { FileBlockstore } from './fileBlockstore.ts';
import { collectGarbage } from './garbage.ts';
import type { Collected } from './garbage.ts';
import { PinSet } from './pinSet.ts';
import { pullAndPin } from './pull.ts';
import { readRoutes } from './readRoutes.ts';
import { ReceiptBook } from './receiptBook.ts';
import { replicaRoutes } from './replicaRoutes.ts';
import type { ReplicaOptions } from './replicaRoutes.ts';
import { writeRoutes } from './writeRoutes.ts';
import type { WriterEnv } from './writeRoutes.ts';
import { OWNER } from './writers.ts';
import type { WriteAttempt, Writer } from './writers.ts';

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
  /**
   * Decides who may write: true for everything in the owner's name, false for nothing, or who it is and how much it may have kept; see
   * `SignedWrites`. If absent, everybody may where only this machine can connect, and nobody elsewhere.
   */
  readonly authorizeWrite?: (request: WriteAttempt) => Promise<boolean | Writer> | boolean | Writer;
  /** Says in `GET /health` that writes are signed here, so that clients ask for a signature before they upload. */
  readonly signedWrites?: boolean;
  /** Keeps copies for other nodes, as a registered node does. */
  readonly replicas?: ReplicaOptions;
  /** Content that the operator does not serve, for whatever reason: answered with 410. */
  readonly isBlocked?: (cid: string) => boolean;
  /** Longest time for the whole of a request to come in, in milliseconds; 150 s if absent, more than clients wait. Its headers have 10 s. */
  readonly requestMs?: number;
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
  /** Who holds copies of what is kept here. */
  readonly receipts: ReceiptBook;
  /** Ends pins whose time is over, removes old blocks that no pin reaches; to be called now and then, as when a job's content was unpinned. */
  collectGarbage(): Promise<Collected>;
  /** Fetches what is missing under a root that is pinned here from other gateways. Its pin stays as it is. */
  copy(root: CID, from: readonly string[]): Promise<void>;
  /** Stops listening, ends what is under way and returns when the port is free. */
  close(): Promise<void>;
}

/** What the routes of a gateway work on. */
export interface GatewayParts {
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  readonly receipts: ReceiptBook;
  /** Ends pulls when the gateway closes. */
  readonly signal: AbortSignal;
  /** Told when a write found no room. */
  readonly onFull: () => void;
}

const DEFAULT_GARBAGE_AGE_MS = 6 * 60 * 60 * 1000;
const DEFAULT_REQUEST_MS = 150_000;
const HEADERS_MS = 10_000;
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
  const receipts = await ReceiptBook.open(join(options.dir, 'receipts'));
  const collect = async (): Promise<Collected> => {
    const collected = await collectGarbage({ store, pins }, { minAgeMs });
    await receipts.prune((cid) => pins.has(cid));
    return collected;
  };
  const onFull = onceAtATime(collect, options.log ?? SILENT);
  const host = options.host ?? '127.0.0.1';
  const authorizeWrite = options.authorizeWrite ?? ((): boolean => isLoopback(host));
  const parts = { store, pins, receipts, signal: closing.signal, onFull };
  const app = gatewayApp({ ...options, authorizeWrite, maxBlockBytes }, parts);
  const server = await listen(app, host, options.port ?? 0, options.requestMs ?? DEFAULT_REQUEST_MS);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    store,
    pins,
    receipts,
    collectGarbage: collect,
    async copy(root, from) {
      const pin = pins.get(root.toString());
      if (!pin) throw new NotFoundError(root.toString());
      const deps = { store, pins, patience: options.patience, fetch: options.fetch ?? fetch, signal: closing.signal };
      const pinning = { walk: pin.walk, depth: 'read' as const, hold: () => pin.holds[0]! };
      await pullAndPin(deps, root, pinning, { getHolders: () => from });
    },
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
  { store, pins, receipts, signal, onFull }: GatewayParts,
): Hono<WriterEnv> {
  const log = options.log ?? SILENT;
  const app = new Hono<WriterEnv>();
  app.use(
    cors({
      origin: '*',
      // PUT is for routes that are served beside ours, such as a node's for envelopes.
      allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'],
      allowHeaders: [
        'Accept',
        'Authorization',
        'Cache-Control',
        'Content-Type',
        'If-None-Match',
        'Range',
        'User-Agent',
        'X-Requested-With',
      ],
      exposeHeaders: ['Content-Length', 'Content-Location', 'Content-Range', 'ETag', 'X-Ipfs-Path', 'X-Ipfs-Roots'],
      maxAge: 86_400,
    }),
  );
  app.post('*', async (c, next) => {
    const { method, url, raw } = c.req;
    const { pathname, search } = new URL(url);
    const allowed = (await options.authorizeWrite?.({ method, path: pathname + search, headers: raw.headers })) ?? true;
    if (allowed === false) throw new UnauthorizedError();
    c.set('writer', allowed === true ? OWNER : allowed);
    await next();
  });

  app.get('/health', (c) =>
    c.json({ ...store.size, pins: pins.count, writes: options.signedWrites ? 'signed' : 'open' }),
  );
  const onBroken = (cid: string, error: unknown): void => log.warn({ cid, error }, 'Download broken off');
  app.route('/', readRoutes({ store, isBlocked: options.isBlocked ?? (() => false), onBroken }));
  const pulling = { store, pins, patience: options.patience, fetch: options.fetch ?? fetch, signal };
  app.route('/', replicaRoutes({ ...pulling, receipts, replicas: options.replicas }));
  app.route(
    '/',
    writeRoutes({
      ...pulling,
      maxBlockBytes: options.maxBlockBytes ?? MAX_BLOCK_BYTES,
      maxUploadBytes: options.maxUploadBytes ?? DEFAULT_UPLOAD_BYTES,
      pullFrom: options.pullFrom,
    }),
  );
  if (options.routes) app.route('/', options.routes);
  app.notFound((c) => answer(c, new InvalidRequestError(`there is nothing at ${c.req.method} ${c.req.path}`), 404));
  app.onError((error, c) => {
    if (error instanceof QuotaExceededError) onFull();
    // asked for what is here at once or not at all, by the specification a condition that failed
    const onlyHere = /\bonly-if-cached\b/.test(c.req.header('cache-control') ?? '');
    if (error instanceof NotFoundError && onlyHere) return answer(c, error, 412);
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

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

async function listen(app: Hono<WriterEnv>, hostname: string, port: number, requestMs: number): Promise<ServerType> {
  // a client that sends a byte now and then must not keep a connection for ever
  const serverOptions = {
    requestTimeout: requestMs,
    headersTimeout: Math.min(HEADERS_MS, requestMs),
    connectionsCheckingInterval: Math.min(5_000, requestMs),
  };
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port, serverOptions }, () => {
      server.off('error', reject);
      resolve(server);
    });
    server.once('error', reject);
  });
}
