import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { CID } from 'multiformats/cid';
import { identity } from 'multiformats/hashes/identity';
import { carHeader, carSectionHead } from '../storage/car.ts';
import type { Block } from '../storage/car.ts';
import { CODECS, linksOf, parseCid } from '../storage/cid.ts';
import { GoneError, InvalidRequestError, NotAFileError, NotFoundError } from '../storage/errors.ts';
import { FileCursor, walkFile } from '../storage/unixfs.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import { headersOf, matchesTag, readRequestOf } from './readFormat.ts';
import type { CarRequest, ReadRequest } from './readFormat.ts';

/** What the reading half of a gateway stands on. */
export interface ReadDeps {
  readonly store: FileBlockstore;
  /** Content that the operator does not serve. */
  readonly isBlocked: (cid: string) => boolean;
  /** Told when an answer broke off because a block was missing or damaged; the client sees a cut stream. */
  readonly onBroken: (cid: string, error: unknown) => void;
}

interface Inline {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** What anybody puts into a CID itself. */
const MAX_INLINE_BYTES = 128;

/** GET and HEAD /ipfs/:cid by the trustless gateway specification: single blocks and CARs, nothing deserialised. */
export function readRoutes({ store, isBlocked, onBroken }: ReadDeps): Hono {
  const app = new Hono();

  // Hono answers HEAD with the GET handler and drops the body
  app.get('/ipfs/:cid', async (c) => {
    const inline = identityOf(c.req.param('cid'));
    const cid = inline?.cid ?? parseCid(c.req.param('cid'));
    if (isBlocked(cid.toString())) throw new GoneError(cid.toString());
    const request = readRequestOf(c);
    const headers = headersOf(cid, request, c);
    if (matchesTag(c.req.header('if-none-match'), headers['etag']!)) return c.body(null, 304, headers);

    const head = c.req.method === 'HEAD';
    if (inline) return sendInline(c, inline, request, headers, head);
    if (request.format === 'raw') return sendBlock(c, store, cid, headers, head);
    if (head) {
      if (!(await store.has(cid))) throw new NotFoundError(cid.toString());
      return c.body(null, 200, headers);
    }
    // read first, so that an absent or damaged root is an error answer and not a cut stream
    const root = await store.get(cid);
    const blocks = blocksOf(store, { cid, bytes: root }, request);
    return c.body(
      streamCar(cid, blocks, (error) => {
        onBroken(cid.toString(), error);
        // cut the connection ourselves: the server adapter would print the error and a stack
        (c.env as Partial<HttpBindings> | undefined)?.outgoing?.destroy();
      }),
      200,
      headers,
    );
  });

  app.get('/ipfs/:cid/*', () => {
    throw new InvalidRequestError('paths under a CID are not resolved here; ask for the CID of the file itself');
  });

  return app;
}

async function sendBlock(
  c: Context,
  store: FileBlockstore,
  cid: CID,
  headers: Record<string, string>,
  head: boolean,
): Promise<Response> {
  if (!head) {
    const bytes = await store.get(cid);
    return c.body(bytes as Uint8Array<ArrayBuffer>, 200, { ...headers, 'content-length': String(bytes.byteLength) });
  }
  const size = await store.sizeOf(cid);
  if (size === undefined) throw new NotFoundError(cid.toString());
  return c.body(null, 200, { ...headers, 'content-length': String(size) });
}

/** Content that a CID carries in itself, as the probe of the specification does; undefined for all other CIDs. */
function identityOf(text: string): Inline | undefined {
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch {
    return undefined;
  }
  if (cid.multihash.code !== identity.code) return undefined;
  const known = (Object.values(CODECS) as number[]).includes(cid.code);
  if (!known || cid.multihash.digest.byteLength > MAX_INLINE_BYTES) return undefined;
  return { cid, bytes: cid.multihash.digest };
}

/** There is nothing to look up or to verify. In a CAR such a block is left out: who has the CID has it. */
function sendInline(
  c: Context,
  { cid, bytes }: Inline,
  request: ReadRequest,
  headers: Record<string, string>,
  head: boolean,
): Response {
  const body = request.format === 'raw' ? bytes : carHeader([cid]);
  const sized = { ...headers, 'content-length': String(body.byteLength) };
  return head ? c.body(null, 200, sized) : c.body(body as Uint8Array<ArrayBuffer>, 200, sized);
}

/** The blocks a CAR answer holds, depth first. */
async function* blocksOf(store: FileBlockstore, root: Block, request: CarRequest): AsyncGenerator<Block> {
  const sent = new Set<string>();
  for await (const block of allBlocksOf(store, root, request)) {
    if (!request.dups) {
      const key = block.cid.toString();
      if (sent.has(key)) continue;
      sent.add(key);
    }
    yield block;
  }
}

async function* allBlocksOf(store: FileBlockstore, root: Block, { scope, range }: CarRequest): AsyncGenerator<Block> {
  const read = (cid: CID): Promise<Uint8Array> => store.get(cid);
  if (scope === 'block' || root.cid.code === CODECS.raw) return yield root;
  const fileSize = sizeIfFile(root);
  if (fileSize !== undefined) return yield* walkFile(root.cid, read, absolute(range, fileSize));
  // of what is no file, an entity is the block itself: a directory's listing, a manifest
  if (scope === 'entity') return yield root;
  yield* walkAll(root, read);
}

function sizeIfFile(root: Block): number | undefined {
  try {
    const cursor = new FileCursor(root.cid);
    cursor.take(root.bytes);
    return cursor.size;
  } catch (error) {
    if (error instanceof NotAFileError) return undefined;
    throw error;
  }
}

/** Turns a range as asked into the half-open range [from, to) of a file of `size` bytes. */
export function absolute(
  { first, last }: { first: number; last: number | undefined },
  size: number,
): { from: number; to: number } {
  const from = first < 0 ? Math.max(0, size + first) : first;
  if (last === undefined) return { from, to: Number.POSITIVE_INFINITY };
  return { from, to: last < 0 ? size + last + 1 : last + 1 };
}

async function* walkAll(root: Block, read: (cid: CID) => Promise<Uint8Array>): AsyncGenerator<Block> {
  const stack = [root.cid];
  for (let cid = stack.pop(); cid; cid = stack.pop()) {
    const bytes = cid === root.cid ? root.bytes : await read(cid);
    yield { cid, bytes };
    stack.push(...linksOf(cid, bytes).reverse());
  }
}

/** A CAR as a stream that is read from disk only as fast as the client takes it. A missing block cuts it off. */
function streamCar(
  root: CID,
  blocks: AsyncGenerator<Block>,
  onBroken: (error: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let started = false;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (!started) {
        started = true;
        controller.enqueue(carHeader([root]) as Uint8Array<ArrayBuffer>);
        return;
      }
      try {
        const { done, value } = await blocks.next();
        if (done) return controller.close();
        controller.enqueue(carSectionHead(value) as Uint8Array<ArrayBuffer>);
        controller.enqueue(value.bytes as Uint8Array<ArrayBuffer>);
      } catch (error) {
        onBroken(error);
        controller.close();
      }
    },
    async cancel() {
      await blocks.return(undefined);
    },
  });
}
