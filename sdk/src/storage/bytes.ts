/**
 * What can be stored as a file. A function is called again when an interrupted upload is repeated. Chunks are not copied:
 * a source must not change one after yielding it.
 */
export type FileSource = Uint8Array | Blob | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** Whether `source` can be read a second time. */
export const isRepeatable = (source: FileSource): boolean =>
  source instanceof Uint8Array || source instanceof Blob || typeof source === 'function';

/** The bytes of `source` as chunks of any size. Ends with the signal's reason when it is aborted, even if the source hangs. */
export async function* chunksOf(source: FileSource, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) yield source;
  else if (source instanceof Blob) yield* abortable(iterate(source.stream()), signal);
  else yield* abortable(typeof source === 'function' ? source() : source, signal);
}

/** A web stream as an async iterable (not every browser has it built in). Leaving the loop cancels the stream. */
export async function* iterate(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield value;
    }
  } finally {
    // a stream that failed rejects its own cancel, which is no news
    if (!ended) await reader.cancel().catch(() => {});
  }
}

/**
 * `source` until `signal` is aborted, which ends it with the signal's reason and closes it, also one that hangs. Each wait has a
 * listener of its own: a promise that lives as long as the signal would keep every item that it was raced with.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  if (!signal) return yield* source;
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await orAbort(iterator.next(), signal);
      ended = next.done === true;
      if (next.done) return;
      yield next.value;
      signal.throwIfAborted();
    }
  } finally {
    // not awaited: a source that hangs in next() would hang here too
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
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

/** Cuts a byte stream into pieces of exactly `size` bytes, the last one shorter; an empty stream gives one empty piece. */
export async function* rechunk(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = new Uint8Array(size);
  let filled = 0;
  let emitted = false;
  for await (let chunk of source) {
    while (chunk.byteLength > 0) {
      if (filled === 0 && chunk.byteLength >= size) {
        // whole pieces pass through uncopied
        yield chunk.subarray(0, size);
        chunk = chunk.subarray(size);
      } else {
        const part = chunk.subarray(0, size - filled);
        piece.set(part, filled);
        filled += part.byteLength;
        chunk = chunk.subarray(part.byteLength);
        if (filled < size) continue;
        yield piece;
        piece = new Uint8Array(size);
        filled = 0;
      }
      emitted = true;
    }
  }
  if (filled > 0 || !emitted) yield piece.slice(0, filled);
}

/** Reads an iterable to its end and says how many items it had. */
export async function count(source: AsyncIterable<unknown>): Promise<number> {
  const iterator = source[Symbol.asyncIterator]();
  for (let items = 0; ; items++) if ((await iterator.next()).done) return items;
}

/** Joins byte strings into one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.byteLength;
  }
  return out;
}

/** Runs at most `limit` tasks at once. The first failure is thrown by the next `add` or by `idle`. */
export class TaskWindow {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts `task`, first waiting for room. */
  async add(task: () => Promise<unknown>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#check();
    const run: Promise<void> = task()
      .then(
        () => {},
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Waits for everything started; throws the first failure. */
  async idle(): Promise<void> {
    await this.settled();
    this.#check();
  }

  /** Waits for everything started, failed or not. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

/** Waits `ms` milliseconds or until `signal` is aborted, which throws its reason. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
