import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { keyRoutes } from '../src/accounts/keyRoutes.ts';
import { notifyRoutes } from '../src/accounts/notifyRoutes.ts';
import { signInRoutes } from '../src/accounts/signInRoutes.ts';
import { SoftPasskey, problemOf, testAccounts, type TestAccounts } from './lib/accounts.ts';

let here: TestAccounts;
let token: string;
beforeAll(async () => {
  here = await testAccounts({ relay: () => Promise.reject(new Error('never')) });
}, 120_000);
beforeEach(async () => {
  await here.clear();
  token = await here.signIn();
});
afterAll(() => here.close());

const specs = [signInRoutes, keyRoutes, notifyRoutes].flatMap((routes) => routes(undefined)).map(({ spec }) => spec);
const nasty = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1e308, true, [], {}, '\u0000', '\ud800', "' or 1=1 --", '__proto__', '💥'),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.bigInt().map(String),
  fc.jsonValue({ maxDepth: 2 }),
);
const FIELDS = [
  ...['message', 'signature', 'transport', 'name', 'response', 'id', 'rawId', 'type', 'scopes', 'perSecond', 'caps'],
  ...['expiresAt', 'url', 'kinds', 'address', 'token', 'terms', 'currency', 'perDay', 'total'],
];
const good: Record<string, fc.Arbitrary<unknown>> = {
  name: fc.constant('a'),
  kinds: fc.constant(['job.done']),
  perSecond: fc.constant(5),
  scopes: fc.constant(['post']),
  expiresAt: fc.constant(null),
  caps: fc.constant([]),
};
const body = fc.oneof(
  // Often right but for one field, so that what is behind the schemas is reached.
  fc
    .constantFrom(...FIELDS)
    .chain((field) => fc.record({ ...good, [field]: nasty }, { requiredKeys: [] }))
    .map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string(),
  fc.constantFrom('{"__proto__":{"account":"0x0"}}', '[[[[[[', '"\ud800"', '{"name":1e999}'),
);
const credential = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom('dpus_', 'dpuk_', `dpus_${'A'.repeat(43)}`, `dpuk_${'0'.repeat(16)}_${'A'.repeat(43)}`, 'null'),
  fc.string({ maxLength: 60 }).map(encodeURIComponent),
);

/** Objects as JSON: some cannot be made text in any other way. */
const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
const request = fc.record({
  spec: fc.constantFrom(...specs),
  value: nasty.map((value) => encodeURIComponent(textOf(value).toWellFormed())),
  body,
  credential,
  signedIn: fc.boolean(),
  query: fc.dictionary(fc.constantFrom('cursor', 'limit', 'state', 'channel', 'x'), fc.string(), { maxKeys: 2 }),
});

test('no request breaks the accounts: it is answered, or refused with problem details', async () => {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ spec, value, body, credential, signedIn, query }) => {
      // Sign-outs are among the requests.
      if (signedIn && (await here.ask('GET', '/account', { token })).status !== 200) token = await here.signIn();
      const path = `${spec.path.replace(/\{\w+\}/, value)}?${new URLSearchParams(query)}`;
      here.clock.steadyMs += 60_000;
      const response = await here.ask(spec.method.toUpperCase(), path, {
        token: signedIn ? token : credential,
        ...(spec.method !== 'get' && { raw: body.toWellFormed() }),
      });
      const text = await response.text();
      expect(response.status, `${spec.method} ${path} ${body}: ${text}`).toBeLessThan(500);
      expect(text).not.toMatch(/node_modules|\.ts:|postgres|syntax error/i);
      if (response.status >= 400) expect(response.headers.get('content-type')).toBe('application/problem+json');
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: 60_000 },
  );
  // Not everything was refused at the door.
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 404]));
}, 120_000);

test('a passkey’s words that are none are left out', async () => {
  const passkey = new SoftPasskey();
  const { options } = (await here.good('POST', '/account/passkeys/options', { token })) as {
    options: { challenge: string };
  };
  const response = passkey.create(options) as { response: { transports: unknown } };
  response.response.transports = ['internal', '\u0000', 'a,b', 7, 'x'.repeat(50)];
  const made = await here.ask('POST', '/account/passkeys', { token, body: { name: 'a', response } });
  expect(made.status).toBe(200);
  expect(await here.store.query('SELECT transports FROM passkey')).toEqual([{ transports: 'internal' }]);
});

test('what is too long is not read', async () => {
  const refused = await here.ask('POST', '/account/session', { body: { message: 'x'.repeat(70_000) } });
  expect((await problemOf(refused)).name).toBe('too-large');
});
