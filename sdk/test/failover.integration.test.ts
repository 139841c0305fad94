import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../src/storage/backend.ts';
import { iterate } from '../src/storage/bytes.ts';
import { AllHoldersFailedError, GatewayError, HashMismatchError, NotFoundError } from '../src/storage/errors.ts';
import type { HolderFailure } from '../src/storage/errors.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import type { Patience } from '../src/storage/gatewayRequest.ts';
import { MIB, randomBytes, streamOf } from '../src/storage/fixtures.ts';
import { spawnGateway } from './spawn.ts';
import type { Spawned } from './spawn.ts';

type Failure = HolderFailure & { offset: number };

/** A reader that knows the given holders and remembers who failed. */
function reader(holders: string[], patience: Partial<Patience> = {}): { backend: HttpBackend; failures: Failure[] } {
  const failures: Failure[] = [];
  const backend = new HttpBackend(
    { getHolders: () => holders, writeTo: holders[0]!, patience: { retryMs: 1, ...patience } },
    { onFailure: (failure) => failures.push(failure) },
  );
  return { backend, failures };
}

/** A holder that answers as `answer` does. */
async function fakeHolder(answer: (request: Request) => Promise<Response> | Response): Promise<Spawned> {
  const server = serve({ fetch: answer, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const close = async (): Promise<void> => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dir: '',
    pid: 0,
    kill: close,
    remove: close,
  };
}

/** A holder that passes on what `origin` says, its body changed by `meddle`. */
const meddler = (
  origin: string,
  meddle: (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<Spawned> =>
  fakeHolder(async (request) => {
    const { pathname, search } = new URL(request.url);
    const answer = await fetch(origin + pathname + search);
    const body = answer.ok && answer.body ? streamOf(meddle(iterate(answer.body))) : answer.body;
    const type = answer.headers.get('content-type') ?? '';
    return new Response(body, { status: answer.status, headers: { 'content-type': type } });
  });

/** Passes `count` bytes through, then does as `then` says. */
async function* after(
  count: number,
  body: AsyncIterable<Uint8Array>,
  then: (chunk: Uint8Array) => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of body) {
    passed += chunk.length;
    const out = passed > count ? await then(chunk) : chunk;
    if (!out) return;
    yield out;
  }
}

describe('reading when holders fail', () => {
  const bytes = randomBytes(6 * MIB + 12_345, 7);
  let one: Spawned;
  let two: Spawned;
  let cid: string;
  const fakes: Spawned[] = [];
  const fake = (holder: Spawned): string => {
    fakes.push(holder);
    return holder.url;
  };

  beforeAll(async () => {
    [one, two] = await Promise.all([spawnGateway(), spawnGateway()]);
    const stored = await new HttpBackend({ getHolders: () => [], writeTo: one.url }).addFile(bytes);
    cid = stored.cid.toString();
    await new HttpBackend({ getHolders: () => [one.url], writeTo: two.url }).pin(cid);
  });
  afterAll(() => Promise.all([one, two, ...fakes].map((holder) => holder?.remove())));

  /** Reads the file from `bad` and then `two`; checks the bytes and says how `bad` failed. */
  async function readPast(bad: string, patience?: Partial<Patience>): Promise<Failure> {
    const { backend, failures } = reader([bad, two.url], patience);
    expect(Buffer.compare(await readAll(backend, cid, bytes.length), bytes)).toBe(0);
    expect(failures.map(({ holder }) => holder)).toEqual([bad]);
    return failures[0]!;
  }

  test('a flipped bit is found and the rest taken from another holder', async () => {
    const liar = fake(
      await meddler(one.url, (body) =>
        after(3 * MIB, body, async (chunk) => chunk.map((byte, i) => (i === 0 ? byte ^ 1 : byte))),
      ),
    );
    const { error, offset } = await readPast(liar);
    expect(error).toBeInstanceOf(HashMismatchError);
    expect(offset).toBe(2 * MIB);
  });

  test('a truncated stream is continued elsewhere', async () => {
    const short = fake(await meddler(one.url, (body) => after(4 * MIB, body, async () => undefined)));
    const { error, offset } = await readPast(short);
    expect(error.message).toMatch(/ends \d+ bytes short/);
    expect(offset).toBe(3 * MIB);
  });

  test('a stream that ends between two blocks is continued elsewhere', async () => {
    const head = fake(
      await fakeHolder(() => fetch(`${one.url}/ipfs/${cid}?format=car&dag-scope=entity&entity-bytes=0:${2 * MIB - 1}`)),
    );
    const { error, offset } = await readPast(head);
    expect(error.message).toMatch(/ended early, at byte 2097152/);
    expect(offset).toBe(2 * MIB);
  });

  test('a holder that falls silent is left', async () => {
    const silent = fake(await meddler(one.url, (body) => after(2 * MIB, body, () => new Promise(() => {}))));
    // on a busy machine the good holder may be that slow too, which must not matter
    const { backend, failures } = reader([silent, two.url], { stallMs: 500, triesPerHolder: 100 });
    expect(Buffer.compare(await readAll(backend, cid, bytes.length), bytes)).toBe(0);
    expect(failures[0]).toMatchObject({
      holder: silent,
      error: { message: expect.stringMatching(/silent for 500 ms/) },
    });
  });

  test('a holder that sends other blocks, a web page or a redirect is left', async () => {
    const other = randomBytes(10, 99);
    const otherCid = (await new HttpBackend({ getHolders: () => [], writeTo: one.url }).addFile(other)).cid;
    const wrong = fake(await fakeHolder(() => fetch(`${one.url}/ipfs/${otherCid}?format=car`)));
    expect((await readPast(wrong)).error.message).toMatch(/where .* was due/);
    const page = fake(await fakeHolder(() => new Response('<html>', { headers: { 'content-type': 'text/html' } })));
    expect((await readPast(page)).error.message).toMatch(/it sent text\/html/);
    const elsewhere = fake(await fakeHolder(() => Response.redirect(`${one.url}/ipfs/${cid}?format=car`)));
    expect((await readPast(elsewhere)).error).toBeInstanceOf(GatewayError);
  });

  test('a holder killed in mid-file is replaced without a byte lost or repeated', async () => {
    const large = randomBytes(48 * MIB, 8);
    const doomed = await spawnGateway();
    const largeCid = (await new HttpBackend({ getHolders: () => [], writeTo: doomed.url }).addFile(large)).cid;
    await new HttpBackend({ getHolders: () => [doomed.url], writeTo: two.url }).pin(largeCid);
    const { backend, failures } = reader([doomed.url, two.url], { triesPerHolder: 1 });

    const parts: Uint8Array[] = [];
    for await (const part of backend.readFile(largeCid)) {
      parts.push(part);
      if (parts.length === 4) await doomed.kill();
    }
    await doomed.remove();

    expect(Buffer.compare(Buffer.concat(parts), large)).toBe(0);
    expect(failures.map(({ holder }) => holder)).toEqual([doomed.url]);
    expect(failures[0]!.offset).toBeGreaterThanOrEqual(4 * MIB);
    expect(failures[0]!.offset).toBeLessThan(large.length);
  });

  test('a block torn on a holder’s disk is never served, and is healed by sending it again', async () => {
    const torn = await spawnGateway();
    const writer = new HttpBackend({ getHolders: () => [torn.url], writeTo: torn.url });
    await writer.addFile(bytes);
    const blocks = (await readdir(join(torn.dir, 'blocks'), { recursive: true })).filter((name) =>
      name.endsWith('.blk'),
    );
    for (const name of blocks) {
      const file = join(torn.dir, 'blocks', name);
      const content = await readFile(file);
      // a leaf whose second half never reached the disk
      if (content.length === MIB && content.equals(bytes.subarray(3 * MIB, 4 * MIB)))
        await writeFile(file, content.fill(0, MIB / 2));
    }
    const { offset } = await readPast(torn.url, { triesPerHolder: 1 });
    // The gateway cuts the connection at the torn block; whole blocks that were still on their way may be lost with it.
    expect([0, 1, 2, 3].map((block) => block * MIB)).toContain(offset);
    await expect(readAll(reader([torn.url]).backend, cid, bytes.length)).rejects.toBeInstanceOf(AllHoldersFailedError);

    await writer.addFile(bytes);
    expect(Buffer.compare(await readAll(writer, cid, bytes.length), bytes)).toBe(0);
    await torn.remove();
  });

  test('holders that appear later are asked', async () => {
    const known: string[][] = [[fake(await fakeHolder(() => new Response('gone', { status: 503 })))], [two.url]];
    const backend = new HttpBackend({
      getHolders: () => (known.length > 1 ? known.shift()! : known[0]!),
      writeTo: two.url,
      patience: { retryMs: 1 },
    });
    expect((await readAll(backend, cid, bytes.length)).length).toBe(bytes.length);
  });

  test('says who failed how when nobody is left', async () => {
    const down = fake(await fakeHolder(() => new Response('down', { status: 503 })));
    const { backend, failures } = reader([down]);
    await expect(readAll(backend, cid, bytes.length)).rejects.toThrow(`${down} failed: it answered 503`);
    await expect(backend.getBlock(cid)).rejects.toBeInstanceOf(AllHoldersFailedError);
    expect(failures).toHaveLength(4);
  });

  test('absence everywhere is not found, and nobody is asked twice', async () => {
    const { backend, failures } = reader([one.url, two.url]);
    const absent = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
    await expect(readAll(backend, absent, 1)).rejects.toEqual(new NotFoundError(absent, [one.url, two.url]));
    expect(failures).toHaveLength(2);
  });
});
