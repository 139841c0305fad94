/**
 * A client of every route of the indexer's API, typed from its OpenAPI document (`apiTypes.ts`, written by `npm run generate:api`). Answers are the JSON as
 * it goes over the wire: amounts are decimal strings, and nothing is checked. `api.ts` has fewer routes, checks every answer against
 * its schema and gives amounts as bigint.
 */
import createClient, { type Client } from 'openapi-fetch';

import { ApiError } from './api.ts';
import type { paths } from './apiTypes.ts';

export type { components, paths } from './apiTypes.ts';

/** `client.GET('/v1/jobs/{id}', { params: { path: { id } } })` answers `{ data, response }`. */
export type ApiClient = Client<paths, 'application/json'>;

/**
 * A client of the indexer at `url`. Refusals are thrown, as are answers that never came.
 * @throws ApiError from each call, with the status and the sentence that the problem details carry
 */
export function createApiClient(
  url: string,
  deps: { fetch?: (request: Request) => Promise<Response> } = {},
): ApiClient {
  const baseUrl = url.replace(/\/+$/, '');
  const fetcher = deps.fetch ?? ((request) => fetch(request));
  const client = createClient<paths>({ baseUrl, fetch: fetcher, headers: { accept: 'application/json' } });
  client.use({
    async onResponse({ request, response }) {
      // 304 is what a caller asked for who sent `If-None-Match`.
      if (response.ok || response.status === 304) return;
      const body = (await response.json().catch(() => undefined)) as { detail?: unknown } | undefined;
      const detail = typeof body?.detail === 'string' ? body.detail : `HTTP ${response.status}`;
      throw new ApiError(detail, { status: response.status, url: request.url });
    },
    onError({ request, error }) {
      request.signal.throwIfAborted();
      const sentence = `the indexer did not answer at ${request.url}; check that it runs`;
      return new ApiError(sentence, { status: 0, url: request.url, cause: error });
    },
  });
  return client;
}
