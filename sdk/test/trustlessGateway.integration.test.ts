/** The IPFS trustless gateway specification (specs.ipfs.tech/http-gateways/trustless-gateway) and its base, case by case. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../src/gateway/server.ts';
import type { Gateway } from '../src/gateway/server.ts';
import { iterate } from '../src/storage/bytes.ts';
import { readCar } from '../src/storage/car.ts';
import { cidOfBlock, linksOf, verifyBlock } from '../src/storage/cid.ts';
import { MIB, randomBytes, streamOf } from '../src/storage/fixtures.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { block, blocksOf, car } from './cars.ts';

const RAW = 'application/vnd.ipld.raw';
const CAR = 'application/vnd.ipld.car';
const ABSENT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const BLOCKED = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';
/** The empty block, inlined: what the specification has clients probe a gateway with. */
const PROBE = 'bafkqaaa';

let dir: string;
let gateway: Gateway;
let small: CID;
let file: CID;
let leaves: string[];
let twins: CID;
const bytes = randomBytes(5 * MIB);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dpu-conformance-'));
  gateway = await startGateway({ dir, requestMs: 1_000, maxUploadBytes: 8 * MIB, isBlocked: (cid) => cid === BLOCKED });
  const backend = new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url });
  small = (await backend.addFile(randomBytes(1_000))).cid;
  file = (await backend.addFile(bytes)).cid;
  twins = (await backend.addFile(new Uint8Array(3 * MIB))).cid;
  leaves = linksOf(file, await gateway.store.get(file)).map(String);
});
afterAll(async () => {
  await gateway.close();
  await rm(dir, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(gateway.url + path, { headers, method });

/** Status and type of an answer, its body thrown away. */
async function typeOf(path: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await get(path, headers);
  await response.arrayBuffer();
  return [response.status, response.headers.get('content-type') ?? ''];
}

/** The CIDs of a CAR in their order, every block hashed. */
async function blocksIn(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ roots: string[]; cids: string[] }> {
  const response = await get(path, headers);
  expect(response.status).toBe(200);
  const { roots, blocks } = await readCar(iterate(response.body!));
  const cids: string[] = [];
  for await (const { cid, bytes: content } of blocks) {
    await verifyBlock(cid, content);
    cids.push(cid.toString());
  }
  return { roots: roots.map(String), cids };
}

const CAR_TYPE = `${CAR}; version=1; order=dfs; dups=y`;

describe('format negotiation', () => {
  test.each<[string, string, string | undefined, number, string]>([
    ['Accept raw', '', RAW, 200, RAW],
    ['Accept CAR', '', CAR, 200, CAR_TYPE],
    ['Accept CAR of version 1', '', `${CAR}; version=1`, 200, CAR_TYPE],
    ['Accept CAR in any order', '', `${CAR}; version=1; order=unk`, 200, CAR_TYPE],
    ['Accept CAR without duplicates', '', `${CAR}; dups=n`, 200, `${CAR}; version=1; order=dfs; dups=n`],
    ['Accept CAR of version 2', '', `${CAR}; version=2`, 406, 'application/json'],
    ['Accept CAR of version 2, else raw', '', `${CAR}; version=2, ${RAW}`, 200, RAW],
    ['the type that is wanted most', '', `${RAW};q=0.5, ${CAR};q=0.9`, 200, CAR_TYPE],
    ['a type that is not wanted at all', '', `${RAW};q=0`, 406, 'application/json'],
    ['?format=raw', '?format=raw', undefined, 200, RAW],
    ['?format=car', '?format=car', undefined, 200, CAR_TYPE],
    ['?format over Accept', '?format=raw', CAR, 200, RAW],
    [
      '?format=car with parameters in Accept',
      '?format=car',
      `${CAR}; dups=n`,
      200,
      `${CAR}; version=1; order=dfs; dups=n`,
    ],
    ['?car-dups over Accept', '?format=car&car-dups=y', `${CAR}; dups=n`, 200, CAR_TYPE],
    ['?car-version=2', '?format=car&car-version=2', undefined, 406, 'application/json'],
    ['?car-order that there is not', '?format=car&car-order=bfs', undefined, 400, 'application/json'],
    ['?car-dups that there is not', '?format=car&car-dups=maybe', undefined, 400, 'application/json'],
    ['no format at all', '', undefined, 406, 'application/json'],
    ['a browser', '', 'text/html,application/xhtml+xml,*/*;q=0.8', 406, 'application/json'],
    ['?format=ipns-record', '?format=ipns-record', undefined, 406, 'application/json'],
    ['Accept an IPNS record', '', 'application/vnd.ipfs.ipns-record', 406, 'application/json'],
    ['?format=tar', '?format=tar', undefined, 406, 'application/json'],
    ['?format=dag-json', '?format=dag-json', undefined, 406, 'application/json'],
  ])('%s', async (_what, query, accept, status, type) => {
    expect(await typeOf(`/ipfs/${small}${query}`, accept === undefined ? {} : { accept })).toEqual([status, type]);
  });

  test('a form that Accept chose has an address of its own, for caches', async () => {
    const response = await get(`/ipfs/${small}`, { accept: RAW });
    expect(response.headers.get('content-location')).toBe(`/ipfs/${small}?format=raw`);
    expect(response.headers.get('vary')).toMatch(/Accept/);
    expect((await get(`/ipfs/${small}?format=raw`)).headers.get('content-location')).toBeNull();
  });

  test('IPNS names are not served', async () => {
    expect(
      (await typeOf('/ipns/k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r?format=ipns-record'))[0],
    ).toBe(404);
  });
});

describe('headers', () => {
  test.each([
    ['raw', RAW, 'bin', (cid: string) => `"${cid}.raw"`],
    ['car', CAR_TYPE, 'car', (cid: string) => `W/"${cid}.car.all.0.end"`],
  ])('of %s', async (format, type, extension, etag) => {
    const response = await get(`/ipfs/${small}?format=${format}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=29030400, immutable',
      'content-disposition': `attachment; filename="${small}.${extension}"`,
      'content-type': type,
      etag: etag(small.toString()),
      'x-content-type-options': 'nosniff',
      'x-ipfs-path': `/ipfs/${small}`,
      'x-ipfs-roots': small.toString(),
    });
    expect(response.headers.get('content-encoding')).toBeNull();
    await response.arrayBuffer();
  });

  test('HEAD has those of GET, and no body', async () => {
    for (const format of ['raw', 'car']) {
      const [head, full] = await Promise.all(
        ['HEAD', 'GET'].map((method) => get(`/ipfs/${small}?format=${format}`, {}, method)),
      );
      const relevant = (response: Response): Record<string, string> =>
        Object.fromEntries([...response.headers].filter(([name]) => /^(content-t|etag|cache|x-)/.test(name)));
      expect(relevant(head!)).toEqual(relevant(full!));
      expect([head!.status, await head!.text()]).toEqual([200, '']);
      await full!.arrayBuffer();
    }
    expect((await get(`/ipfs/${small}?format=raw`, {}, 'HEAD')).headers.get('content-length')).toBe('1000');
    expect((await get(`/ipfs/${ABSENT}?format=raw`, {}, 'HEAD')).status).toBe(404);
  });

  test('If-None-Match gives 304 without a body, for both forms, also for what it has not', async () => {
    for (const format of ['raw', 'car']) {
      const etag = (await get(`/ipfs/${small}?format=${format}`, {}, 'HEAD')).headers.get('etag')!;
      for (const tag of [etag, `W/${etag.replace('W/', '')}`, `"x", ${etag}`, '*']) {
        const response = await get(`/ipfs/${small}?format=${format}`, { 'if-none-match': tag });
        expect([response.status, await response.text()], tag).toEqual([304, '']);
        expect(response.headers.get('etag')).toBe(etag);
      }
    }
    const other = await get(`/ipfs/${small}?format=raw`, { 'if-none-match': `"${small}.car"` });
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, 1_000]);
  });

  test('every CAR of its own scope, range and dups has an ETag of its own', async () => {
    const queries = [
      '',
      '&dag-scope=block',
      '&dag-scope=entity',
      '&entity-bytes=0:9',
      '&entity-bytes=-9:*',
      '&car-dups=n',
    ];
    const tags = await Promise.all(
      queries.map(async (query) => (await get(`/ipfs/${file}?format=car${query}`, {}, 'HEAD')).headers.get('etag')),
    );
    expect(new Set(tags).size).toBe(queries.length);
  });

  test('pages of any origin may ask, with the headers that clients send', async () => {
    const response = await get(
      `/ipfs/${small}?format=raw`,
      { origin: 'https://app.example', 'access-control-request-method': 'GET' },
      'OPTIONS',
    );
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toMatch(/Range.*User-Agent.*X-Requested-With/);
    const full = await get(`/ipfs/${small}?format=raw`, { origin: 'https://app.example' });
    expect(full.headers.get('access-control-expose-headers')).toMatch(/Content-Length.*Content-Range/);
  });
});

describe('status codes', () => {
  test.each([
    ['no CID', '/ipfs/hello?format=raw', 400],
    [
      'a CID with a hash that is not used here',
      `/ipfs/bafkrgqgpqpqtk7xpxc67cvbikdlg3aah2yqoibilk4k5za7uveq5g3hjzzd5buj4lwc7fmh7qmmnfb365qxwhojrxvduc6ubuu4de6xze7nd4?format=raw`,
      400,
    ],
    ['a path under a CID', `/ipfs/${ABSENT}/a?format=raw`, 400],
    ['what nobody has brought', `/ipfs/${ABSENT}?format=raw`, 404],
    ['a CAR of what nobody has brought', `/ipfs/${ABSENT}?format=car`, 404],
    ['what the operator does not serve', `/ipfs/${BLOCKED}?format=raw`, 410],
    ['another scope', `/ipfs/${ABSENT}?format=car&dag-scope=some`, 400],
    ['a range of words', `/ipfs/${ABSENT}?format=car&entity-bytes=a:b`, 400],
    ['a range without its end', `/ipfs/${ABSENT}?format=car&entity-bytes=5`, 400],
    ['a range that ends before it begins', `/ipfs/${ABSENT}?format=car&entity-bytes=5:4`, 400],
    ['a range from the end that ends before it begins', `/ipfs/${ABSENT}?format=car&entity-bytes=-4:-5`, 400],
  ])('%s', async (_what, path, status) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    await response.text();
  });

  test('only-if-cached is 412 where it is not here, and changes nothing where it is', async () => {
    expect((await get(`/ipfs/${ABSENT}?format=raw`, { 'cache-control': 'only-if-cached' })).status).toBe(412);
    expect((await get(`/ipfs/${small}?format=raw`, { 'cache-control': 'only-if-cached' })).status).toBe(200);
  });
});

describe('identity CIDs', () => {
  test('the probe is an empty block', async () => {
    const response = await get(`/ipfs/${PROBE}?format=raw`);
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 0]);
    expect(response.headers.get('content-type')).toBe(RAW);
    expect((await get(`/ipfs/${PROBE}?format=raw`, {}, 'HEAD')).status).toBe(200);
  });

  test('in a CAR it is a root, without a block', async () => {
    expect(await blocksIn(`/ipfs/${PROBE}?format=car`)).toEqual({ roots: [PROBE], cids: [] });
  });

  test('content in a CID is served as it is', async () => {
    // "hello" under the identity hash, codec raw
    const response = await get('/ipfs/bafkqabliivwgy3y?format=raw');
    expect([response.status, Buffer.from(await response.arrayBuffer()).toString('latin1').length]).toEqual([200, 5]);
  });
});

describe('scopes and ranges of a CAR', () => {
  const of = (query: string): Promise<{ roots: string[]; cids: string[] }> =>
    blocksIn(`/ipfs/${file}?format=car${query}`);

  test.each<[string, string, () => string[]]>([
    ['dag-scope=block', '&dag-scope=block', () => []],
    ['dag-scope=entity', '&dag-scope=entity', () => leaves],
    ['dag-scope=all', '&dag-scope=all', () => leaves],
    ['no scope is all', '', () => leaves],
    ['one byte', '&dag-scope=entity&entity-bytes=0:0', () => leaves.slice(0, 1)],
    ['the last byte of a leaf and the first of the next', `&entity-bytes=${MIB - 1}:${MIB}`, () => leaves.slice(0, 2)],
    ['one leaf exactly', `&entity-bytes=${MIB}:${2 * MIB - 1}`, () => leaves.slice(1, 2)],
    ['to the end', `&entity-bytes=${3 * MIB}:*`, () => leaves.slice(3)],
    ['everything', '&entity-bytes=0:*', () => leaves],
    ['the last byte', '&entity-bytes=-1:*', () => leaves.slice(4)],
    ['the last bytes but one leaf', `&entity-bytes=${-2 * MIB}:${-MIB - 1}`, () => leaves.slice(3, 4)],
    ['from before the beginning', `&entity-bytes=${-9 * MIB}:${MIB - 1}`, () => leaves.slice(0, 1)],
    ['beyond the end is the root alone', `&entity-bytes=${9 * MIB}:*`, () => []],
    ['an end beyond the end', `&entity-bytes=${4 * MIB}:${9 * MIB}`, () => leaves.slice(4)],
  ])('%s', async (_what, query, expected) => {
    expect(await of(query)).toEqual({ roots: [file.toString()], cids: [file.toString(), ...expected()] });
  });

  test('a block that stands there twice is sent twice, or once with dups=n', async () => {
    expect((await blocksIn(`/ipfs/${twins}?format=car`)).cids).toHaveLength(4);
    expect((await blocksIn(`/ipfs/${twins}?format=car&car-dups=n`)).cids).toHaveLength(2);
    expect((await blocksIn(`/ipfs/${twins}`, { accept: `${CAR}; dups=n` })).cids).toHaveLength(2);
  });

  test('a range of a raw block is the block', async () => {
    expect((await blocksIn(`/ipfs/${small}?format=car&entity-bytes=5:6`)).cids).toEqual([small.toString()]);
  });

  test('a directory as an entity is its own block, its files come with all', async () => {
    const listing = dagPb.encode({
      Data: new UnixFS({ type: 'directory' }).marshal(),
      Links: [{ Hash: small as never, Name: 'small', Tsize: 1_000 }],
    });
    const cid = await cidOfBlock(listing, 'dag-pb');
    await gateway.store.put(cid, listing);
    expect((await blocksIn(`/ipfs/${cid}?format=car&dag-scope=entity`)).cids).toEqual([cid.toString()]);
    expect((await blocksIn(`/ipfs/${cid}?format=car`)).cids).toEqual([cid, small].map(String));
  });
});

describe('what is refused while it streams', () => {
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(gateway.url + path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
  const codeOf = async (response: Response): Promise<[number, string]> => [
    response.status,
    ((await response.json()) as { error: string }).error,
  ];

  test('a decompression bomb: no body is ever unpacked', async () => {
    const bomb = gzipSync(new Uint8Array(8 * MIB));
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, identity']) {
      const answer = await post('/v1/blocks', bomb, { 'content-encoding': encoding });
      expect(await codeOf(answer), encoding).toEqual([415, 'unsupported-encoding']);
    }
    const plain = await post('/v1/blocks', car([await block(randomBytes(10))]), { 'content-encoding': 'identity' });
    expect(plain.status).toBe(201);
  });

  test('a block under another hash, before anything of it is kept', async () => {
    const before = gateway.store.size;
    const { cid } = await block(randomBytes(100, 50));
    const lie = { cid, bytes: randomBytes(100, 51) };
    expect(await codeOf(await post('/v1/blocks', car([lie])))).toEqual([400, 'hash-mismatch']);
    expect(gateway.store.size).toEqual(before);
  });

  test('a stream without an end, at the limit and no later', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield car([]);
      for (let seed = 100; ; seed += 1) {
        const one = await block(randomBytes(MIB, seed));
        const section = car([one]).subarray(car([]).length);
        sent += section.length;
        yield section;
      }
    }
    const answer = await post('/v1/blocks', streamOf(endless())).then(
      ({ status }) => status,
      () => 'cut',
    );
    // the connection may be gone before its answer was read
    expect([413, 'cut']).toContain(answer);
    expect(sent).toBeLessThan(24 * MIB);
  });

  test('a block that claims gigabytes, before they come', async () => {
    const { cid } = await block(randomBytes(10));
    const head = Buffer.concat([car([]), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), cid.bytes]);
    expect(await codeOf(await post('/v1/blocks', head))).toEqual([413, 'block-too-big']);
  });

  test('a graph of two thousand levels is kept without a deep stack, and never read as a file', async () => {
    let child = small;
    const levels: { cid: CID; bytes: Uint8Array }[] = [];
    for (let depth = 0; depth < 2_000; depth += 1) {
      const data = new UnixFS({ type: 'file', blockSizes: [1_000n] }).marshal();
      const content = dagPb.encode({ Data: data, Links: [{ Hash: child as never, Name: '', Tsize: 1_000 }] });
      child = await cidOfBlock(content, 'dag-pb');
      levels.push({ cid: child, bytes: content });
    }
    expect((await post('/v1/blocks', car(levels))).status).toBe(201);
    expect((await post(`/v1/commit/${child}`, '')).status).toBe(201);
    // a reader gives up at twelve levels, so the stream is cut there
    await expect(get(`/ipfs/${child}?format=car`).then((response) => response.arrayBuffer())).rejects.toThrow();
    await gateway.pins.remove(child.toString());
  });

  test('a node that names itself in a circle cannot exist, and shared nodes are walked once', async () => {
    // thirty levels of two equal links are a billion paths to one leaf
    let child = small;
    const levels: { cid: CID; bytes: Uint8Array }[] = [];
    for (let depth = 0; depth < 30; depth += 1) {
      const link = { Hash: child as never, Name: '', Tsize: 0 };
      const data = new UnixFS({ type: 'directory' }).marshal();
      const content = dagPb.encode({ Data: data, Links: [link, link] });
      child = await cidOfBlock(content, 'dag-pb');
      levels.push({ cid: child, bytes: content });
    }
    expect((await post('/v1/blocks', car(levels))).status).toBe(201);
    expect(await (await post(`/v1/commit/${child}`, '')).json()).toMatchObject({ blocks: 32 });
    await gateway.pins.remove(child.toString());
  });

  test('slow loris: headers and bodies that drip are cut off', async () => {
    const { port } = new URL(gateway.url);
    const dripped = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), '127.0.0.1');
        let said = '';
        socket.on('data', (chunk) => (said += chunk.toString()));
        socket.on('error', () => {});
        socket.on('close', () => resolve(said.split('\r\n')[0] ?? ''));
        socket.write(text);
      });
    const [headers, body] = await Promise.all([
      dripped('GET /ipfs/x HTTP/1.1\r\nHost: a\r\nX-Drip: '),
      dripped('POST /v1/blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc'),
    ]);
    expect(headers).toMatch(/^(HTTP\/1\.1 408 Request Timeout)?$/);
    expect(body).toMatch(/^(HTTP\/1\.1 (408 Request Timeout|400 Bad Request))?$/);
    expect((await get('/health')).status).toBe(200);
  });
});

test('a file comes through whole, hashed by somebody else', async () => {
  const blocks = await blocksOf(bytes);
  const { cids } = await blocksIn(`/ipfs/${file}?format=car&dag-scope=entity`);
  const known = new Map(blocks.map(({ cid, bytes: content }) => [cid.toString(), content]));
  const hash = createHash('sha256');
  for (const cid of cids.slice(1)) hash.update(known.get(cid)!);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
});
