import { Hono } from 'hono';
import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { CODECS, parseCid } from '../storage/cid.ts';
import { InvalidRequestError, NotFoundError, UnauthorizedError, UploadTooBigError } from '../storage/errors.ts';
import { receiptTypedData, signedReceiptSchema, verifyReceipt } from '../storage/receipt.ts';
import type { Receipt, SignedReceipt, StorageDomain } from '../storage/receipt.ts';
import { textOf } from './body.ts';
import { pullAndPin } from './pull.ts';
import type { PullDeps } from './pull.ts';
import type { ReceiptBook } from './receiptBook.ts';
import { MOST_RECEIPTS } from './receiptBook.ts';
import { checkQuota } from './writers.ts';
import type { Writer } from './writers.ts';

/** How a registered node keeps copies for others. */
export interface ReplicaOptions {
  /** This node. */
  readonly node: number;
  readonly domain: StorageDomain;
  /** Signs with this node's operator key. */
  readonly sign: (data: ReturnType<typeof receiptTypedData>) => Promise<Hex>;
  /** The operator registered for a node; undefined when there is none. */
  readonly operatorOf: (node: number) => Promise<Address | undefined>;
  /** Longest time that is promised, in milliseconds. */
  readonly keepMs: number;
  /** Largest content that is copied for others, in bytes. */
  readonly maxBytes: number;
}

/** What the routes about copies stand on. */
export interface ReplicaDeps extends PullDeps {
  readonly receipts: ReceiptBook;
  /** Absent where this gateway belongs to no node: then it keeps no copies for others. */
  readonly replicas?: ReplicaOptions | undefined;
}

const MAX_BODY_BYTES = 64 * 1024;
const WALK = z.enum(['none', 'links']).default('none');
const NONCE = z.custom<Hex>((text) => typeof text === 'string' && /^0x[0-9a-f]{64}$/.test(text));
const REQUEST = z.strictObject({
  cid: z.string().max(200),
  walk: WALK,
  bytes: z.int().min(1),
  until: z.int().min(0),
  nonce: NONCE,
});
const RECEIPTS = z.strictObject({ receipts: z.array(signedReceiptSchema).min(1).max(MOST_RECEIPTS) });

/**
 * Copies for other nodes. A node asks with a signed request, this one pulls from the endpoint that the chain names for it (never from a
 * URL that a request could choose), and signs a receipt once everything is complete and synced.
 */
export function replicaRoutes(deps: ReplicaDeps): Hono<{ Variables: { writer: Writer } }> {
  const app = new Hono<{ Variables: { writer: Writer } }>();

  app.post('/v1/replicas', async (c) => {
    const writer = c.get('writer');
    const { replicas } = deps;
    if (!replicas) throw new InvalidRequestError('this gateway keeps no copies for others; ask the next node');
    const asked = REQUEST.safeParse(json(await textOf(c, MAX_BODY_BYTES, writer)));
    if (!asked.success) throw new InvalidRequestError('a request for a copy is JSON: {cid, walk, bytes, until, nonce}');
    if (!writer.node)
      throw new UnauthorizedError('copies are kept for registered nodes, which sign with their operator’s key');
    return c.json(await keep(deps, replicas, writer, asked.data), 201);
  });

  app.get('/v1/receipts/:cid', (c) => {
    const cid = parseCid(c.req.param('cid')).toString();
    const receipts = deps.receipts.get(cid);
    if (receipts.length === 0) throw new NotFoundError(cid);
    return c.json({ cid, receipts }, 200, { 'cache-control': 'no-cache' });
  });

  app.post('/v1/receipts/:cid', async (c) => {
    const writer = c.get('writer');
    const { replicas, pins } = deps;
    const cid = parseCid(c.req.param('cid')).toString();
    const sent = RECEIPTS.safeParse(json(await textOf(c, MAX_BODY_BYTES, writer)));
    if (!sent.success) throw new InvalidRequestError(`receipts are JSON: {receipts: at most ${MOST_RECEIPTS}}`);
    if (!replicas || !pins.has(cid)) throw new NotFoundError(cid);
    const until = Math.floor(Date.now() / 1000);
    const receipts = sent.data.receipts as SignedReceipt[];
    for (const receipt of receipts) {
      await verifyReceipt(receipt, { domain: replicas.domain, cid, operatorOf: replicas.operatorOf, until });
    }
    await deps.receipts.add(cid, receipts);
    return c.json({ cid, receipts: deps.receipts.get(cid).length }, 201);
  });

  return app;
}

async function keep(
  deps: ReplicaDeps,
  replicas: ReplicaOptions,
  writer: Writer,
  asked: z.infer<typeof REQUEST>,
): Promise<SignedReceipt> {
  const root = parseCid(asked.cid);
  const cid = root.toString();
  if (asked.bytes > replicas.maxBytes) throw new UploadTooBigError(replicas.maxBytes);
  const before = deps.pins.get(cid)?.holds.find(({ by }) => by === writer.by)?.bytes ?? 0;
  checkQuota(writer, deps.pins.usage(writer.by).bytes, asked.bytes, before);
  const untilMs = Math.min(asked.until * 1000, Date.now() + replicas.keepMs);
  const { bytes } = await pullAndPin(
    deps,
    root,
    {
      walk: root.code === CODECS['dag-cbor'] ? asked.walk : 'none',
      depth: 'read',
      hold: (extent) => {
        if (extent.bytes > asked.bytes) throw new UploadTooBigError(asked.bytes);
        return { by: writer.by, untilMs, bytes: extent.bytes };
      },
    },
    { getHolders: () => [writer.node!.endpoint], maxBytes: asked.bytes },
  );
  const receipt = await signReceipt(replicas, { cid, bytes, until: Math.floor(untilMs / 1000), nonce: asked.nonce });
  await deps.receipts.add(cid, [receipt]);
  return receipt;
}

/** A receipt of this node itself. Only for what is complete, synced and pinned until then. */
export async function signReceipt(
  { node, domain, sign }: Pick<ReplicaOptions, 'node' | 'domain' | 'sign'>,
  said: Omit<Receipt, 'node'>,
): Promise<SignedReceipt> {
  const receipt = { ...said, node };
  return { ...receipt, signature: await sign(receiptTypedData(receipt, domain)) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
