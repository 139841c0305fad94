import { Hono } from 'hono';
import type { Context } from 'hono';
import type { CID } from 'multiformats/cid';
import { z } from 'zod';
import { count, iterate, TaskWindow } from '../storage/bytes.ts';
import { readCar } from '../storage/car.ts';
import { CODECS, linksOf, parseCid } from '../storage/cid.ts';
import { InvalidRequestError, MalformedCarError, MissingBlockError, UploadTooBigError } from '../storage/errors.ts';
import { downloadBlock, downloadFile } from '../storage/download.ts';
import { DEFAULT_PATIENCE } from '../storage/gatewayRequest.ts';
import type { Patience } from '../storage/gatewayRequest.ts';
import { pinComplete, walkComplete } from './complete.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import type { PinSet } from './pinSet.ts';

/** What the writing half of a gateway stands on. */
export interface WriteDeps {
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  readonly maxBlockBytes: number;
  /** Largest request body, in bytes. */
  readonly maxUploadBytes: number;
  /** Where to pull a CID from when a pin request names no origins. */
  readonly pullFrom?: ((cid: string) => Promise<readonly string[]> | readonly string[]) | undefined;
  readonly patience?: Partial<Patience> | undefined;
  readonly fetch: typeof fetch;
  /** Ends pulls when the gateway closes. */
  readonly signal: AbortSignal;
}

const WRITES_AT_ONCE = 8;
const MAX_ORIGINS = 32;
const MAX_PIN_BODY_BYTES = 64 * 1024;

const WALK = z.enum(['none', 'links']).default('none');
const ORIGIN = z.url({ protocol: /^https?$/ }).max(2048);
const PIN_BODY = z.object({
  cid: z.string().max(200),
  origins: z.array(ORIGIN).max(MAX_ORIGINS).default([]),
  walk: WALK,
});

/** Uploads and pins. Every block is hashed before it is kept, and nothing counts as pinned before it is complete. */
export function writeRoutes(deps: WriteDeps): Hono {
  const app = new Hono();

  app.post('/v1/blocks', async (c) => {
    const { blocks, bytes } = await importCar(c, deps);
    return c.json({ blocks, bytes }, 201);
  });

  app.post('/v1/car', async (c) => {
    const { roots, blocks, bytes } = await importCar(c, deps);
    const [root] = roots;
    if (!root || roots.length !== 1)
      throw new MalformedCarError(`it has ${roots.length} roots, one is needed to pin it`);
    await pinComplete(deps, root, walkOf(c));
    return c.json({ cid: root.toString(), blocks, bytes }, 201);
  });

  app.post('/v1/commit/:cid', async (c) => {
    const root = parseCid(c.req.param('cid'));
    const blocks = await pinComplete(deps, root, walkOf(c));
    return c.json({ cid: root.toString(), blocks }, 201);
  });

  app.get('/pins', (c) => {
    const results = deps.pins.list().map(({ cid, createdMs, walk }) => ({
      requestid: cid,
      status: 'pinned',
      created: new Date(createdMs).toISOString(),
      pin: { cid, walk },
    }));
    return c.json({ count: results.length, results });
  });

  app.post('/pins', async (c) => {
    const { cid, origins, walk } = await pinBody(c);
    const root = parseCid(cid);
    const blocks = await pullAndPin(deps, root, origins, walk);
    return c.json({ requestid: cid, status: 'pinned', pin: { cid, walk }, delegates: [], info: { blocks } }, 202);
  });

  return app;
}

/** Streams a CAR from the request's body into the store. A bad block ends it; the good ones before it may stay, unpinned. */
async function importCar(
  c: Context,
  { store, maxBlockBytes, maxUploadBytes }: WriteDeps,
): Promise<{ roots: readonly CID[]; blocks: number; bytes: number }> {
  const { roots, blocks: incoming } = await readCar(limited(c, maxUploadBytes), maxBlockBytes);
  const writing = new TaskWindow(WRITES_AT_ONCE);
  let blocks = 0;
  let bytes = 0;
  try {
    for await (const block of incoming) {
      await writing.add(() => store.put(block.cid, block.bytes));
      blocks += 1;
      bytes += block.bytes.byteLength;
    }
    await writing.idle();
  } finally {
    await writing.settled();
  }
  return { roots, blocks, bytes };
}

/** The request's body, refused as soon as it is known to be too long. */
async function* limited(c: Context, maxBytes: number): AsyncGenerator<Uint8Array> {
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw new UploadTooBigError(maxBytes);
  if (!c.req.raw.body) return;
  let size = 0;
  for await (const chunk of iterate(c.req.raw.body)) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new UploadTooBigError(maxBytes);
    yield chunk;
  }
}

function walkOf(c: Context): 'none' | 'links' {
  const walk = WALK.safeParse(c.req.query('walk'));
  if (!walk.success) throw new InvalidRequestError('walk is none or links');
  return walk.data;
}

async function pinBody(c: Context): Promise<z.infer<typeof PIN_BODY>> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of limited(c, MAX_PIN_BODY_BYTES)) text += decoder.decode(chunk, { stream: true });
  try {
    return PIN_BODY.parse(JSON.parse(text));
  } catch {
    throw new InvalidRequestError(
      'a pin request is JSON: {cid, origins?: http(s) URLs, at most 32, walk?: none|links}',
    );
  }
}

/** Pins what is here already; pulls the rest, block by verified block, from the origins first. */
async function pullAndPin(
  deps: WriteDeps,
  root: CID,
  origins: readonly string[],
  walk: 'none' | 'links',
): Promise<number> {
  try {
    return await pinComplete(deps, root, walk);
  } catch (error) {
    if (!(error instanceof MissingBlockError)) throw error;
  }
  await pull(deps, root, origins);
  if (walk === 'links' && root.code === CODECS['dag-cbor']) {
    for (const link of linksOf(root, await deps.store.get(root))) await pull(deps, link, origins);
  }
  return pinComplete(deps, root, walk);
}

/** Copies one block, or one file with its tree, into the store. Links of dag-cbor blocks are not followed. */
async function pull(deps: WriteDeps, root: CID, origins: readonly string[]): Promise<void> {
  if (await isComplete(deps.store, root)) return;
  const patience = { ...DEFAULT_PATIENCE, ...deps.patience };
  const getHolders = async (cid: string): Promise<readonly string[]> =>
    origins.length > 0 ? origins : ((await deps.pullFrom?.(cid)) ?? []);
  const from = { getHolders, fetch: deps.fetch };
  if (root.code !== CODECS['dag-pb']) {
    return deps.store.putVerified(root, await downloadBlock(root, patience, from, deps.signal));
  }
  const writing = new TaskWindow(WRITES_AT_ONCE);
  try {
    for await (const { cid, bytes } of downloadFile(root, {}, patience, from, deps.signal)) {
      await writing.add(() => deps.store.putVerified(cid, bytes));
    }
    await writing.idle();
  } finally {
    await writing.settled();
  }
}

async function isComplete(store: FileBlockstore, root: CID): Promise<boolean> {
  try {
    await count(walkComplete(store, root, 'none'));
    return true;
  } catch (error) {
    if (error instanceof MissingBlockError) return false;
    throw error;
  }
}
