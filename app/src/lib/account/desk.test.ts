import { AccountError, type AccountApi } from '@dpu/sdk/accountApi';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';

import { plainRunes } from '../testing.ts';
import type * as Module from './desk.svelte.ts';

let Desk: typeof Module.Desk;
beforeAll(async () => {
  plainRunes();
  ({ Desk } = await import('./desk.svelte.ts'));
});

const refusal = (status: number, problem: string) => new AccountError(problem, { status, problem });
let kept: string | undefined;
let calls: string[];
beforeEach(() => {
  kept = undefined;
  calls = [];
});

/** A desk at an indexer that answers everything, but for what `over` says. */
function desk(over: Record<string, () => Promise<unknown>> = {}, transport: 'cookie' | 'bearer' = 'bearer') {
  const answers: Record<string, unknown> = {
    ...{ my: { account: '0x1' }, keys: [], channels: [], sessions: [], deliveries: { items: [], next: null } },
    ...{ nonce: { nonce: 'n', chainId: 1, statement: 's' }, signIn: { token: 'dpus_x' }, signOut: { count: 1 } },
    ...{ passkeyOptions: { challenge: 'c' }, usePasskey: { freshUntil: 1 }, newPasskeyOptions: { challenge: 'd' } },
    ...{ addPasskey: {}, revokeKey: { count: 1 } },
  };
  const api = new Proxy({} as Record<string, unknown>, {
    get: (_target, name: string) => async (body: unknown) => {
      calls.push(body === undefined || name === 'deliveries' ? name : `${name} ${JSON.stringify(body)}`);
      return over[name] ? over[name]() : answers[name];
    },
  }) as unknown as AccountApi;
  return new Desk({
    api,
    transport,
    token: { get: () => kept, set: (token) => (kept = token) },
    signMessage: async ({ nonce }) => ({ message: `hello ${nonce}`, signature: '0x12' }),
    passkeys: {
      make: async (options) => ({ made: options['challenge'] }),
      use: async (options) => ({ used: options['challenge'] }),
    },
  });
}

test('without a token nobody is asked', async () => {
  const one = desk();
  await one.load();
  expect([one.state, calls]).toEqual(['out', []]);
});

test('a cookie cannot be seen, so the indexer is asked', async () => {
  const one = desk({}, 'cookie');
  await one.load();
  expect(one.state).toBe('in');
});

test('signing in has the wallet sign what the indexer gave, keeps the token and reads everything', async () => {
  const one = desk();
  await one.signIn();
  expect(calls.slice(0, 2)).toEqual(['nonce', 'signIn {"message":"hello n","signature":"0x12","transport":"bearer"}']);
  expect([one.state, kept, one.book?.my]).toEqual(['in', 'dpus_x', { account: '0x1' }]);
  await one.signOut();
  expect([one.state, kept, one.book]).toEqual(['out', undefined, undefined]);
});

test.each([
  [refusal(401, 'signed-out'), 'out'],
  [refusal(404, 'not-offered'), 'off'],
  [refusal(0, ''), 'failed'],
])('%s leaves the desk %s', async (error, state) => {
  kept = 'dpus_old';
  const one = desk({ my: () => Promise.reject(error) });
  await one.load();
  expect([one.state, kept]).toEqual([state, state === 'out' ? undefined : 'dpus_old']);
});

test('what was read stays in sight while the indexer is away', async () => {
  kept = 'dpus_x';
  const my = vi.fn().mockResolvedValueOnce({ account: '0x1' }).mockRejectedValueOnce(refusal(0, ''));
  const one = desk({ my });
  await one.load();
  await one.load();
  expect([one.state, one.book?.my]).toEqual(['in', { account: '0x1' }]);
});

test('a change that needs the passkey asks for it once, then is made again', async () => {
  kept = 'dpus_x';
  const revokeKey = vi.fn().mockRejectedValueOnce(refusal(403, 'passkey-needed')).mockResolvedValueOnce({ count: 1 });
  const one = desk({ revokeKey });
  await one.change((api) => api.revokeKey('a'));
  expect(calls.slice(0, 4)).toEqual([
    'revokeKey "a"',
    'passkeyOptions',
    'usePasskey {"response":{"used":"c"}}',
    'revokeKey "a"',
  ]);
});

test('a change that is refused for another reason is not made again', async () => {
  kept = 'dpus_x';
  const one = desk({ revokeKey: () => Promise.reject(refusal(404, 'not-found')) });
  await expect(one.change((api) => api.revokeKey('a'))).rejects.toMatchObject({ problem: 'not-found' });
  expect(calls).toEqual(['revokeKey "a"']);
});

test('a session that ended meanwhile is out', async () => {
  kept = 'dpus_x';
  const one = desk({ revokeKey: () => Promise.reject(refusal(401, 'signed-out')) });
  await expect(one.change((api) => api.revokeKey('a'))).rejects.toThrow();
  expect([one.state, kept]).toEqual(['out', undefined]);
});

test('a passkey is made by the browser and registered under its name', async () => {
  kept = 'dpus_x';
  await desk().addPasskey('phone');
  expect(calls).toContain('addPasskey {"name":"phone","response":{"made":"d"}}');
});
