import { MarketRevert } from '@dpu/sdk/revert';
import { jobId, marketDomain, orderTypedData, termsToJson, worstCase, type Terms } from '@dpu/sdk/terms';
import { getAddress } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { CHAIN, MARKET, NOW, problemOf, STRANGER, testAccounts, WALLET, type TestAccounts } from './lib/accounts.ts';
import { DOLLAR, TERMS } from './lib/world.ts';

type Hex = `0x${string}`;
interface Key {
  id: string;
  caps: { spentDay: string; spentTotal: string }[];
}

const DOMAIN = marketDomain(CHAIN, getAddress(MARKET));
const HASH = `0x${'77'.repeat(32)}` as Hex;
const DAY = 86_400_000;
const relay = vi.fn<(terms: Terms, signature: Hex) => Promise<Hex>>();

let here: TestAccounts;
let token: string;
beforeAll(async () => {
  here = await testAccounts({ relay });
}, 120_000);
beforeEach(async () => {
  await here.clear();
  relay.mockReset().mockResolvedValue(HASH);
  token = await here.signIn();
});
afterAll(() => here.close());

const make = async (over: Record<string, unknown> = {}, by = token): Promise<{ key: Key; secret: string }> => {
  const body = { name: 'ci', scopes: ['read'], perSecond: 1_000, caps: [], expiresAt: null, ...over };
  return (await here.good('POST', '/account/keys', { token: by, body })) as never;
};
const keys = async () => (await here.good('GET', '/account/keys', { token }))['items'] as Key[];

describe('API keys', () => {
  test('a key is shown once, and recognised by its beginning', async () => {
    const { key, secret } = await make();
    expect(secret).toMatch(new RegExp(`^dpuk_${key.id}_[A-Za-z0-9_-]{43}$`));
    expect(key).toEqual({
      ...{ id: key.id, name: 'ci', scopes: ['read'], perSecond: 1_000, caps: [], createdAt: NOW / 1_000 },
      ...{ expiresAt: null, usedAt: null, revokedAt: null },
    });
    const kept = JSON.stringify(await here.store.query('SELECT * FROM api_key'));
    expect(kept).not.toContain(secret.slice(-43));
    expect(JSON.stringify(await keys())).not.toContain(secret.slice(-43));
  });

  test('it reads what its account may read, and is seen to be used', async () => {
    const { secret } = await make();
    expect((await here.ask('GET', '/account/keys', { token: secret })).status).toBe(200);
    expect(await keys()).toMatchObject([{ usedAt: NOW / 1_000 }]);
  });

  test.each([
    ['GET', '/account/keys', 'read'],
    ['GET', '/jobs', 'read'],
    ['POST', '/quote', 'quote'],
    ['GET', '/account/channels', 'notify'],
    ['GET', '/account/deliveries', 'notify'],
    ['POST', '/account/channels/0000000000000000/test', 'notify'],
    ['POST', '/account/deliveries/1/replay', 'notify'],
    ['POST', '/orders', 'post'],
  ])('%s %s needs the scope %s', async (method, path, scope) => {
    const all = ['read', 'quote', 'notify', 'post'];
    const without = await make({ scopes: all.filter((one) => one !== scope) });
    const refused = await problemOf(await here.ask(method, path, { token: without.secret }));
    expect(refused).toEqual({
      status: 403,
      name: 'scope-missing',
      detail: `the key dpuk_${without.key.id} does not have the scope ${scope}`,
    });
    const { secret } = await make({ scopes: [scope] });
    expect((await here.ask(method, path, { token: secret })).status).not.toBe(403);
  });

  test.each([
    ['GET', '/account'],
    ['GET', '/account/sessions'],
    ['POST', '/account/keys'],
    ['POST', '/account/webhooks'],
    ['POST', '/account/passkeys/options'],
    ['POST', '/account/recovery'],
    ['DELETE', '/account/session'],
  ])('no key can %s %s', async (method, path) => {
    const { secret } = await make({ scopes: ['read', 'quote', 'notify', 'post'] });
    expect((await problemOf(await here.ask(method, path, { token: secret }))).name).toBe('key-refused');
  });

  test('it ends when it was to end, to the millisecond, and when it is revoked', async () => {
    const { secret } = await make({ expiresAt: NOW / 1_000 + 60 });
    here.clock.ms = NOW + 59_999;
    expect((await here.ask('GET', '/jobs', { token: secret })).status).toBe(200);
    here.clock.ms = NOW + 60_000;
    expect((await problemOf(await here.ask('GET', '/jobs', { token: secret }))).name).toBe('key-refused');
    const other = await make();
    await here.good('DELETE', `/account/keys/${other.key.id}`, { token });
    expect((await problemOf(await here.ask('GET', '/jobs', { token: other.secret }))).name).toBe('key-refused');
    expect((await keys()).find(({ id }) => id === other.key.id)).toMatchObject({ revokedAt: NOW / 1_000 + 60 });
    const again = await here.ask('DELETE', `/account/keys/${other.key.id}`, { token });
    expect((await problemOf(again)).name).toBe('not-found');
  });

  test('it has a rate of its own', async () => {
    const { key, secret } = await make({ perSecond: 2 });
    const ask = () => here.ask('GET', '/jobs', { token: secret });
    for (let index = 0; index < 4; index += 1) expect((await ask()).status).toBe(200);
    const response = await ask();
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problemOf(response)).toEqual({
      status: 429,
      name: 'too-many-requests',
      detail: `the key dpuk_${key.id} may ask 2 times a second; come back in 1 s`,
    });
    here.clock.steadyMs += 500;
    expect((await ask()).status).toBe(200);
    const { secret: other } = await make({ perSecond: 2 });
    expect((await here.ask('GET', '/jobs', { token: other })).status).toBe(200);
  });

  test('name, rate and caps can be changed, by the account alone', async () => {
    const { key } = await make();
    const caps = [{ currency: DOLLAR, perDay: '5', total: null }];
    const change = (by: string) =>
      here.ask('PUT', `/account/keys/${key.id}`, { token: by, body: { name: 'new', perSecond: 7, caps } });
    expect(await (await change(token)).json()).toMatchObject({
      ...{ name: 'new', perSecond: 7 },
      caps: [{ currency: DOLLAR, perDay: '5', total: null, spentDay: '0', spentTotal: '0' }],
    });
    const stranger = await here.signIn(STRANGER);
    expect((await problemOf(await change(stranger))).name).toBe('not-found');
    const revoked = await here.ask('DELETE', `/account/keys/${key.id}`, { token: stranger });
    expect((await problemOf(revoked)).name).toBe('not-found');
  });

  test.each([
    [{ scopes: [] }, 'scopes must not be empty'],
    [{ scopes: ['read', 'read'] }, 'scopes must name each scope once'],
    [{ scopes: ['admin'] }, 'scopes must be of read, quote, notify, post'],
    [{ perSecond: 0 }, 'perSecond must be a whole number from 1 to 1000'],
    [{ perSecond: 1_001 }, 'perSecond must be a whole number from 1 to 1000'],
    [{ name: ' ' }, 'name must not be empty'],
    [{ name: 'a\u202e' }, 'name must not contain control characters'],
    [{ expiresAt: NOW / 1_000 }, 'expiresAt must be in the future'],
    [{ caps: [{ currency: DOLLAR, perDay: '-1', total: null }] }, 'perDay must be a decimal string'],
    [{ caps: Array(2).fill({ currency: DOLLAR, perDay: null, total: null }) }, 'caps must name a currency once'],
  ])('a key with %j cannot be made', async (over, detail) => {
    const body = { name: 'ci', scopes: ['read'], perSecond: 5, caps: [], expiresAt: null, ...over };
    const refused = await problemOf(await here.ask('POST', '/account/keys', { token, body }));
    expect(refused).toMatchObject({ status: 400, detail: expect.stringContaining(detail) as string });
  });

  test('of ten thousand keys that a stranger tries, twenty are looked up; others are not held up', async () => {
    const { secret } = await make();
    const query = vi.spyOn(here.accounts.keys, 'find');
    const counts = new Map<number, number>();
    for (let index = 0; index < 10_000; index += 1) {
      const guess = `dpuk_${index.toString(16).padStart(16, '0')}_${'A'.repeat(43)}`;
      const { status } = await here.ask('GET', '/account/keys', { token: guess, who: 'stranger' });
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    // The one that empties the bucket is still looked up.
    expect(Object.fromEntries(counts)).toEqual({ 401: 21, 429: 9_979 });
    expect(query).toHaveBeenCalledTimes(21);
    query.mockRestore();
    expect((await here.ask('GET', '/account/keys', { token: secret, who: 'friend' })).status).toBe(200);
    here.clock.steadyMs += 4_999;
    expect((await here.ask('GET', '/account/keys', { token: secret, who: 'stranger' })).status).toBe(429);
    here.clock.steadyMs += 1;
    expect((await here.ask('GET', '/account/keys', { token: secret, who: 'stranger' })).status).toBe(200);
  }, 120_000);
});

describe('orders', () => {
  const terms = (over: Partial<Terms> = {}): Terms => ({ ...TERMS, requester: WALLET.address, ...over });
  const place = async (secret: string, of: Terms = terms(), signer = WALLET): Promise<Response> => {
    const signature = await signer.signTypedData(orderTypedData(of, DOMAIN));
    return here.ask('POST', '/orders', { token: secret, body: { terms: termsToJson(of), signature } });
  };
  const COST = worstCase(TERMS);
  const withCap = (perDay: bigint | null, total: bigint | null = null) => {
    const caps = [{ currency: DOLLAR, perDay: perDay?.toString() ?? null, total: total?.toString() ?? null }];
    return make({ scopes: ['post'], caps });
  };
  const spent = async () => {
    const [cap] = (await keys())[0]!.caps;
    return [cap?.spentDay, cap?.spentTotal];
  };

  test('an order within the cap is relayed as it was signed, and counts', async () => {
    const { secret } = await withCap(COST);
    expect(await (await place(secret)).json()).toEqual({
      id: jobId(terms(), DOMAIN),
      transaction: HASH,
      spent: { currency: DOLLAR, amount: String(COST) },
    });
    const [sent] = relay.mock.calls[0]!;
    expect(jobId(sent, DOMAIN)).toBe(jobId(terms(), DOMAIN));
    expect(await spent()).toEqual([String(COST), String(COST)]);
  });

  test('the same order again has the same answer and counts once', async () => {
    const { secret } = await withCap(COST);
    const [first, second] = [await (await place(secret)).json(), await (await place(secret)).json()];
    expect(second).toEqual(first);
    expect(relay).toHaveBeenCalledTimes(1);
  });

  test('the same order twice at once is sent once', async () => {
    const { secret } = await withCap(COST);
    const answers = await Promise.all([place(secret), place(secret), place(secret)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(relay).toHaveBeenCalledTimes(1);
    expect(await spent()).toEqual([String(COST), String(COST)]);
  });

  test.each([
    ['a day', COST - 1n, null],
    ['in total', null, COST - 1n],
  ])('an order above the cap %s is refused', async (name, perDay, total) => {
    const { secret } = await withCap(perDay, total);
    expect(await problemOf(await place(secret))).toEqual({
      status: 403,
      name: 'cap-exceeded',
      detail: `the order can cost ${COST}, and of the key’s ${COST - 1n} ${name} 0 are spent`,
    });
    expect(relay).not.toHaveBeenCalled();
  });

  test('of many orders at once, exactly those within the cap pass', async () => {
    const { secret } = await withCap(3n * COST + 1n);
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, salt) => place(secret, terms({ salt: BigInt(salt) }))),
    );
    const names = await Promise.all(all.map(async (one) => (one.status === 200 ? 'ok' : (await problemOf(one)).name)));
    expect(names.filter((name) => name === 'ok')).toHaveLength(3);
    expect(names.filter((name) => name === 'cap-exceeded')).toHaveLength(7);
    expect(await spent()).toEqual([String(3n * COST), String(3n * COST)]);
  });

  test('a day’s cap is free again after 24 hours, not a millisecond before; the total is not', async () => {
    const { secret } = await withCap(COST, 2n * COST);
    const next = (salt: bigint) => place(secret, terms({ salt }));
    expect((await next(1n)).status).toBe(200);
    here.clock.ms = NOW + DAY - 1;
    expect((await next(2n)).status).toBe(403);
    here.clock.ms = NOW + DAY;
    expect((await next(2n)).status).toBe(200);
    here.clock.ms = NOW + 2 * DAY;
    expect((await problemOf(await next(3n))).detail).toContain('in total');
  });

  test('nothing can be spent in a currency without a cap', async () => {
    const { secret } = await withCap(null);
    const currency = `0x${'99'.repeat(20)}` as Hex;
    expect((await place(secret)).status).toBe(200);
    expect((await problemOf(await place(secret, terms({ currency })))).detail).toBe(
      `the key has no cap for ${currency}, so it may spend none of it`,
    );
  });

  test('an order of another account is refused', async () => {
    const { secret } = await withCap(null);
    const refused = await problemOf(await place(secret, terms({ requester: STRANGER.address }), STRANGER));
    expect(refused).toMatchObject({ status: 422, name: 'order-refused' });
    expect(relay).not.toHaveBeenCalled();
  });

  test('what the Market refuses is given back', async () => {
    const { secret } = await withCap(COST);
    relay.mockRejectedValueOnce(new MarketRevert('postOrder', { name: 'BalanceTooLow', args: [] }));
    expect(await problemOf(await place(secret))).toEqual({
      status: 422,
      name: 'order-refused',
      detail: 'the Market refuses it: BalanceTooLow',
    });
    expect(await spent()).toEqual(['0', '0']);
    expect((await place(secret)).status).toBe(200);
  });

  test('what may have been sent stays counted, and the same order can be sent again', async () => {
    const { secret } = await withCap(COST);
    relay.mockRejectedValueOnce(new Error('connection lost'));
    expect(await problemOf(await place(secret))).toMatchObject({ status: 503, name: 'chain-unavailable' });
    expect(await spent()).toEqual([String(COST), String(COST)]);
    expect((await place(secret, terms({ salt: 9n }))).status).toBe(403);
    // It had come to the chain: the Market knows the job.
    relay.mockRejectedValueOnce(new MarketRevert('postOrder', { name: 'JobInState', args: [] }));
    expect((await problemOf(await place(secret))).name).toBe('order-refused');
    expect(await spent()).toEqual([String(COST), String(COST)]);
    expect((await place(secret)).status).toBe(200);
  });

  test('a job that somebody else had posted already does not count', async () => {
    const { secret } = await withCap(COST);
    relay.mockRejectedValueOnce(new MarketRevert('postOrder', { name: 'JobInState', args: [] }));
    expect((await problemOf(await place(secret))).name).toBe('order-refused');
    expect(await spent()).toEqual(['0', '0']);
  });

  test('a hundred orders a day are relayed for one account', async () => {
    const { secret, key } = await withCap(null);
    await here.store.query(
      `INSERT INTO spend (job, key, account, currency, amount, at, transaction)
       SELECT 'job ' || n, $1, $2, 'x', 1, $3::bigint, 'y' FROM generate_series(1, 99) AS n`,
      [key.id, WALLET.address.toLowerCase(), NOW],
    );
    expect((await place(secret, terms({ salt: 1n }))).status).toBe(200);
    expect((await problemOf(await place(secret, terms({ salt: 2n })))).detail).toBe(
      '100 orders a day are relayed for one account',
    );
  });

  test('a session cannot place one, and a service without a relayer says so', async () => {
    expect((await problemOf(await place(token))).name).toBe('scope-missing');
    const bare = await testAccounts();
    try {
      const by = await bare.signIn();
      const body = { name: 'ci', scopes: ['post'], perSecond: 5, caps: [], expiresAt: null };
      const { secret } = (await bare.good('POST', '/account/keys', { token: by, body })) as { secret: string };
      const order = { terms: termsToJson(terms()), signature: `0x${'00'.repeat(65)}` };
      const refused = await problemOf(await bare.ask('POST', '/orders', { token: secret, body: order }));
      expect(refused).toMatchObject({ status: 409, name: 'no-relayer' });
    } finally {
      await bare.close();
    }
  }, 120_000);
});
