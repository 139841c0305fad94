import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { NOW, problemOf, SoftPasskey, STRANGER, testAccounts, type TestAccounts } from './lib/accounts.ts';

let here: TestAccounts;
let token: string;
beforeAll(async () => {
  here = await testAccounts();
}, 120_000);
beforeEach(async () => {
  await here.clear();
  token = await here.signIn();
});
afterAll(() => here.close());

type Options = { options: { challenge: string } };
const KEY = { name: 'ci', scopes: ['read'], perSecond: 5, caps: [], expiresAt: null };

const optionsOf = async (path: string, by = token): Promise<{ challenge: string }> =>
  ((await here.good('POST', path, { token: by })) as Options).options;
const register = async (passkey = new SoftPasskey(), by = token): Promise<SoftPasskey> => {
  const response = passkey.create(await optionsOf('/account/passkeys/options', by));
  await here.good('POST', '/account/passkeys', { token: by, body: { name: 'phone', response } });
  return passkey;
};
const answer = async (passkey: SoftPasskey, by = token): Promise<Response> => {
  const response = passkey.get(await optionsOf('/account/passkey/options', by));
  return here.ask('POST', '/account/passkey', { token: by, body: { response } });
};
const makeKey = (by = token) => here.ask('POST', '/account/keys', { token: by, body: KEY });

describe('the second factor', () => {
  test('an account without a passkey needs none; the first is registered with the session alone', async () => {
    expect((await makeKey()).status).toBe(200);
    const passkey = await register();
    expect(await here.good('GET', '/account', { token })).toMatchObject({
      passkeys: [
        {
          ...{ id: Buffer.from(passkey.id).toString('base64url'), name: 'phone', host: 'localhost' },
          ...{ createdAt: NOW / 1_000, usedAt: NOW / 1_000 },
        },
      ],
      freshUntil: NOW / 1_000 + 300,
    });
  });

  test('an assertion counts for five minutes, to the millisecond', async () => {
    const passkey = await register();
    here.clock.ms = NOW + 299_999;
    expect((await makeKey()).status).toBe(200);
    here.clock.ms = NOW + 300_000;
    expect(await problemOf(await makeKey())).toEqual({
      status: 403,
      name: 'passkey-needed',
      detail: 'this needs your passkey: use it, then try again within five minutes',
    });
    expect(await (await answer(passkey)).json()).toEqual({ freshUntil: NOW / 1_000 + 600 });
    expect((await makeKey()).status).toBe(200);
  });

  test('it counts for the session in which it was made alone', async () => {
    const other = await here.signIn();
    await register();
    expect((await problemOf(await makeKey(other))).name).toBe('passkey-needed');
  });

  test.each([
    ['POST', '/account/keys', KEY],
    ['PUT', '/account/keys/1', { name: 'a', perSecond: 1, caps: [] }],
    ['DELETE', '/account/keys/1', undefined],
    ['POST', '/account/passkeys/options', undefined],
    ['POST', '/account/passkeys', { name: 'a', response: {} }],
    ['DELETE', '/account/passkeys/1', undefined],
    ['POST', '/account/webhooks', { url: 'https://a.example', kinds: [] }],
    ['POST', '/account/emails', { address: 'a@b.example', kinds: [] }],
    ['PUT', '/account/channels/1', { kinds: [] }],
    ['DELETE', '/account/channels/1', undefined],
    ['POST', '/account/channels/1/rotate', undefined],
  ])('%s %s needs it', async (method, path, body) => {
    await register();
    here.clock.ms += 300_000;
    const response = await here.ask(method, path, { token, ...(body && { body }) });
    expect((await problemOf(response)).name).toBe('passkey-needed');
  });

  test('signing out and ending sessions do not', async () => {
    await register();
    here.clock.ms += 300_000;
    expect((await here.ask('DELETE', '/account/sessions', { token })).status).toBe(200);
    expect((await here.ask('DELETE', '/account/session', { token })).status).toBe(200);
  });
});

describe('what a browser may answer', () => {
  test('a challenge is answered once', async () => {
    const passkey = await register();
    const response = passkey.get(await optionsOf('/account/passkey/options'));
    const send = () => here.ask('POST', '/account/passkey', { token, body: { response } });
    expect((await send()).status).toBe(200);
    expect(await problemOf(await send())).toEqual({
      status: 403,
      name: 'passkey-refused',
      detail: 'no such challenge waits, or it has expired; ask for a new one',
    });
  });

  test('of two answers at once one counts', async () => {
    const passkey = await register();
    const response = passkey.get(await optionsOf('/account/passkey/options'));
    const send = () => here.ask('POST', '/account/passkey', { token, body: { response } });
    const statuses = (await Promise.all([send(), send()])).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 403]);
  });

  test('a challenge waits for five minutes', async () => {
    const passkey = await register();
    const late = async (ms: number) => {
      here.clock.ms = NOW;
      const response = passkey.get(await optionsOf('/account/passkey/options'));
      here.clock.ms = NOW + ms;
      return (await here.ask('POST', '/account/passkey', { token, body: { response } })).status;
    };
    expect(await late(299_999)).toBe(200);
    expect(await late(300_000)).toBe(403);
  });

  test('a challenge for registering is none for using, and none of another session', async () => {
    const passkey = await register();
    const registering = passkey.get(await optionsOf('/account/passkeys/options'));
    expect((await here.ask('POST', '/account/passkey', { token, body: { response: registering } })).status).toBe(403);
    const other = await here.signIn();
    const stolen = passkey.get(await optionsOf('/account/passkey/options', other));
    await optionsOf('/account/passkey/options');
    const refused = await here.ask('POST', '/account/passkey', { token, body: { response: stolen } });
    expect((await problemOf(refused)).detail).toContain(
      'the passkey was refused: Unexpected authentication response challenge',
    );
  });

  test('an answer of another page, of another passkey, or of a copy is refused', async () => {
    const passkey = await register();
    const other = new SoftPasskey();
    expect((await problemOf(await answer(other))).detail).toBe('this passkey is not one of this account');
    const phished = new SoftPasskey('http://localhost:1');
    const response = phished.create(await optionsOf('/account/passkeys/options'));
    const refused = await here.ask('POST', '/account/passkeys', { token, body: { name: 'x', response } });
    expect((await problemOf(refused)).detail).toContain('Unexpected registration response origin');
    expect((await answer(passkey)).status).toBe(200);
    passkey.counter = 0;
    expect((await problemOf(await answer(passkey))).detail).toContain('counter value');
  });

  test('what is no answer at all is refused', async () => {
    await register();
    for (const response of [{}, { id: 1 }, { id: 'x', response: null }, { rawId: [], type: {} }]) {
      await optionsOf('/account/passkey/options');
      const refused = await here.ask('POST', '/account/passkey', { token, body: { response } });
      expect((await problemOf(refused)).name).toBe('passkey-refused');
      await optionsOf('/account/passkeys/options');
      const made = await here.ask('POST', '/account/passkeys', { token, body: { name: 'x', response } });
      expect((await problemOf(made)).name).toBe('passkey-refused');
    }
  });

  test('a passkey of somebody else cannot be registered again, used, or removed', async () => {
    const passkey = await register();
    const stranger = await here.signIn(STRANGER);
    const response = passkey.create(await optionsOf('/account/passkeys/options', stranger));
    const again = await here.ask('POST', '/account/passkeys', { token: stranger, body: { name: 'x', response } });
    expect((await problemOf(again)).detail).toBe('this passkey is registered already');
    const id = Buffer.from(passkey.id).toString('base64url');
    expect((await problemOf(await here.ask('DELETE', `/account/passkeys/${id}`, { token: stranger }))).name).toBe(
      'not-found',
    );
    const none = await here.ask('POST', '/account/passkey/options', { token: stranger });
    expect((await problemOf(none)).detail).toBe('you have no passkey');
  });

  test('a session of another host is told where the passkeys are', async () => {
    await register();
    await here.store.query("UPDATE session SET origin = 'https://dpu.example'");
    const none = await here.ask('POST', '/account/passkey/options', { token });
    expect((await problemOf(none)).detail).toBe('your passkeys are for localhost: open the page there');
  });
});

describe('recovery', () => {
  const remove = (passkey: SoftPasskey) =>
    here.ask('DELETE', `/account/passkeys/${Buffer.from(passkey.id).toString('base64url')}`, { token });
  const WEEK = 7 * 86_400_000;

  test('after seven days a lost passkey can be removed, not a millisecond before; then none is needed', async () => {
    const passkey = await register();
    expect(await here.good('POST', '/account/recovery', { token })).toEqual({ recoveryAt: (NOW + WEEK) / 1_000 });
    here.clock.ms = NOW + WEEK - 1;
    token = await here.signIn();
    expect(await here.good('POST', '/account/recovery', { token })).toEqual({ recoveryAt: (NOW + WEEK) / 1_000 });
    expect((await problemOf(await remove(passkey))).name).toBe('passkey-needed');
    here.clock.ms += 1;
    expect((await remove(passkey)).status).toBe(200);
    expect(await here.good('GET', '/account', { token })).toMatchObject({ passkeys: [], recoveryAt: null });
    expect((await makeKey()).status).toBe(200);
  });

  test('using the passkey stops it', async () => {
    const passkey = await register();
    await here.good('POST', '/account/recovery', { token });
    await answer(passkey);
    expect(await here.good('GET', '/account', { token })).toMatchObject({ recoveryAt: null });
    here.clock.ms = NOW + WEEK;
    token = await here.signIn();
    expect((await problemOf(await remove(passkey))).name).toBe('passkey-needed');
  });

  test('it is good for nothing but removing passkeys', async () => {
    await register();
    await here.good('POST', '/account/recovery', { token });
    here.clock.ms = NOW + WEEK;
    token = await here.signIn();
    expect((await problemOf(await makeKey())).name).toBe('passkey-needed');
  });
});

test('an account has ten passkeys at most', async () => {
  for (let index = 0; index < 10; index += 1) await register();
  const refused = await here.ask('POST', '/account/passkeys/options', { token });
  expect((await problemOf(refused)).name).toBe('too-many');
});
