import * as z from 'zod';

import { plainText } from '../plain.ts';

/** What nodes say of shards that they compute, as gateways and indexers hand it on. Claims of strangers: nothing is paid by them. */
const shardSchema = z.object({
  node: z.int().positive(),
  shard: z.int().nonnegative(),
  state: z.enum(['running', 'done', 'failed']),
  /** Thousandths; null when nobody knows. */
  permille: z.int().min(0).max(1_000).nullable(),
  /** Milliseconds since it began. */
  ms: z.int().nonnegative(),
  /** Unix milliseconds, by the node's clock. */
  saidAt: z.number(),
  lines: z
    .array(z.object({ number: z.int(), line: z.tuple([z.number(), z.string(), z.string().transform(plainText)]) }))
    .max(512),
});
const progressSchema = z.object({ shards: z.array(shardSchema).max(20_000) });

/** A shard as its node last spoke of it. Texts are a stranger's. */
export type ShardProgress = z.output<typeof shardSchema>;

/**
 * Asks each of `urls` in turn until one answers; an empty list where none does, because nothing depends on it. What does not look as it should is
 * no answer.
 */
export async function loadProgress(
  urls: readonly string[],
  job: string,
  signal: AbortSignal,
  fetcher: typeof fetch = (input, init) => fetch(input, init),
): Promise<ShardProgress[]> {
  for (const url of urls) {
    const response = await fetcher(`${url}/v1/live/jobs/${job}/progress`, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (!response?.ok) continue;
    const parsed = progressSchema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data.shards;
  }
  return [];
}
