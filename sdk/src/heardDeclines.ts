/** Signed declines of a job, as gateways and indexers pass them on (`GET /v1/live/declines?job=`). */
import type { Hex } from 'viem';
import { z } from 'zod';

import { signedDeclineSchema, type SignedDecline } from './declines.ts';
import { gatewayUrl } from './storage/gatewayRequest.ts';

const listSchema = z.object({ items: z.array(z.unknown()) });
const ANSWER_MS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * What the places at `urls` have heard, together; a place that is away or answers nonsense adds nothing. Nobody's signature is checked here: see
 * `isDeclineOf`. Declines without a signature are left out.
 */
export async function heardDeclines(
  job: Hex,
  urls: readonly string[],
  { fetch: ask = fetch, signal }: { fetch?: typeof fetch; signal?: AbortSignal } = {},
): Promise<SignedDecline[]> {
  const read = async (url: string): Promise<SignedDecline[]> => {
    const limit = AbortSignal.timeout(ANSWER_MS);
    const answer = await ask(gatewayUrl(url, `/v1/live/declines?job=${job}`), {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (!answer.ok) return [];
    const text = await answer.text();
    const list = text.length > MOST_BYTES ? undefined : listSchema.safeParse(JSON.parse(text)).data;
    return (list?.items ?? []).flatMap((item) => {
      // What else a place tells about a decline is nothing that was signed.
      const { node, job: about, code, at, signature } = (item ?? {}) as Record<string, unknown>;
      const parsed = signedDeclineSchema.safeParse({ node, job: about, code, at, signature });
      return parsed.success && parsed.data.job === job.toLowerCase() ? [parsed.data] : [];
    });
  };
  const heard = await Promise.all(urls.map((url) => read(url).catch(() => [])));
  signal?.throwIfAborted();
  const bySignature = new Map(heard.flat().map((decline) => [decline.signature, decline]));
  return [...bySignature.values()].sort((a, b) => a.at - b.at || a.node - b.node);
}
