import { ApiError, problemSchema } from '@dpu/sdk/api';
import type { z } from 'zod';

/** What asks: the feed of the page, which notices when the indexer is silent. */
export interface Asker {
  readonly url: string;
  fetch(input: string, init?: RequestInit): Promise<Response>;
}

/**
 * Asks the indexer for what the small client has no method for, and checks the answer's shape. With a `body` it is a POST.
 * @throws ApiError when it does not answer, refuses, or answers in another shape
 */
export async function ask<Schema extends z.ZodType>(
  asker: Asker,
  path: string,
  schema: Schema,
  { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
): Promise<z.output<Schema>> {
  const url = `${asker.url}${path}`;
  const init: RequestInit = {
    headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    ...(signal && { signal }),
  };
  let response: Response;
  try {
    response = await asker.fetch(url, init);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ApiError(`the indexer did not answer at ${url}; check that it runs`, { status: 0, url, cause });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const problem = problemSchema.safeParse(answer);
    throw new ApiError(problem.success ? problem.data.detail : `HTTP ${response.status}`, {
      ...{ status: response.status, url },
    });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const sentence = "the indexer's answer has an unexpected shape; are both of the same version?";
  throw new ApiError(sentence, { status: response.status, url, cause: parsed.error });
}
