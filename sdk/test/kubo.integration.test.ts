import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { GatewayError, HashMismatchError, NotFoundError, WrongCidError } from '../src/storage/errors.ts';
import { KuboBackend } from '../src/storage/kuboBackend.ts';

const HELLO = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';
const EMPTY = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

let server: ServerType;
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function kubo(app: Hono, options: { blockMs?: number } = {}): Promise<KuboBackend> {
  server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  return new KuboBackend({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...options });
}

describe('a Kubo node that is not to be believed', () => {
  test('is told every part of the profile, and found out when it ignores one', async () => {
    const asked: Record<string, string>[] = [];
    const app = new Hono().post('/api/v0/add', async (c) => {
      asked.push(c.req.query());
      await c.req.arrayBuffer();
      return c.text(JSON.stringify({ Name: EMPTY, Hash: EMPTY, Size: '0' }));
    });
    const backend = await kubo(app);
    await expect(backend.addFile(new TextEncoder().encode('hello world'))).rejects.toEqual(
      new WrongCidError(HELLO, EMPTY),
    );
    expect(asked).toMatchObject([
      { 'cid-version': '1', 'raw-leaves': 'true', chunker: 'size-1048576', 'max-file-links': '1024', pin: 'true' },
    ]);
  });

  test('cannot pass off wrong bytes', async () => {
    const backend = await kubo(new Hono().post('/api/v0/block/get', (c) => c.text('hello world?')));
    await expect(backend.getBlock(HELLO)).rejects.toEqual(new HashMismatchError(HELLO));
  });

  test('that searches for ever has not found it', async () => {
    const backend = await kubo(
      new Hono().post('/api/v0/block/get', () => new Promise(() => {})),
      { blockMs: 50 },
    );
    await expect(backend.getBlock(HELLO)).rejects.toBeInstanceOf(NotFoundError);
    if ('closeAllConnections' in server) server.closeAllConnections();
  });

  test('that is broken is a failed gateway', async () => {
    const broken = new Hono().post('*', (c) => c.json({ Message: 'disk on fire' }, 500));
    const backend = await kubo(broken);
    await expect(backend.has(HELLO)).rejects.toBeInstanceOf(GatewayError);
    await expect(backend.addFile(new Uint8Array(5))).rejects.toThrow(/disk on fire/);
  });
});
