import { Hono } from 'hono';
import type { Context } from 'hono';
import type { CID } from 'multiformats/cid';
import { z } from 'zod';
import { TaskWindow } from '../storage/bytes.ts';
import { readCar } from '../storage/car.ts';
import { parseCid } from '../storage/cid.ts';
import { InvalidRequestError, MalformedCarError } from '../storage/errors.ts';
import { bodyOf, textOf } from './body.ts';
import { pinComplete } from './complete.ts';
import type { Pinning } from './complete.ts';
import { pullAndPin } from './pull.ts';
import type { PullDeps } from './pull.ts';
import { checkQuota } from './writers.ts';
import type { Writer } from './writers.ts';

/** What a request carries on its way: who writes. */
export interface WriterEnv {
  Variables: { writer: Writer };
}

/** What the writing half of a gateway stands on. */
export interface WriteDeps extends PullDeps {
  readonly maxBlockBytes: number;
  /** Largest request body, in bytes. */
  readonly maxUploadBytes: number;
  /** Where to pull a CID from when a pin request names no origins. */
  readonly pullFrom?: ((cid: string) => Promise<readonly string[]> | readonly string[]) | undefined;
}

const WRITES_AT_ONCE = 8;
const MAX_ORIGINS = 32;
const MAX_PIN_BODY_BYTES = 64 * 1024;

const MAX_MISSING = 1024;
const MAX_MISSING_BODY_BYTES = 256 * 1024;
const MISSING_BODY = z.object({ cids: z.array(z.string().max(200)).max(MAX_MISSING) });

const WALK = z.enum(['none', 'links']).default('none');
const ORIGIN = z.url({ protocol: /^https?$/ }).max(2048);
const PIN_BODY = z.object({
  cid: z.string().max(200),
  origins: z.array(ORIGIN).max(MAX_ORIGINS).default([]),
  walk: WALK,
});

/** Uploads and pins. Every block is hashed before it is kept, and nothing counts as pinned before it is complete. */
export function writeRoutes(deps: WriteDeps): Hono<WriterEnv> {
  const app = new Hono<WriterEnv>();

  app.post('/v1/blocks', async (c) => {
    const { blocks, bytes } = await importCar(c, deps);
    return c.json({ blocks, bytes }, 201);
  });

  app.post('/v1/missing', async (c) => {
    const asked = MISSING_BODY.safeParse(jsonOf(await textOf(c, MAX_MISSING_BODY_BYTES, c.get('writer'))));
    if (!asked.success) throw new InvalidRequestError(`JSON is expected here: {cids: at most ${MAX_MISSING}}`);
    const missing: string[] = [];
    for (const cid of asked.data.cids) if (!(await deps.store.refresh(parseCid(cid)))) missing.push(cid);
    return c.json({ missing });
  });

  app.post('/v1/car', async (c) => {
    const { roots, blocks, bytes } = await importCar(c, deps);
    const [root] = roots;
    if (!root || roots.length !== 1)
      throw new MalformedCarError(`it has ${roots.length} roots, one is needed to pin it`);
    await pinComplete(deps, root, pinningOf(deps, c.get('writer'), root, walkOf(c)));
    return c.json({ cid: root.toString(), blocks, bytes }, 201);
  });

  app.post('/v1/commit/:cid', async (c) => {
    const root = parseCid(c.req.param('cid'));
    const writer = c.get('writer');
    await textOf(c, MAX_PIN_BODY_BYTES, writer);
    const { blocks } = await pinComplete(deps, root, pinningOf(deps, writer, root, walkOf(c)));
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
    const pinning = pinningOf(deps, c.get('writer'), root, walk);
    const getHolders = async (wanted: string): Promise<readonly string[]> =>
      origins.length > 0 ? origins : ((await deps.pullFrom?.(wanted)) ?? []);
    const { blocks } = await pullAndPin(deps, root, pinning, { getHolders, maxBytes: room(deps, c.get('writer')) });
    return c.json({ requestid: cid, status: 'pinned', pin: { cid, walk }, delegates: [], info: { blocks } }, 202);
  });

  return app;
}

/** Streams a CAR from the request's body into the store. A bad block ends it; the good ones before it may stay, unpinned. */
async function importCar(
  c: Context<WriterEnv>,
  { store, maxBlockBytes, maxUploadBytes }: WriteDeps,
): Promise<{ roots: readonly CID[]; blocks: number; bytes: number }> {
  const { roots, blocks: incoming } = await readCar(bodyOf(c, maxUploadBytes, c.get('writer')), maxBlockBytes);
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

function walkOf(c: Context): 'none' | 'links' {
  const walk = WALK.safeParse(c.req.query('walk'));
  if (!walk.success) throw new InvalidRequestError('walk is none or links');
  return walk.data;
}

async function pinBody(c: Context<WriterEnv>): Promise<z.infer<typeof PIN_BODY>> {
  const text = await textOf(c, MAX_PIN_BODY_BYTES, c.get('writer'));
  try {
    return PIN_BODY.parse(JSON.parse(text));
  } catch {
    throw new InvalidRequestError(
      'a pin request is JSON: {cid, origins?: http(s) URLs, at most 32, walk?: none|links}',
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How a writer's root is pinned: for it, as long as it is promised, and within what it may have kept. */
function pinningOf({ pins }: WriteDeps, writer: Writer, root: CID, walk: 'none' | 'links'): Pinning {
  return {
    walk,
    hold: ({ bytes }) => {
      const before = pins.get(root.toString())?.holds.find(({ by }) => by === writer.by)?.bytes ?? 0;
      checkQuota(writer, pins.usage(writer.by).bytes, bytes, before);
      return { by: writer.by, untilMs: writer.keepMs === undefined ? null : Date.now() + writer.keepMs, bytes };
    },
  };
}

/** Bytes that a writer may still have kept; undefined without a limit. */
function room({ pins }: WriteDeps, { by, quotaBytes }: Writer): number | undefined {
  return Number.isFinite(quotaBytes) ? Math.max(0, quotaBytes - pins.usage(by).bytes) : undefined;
}
