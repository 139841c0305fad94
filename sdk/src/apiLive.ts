import type { LiveBlock, Stats } from './api.ts';

/** What following the indexer takes. */
export interface LiveOptions {
  /** Where the server-sent events are. */
  url: string;
  /** The platform's EventSource; absent where there is none (Node without its flag). */
  EventSource: typeof EventSource | null | undefined;
  /** How often to ask where server-sent events do not work. */
  pollMs: number;
  stats: (signal: AbortSignal) => Promise<Stats>;
  /** Reads the data of a `block` event. */
  parse: (data: string) => LiveBlock;
  onBlock: (block: LiveBlock) => void;
}

/** Calls `onBlock` for each change until the returned function is called. */
export function live(options: LiveOptions): () => void {
  const stop = new AbortController();
  if (options.EventSource) listen(new options.EventSource(options.url), options, stop.signal);
  else void poll(options, stop.signal);
  return () => stop.abort();
}

/** A source that broke for good (the browser only retries network failures) is replaced by polling. */
function listen(source: EventSource, options: LiveOptions, signal: AbortSignal): void {
  signal.addEventListener('abort', () => source.close(), { once: true });
  source.addEventListener('block', (event: MessageEvent<string>) => options.onBlock(options.parse(event.data)));
  source.addEventListener('error', () => {
    if (source.readyState === source.CLOSED) void poll(options, signal);
  });
}

/** Compares whole answers, not block numbers, because after a reorg the same number can hold other rows. */
async function poll(options: LiveOptions, signal: AbortSignal): Promise<void> {
  let seen: string | undefined;
  while (!signal.aborted) {
    // An unreachable indexer is asked again; who needs to know asks for `stats` and sees the error.
    const stats = await options.stats(signal).catch(() => undefined);
    if (signal.aborted) return;
    if (stats) {
      const now = JSON.stringify(stats, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
      if (seen !== undefined && now !== seen) options.onBlock({ number: stats.block, timestamp: stats.timestamp });
      seen = now;
    }
    await sleep(options.pollMs, signal);
  }
}

/** Resolves after `ms`, or at once when aborted. `node:timers` is not in browsers. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
