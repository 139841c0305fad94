import { expect, test } from 'vitest';

import { AccountError, createAccountApi } from './accountApi.ts';

/** A client of an indexer that answers as told, and what it was asked. */
function client(answer: () => Response | Promise<Response>, token?: string) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const api = createAccountApi('http://indexer/', {
    token: () => token,
    fetch: async (url, init) => {
      asked.push({ url: String(url), init });
      return answer();
    },
  });
  return { api, asked };
}
const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status });

test('a call says who calls, and gives amounts as bigint', async () => {
  const currency = `0x${'11'.repeat(20)}`;
  const cap = { currency, perDay: '5', total: null, spentDay: '1', spentTotal: '2' };
  const key = { id: 'a', name: 'ci', scopes: ['read'], perSecond: 1, caps: [cap], createdAt: 1 };
  const { api, asked } = client(
    json({ items: [{ ...key, expiresAt: null, usedAt: null, revokedAt: null }] }),
    'dpus_x',
  );
  expect((await api.keys())[0]!.caps).toEqual([{ currency, perDay: 5n, total: null, spentDay: 1n, spentTotal: 2n }]);
  expect(asked).toEqual([
    {
      url: 'http://indexer/v1/account/keys',
      init: { method: 'GET', headers: { accept: 'application/json', authorization: 'Bearer dpus_x' } },
    },
  ]);
});

test('what is sent is JSON, ids and queries are escaped', async () => {
  const { api, asked } = client(json({ count: 1, items: [], next: null }));
  await api.confirmEmail('a.b');
  await api.endSession('../x');
  await api.deliveries({ state: 'dead', limit: 5 });
  expect(asked.map(({ url }) => url)).toEqual([
    'http://indexer/v1/account/emails/confirm',
    'http://indexer/v1/account/sessions/..%2Fx',
    'http://indexer/v1/account/deliveries?state=dead&limit=5',
  ]);
  expect(asked[0]!.init).toMatchObject({ body: '{"token":"a.b"}', headers: { 'content-type': 'application/json' } });
});

test('a refusal has its name, a silence and a strange answer have a sentence', async () => {
  const problem = { type: 'urn:dpu:problem:passkey-needed', title: 'Passkey needed', status: 403, detail: 'use it' };
  const caught = (answer: () => Response | Promise<Response>) =>
    client(answer)
      .api.my()
      .catch((error: unknown) => error);
  const refused = (await caught(json(problem, 403))) as AccountError;
  expect([refused.status, refused.problem, refused.message]).toEqual([403, 'passkey-needed', 'use it']);
  const silent = (await caught(() => Promise.reject(new TypeError('no')))) as AccountError;
  expect([silent.status, silent.problem]).toEqual([0, '']);
  expect(await caught(json({}))).toBeInstanceOf(AccountError);
  expect(((await caught(() => new Response('<html>', { status: 502 }))) as AccountError).message).toBe('HTTP 502');
});
