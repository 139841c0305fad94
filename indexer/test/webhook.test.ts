import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { isPublic, resolvePublic, webhookUrl } from '../src/notify/address.ts';
import { sendWebhook } from '../src/notify/webhook.ts';

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:a00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
    'localhost',
    '',
    '127.1',
  ])('%s is closed', (address) => expect(isPublic(address)).toBe(false));

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('%s is open', (address) => expect(isPublic(address)).toBe(true));

  const HTTPS = 'url must begin with https://';
  const INSIDE = 'the host of url must be on the public internet';
  test.each([
    ['', 'url must be like https://example.com/hook'],
    ['example.com', 'url must be like https://example.com/hook'],
    ['http://example.com', HTTPS],
    ['file:///etc/passwd', HTTPS],
    ['gopher://example.com', HTTPS],
    ['javascript:alert(1)', HTTPS],
    ['https://user:password@example.com', 'url must have no user and no password in it'],
    ['https://example.com/#a', 'url must have no part after #'],
    ['https://example.com:25', 'the port of url must be 443, or 1024 or higher'],
    ['https://example.com:1023', 'the port of url must be 443, or 1024 or higher'],
    ['https://127.0.0.1', INSIDE],
    ['https://2130706433', INSIDE],
    ['https://0x7f.1', INSIDE],
    ['https://0177.0.0.1', INSIDE],
    ['https://[::1]', INSIDE],
    ['https://[::ffff:127.0.0.1]', INSIDE],
    ['https://[::ffff:7f00:1]', INSIDE],
    ['https://169.254.169.254/latest/meta-data', INSIDE],
    ['https://１２７.0.0.1', INSIDE],
  ])('the webhook %s is refused', (url, detail) => {
    expect(() => webhookUrl(url, false)).toThrow(
      expect.objectContaining({ problem: 'invalid-request', message: detail }),
    );
  });

  test.each([
    ['https://example.com', 'https://example.com/'],
    ['https://example.com:443/a?b=c', 'https://example.com/a?b=c'],
    ['https://example.com:1024/', 'https://example.com:1024/'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
  ])('the webhook %s is taken', (url, normal) => expect(webhookUrl(url, false)).toBe(normal));

  test('where the operator allows it, loopback and http are taken too, and nothing else', () => {
    expect(webhookUrl('http://127.0.0.1:80/', true)).toBe('http://127.0.0.1/');
    expect(() => webhookUrl('ftp://127.0.0.1/', true)).toThrow(HTTPS);
    expect(() => webhookUrl('http://a:b@127.0.0.1/', true)).toThrow('url must have no user and no password in it');
  });

  test('a name is refused when any of its addresses is closed', async () => {
    const dns =
      (...addresses: string[]) =>
      async () =>
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    await expect(resolvePublic('a.example', false, dns('8.8.8.8', '127.0.0.1'))).rejects.toThrow(
      'a.example is 127.0.0.1, which is not on the public internet',
    );
    await expect(resolvePublic('a.example', false, dns('::ffff:10.0.0.1'))).rejects.toThrow(
      'not on the public internet',
    );
    await expect(resolvePublic('a.example', false, dns())).rejects.toThrow('a.example has no address');
    expect(await resolvePublic('a.example', false, dns('8.8.8.8'))).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await resolvePublic('a.example', true, dns('127.0.0.1'))).toEqual([{ address: '127.0.0.1', family: 4 }]);
    await expect(resolvePublic('10.0.0.1', false, dns('8.8.8.8'))).rejects.toThrow('10.0.0.1');
  });
});

describe('sending', () => {
  const asked: { url: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  let answer: (response: http.ServerResponse) => void;
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ url: request.url!, headers: request.headers, body });
      answer(response);
    });
  });
  let port: number;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => {
    asked.length = 0;
    answer = (response) => response.writeHead(204).end();
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const SECRETS = ['a', 'b'].map((letter) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`);
  const attempt = (over: Record<string, unknown> = {}) => ({
    url: `http://hook.example:${port}/in`,
    secrets: SECRETS.slice(0, 1),
    message: 'msg_1',
    body: '{"type":"test","note":"ü"}',
    now: Date.now(),
    ...over,
  });
  const loopback = async () => [{ address: '127.0.0.1', family: 4 }];
  const send = (over = {}, deps: Partial<Parameters<typeof sendWebhook>[1]> = {}) =>
    sendWebhook(attempt(over), { allowPrivate: true, resolve: loopback, ...deps });

  test('the receiver’s library accepts it, and nothing that was changed', async () => {
    expect(await send()).toEqual({ ok: true, status: 204 });
    const { url, headers, body } = asked[0]!;
    expect([url, headers.host, headers['content-type']]).toEqual(['/in', `hook.example:${port}`, 'application/json']);
    const receiver = new Webhook(SECRETS[0]!);
    expect(receiver.verify(body, headers as Record<string, string>)).toEqual({ type: 'test', note: 'ü' });
    expect(() => receiver.verify(`${body} `, headers as Record<string, string>)).toThrow('No matching signature found');
    const other = { ...headers, 'webhook-id': 'msg_2' } as unknown as Record<string, string>;
    expect(() => receiver.verify(body, other)).toThrow('No matching signature found');
  });

  test('while a secret is being replaced both sign', async () => {
    await send({ secrets: SECRETS });
    const { headers, body } = asked[0]!;
    for (const secret of SECRETS)
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeTruthy();
  });

  test.each([
    [200, { ok: true, status: 200 }],
    [299, { ok: true, status: 299 }],
    [302, { ok: false, gone: false, status: 302, error: 'the receiver answered 302' }],
    [404, { ok: false, gone: false, status: 404, error: 'the receiver answered 404' }],
    [410, { ok: false, gone: true, status: 410, error: 'the receiver answered 410' }],
    [500, { ok: false, gone: false, status: 500, error: 'the receiver answered 500' }],
  ])('an answer of %i ends as it should, and no redirect is followed', async (status, outcome) => {
    answer = (response) => response.writeHead(status, { location: `http://127.0.0.1:${port}/secret` }).end('why');
    expect(await send()).toEqual(outcome);
    expect(asked.map(({ url }) => url)).toEqual(['/in']);
  });

  test('what DNS says to the socket is what was checked', async () => {
    const answers = ['8.8.8.8', '127.0.0.1'];
    let questions = 0;
    const rebinding = async () => [{ address: answers[questions++] ?? '127.0.0.1', family: 4 }];
    // The first answer is public and nothing listens there in this test; what matters is that nobody asks again.
    await send({}, { allowPrivate: false, resolve: rebinding, answerMs: 50 });
    expect(questions).toBe(1);
    expect(asked).toEqual([]);
  });

  test('a closed address is not asked, and nothing of it is told', async () => {
    const outcome = await send({}, { allowPrivate: false });
    expect(outcome).toEqual({
      ok: false,
      gone: true,
      status: null,
      error: 'the address is not on the public internet',
    });
    const literal = await send({ url: `http://[::ffff:127.0.0.1]:${port}/` }, { allowPrivate: false });
    expect(literal).toMatchObject({ ok: false, gone: true });
    expect(asked).toEqual([]);
  });

  test('a receiver that hangs is left, one that talks without end is cut off', async () => {
    answer = () => undefined;
    expect(await send({}, { answerMs: 50 })).toMatchObject({
      ok: false,
      gone: false,
      error: 'the receiver did not answer within 0.05 s',
    });
    answer = (response) => {
      response.writeHead(200);
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(65_536), more);
      };
      more();
    };
    expect(await send()).toEqual({ ok: true, status: 200 });
  });

  test('a receiver that is not there is said to be', async () => {
    expect(await send({ url: 'http://hook.example:1/' })).toMatchObject({ ok: false, gone: false, status: null });
  });
});
