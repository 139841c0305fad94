import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { CID } from 'multiformats/cid';
import { carHeader, carSectionHead } from '../storage/car.ts';
import type { Block } from '../storage/car.ts';
import { CODECS, linksOf, parseCid } from '../storage/cid.ts';
import { GoneError, InvalidRequestError, NotAcceptableError, NotAFileError, NotFoundError } from '../storage/errors.ts';
import { FileCursor, walkFile } from '../storage/unixfs.ts';
import type { FileBlockstore } from './fileBlockstore.ts';

/** What the reading half of a gateway stands on. */
export interface ReadDeps {
  readonly store: FileBlockstore;
  /** Content that the operator does not serve. */
  readonly isBlocked: (cid: string) => boolean;
  /** Told when an answer broke off because a block was missing or damaged; the client sees a cut stream. */
  readonly onBroken: (cid: string, error: unknown) => void;
}

const RAW = 'application/vnd.ipld.raw';
const CAR = 'application/vnd.ipld.car';
/** Content under a CID never changes. */
const IMMUTABLE = 'public, max-age=29030400, immutable';

type Scope = 'block' | 'entity' | 'all';

interface CarRequest {
  readonly scope: Scope;
  /** First and last byte of the file as asked: negative counts from the end, undefined is the end. */
  readonly range: { readonly first: number; readonly last: number | undefined };
}

/** GET and HEAD /ipfs/:cid by the trustless gateway specification: single blocks and CARs, nothing deserialised. */
export function readRoutes({ store, isBlocked, onBroken }: ReadDeps): Hono {
  const app = new Hono();

  // Hono answers HEAD with the GET handler and drops the body
  app.get('/ipfs/:cid', async (c) => {
    const cid = parseCid(c.req.param('cid'));
    if (isBlocked(cid.toString())) throw new GoneError(cid.toString());
    const format = formatOf(c);
    const request = format === 'car' ? carRequestOf(c) : undefined;
    const etag = request ? carEtag(cid, request) : `"${cid}.raw"`;
    const headers = headersOf(cid, format, etag);
    if (matches(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);

    const head = c.req.method === 'HEAD';
    if (!request) return sendBlock(c, store, cid, headers, head);
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

/** `?format=` wins over Accept, as links in pages cannot set headers. */
function formatOf(c: Context): 'raw' | 'car' {
  const query = c.req.query('format');
  const accept = c.req.header('accept') ?? '';
  if (query === 'raw' || query === 'car') return query;
  if (query !== undefined) throw new NotAcceptableError();
  if (accept.includes(RAW)) return 'raw';
  if (accept.includes(CAR) && !/version=[^1]/.test(accept)) return 'car';
  throw new NotAcceptableError();
}

function carRequestOf(c: Context): CarRequest {
  const bytes = c.req.query('entity-bytes');
  // asking for a part of a file only makes sense for the file
  const scope = c.req.query('dag-scope') ?? (bytes === undefined ? 'all' : 'entity');
  if (scope !== 'block' && scope !== 'entity' && scope !== 'all') {
    throw new InvalidRequestError(`dag-scope is block, entity or all, not "${scope.slice(0, 20)}"`);
  }
  if (bytes === undefined) return { scope, range: { first: 0, last: undefined } };
  const [, first, last] = /^(-?\d{1,15}):(-?\d{1,15}|\*)$/.exec(bytes) ?? [];
  if (first === undefined || last === undefined) {
    throw new InvalidRequestError('entity-bytes is <first>:<last>, whole numbers, the last inclusive or *');
  }
  return { scope, range: { first: Number(first), last: last === '*' ? undefined : Number(last) } };
}

const carEtag = (cid: CID, { scope, range }: CarRequest): string =>
  `W/"${cid}.car.${scope}.${range.first}.${range.last ?? 'end'}"`;

/** Whether the client already has it. Weak comparison: any copy of the content will do. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return (ifNoneMatch ?? '').split(',').some((tag) => tag.trim() === '*' || plain(tag) === plain(etag));
}

function headersOf(cid: CID, format: 'raw' | 'car', etag: string): Record<string, string> {
  return {
    etag,
    'cache-control': IMMUTABLE,
    'content-type': format === 'raw' ? RAW : `${CAR}; version=1; order=dfs; dups=y`,
    'content-disposition': `attachment; filename="${cid}.${format === 'raw' ? 'bin' : 'car'}"`,
    vary: 'Accept',
    'x-content-type-options': 'nosniff',
    'x-ipfs-path': `/ipfs/${cid}`,
    'x-ipfs-roots': cid.toString(),
  };
}

/** The blocks a CAR answer holds, depth first. */
async function* blocksOf(store: FileBlockstore, root: Block, { scope, range }: CarRequest): AsyncGenerator<Block> {
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
