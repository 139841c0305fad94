import { createSiweMessage } from 'viem/siwe';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openAccounts } from '../src/accounts/accounts.ts';
import { mountedAccounts } from '../src/accounts/mounted.ts';
import { ServerKey } from '../src/accounts/secrets.ts';
import { messageVerifier, STATEMENT } from '../src/accounts/siwe.ts';
import { createApp } from '../src/api/app.ts';
import { ConfigError } from '../src/env.ts';
import { NOT_LISTENING } from '../src/live/facts.ts';
import {
  API,
  CHAIN,
  MARKET,
  NOW,
  OTHER_PAGE,
  PAGE,
  problemOf,
  signedMessage,
  STRANGER,
  testAccounts,
  WALLET,
  type TestAccounts,
} from './lib/accounts.ts';

const ME = WALLET.address.toLowerCase();

let here: TestAccounts;
beforeAll(async () => {
  here = await testAccounts();
}, 120_000);
beforeEach(() => here.clear());
afterAll(() => here.close());

const start = (body: Record<string, unknown>, more: Record<string, string> = {}) =>
  here.ask('POST', '/account/session', { body: { transport: 'bearer', ...body }, ...more });
/** Signs in with a message that is changed. */
const startWith = async (over: Parameters<typeof signedMessage>[2]) => {
  const { message, signature } = await signedMessage(here.ask, here.clock, over);
  return problemOf(await start({ message, signature }));
};

test('tables of another Market or another chain are not opened', async () => {
  const { store, database } = here;
  const open = (over: { chainId?: number; market?: `0x${string}` }) =>
    openAccounts(
      {
        ...{ chainId: CHAIN, market: MARKET, origins: [PAGE], publicUrl: API, serverKey: 'ab'.repeat(32) },
        ...{ privateWebhooks: true, ...over },
      },
      {
        ...{ store, db: database.db, live: NOT_LISTENING, relay: undefined, mailer: undefined },
        ...{ now: here.clock.now, steady: here.clock.steady, callerOf: () => 'everybody' },
        ...{ verify: messageVerifier({ verifyMessage: async () => false }), resolve: async () => [] },
      },
    );
  const other = `0x${'4b'.repeat(20)}` as const;
  await expect(open({ market: other })).rejects.toThrow(
    new ConfigError(
      `the accounts' tables are of the Market ${CHAIN} ${MARKET}, and this is ${CHAIN} ${other}: name another PONDER_ACCOUNT_DIR or database`,
    ),
  );
  await expect(open({ chainId: 1 })).rejects.toThrow(`and this is 1 ${MARKET}: name another`);
});

describe('signing in', () => {
  test('a wallet that signs the message is in, and is told what it may know', async () => {
    const { message, signature } = await signedMessage(here.ask, here.clock);
    const response = await start({ message, signature }, { agent: 'Browser\u0007 1' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('set-cookie')).toBeNull();
    const { token, ...answer } = (await response.json()) as { token: string };
    const session = {
      ...{ id: expect.stringMatching(/^[0-9a-f]{16}$/), transport: 'bearer', origin: PAGE, agent: 'Browser 1' },
      ...{ createdAt: NOW / 1_000, usedAt: NOW / 1_000, expiresAt: NOW / 1_000 + 43_200, current: true },
    };
    expect(answer).toEqual({ account: ME, session });
    expect(token).toMatch(/^dpus_[A-Za-z0-9_-]{43}$/);
    expect(await here.good('GET', '/account', { token })).toEqual({
      ...{ account: ME, session, passkeys: [], freshUntil: null, recoveryAt: null },
      offers: { email: false, relayer: false, heartbeats: false },
    });
  });

  test('the token is not in the tables', async () => {
    const token = await here.signIn();
    const rows = await here.store.query('SELECT * FROM session');
    expect(JSON.stringify(rows)).not.toContain(token.slice(5));
  });

  test('a message signs in once', async () => {
    const { message, signature } = await signedMessage(here.ask, here.clock);
    expect((await start({ message, signature })).status).toBe(200);
    expect(await problemOf(await start({ message, signature }))).toEqual({
      status: 401,
      name: 'sign-in-refused',
      detail: 'the nonce was used before; ask for a new one',
    });
  });

  test('of a message that is sent many times at once, one signs in', async () => {
    const { message, signature } = await signedMessage(here.ask, here.clock);
    const all = await Promise.all(Array.from({ length: 10 }, () => start({ message, signature })));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test.each([
    [
      'another page',
      { domain: 'evil.example', uri: 'https://evil.example' },
      'the message is for the page evil.example, which does not sign in here',
    ],
    [
      'another port of the same host',
      { domain: 'localhost:1' },
      'the message is for the page localhost:1, which does not sign in here',
    ],
    ['another scheme', { scheme: 'https' }, 'the message is for the page localhost:24173, which does not sign in here'],
    [
      'the URI of another page',
      { uri: 'https://evil.example/' },
      'the URI in the message is of another page than its domain',
    ],
    [
      'the URI of another page that is known',
      { uri: OTHER_PAGE },
      'the URI in the message is of another page than its domain',
    ],
    ['another chain', { chainId: 1 }, 'the message is for chain 1, and this is chain 31337'],
    ['another statement', { statement: 'Give me all' }, 'the statement in the message is not the one that /nonce gave'],
    ['no expiry', { expirationTime: undefined }, 'the message must say when it was issued and when it expires'],
    ['an expiry that is now', { expirationTime: new Date(NOW) }, 'the message has expired; sign a new one'],
    ['an expiry too far away', { expirationTime: new Date(NOW + 660_001) }, 'the message is good for too long'],
    ['a time of issue in the future', { issuedAt: new Date(NOW + 60_001) }, 'the message was issued in the future'],
    ['a beginning in the future', { notBefore: new Date(NOW + 1) }, 'the message is not good yet'],
    ['a nonce of somebody else', { nonce: 'a'.repeat(68) }, 'the nonce is not one of this indexer'],
    ['a short nonce', { nonce: '12345678' }, 'the nonce is not one of this indexer'],
  ])('a message with %s is refused', async (_what, over, detail) => {
    expect(await startWith(over as never)).toEqual({ status: 401, name: 'sign-in-refused', detail });
  });

  test.each([
    ['the last millisecond of the expiry', { expirationTime: new Date(NOW + 1) }],
    ['the longest time that may be', { expirationTime: new Date(NOW + 660_000) }],
    ['the furthest clock that may be', { issuedAt: new Date(NOW + 60_000) }],
    ['a beginning that is now', { notBefore: new Date(NOW) }],
    ['its scheme', { scheme: 'http' }],
  ])('a message with %s is taken', async (_what, over) => {
    const { message, signature } = await signedMessage(here.ask, here.clock, over as never);
    expect((await start({ message, signature })).status).toBe(200);
  });

  test('a nonce is good for ten minutes, to the millisecond', async () => {
    const late = async (ms: number) => {
      here.clock.ms = NOW;
      const { nonce } = await signedMessage(here.ask, here.clock);
      here.clock.ms = NOW + ms;
      const { message, signature } = await signedMessage(here.ask, here.clock, { nonce });
      return start({ message, signature });
    };
    expect((await late(599_999)).status).toBe(200);
    expect((await problemOf(await late(600_000))).detail).toBe('the nonce has expired; ask for a new one');
  });

  test('a nonce of a server with another key is refused', async () => {
    const nonce = new ServerKey('cd'.repeat(32)).nonce(NOW + 1_000, (bytes) => Buffer.alloc(bytes, 7));
    expect((await startWith({ nonce })).detail).toBe('the nonce is not one of this indexer');
  });

  test('another wallet’s signature is refused, and leaves the nonce good', async () => {
    const { message } = await signedMessage(here.ask, here.clock);
    const forged = await STRANGER.signMessage({ message });
    expect((await problemOf(await start({ message, signature: forged }))).detail).toBe(
      `the signature is not one of ${ME}`,
    );
    const signature = await WALLET.signMessage({ message });
    expect((await start({ message, signature })).status).toBe(200);
  });

  test('a message that was changed after it was signed is refused', async () => {
    const { message, signature } = await signedMessage(here.ask, here.clock);
    const other = message.replace(WALLET.address, STRANGER.address);
    expect((await problemOf(await start({ message: other, signature }))).name).toBe('sign-in-refused');
  });

  test('what is no message, no signature or no transport is a bad request or refused', async () => {
    expect((await problemOf(await start({ message: 'hello', signature: `0x${'00'.repeat(65)}` }))).detail).toBe(
      'the message is not one of EIP-4361',
    );
    for (const body of [
      { message: 1 },
      { message: 'x', signature: '0x12' },
      { message: 'x'.repeat(4_001), signature: `0x${'00'.repeat(65)}` },
    ])
      expect((await start(body)).status).toBe(400);
    const { message, signature } = await signedMessage(here.ask, here.clock);
    expect((await start({ message, signature, transport: 'smoke' })).status).toBe(400);
  });
});

describe('contract wallets', () => {
  const asked: unknown[] = [];
  const verify = (answer: () => Promise<boolean>) =>
    messageVerifier({
      verifyMessage: async (of) => {
        asked.push(of);
        return answer();
      },
    });
  const message = createSiweMessage({
    ...{ address: WALLET.address, chainId: CHAIN, domain: 'dpu.example', uri: PAGE, version: '1', nonce: '12345678' },
    statement: STATEMENT,
  });
  const given = { account: ME as `0x${string}`, message, signature: `0x${'01'.repeat(70)}` as const };

  test('the chain is asked for what no key has signed, and its word counts', async () => {
    asked.length = 0;
    expect(await verify(async () => true)(given)).toBe(true);
    expect(await verify(async () => false)(given)).toBe(false);
    expect(asked).toEqual([
      { address: ME, message, signature: given.signature },
      { address: ME, message, signature: given.signature },
    ]);
  });

  test('a key’s signature never asks the chain', async () => {
    asked.length = 0;
    const signature = await WALLET.signMessage({ message });
    expect(await verify(async () => false)({ ...given, signature })).toBe(true);
    expect(asked).toEqual([]);
  });

  test('a chain that does not answer is said to, and eight at once are enough', async () => {
    await expect(verify(() => Promise.reject(new Error('rpc secret')))(given)).rejects.toMatchObject({
      problem: 'chain-unavailable',
    });
    const waiting = Promise.withResolvers<boolean>();
    const slow = verify(() => waiting.promise);
    const all = Array.from({ length: 8 }, () => slow(given));
    await expect.poll(() => slow(given).catch((error: { problem: string }) => error.problem)).toBe('overloaded');
    waiting.resolve(true);
    expect(await Promise.all(all)).toEqual(Array(8).fill(true));
  });
});

describe('sessions', () => {
  test('a bearer session ends after twelve hours, to the millisecond', async () => {
    const token = await here.signIn();
    here.clock.ms = NOW + 12 * 3_600_000 - 1;
    expect((await here.ask('GET', '/account', { token })).status).toBe(200);
    here.clock.ms += 1;
    expect(await problemOf(await here.ask('GET', '/account', { token }))).toEqual({
      status: 401,
      name: 'signed-out',
      detail: 'the session has ended: sign in again',
    });
  });

  test('sessions are listed, ended one by one, all but one, and by signing out', async () => {
    const tokens = [await here.signIn(), await here.signIn(), await here.signIn(), await here.signIn()] as const;
    const stranger = await here.signIn(STRANGER);
    const list = async (token: string) =>
      (await here.good('GET', '/account/sessions', { token }))['items'] as { id: string; current: boolean }[];
    const all = await list(tokens[0]);
    expect(all).toHaveLength(4);
    const first = all.find(({ current }) => current)!;
    const second = (await list(tokens[1])).find(({ current }) => current)!;
    expect(second.id).not.toBe(first.id);
    expect(await here.good('DELETE', `/account/sessions/${second.id}`, { token: tokens[0] })).toEqual({ count: 1 });
    expect((await here.ask('GET', '/account', { token: tokens[1] })).status).toBe(401);
    expect((await problemOf(await here.ask('DELETE', `/account/sessions/${first.id}`, { token: stranger }))).name).toBe(
      'not-found',
    );
    expect(await here.good('DELETE', '/account/session', { token: tokens[3] })).toEqual({ count: 1 });
    expect(await here.good('DELETE', '/account/sessions', { token: tokens[0] })).toEqual({ count: 1 });
    expect(await list(tokens[0])).toHaveLength(1);
    expect(await list(stranger)).toHaveLength(1);
  });

  test('of fifty-one sessions the oldest has ended', async () => {
    const first = await here.signIn();
    for (let index = 0; index < 49; index += 1)
      await here.store.query(
        `INSERT INTO session (id, account, hash, transport, origin, agent, created, used, expires)
       SELECT $1, account, $1, transport, origin, agent, created + 1, used, expires FROM session LIMIT 1`,
        [String(index)],
      );
    expect((await here.ask('GET', '/account', { token: first })).status).toBe(200);
    here.clock.ms += 10;
    await here.signIn();
    expect((await here.ask('GET', '/account', { token: first })).status).toBe(401);
  });

  test('nothing is told without a session', async () => {
    for (const path of ['/account', '/account/sessions', '/account/keys', '/account/channels', '/account/deliveries'])
      expect((await problemOf(await here.ask('GET', path))).name).toBe('signed-out');
  });
});

describe('cookies', () => {
  const signInByCookie = async (origin: string = API) => {
    const { message, signature } = await signedMessage(here.ask, here.clock);
    return start({ message, signature, transport: 'cookie' }, { origin });
  };
  const cookieOf = (response: Response) => response.headers.get('set-cookie')!.split(';')[0]!;

  test('a page of the API’s own origin gets a cookie that script cannot read and other sites cannot send', async () => {
    const response = await signInByCookie();
    expect(await response.json()).toMatchObject({
      token: null,
      session: { transport: 'cookie', expiresAt: NOW / 1_000 + 604_800 },
    });
    expect(response.headers.get('set-cookie')).toMatch(
      /^dpu_session=dpus_[\w-]{43}; Max-Age=604800; Path=\/v1; HttpOnly; SameSite=Strict$/,
    );
    expect((await here.ask('GET', '/account', { cookie: cookieOf(response) })).status).toBe(200);
  });

  test('by https it is bound to the host', async () => {
    const secure = await testAccounts({ settings: { publicUrl: 'https://api.example' } });
    try {
      const { message, signature } = await signedMessage(secure.ask, secure.clock);
      const body = { message, signature, transport: 'cookie' };
      const response = await secure.ask('POST', '/account/session', { body, origin: 'https://api.example' });
      expect(response.headers.get('set-cookie')).toMatch(
        /^__Host-dpu=dpus_[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
    } finally {
      await secure.close();
    }
  }, 120_000);

  test.each([[PAGE], ['https://evil.example'], ['null'], ['http://indexer.evil.example'], [undefined]])(
    'a page at %s gets none, and what it does with one is refused',
    async (origin) => {
      const { message, signature } = await signedMessage(here.ask, here.clock);
      const more = origin === undefined ? {} : { origin };
      const refused = await start({ message, signature, transport: 'cookie' }, more);
      expect((await problemOf(refused)).name).toBe('cross-site');
      const cookie = cookieOf(await signInByCookie());
      for (const [method, path] of [
        ['DELETE', '/account/session'],
        ['POST', '/account/recovery'],
        ['POST', '/account/keys'],
      ] as const)
        expect((await problemOf(await here.ask(method, path, { cookie, ...more }))).name).toBe('cross-site');
      expect((await here.ask('GET', '/account', { cookie })).status).toBe(200);
    },
  );

  test('signing out takes the cookie', async () => {
    const cookie = cookieOf(await signInByCookie());
    const response = await here.ask('DELETE', '/account/session', { cookie, origin: API });
    expect(response.headers.get('set-cookie')).toMatch(/^dpu_session=; Max-Age=0; Path=\/v1;/);
    expect((await here.ask('GET', '/account', { cookie })).status).toBe(401);
  });

  test('a token of one transport is none of the other, and a forged one is none at all', async () => {
    const token = await here.signIn();
    const cookie = cookieOf(await signInByCookie());
    const forged = `dpus_${'A'.repeat(43)}`;
    for (const ask of [
      { cookie: `dpu_session=${token}` },
      { token: cookie.split('=')[1]! },
      { token: forged },
      { cookie: `dpu_session=${forged}` },
      { token: 'x' },
    ])
      expect((await problemOf(await here.ask('GET', '/account', { ...ask, who: JSON.stringify(ask) }))).name).toBe(
        'signed-out',
      );
  });
});

test('an indexer without accounts says so, and answers everything else', async () => {
  const app = createApp(here.database.db);
  const response = await app.request('http://indexer/v1/account/nonce', { method: 'POST' });
  expect(await problemOf(response)).toEqual({
    status: 404,
    name: 'not-offered',
    detail: 'this indexer keeps no accounts',
  });
});

test('accounts that are on their way say so, and hold up nothing else', async () => {
  const deps = {
    ...{ db: here.database.db, live: NOT_LISTENING, callerOf: () => 'everybody' },
    client: { verifyMessage: async () => false },
  };
  const env = { PONDER_ACCOUNT_ORIGINS: PAGE, PONDER_MARKET: MARKET, PONDER_ACCOUNT_DIR: 'memory://' };
  const accounts = await mountedAccounts(env, deps);
  const app = createApp(here.database.db, { accounts });
  const nonce = () => app.request('http://indexer/v1/account/nonce', { method: 'POST' });
  const early = await nonce();
  expect(early.headers.get('retry-after')).toBe('1');
  expect(await problemOf(early)).toEqual({
    status: 503,
    name: 'not-ready',
    detail: 'the accounts are being opened; come back in a second',
  });
  expect((await app.request('http://indexer/v1/jobs')).status).toBe(200);
  await expect.poll(async () => (await nonce()).status, { timeout: 25_000 }).toBe(200);
  // Mounting again closes what was open before.
  expect(await mountedAccounts({}, deps)).toBeUndefined();
}, 120_000);
