/** Who may write to a gateway that takes signed writes only, and how much: clients sign as nodes and wallets do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../src/gateway/server.ts';
import type { Gateway } from '../src/gateway/server.ts';
import { SignedWrites } from '../src/gateway/writers.ts';
import type { Writer } from '../src/gateway/writers.ts';
import { UnauthorizedError, WriterQuotaError } from '../src/storage/errors.ts';
import { MIB, randomBytes } from '../src/storage/fixtures.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { storageDomain } from '../src/storage/receipt.ts';
import { uploadGrant } from '../src/storage/uploadGrant.ts';
import {
  grantHeaders,
  grantTypedData,
  MAX_GRANT_SECONDS,
  newGrant,
  signedWriteHeaders,
  writeTypedData,
} from '../src/storage/writeAuth.ts';
import type { WriteRequest } from '../src/storage/writeAuth.ts';
import { block, car } from './cars.ts';

const DOMAIN = storageDomain(31_337, '0x00000000000000000000000000000000000000d1');
const OTHER_DOMAIN = storageDomain(1, '0x00000000000000000000000000000000000000d1');
const poster = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const NOW = 1_800_000_000;

let dir: string;
let gateway: Gateway;
let now: number;
let asked: number;
const writer: Writer = { by: `wallet:${poster.address.toLowerCase()}`, quotaBytes: 3 * MIB, keepMs: 1_000 };

beforeEach(async () => {
  now = NOW;
  asked = 0;
  dir = await mkdtemp(join(tmpdir(), 'dpu-writers-'));
  const writes = new SignedWrites({
    domain: DOMAIN,
    gateways: () => [gateway.url, 'https://gateway.example'],
    admit: async (account) => (account === poster.address ? writer : undefined),
    nowSeconds: () => now,
  });
  gateway = await startGateway({ dir, authorizeWrite: (attempt) => writes.judge(attempt), signedWrites: true });
});
afterEach(async () => {
  await gateway.close();
  await rm(dir, { recursive: true });
});

type Headers = (request: WriteRequest) => Promise<Record<string, string>> | Record<string, string>;

const signing = (account = poster, domain = DOMAIN, clock = () => now): Headers =>
  signedWriteHeaders({ signWrite: (data) => account.signTypedData(data) }, domain, clock);

const client = (headers: Headers | undefined): HttpBackend =>
  new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url, upload: { tries: 1 } }, { headers });

async function grantOf(bytes: number, seconds: number, to = gateway.url): Promise<Headers> {
  const grant = newGrant(to, bytes, now + seconds);
  const signature = await poster.signTypedData(grantTypedData(grant, DOMAIN));
  return () => grantHeaders(grant, signature);
}

/** Why an upload of ten bytes is refused. */
const refusal = async (headers: Headers | undefined): Promise<string> =>
  client(headers)
    .addFile(randomBytes(10))
    .then(
      () => 'taken',
      (error: unknown) => (error instanceof UnauthorizedError ? error.message : String(error)),
    );

describe('a gateway that takes signed writes', () => {
  test('says so', async () => {
    expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ writes: 'signed' });
  });

  test('takes what an admitted account has signed, and keeps it as long as it is promised', async () => {
    const before = Date.now();
    const { cid } = await client(signing()).addFile(randomBytes(10));
    const [hold] = gateway.pins.get(cid.toString())!.holds;
    expect(hold).toMatchObject({ by: writer.by, bytes: 10 });
    expect(hold!.untilMs).toBeGreaterThanOrEqual(before + 1_000);
    expect(hold!.untilMs).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  test.each<[string, () => Headers | undefined | Promise<Headers>, RegExp]>([
    ['no signature', () => undefined, /writes are signed here/],
    ['another scheme', () => () => ({ authorization: 'Bearer me' }), /neither DPU-Write nor DPU-Grant/],
    ['a damaged header', () => () => ({ authorization: 'DPU-Write e30' }), /is damaged; sign again/],
    ['an account that is not admitted', () => signing(stranger), /the account 0x\w+ may not do this here/],
    ['a signature of another network', () => signing(poster, OTHER_DOMAIN), /the account 0x\w+ may not do this here/],
    ['a signature that has expired', () => signing(poster, DOMAIN, () => now - 151), /expired 1 s ago/],
    ['a signature for too long', () => signing(poster, DOMAIN, () => now + 151), /good for 301 s, at most 300/],
    [
      'a grant for another gateway',
      () => grantOf(100, 60, 'https://other.example'),
      /signed for https:\/\/other\.example/,
    ],
    ['a grant that has expired', () => grantOf(1_000, -1), /expired 1 s ago/],
    ['a grant for too long', () => grantOf(1_000, MAX_GRANT_SECONDS + 1), /at most 86400 s are taken/],
    ['a grant that is too small', () => grantOf(20, 60), /the grant was for 20 bytes and they are used up/],
  ])('refuses %s', async (_name, headers, message) => {
    expect(await refusal(await headers())).toMatch(message);
    expect(gateway.pins.count).toBe(0);
  });

  test('both ends of a signature’s life are good', async () => {
    expect(await refusal(signing(poster, DOMAIN, () => now - 150))).toBe('taken');
    expect(await refusal(signing(poster, DOMAIN, () => now + 150))).toBe('taken');
    expect(await refusal(await grantOf(1_000, 0))).toBe('taken');
    expect(await refusal(await grantOf(1_000, MAX_GRANT_SECONDS))).toBe('taken');
  });

  test('a request is good once, for its own path and body', async () => {
    const body = car([await block(randomBytes(10))]);
    const request = { gateway: gateway.url, method: 'POST', path: '/v1/blocks', body };
    const headers = await signing()(request);
    const send = (path: string, bytes: BodyInit): Promise<Response> =>
      fetch(gateway.url + path, { method: 'POST', headers, body: bytes });
    expect(await (await send('/v1/car', body)).json()).toMatchObject({
      error: 'unauthorized',
      why: 'POST /v1/blocks was signed, POST /v1/car was sent',
    });
    expect((await send('/v1/blocks', body)).status).toBe(201);
    expect(await (await send('/v1/blocks', body)).json()).toMatchObject({
      why: 'this request was sent before; sign it again',
    });
    const other = await signing()(request);
    const swapped = await fetch(`${gateway.url}/v1/blocks`, {
      ...{ method: 'POST', headers: other, body: car([await block(randomBytes(10, 2))]) },
    });
    expect([swapped.status, await swapped.json()]).toMatchObject([
      401,
      { why: 'another body was signed than was sent' },
    ]);
  });

  test('a nonce is remembered only as long as its signature is good', async () => {
    const body = car([await block(randomBytes(10))]);
    const headers = await signing()({ gateway: gateway.url, method: 'POST', path: '/v1/blocks', body });
    const send = (): Promise<Response> => fetch(`${gateway.url}/v1/blocks`, { method: 'POST', headers, body });
    expect((await send()).status).toBe(201);
    now = NOW + 150;
    expect(await (await send()).json()).toMatchObject({ why: 'this request was sent before; sign it again' });
    now = NOW + 151;
    expect(await (await send()).json()).toMatchObject({ why: 'the signature expired 1 s ago; sign again' });
  });

  test('an account has no more kept than its quota, and the same content again costs nothing', async () => {
    const { cid } = await client(signing()).addFile(randomBytes(MIB));
    await client(signing()).addFile(randomBytes(MIB, 2));
    await client(signing()).addFile(randomBytes(MIB));
    expect(gateway.pins.usage(writer.by)).toEqual({ bytes: 2 * MIB, roots: 2 });
    await expect(client(signing()).addFile(randomBytes(MIB + 1, 3))).rejects.toEqual(
      new WriterQuotaError(writer.by, 2 * MIB, 3 * MIB),
    );
    await gateway.pins.remove(cid.toString());
    await client(signing()).addFile(randomBytes(MIB, 3));
  });

  test('one signature of a wallet is good for many uploads, and none is asked for where the gateway is open', async () => {
    const sign = (data: ReturnType<typeof grantTypedData>): Promise<`0x${string}`> => {
      asked += 1;
      return poster.signTypedData(data);
    };
    const headers = uploadGrant({ domain: DOMAIN, bytes: 4 * MIB }, { sign, fetch, nowSeconds: () => now });
    await Promise.all([1, 2, 3].map((seed) => client(headers).addFile(randomBytes(100, seed))));
    expect(asked).toBe(1);
    now += 3_300;
    await client(headers).addFile(randomBytes(100, 4));
    expect(asked).toBe(2);

    const open = await startGateway({ dir: join(dir, 'open') });
    const options = { getHolders: () => [open.url], writeTo: open.url };
    await new HttpBackend(options, { headers }).addFile(randomBytes(100));
    expect(asked).toBe(2);
    await open.close();
  });

  test('a wallet that refuses is asked again with the next upload', async () => {
    const sign = async (): Promise<`0x${string}`> => {
      asked += 1;
      throw new Error('the person said no');
    };
    const headers = uploadGrant({ domain: DOMAIN }, { sign, fetch, nowSeconds: () => now });
    for (const tries of [1, 2]) {
      await expect(client(headers).addFile(randomBytes(10))).rejects.toThrow('the person said no');
      expect(asked).toBe(tries);
    }
  });
});

test('a gateway that others can reach takes no writes unless it is told from whom', async () => {
  const reachable = await startGateway({ dir: join(dir, 'reachable'), host: '0.0.0.0' });
  const url = reachable.url.replace('0.0.0.0', '127.0.0.1');
  const backend = new HttpBackend({ getHolders: () => [url], writeTo: url });
  await expect(backend.addFile(randomBytes(10))).rejects.toEqual(new UnauthorizedError());
  await reachable.close();
});

test('what is signed is a typed message that a wallet can show', () => {
  const grant = { gateway: 'https://g.example', bytes: 5, expires: NOW, nonce: `0x${'ab'.repeat(32)}` } as const;
  expect(grantTypedData(grant, DOMAIN)).toMatchObject({
    domain: { name: 'DPU Storage', version: '1', chainId: 31_337 },
    primaryType: 'UploadGrant',
    message: { gateway: 'https://g.example', bytes: 5n, expires: BigInt(NOW) },
  });
  const write = { ...{ gateway: 'https://g.example', method: 'POST', path: '/pins', body: grant.nonce }, expires: NOW };
  expect(writeTypedData({ ...write, nonce: grant.nonce }, DOMAIN).primaryType).toBe('StorageWrite');
});
