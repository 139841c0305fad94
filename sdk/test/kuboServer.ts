import { join } from 'node:path';
import { Readable } from 'node:stream';
import { serve } from '@hono/node-server';
import busboy from 'busboy';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { importFile } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { CID } from 'multiformats/cid';
import { walkComplete } from '../src/gateway/complete.ts';
import { FileBlockstore } from '../src/gateway/fileBlockstore.ts';
import { count } from '../src/storage/bytes.ts';
import { cidOfBlock } from '../src/storage/cid.ts';
import type { Codec } from '../src/storage/cid.ts';
import { collect } from '../src/storage/fixtures.ts';

/**
 * A stand-in for Kubo's RPC API, as far as the backend uses it, with Kubo's own defaults for everything that is not
 * asked for: a client that forgets an option gets Kubo's CIDs of 2015, as it would from the real one.
 */
function kuboApp(store: FileBlockstore): Hono {
  const app = new Hono();
  const pins = new Set<string>();
  const sink = {
    async put(cid: CID, bytes: unknown): Promise<CID> {
      await store.put(cid, bytes as Uint8Array);
      return cid;
    },
  };

  app.onError((error, c) => c.json({ Message: error.message, Code: 0, Type: 'error' }, 500));
  app.post('/api/v0/add', async (c) => {
    const query = c.req.query();
    const chunkSize = Number((query['chunker'] ?? 'size-262144').replace('size-', ''));
    const cidVersion = query['cid-version'] === '1' ? 1 : 0;
    const rawLeaves = query['raw-leaves'] === undefined ? cidVersion === 1 : query['raw-leaves'] === 'true';
    const [added] = await files(c, (content) =>
      importFile({ content }, sink, {
        cidVersion,
        rawLeaves,
        chunker: fixedSize({ chunkSize }),
        layout: balanced({ maxChildrenPerNode: Number(query['max-file-links'] ?? 174) }),
      }),
    );
    const cid = added!.cid.toString();
    if (query['pin'] !== 'false') pins.add(cid);
    return c.text(`${JSON.stringify({ Name: cid, Hash: cid, Size: String(added!.size) })}\n`);
  });
  app.post('/api/v0/block/put', async (c) => {
    const [bytes] = await files(c, async (content) => Buffer.concat(await collect(content)));
    const cid = await cidOfBlock(bytes!, (c.req.query('cid-codec') ?? 'raw') as Codec);
    await store.put(cid, bytes!);
    if (c.req.query('pin') === 'true') pins.add(cid.toString());
    return c.json({ Key: cid.toString(), Size: bytes!.length });
  });
  app.post('/api/v0/block/get', async (c) => c.body((await found(store, c)) as Uint8Array<ArrayBuffer>));
  app.post('/api/v0/block/stat', async (c) =>
    c.json({ Key: c.req.query('arg'), Size: (await found(store, c)).byteLength }),
  );
  app.post('/api/v0/pin/add', async (c) => {
    const cid = CID.parse(c.req.query('arg') ?? '');
    try {
      await count(walkComplete(store, cid, 'links'));
    } catch {
      throw new Error(`pin: ipld: could not find ${cid}`);
    }
    pins.add(cid.toString());
    return c.json({ Pins: [cid.toString()] });
  });
  return app;
}

async function found(store: FileBlockstore, c: Context): Promise<Uint8Array> {
  const cid = CID.parse(c.req.query('arg') ?? '');
  try {
    return await store.get(cid);
  } catch {
    throw new Error(`ipld: could not find ${cid}`);
  }
}

async function files<T>(c: Context, take: (content: AsyncIterable<Buffer>) => Promise<T>): Promise<T[]> {
  const parser = busboy({ headers: Object.fromEntries(c.req.raw.headers), preservePath: true });
  const taken: Promise<T>[] = [];
  const parsed = new Promise<void>((resolve, reject) => {
    parser.on('file', (_field, content) => taken.push(take(content)));
    parser.on('close', resolve);
    parser.on('error', reject);
  });
  Readable.fromWeb(c.req.raw.body as Parameters<typeof Readable.fromWeb>[0]).pipe(parser);
  await parsed;
  return Promise.all(taken);
}

const { dir } = JSON.parse(process.argv[2] ?? '{}') as { dir: string };
const store = await FileBlockstore.open({ dir: join(dir, 'blocks') });
serve({ fetch: kuboApp(store).fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);
