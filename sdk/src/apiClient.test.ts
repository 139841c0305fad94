import { describe, expect, test } from 'vitest';
import { ApiError } from './api.ts';
import { createApiClient } from './apiClient.ts';

const ID = `0x${'1b'.repeat(32)}` as const;

/** A client whose requests are kept, and answered with `answer`. */
function clientOf(answer: () => Response | Promise<Response>) {
  const requests: Request[] = [];
  const client = createApiClient('http://indexer/', {
    fetch: async (request) => {
      requests.push(request);
      return answer();
    },
  });
  return { client, requests };
}

describe('the typed client', () => {
  test('writes paths and queries, and gives the answer as it came', async () => {
    const { client, requests } = clientOf(() => Response.json({ items: [{ amount: '7' }], next: null }));
    const { data } = await client.GET('/v1/payments', { params: { query: { job: ID, limit: '5' } } });
    expect(requests[0]!.url).toBe(`http://indexer/v1/payments?job=${ID}&limit=5`);
    expect(data!.items[0]!.amount).toBe('7');
    await client.GET('/v1/jobs/{id}/why-not', { params: { path: { id: ID } } });
    expect(requests[1]!.url).toBe(`http://indexer/v1/jobs/${ID}/why-not`);
  });

  test('posts JSON', async () => {
    const { client, requests } = clientOf(() => Response.json({}));
    const body = {
      ...{ runtime: 1, currency: `0x${'55'.repeat(20)}`, minPrice: '1', maxPrice: '2', ramp: 0, bond: '0', shards: 1 },
      ...{ maxLease: 1, openFor: 60, exec: 60 },
    };
    await client.POST('/v1/quote', { body });
    expect(requests[0]!.headers.get('content-type')).toBe('application/json');
    expect(await requests[0]!.json()).toEqual(body);
  });

  test('throws what the indexer refuses, with its sentence', async () => {
    const problem = { type: 'urn:dpu:problem:not-found', title: 'Not found', status: 404, detail: 'no job' };
    const { client } = clientOf(() => Response.json(problem, { status: 404 }));
    const error = await client.GET('/v1/jobs/{id}', { params: { path: { id: ID } } }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ message: 'no job', status: 404, url: `http://indexer/v1/jobs/${ID}` });
  });

  test('throws a refusal without problem details by its status', async () => {
    const { client } = clientOf(() => new Response('bad gateway', { status: 502 }));
    await expect(client.GET('/v1/stats')).rejects.toMatchObject({ message: 'HTTP 502', status: 502 });
  });

  test('says that nobody answered', async () => {
    const { client } = clientOf(() => Promise.reject(new TypeError('fetch failed')));
    await expect(client.GET('/v1/stats')).rejects.toMatchObject({
      message: 'the indexer did not answer at http://indexer/v1/stats; check that it runs',
      status: 0,
    });
  });

  test('lets a caller who knows the answer go without it', async () => {
    const { client } = clientOf(() => new Response(null, { status: 304 }));
    const { response } = await client.GET('/v1/stats', { headers: { 'if-none-match': '"a"' } });
    expect(response.status).toBe(304);
  });
});
