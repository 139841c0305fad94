import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CID } from 'multiformats/cid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keyOf } from '../src/gateway/fileBlockstore.ts';
import { startGateway } from '../src/gateway/server.ts';
import type { Gateway, GatewayOptions } from '../src/gateway/server.ts';
import { readAll } from '../src/storage/backend.ts';
import { iterate } from '../src/storage/bytes.ts';
import { readCar } from '../src/storage/car.ts';
import { encodeBlock, linksOf, parseCid } from '../src/storage/cid.ts';
import {
  BlockTooBigError,
  HashMismatchError,
  InvalidRequestError,
  MissingBlockError,
  QuotaExceededError,
  UnauthorizedError,
  UploadTooBigError,
} from '../src/storage/errors.ts';
import type { StorageError } from '../src/storage/errors.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { errorFromResponse } from '../src/storage/wire.ts';
import { block, blocksOf, car } from './cars.ts';
import { MIB, randomBytes, streamOf } from '../src/storage/fixtures.ts';

const ABSENT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

let dirs: string[] = [];
let gateways: Gateway[] = [];

async function start(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'dpu-gateway-')));
  dirs.push(dir);
  const gateway = await startGateway({ dir, ...options });
  gateways.push(gateway);
  return gateway;
}

const client = (gateway: Gateway, holders = [gateway.url]): HttpBackend =>
  new HttpBackend({
    getHolders: () => holders,
    writeTo: gateway.url,
    upload: { retryMs: 1 },
    patience: { retryMs: 1 },
  });

const post = (gateway: Gateway, path: string, body: BodyInit): Promise<Response> =>
  fetch(gateway.url + path, { method: 'POST', body, duplex: 'half' } as RequestInit);

/** Posts what must be refused; returns the status and the error as a client sees it. */
async function refused(gateway: Gateway, path: string, body: BodyInit): Promise<[number, StorageError]> {
  const response = await post(gateway, path, body);
  return [response.status, await errorFromResponse(gateway.url, response)];
}

async function carCids(url: string): Promise<string[]> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const cids: string[] = [];
  for await (const { cid } of (await readCar(iterate(response.body!))).blocks) cids.push(cid.toString());
  return cids;
}

let gateway: Gateway;
beforeEach(async () => {
  gateway = await start();
});
afterEach(async () => {
  await Promise.all(gateways.map((g) => g.close()));
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
  gateways = [];
  dirs = [];
});

describe('reading from a gateway', () => {
  test('a raw block has the headers of the specification', async () => {
    const { cid } = await client(gateway).addFile(randomBytes(1000));
    const url = `${gateway.url}/ipfs/${cid}`;
    const response = await fetch(url, { headers: { accept: 'application/vnd.ipld.raw' } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=29030400, immutable',
      'content-disposition': `attachment; filename="${cid}.bin"`,
      'content-length': '1000',
      'content-type': 'application/vnd.ipld.raw',
      etag: `"${cid}.raw"`,
      'x-content-type-options': 'nosniff',
      'x-ipfs-path': `/ipfs/${cid}`,
      'x-ipfs-roots': cid.toString(),
    });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(randomBytes(1000));

    const head = await fetch(`${url}?format=raw`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '1000', '']);
  });

  test('what a client has already is not sent again', async () => {
    const { cid } = await client(gateway).addFile(randomBytes(10));
    for (const tag of [`"${cid}.raw"`, `"other", W/"${cid}.raw"`, '*']) {
      const response = await fetch(`${gateway.url}/ipfs/${cid}?format=raw`, { headers: { 'if-none-match': tag } });
      expect(response.status, tag).toBe(304);
    }
    const other = await fetch(`${gateway.url}/ipfs/${cid}?format=car`, {
      headers: { 'if-none-match': `"${cid}.raw"` },
    });
    expect(other.status).toBe(200);
    await other.arrayBuffer();
  });

  test.each([
    ['absent content', `/ipfs/${ABSENT}?format=raw`, 404, 'not-found'],
    ['an absent CAR', `/ipfs/${ABSENT}?format=car`, 404, 'not-found'],
    ['no format', `/ipfs/${ABSENT}`, 406, 'not-acceptable'],
    ['another format', `/ipfs/${ABSENT}?format=tar`, 406, 'not-acceptable'],
    ['no CID', '/ipfs/hello?format=raw', 400, 'invalid-cid'],
    [
      'a CID with another hash',
      '/ipfs/bafkrgqgpqpqtk7xpxc67cvbikdlg3aah2yqoibilk4k5za7uveq5g3hjzzd5buj4lwc7fmh7qmmnfb365qxwhojrxvduc6ubuu4de6xze7nd4?format=raw',
      400,
      'unsupported-cid',
    ],
    ['a path', `/ipfs/${ABSENT}/index.html?format=raw`, 400, 'invalid-request'],
    ['an unknown scope', `/ipfs/${ABSENT}?format=car&dag-scope=some`, 400, 'invalid-request'],
    ['a senseless range', `/ipfs/${ABSENT}?format=car&entity-bytes=a:b`, 400, 'invalid-request'],
    ['an unknown page', '/somewhere', 404, 'invalid-request'],
  ])('%s is an answer with a code, never cached', async (_what, path, status, error) => {
    const response = await fetch(gateway.url + path);
    const body = (await response.json()) as Record<string, unknown>;
    expect([response.status, body['error'], response.headers.get('cache-control')]).toEqual([
      status,
      error,
      'no-store',
    ]);
    expect(typeof body['message']).toBe('string');
    expect(JSON.stringify(body)).not.toMatch(/\.ts|node_modules|stack/);
    expect((await fetch(gateway.url + path, { method: 'HEAD' })).status).toBe(status);
  });

  test('CARs hold the blocks of their scope and range, depth first', async () => {
    const bytes = randomBytes(5 * MIB);
    const { cid } = await client(gateway).addFile(bytes);
    const root = cid.toString();
    const leaves = linksOf(cid, await gateway.store.get(cid)).map(String);
    const url = `${gateway.url}/ipfs/${cid}?format=car`;
    expect(await carCids(url)).toEqual([root, ...leaves]);
    expect(await carCids(`${url}&dag-scope=block`)).toEqual([root]);
    expect(await carCids(`${url}&dag-scope=entity`)).toEqual([root, ...leaves]);
    expect(await carCids(`${url}&entity-bytes=${MIB}:${2 * MIB}`)).toEqual([root, leaves[1], leaves[2]]);
    expect(await carCids(`${url}&entity-bytes=${MIB}:${2 * MIB - 1}`)).toEqual([root, leaves[1]]);
    expect(await carCids(`${url}&entity-bytes=-1:*`)).toEqual([root, leaves[4]]);
    expect(await carCids(`${url}&entity-bytes=0:${-4 * MIB - 1}`)).toEqual([root, leaves[0]]);
    expect(await carCids(`${url}&entity-bytes=${9 * MIB}:*`)).toEqual([root]);
  });

  test('a manifest is its block, and with everything under it only for scope all', async () => {
    const { cid: output } = await client(gateway).addFile(randomBytes(2 * MIB));
    const { cid, bytes } = await encodeBlock({ outputs: [output] });
    await client(gateway).putBlock(cid, bytes);
    const url = `${gateway.url}/ipfs/${cid}?format=car`;
    expect(await carCids(`${url}&dag-scope=entity`)).toEqual([cid.toString()]);
    expect(await carCids(url)).toHaveLength(5 - 1);
  });

  test('a stream breaks off where a block is missing', async () => {
    const { cid } = await client(gateway).addFile(randomBytes(3 * MIB));
    await gateway.store.delete(linksOf(cid, await gateway.store.get(cid))[1]!);
    await expect(carCids(`${gateway.url}/ipfs/${cid}?format=car`)).rejects.toBeInstanceOf(Error);
    await gateway.store.delete(cid);
    expect((await fetch(`${gateway.url}/ipfs/${cid}?format=car`)).status).toBe(404);
  });

  test('pages of other origins may read and write', async () => {
    const response = await fetch(`${gateway.url}/v1/blocks`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,OPTIONS');
  });
});

describe('writing to a gateway', () => {
  test('a poisoned CAR is refused and leaves nothing', async () => {
    const { cid } = await block(randomBytes(100));
    const lie = { cid, bytes: randomBytes(100, 2) };
    const [status, error] = await refused(gateway, '/v1/blocks', car([lie]));
    expect([status, error]).toEqual([400, new HashMismatchError(cid.toString())]);
    expect(await refused(gateway, '/v1/car', car([lie], [cid]))).toEqual([400, new HashMismatchError(cid.toString())]);
    expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ blocks: 0, bytes: 0, pins: 0 });
  });

  test('what is no CAR, a block too big, a strange codec or a strange hash are refused', async () => {
    const big = await block(randomBytes(100));
    const strange = parseCid(ABSENT);
    const cases: [Uint8Array<ArrayBuffer>, number, string][] = [
      [new TextEncoder().encode('hello'), 400, 'malformed-car'],
      [new Uint8Array(0), 400, 'malformed-car'],
      [car([big]).slice(0, -1), 400, 'malformed-car'],
      [car([{ cid: big.cid, bytes: new Uint8Array(2 * MIB + 1) }]), 413, 'block-too-big'],
      [car([{ cid: CID.createV1(0x0129, strange.multihash), bytes: new Uint8Array(0) }]), 400, 'unsupported-cid'],
    ];
    for (const [body, status, code] of cases) {
      const [got, error] = await refused(gateway, '/v1/blocks', body);
      expect([got, error.code]).toEqual([status, code]);
    }
    expect(gateway.store.size.blocks).toBe(0);
  });

  test('a smaller limit for blocks is kept', async () => {
    const small = await start({ maxBlockBytes: 99 });
    expect(await refused(small, '/v1/blocks', car([await block(randomBytes(100))]))).toEqual([
      413,
      new BlockTooBigError(100, 99),
    ]);
  });

  test('an upload over the limit is cut off, announced or not', async () => {
    const small = await start({ maxUploadBytes: 1000 });
    const body = car([await block(randomBytes(2000))]);
    expect(await refused(small, '/v1/blocks', body)).toEqual([413, new UploadTooBigError(1000)]);
    async function* unannounced(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < body.length; at += 500) yield body.subarray(at, at + 500);
    }
    expect(await refused(small, '/v1/blocks', streamOf(unannounced()))).toEqual([413, new UploadTooBigError(1000)]);
    expect(small.store.size.blocks).toBe(0);
  });

  test('a full disk allowance is a typed error at the client, and unpinned rests make room', async () => {
    const small = await start({ quotaBytes: 2 * MIB, garbageAgeMs: 0 });
    await expect(client(small).addFile(randomBytes(3 * MIB))).rejects.toEqual(new QuotaExceededError(2 * MIB, 2 * MIB));
    // the collection that the full store started has the pins to itself until it ends
    await small.pins.alone(async () => {});
    expect(small.store.size).toEqual({ blocks: 0, bytes: 0 });
    const { cid } = await client(small).addFile(randomBytes(2 * MIB - 1000));
    await expect(client(small).addFile(randomBytes(2000, 2))).rejects.toBeInstanceOf(QuotaExceededError);
    await small.pins.alone(async () => {});
    expect((await readAll(client(small), cid, 2 * MIB)).length).toBe(2 * MIB - 1000);
  });

  test('a commit names the first missing block, and works once that came', async () => {
    const blocks = await blocksOf(randomBytes(3 * MIB));
    const root = blocks.at(-1)!.cid.toString();
    const [first, ...rest] = blocks;
    expect(await refused(gateway, `/v1/commit/${root}`, '')).toEqual([409, new MissingBlockError(root, root)]);
    await post(gateway, '/v1/blocks', car(rest));
    expect(await refused(gateway, `/v1/commit/${root}`, '')).toEqual([
      409,
      new MissingBlockError(root, first!.cid.toString()),
    ]);
    expect(gateway.pins.count).toBe(0);
    await post(gateway, '/v1/blocks', car([first!]));
    const response = await post(gateway, `/v1/commit/${root}`, '');
    expect([response.status, await response.json()]).toEqual([201, { cid: root, blocks: 4 }]);
  });

  test('a client whose blocks got lost sends them again, and only them', async () => {
    const bytes = randomBytes(8 * MIB);
    let lost = false;
    const sent: number[] = [];
    const forgetful: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (String(input).endsWith('/v1/blocks')) {
        sent.push((init?.body as Uint8Array).length);
        if (!lost) {
          lost = true;
          await gateway.store.delete((await block(bytes.subarray(0, MIB))).cid);
        }
      }
      return response;
    };
    const options = { getHolders: () => [gateway.url], writeTo: gateway.url };
    const { cid } = await new HttpBackend(options, { fetch: forgetful }).addFile(bytes);
    expect(Buffer.compare(await readAll(client(gateway), cid, bytes.length), bytes)).toBe(0);
    expect(sent).toHaveLength(2);
    expect(sent[0]).toBeGreaterThan(8 * MIB);
    expect(sent[1]).toBeLessThan(MIB + 200);
  });

  test('an upload that was cut short goes on where it was, by another client, too', async () => {
    const bytes = randomBytes(24 * MIB);
    const upload = { shardBytes: 4 * MIB, parallel: 1, tries: 1, retryMs: 1 };
    const options = { getHolders: () => [gateway.url], writeTo: gateway.url, upload };
    let left = 3;
    const breaking: typeof fetch = (input, init) =>
      String(input).endsWith('/v1/blocks') && left-- <= 0
        ? Promise.reject(new Error('line is down'))
        : fetch(input, init);
    await expect(new HttpBackend(options, { fetch: breaking }).addFile(bytes)).rejects.toThrow('line is down');
    const there = gateway.store.size.blocks;
    expect(there).toBe(9);

    const sent: number[] = [];
    let asked = 0;
    const counting: typeof fetch = (input, init) => {
      if (String(input).endsWith('/v1/blocks')) sent.push((init?.body as Uint8Array).length);
      if (String(input).endsWith('/v1/missing')) asked += 1;
      return fetch(input, init);
    };
    const { cid } = await new HttpBackend(options, { fetch: counting }).addFile(bytes);
    expect(Buffer.compare(await readAll(client(gateway), cid, bytes.length), bytes)).toBe(0);
    const total = sent.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(15 * MIB);
    expect(total).toBeLessThan(15 * MIB + 10_000);
    // it stops asking at the first shard of which nothing is there
    expect(asked).toBe(4);
  });

  test('a block that rotted since an upload broke off is sent again', async () => {
    const bytes = randomBytes(4 * MIB);
    const { cid } = await client(gateway).addFile(bytes);
    const leaf = linksOf(cid, await gateway.store.get(cid))[1]!;
    const found = (await readdir(join(dirs[0]!, 'blocks'), { recursive: true })).find((name) =>
      name.includes(keyOf(leaf)),
    );
    await writeFile(join(dirs[0]!, 'blocks', found!), randomBytes(MIB, 9));
    await client(gateway).addFile(bytes);
    expect(Buffer.compare(await readAll(client(gateway), cid, bytes.length), bytes)).toBe(0);
  });

  test('an upload goes up in shards within the limit and survives a gateway that fails once', async () => {
    const sizes: number[] = [];
    let failures = 1;
    const flaky: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/v1/blocks')) return fetch(input, init);
      sizes.push((init?.body as Uint8Array).length);
      if (failures-- > 0) return new Response('busy', { status: 503 });
      return fetch(input, init);
    };
    const upload = { shardBytes: 3 * MIB, parallel: 1, retryMs: 1 };
    const backend = new HttpBackend(
      { getHolders: () => [gateway.url], writeTo: gateway.url, upload },
      { fetch: flaky },
    );
    const { cid } = await backend.addFile(randomBytes(7 * MIB));
    expect(sizes).toHaveLength(5);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3 * MIB);
    expect(gateway.pins.has(cid.toString())).toBe(true);
  });

  test('a whole CAR with one root is stored and pinned in one request', async () => {
    const blocks = await blocksOf(randomBytes(2 * MIB));
    const root = blocks.at(-1)!.cid;
    const response = await post(gateway, '/v1/car', car(blocks, [root]));
    expect([response.status, await response.json()]).toMatchObject([201, { cid: root.toString(), blocks: 3 }]);
    expect((await refused(gateway, '/v1/car', car(blocks)))[1].message).toMatch(/it has 0 roots/);
  });

  test('writes can be kept to those who are allowed', async () => {
    const closed = await start({ authorizeWrite: ({ headers }) => headers.get('authorization') === 'Bearer me' });
    await expect(client(closed).addFile(randomBytes(10))).rejects.toEqual(new UnauthorizedError());
    const options = { getHolders: () => [closed.url], writeTo: closed.url };
    const mine = new HttpBackend(options, { headers: () => ({ authorization: 'Bearer me' }) });
    const { cid } = await mine.addFile(randomBytes(10));
    expect(await client(closed).has(cid)).toBe(true);
  });
});

describe('pinning from other gateways', () => {
  test('pulls, verifies and keeps a file, and is not misled by a liar among the origins', async () => {
    const bytes = randomBytes(3 * MIB);
    const { cid } = await client(gateway).addFile(bytes);
    const other = randomBytes(3 * MIB, 2);
    const liar = await start();
    await client(liar).addFile(other);
    const replica = await start({ patience: { retryMs: 1 } });
    await client(replica, [liar.url, gateway.url]).pin(cid);
    const listed = (await (await fetch(`${replica.url}/pins`)).json()) as { count: number; results: unknown[] };
    expect(listed).toMatchObject({
      count: 1,
      results: [{ status: 'pinned', pin: { cid: cid.toString(), walk: 'none' } }],
    });
    expect(Buffer.compare(await readAll(client(replica), cid, bytes.length), bytes)).toBe(0);
    expect(replica.store.size).toEqual(gateway.store.size);
  });

  test('a manifest comes alone, or with everything it links to', async () => {
    const files = await Promise.all([1, 2].map((seed) => client(gateway).addFile(randomBytes(2 * MIB, seed))));
    const { cid, bytes } = await encodeBlock({ shards: files.map((file) => ({ cid: file.cid })) });
    await client(gateway).putBlock(cid, bytes);
    const replica = await start();
    await client(replica, [gateway.url]).pin(cid);
    expect(replica.store.size.blocks).toBe(1);
    await client(replica, [gateway.url]).pin(cid, { walk: 'links' });
    expect(replica.store.size).toEqual(gateway.store.size);
    expect(replica.pins.list()).toMatchObject([{ cid: cid.toString(), walk: 'links' }]);
  });

  test('without origins it asks the peers it knows, and a GET never pulls', async () => {
    const { cid } = await client(gateway).addFile(randomBytes(10));
    const replica = await start({ pullFrom: () => [gateway.url] });
    expect((await fetch(`${replica.url}/ipfs/${cid}?format=raw`)).status).toBe(404);
    await client(replica, []).pin(cid);
    expect((await fetch(`${replica.url}/ipfs/${cid}?format=raw`)).status).toBe(200);
  });

  test('what nobody has is not pinned', async () => {
    const replica = await start();
    const body = JSON.stringify({ cid: ABSENT, origins: [gateway.url] });
    expect((await refused(replica, '/pins', body))[0]).toBe(404);
    expect(replica.pins.count).toBe(0);
  });

  test.each([
    '',
    '{}',
    '{"cid":5}',
    `{"cid":"${ABSENT}","origins":["file:///etc/passwd"]}`,
    `{"cid":"${ABSENT}","walk":"all"}`,
  ])('refuses the pin request %s', async (body) => {
    const [status, error] = await refused(gateway, '/pins', body);
    expect([status, error.code]).toEqual([400, 'invalid-request']);
    expect(error).toBeInstanceOf(InvalidRequestError);
  });

  test('pins and blocks are there after a restart', async () => {
    const { cid } = await client(gateway).addFile(randomBytes(2 * MIB));
    const before = gateway.store.size;
    await gateway.close();
    const again = await start({ dir: dirs[0]! });
    expect(await (await fetch(`${again.url}/health`)).json()).toEqual({ ...before, pins: 1, writes: 'open' });
    expect((await readAll(client(again), cid, 2 * MIB)).length).toBe(2 * MIB);
  });
});

describe('a gateway that breaks inside', () => {
  test('says nothing of it but that it did', async () => {
    const logged: unknown[] = [];
    const log = { warn: () => {}, error: (facts: object) => logged.push(facts) };
    const broken = await start({ log, authorizeWrite: () => Promise.reject(new Error('secret path /home')) });
    const response = await post(broken, '/v1/blocks', 'x');
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'internal', message: 'the gateway failed at this request; its log says why' },
    ]);
    expect(logged).toHaveLength(1);
  });
});
