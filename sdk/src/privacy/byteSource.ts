import { iterate } from '../storage/bytes.ts';

/** What a stream can be made of. Chunks are not copied: a source must not change one after it gave it. */
export type ByteSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * The bytes of `source` until `signal` is aborted, which ends them with its reason and closes the source, also one that hangs.
 * Each wait has a listener of its own: a promise that lives as long as the signal would keep every chunk that it was raced with.
 */
export async function* bytesUntil(
  source: ByteSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  if (source instanceof Uint8Array) return yield source;
  const iterator = chunksOf(source, signal)[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await orAbort(iterator.next(), signal);
      ended = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // not awaited: a source that hangs in next() would hang here too
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function chunksOf(source: Exclude<ByteSource, Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const stream = source instanceof Blob ? source.stream() : source;
  if (!(stream instanceof ReadableStream)) return stream;
  // the pipe cancels the stream at an abort, which a generator that waits for it could not
  return iterate(stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal }));
}

/** What `promise` gives, or the signal's reason if that comes first. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
