import * as z from 'zod';

import { plainText } from '../plain.ts';

/** How a node says that it is. A claim: nothing is paid by it. */
const heartbeatSchema = z.object({
  node: z.int().positive(),
  /** Unix milliseconds, by the node's clock. */
  saidAt: z.number(),
  healthy: z.boolean(),
  problems: z.array(z.string().max(200).transform(plainText)).max(16),
  slots: z.object({ capacity: z.int(), running: z.int(), free: z.int() }),
  celsius: z.int().nullable(),
  software: z.string().max(128).transform(plainText),
  draining: z.boolean(),
});
const heartbeatsSchema = z.object({ items: z.array(heartbeatSchema).max(10_000) });

/** The newest words of a node about itself. Texts are a stranger's. */
export type Heartbeat = z.output<typeof heartbeatSchema>;

/** Asks each of `urls` in turn until one answers; an empty list where none does. */
export async function loadHeartbeats(
  urls: readonly string[],
  signal: AbortSignal,
  fetcher: typeof fetch = (input, init) => fetch(input, init),
): Promise<Heartbeat[]> {
  for (const url of urls) {
    const response = await fetcher(`${url}/v1/live/heartbeats`, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (!response?.ok) continue;
    const parsed = heartbeatsSchema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data.items;
  }
  return [];
}
