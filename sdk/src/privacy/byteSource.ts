import { abortable, iterate } from '../storage/bytes.ts';

/** What a stream can be made of. Chunks are not copied: a source must not change one after it gave it. */
export type ByteSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** The bytes of `source` until `signal` is aborted, which ends them with its reason and closes the source, also one that hangs. */
export async function* bytesUntil(
  source: ByteSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  if (source instanceof Uint8Array) yield source;
  else yield* abortable(chunksOf(source, signal), signal);
}

function chunksOf(source: Exclude<ByteSource, Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const stream = source instanceof Blob ? source.stream() : source;
  if (!(stream instanceof ReadableStream)) return stream;
  // the pipe cancels the stream at an abort, which a generator that waits for it could not
  return iterate(stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal }));
}
