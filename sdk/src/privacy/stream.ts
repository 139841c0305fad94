/**
 * Sealing and opening of files of any size, on age (X25519, ChaCha20-Poly1305 in chunks of 64 KiB). Holds a few chunks
 * however long the file is. What a reader gets was authenticated chunk by chunk; that the file is whole is known only at its end, so
 * nothing may be done with the beginning of a stream that failed.
 */
import { Decrypter, Encrypter } from 'age-encryption';

import { concat, iterate, rechunk } from '../storage/bytes.ts';
import { bytesUntil, type ByteSource } from './byteSource.ts';
import {
  BadRecipientError,
  NoRecipientsError,
  NotARecipientError,
  TamperedError,
  TooManyRecipientsError,
  TruncatedError,
} from './errors.ts';
import type { PrivacyError } from './errors.ts';
import { headerBytes, MAX_RECIPIENTS, readHeader, type SplitHeader } from './header.ts';
import type { Identity } from './identity.ts';
import { CHUNK_BYTES, nativePayloads, NONCE_BYTES, pieced, TAG_BYTES, type Payloads } from './payload.ts';
import { parseRecipient, type Recipient } from './recipient.ts';

export { CHUNK_BYTES } from './payload.ts';

/** How far a stream has come. */
export interface Progress {
  /** Bytes on the readable side of the secret. */
  plainBytes: number;
  /** Bytes on the side of the network. */
  sealedBytes: number;
}

/** Options of streams. */
export interface StreamOptions {
  /** Ends the stream with the signal's reason, even if its source hangs. */
  signal?: AbortSignal | undefined;
  /** Told before each chunk that is handed on, and at the end. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Takes the code that runs everywhere also where Node's own cipher is: for tests and for comparing. */
  portable?: boolean | undefined;
}

/** Options of opening. */
export interface OpenOptions extends StreamOptions {
  /** How long the sealed file must be, when that is known: tells a file that was cut from one that was changed. */
  sealedBytes?: number | undefined;
}

/** Size of the sealed file of `plainBytes` bytes for `recipients` recipients. */
export function sealedSize(plainBytes: number, recipients: number): number {
  const chunks = Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES));
  return headerBytes(recipients) + NONCE_BYTES + plainBytes + chunks * TAG_BYTES;
}

/**
 * Seals `source` for all `recipients`. Every call takes a fresh random key, so equal inputs give different files: hand a
 * store the stream itself, never a function that seals again, or a repeated upload would be another file.
 * @throws NoRecipientsError, TooManyRecipientsError or BadRecipientError, before anything is read.
 */
export async function sealStream(
  source: ByteSource,
  recipients: readonly string[],
  options: StreamOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const encrypter = encrypterFor(recipients);
  const sealing = payloadsFor(options)
    ? sealNatively(encrypter, source, options)
    : sealWith(encrypter, source, options);
  return sealing.catch((error: unknown) => {
    // before the first byte only the exchange with a recipient's key can fail
    throw new BadRecipientError(recipients.join(', '), 'no secret can be shared with it', error);
  });
}

const payloadsFor = ({ portable }: StreamOptions): Payloads | undefined => (portable ? undefined : nativePayloads);

/** As `sealWith`, by Node's cipher: the library makes the header, and tells the file's key to whoever asks like a recipient. */
async function sealNatively(
  encrypter: Encrypter,
  source: ByteSource,
  options: StreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array());
  const header = empty.subarray(0, -NONCE_BYTES - TAG_BYTES);
  const run = new Run(source, options);
  const plain = primed(pieced(run.count('plainBytes', run.source), { first: CHUNK_BYTES, size: CHUNK_BYTES }));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  async function* sealed(): AsyncGenerator<Uint8Array, void, undefined> {
    yield header;
    yield* nativePayloads!.seal(fileKey, nonce, plain);
  }
  return run.handOn('sealedBytes', streamOf(sealed()), (error) => error);
}

/** `source`, begun at once: one that nobody has begun cannot be closed when the reader leaves early. */
function primed<T>(source: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const first = source.next();
  // Whoever reads gets the failure; until then nobody waits for it.
  first.catch(() => undefined);
  return begun(first, source);
}

async function* begun<T>(
  first: Promise<IteratorResult<T, void>>,
  source: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const { done, value } = await first;
  if (done) return;
  yield value;
  yield* source;
}

/** Seals `source` with an encrypter that is ready. */
export async function sealWith(
  encrypter: Encrypter,
  source: ByteSource,
  options: StreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  const run = new Run(source, options);
  // pieces of at most one chunk: age seals everything it is handed at once and keeps it until it is read
  const plain = run.count('plainBytes', rechunk(run.source, CHUNK_BYTES));
  const sealed = await encrypter.encrypt(streamOf(plain));
  return run.handOn('sealedBytes', sealed, (error) => error);
}

/**
 * Opens a sealed file with whichever of `identities` it is for. The header is read and checked before this returns.
 * @throws NotAgeFileError, HeaderTooBigError, NotARecipientError, TruncatedError or TamperedError; the last two also come
 * out of the stream.
 */
export async function openStream(
  source: ByteSource,
  identities: Identity | readonly Identity[],
  options: OpenOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const openers = 'recipient' in identities ? [identities] : identities;
  const decrypter = new Decrypter();
  for (const identity of openers) decrypter.addIdentity(identity.opener());
  const nobody = (): PrivacyError => new NotARecipientError(openers.map(({ recipient }) => recipient));
  return openWith({ decrypter, nobody }, source, options);
}

/** How a file is opened. */
export interface Opening {
  /** With its keys or its passphrase added. It is used up by one file. */
  decrypter: Decrypter;
  /** Makes the error for a file that is for none of the keys. */
  nobody: () => PrivacyError;
  /** Throws when a header is not worth any work. */
  check?: (header: Uint8Array) => void;
}

/** Opens a sealed file with a decrypter that is ready. */
export async function openWith(
  opening: Opening,
  source: ByteSource,
  options: OpenOptions,
): Promise<ReadableStream<Uint8Array>> {
  const run = new Run(source, options);
  try {
    return await openRun(run, opening, options);
  } catch (error) {
    await run.close();
    throw error;
  }
}

async function openRun(
  run: Run,
  { decrypter, nobody, check }: Opening,
  { sealedBytes: due, portable }: OpenOptions,
): Promise<ReadableStream<Uint8Array>> {
  const head = await readHeader(run.source);
  check?.(head.header);
  const feed = new Feed(head, run.source);
  /** Says what a failure inside age means: its errors are all of one class. */
  const explain = (where: 'header' | 'payload', cause: unknown): unknown => {
    if (feed.failure) return feed.failure.error;
    const { sealedBytes } = run.progress;
    const cut = feed.ended && sealedBytes < (due ?? head.header.length + NONCE_BYTES + TAG_BYTES);
    return cut ? new TruncatedError(sealedBytes, due, cause) : new TamperedError(where, sealedBytes, cause);
  };

  // asked last, so only when no key fits; an error before that means a damaged header
  let missed = false;
  decrypter.addIdentity({
    unwrapFileKey() {
      missed = true;
      return null;
    },
  });
  const native = payloadsFor({ portable });
  const opening = native
    ? openNatively(native, decrypter, head.header, run.count('sealedBytes', feed.bytes()))
    : decrypter.decrypt(streamOf(run.count('sealedBytes', rechunk(feed.bytes(), CHUNK_BYTES))));
  const plain = await opening.catch((error: unknown) => {
    throw missed ? nobody() : explain('header', error);
  });
  return run.handOn('plainBytes', plain, (error) => explain('payload', error));
}

/** By Node's cipher, what follows a header that the library reads. `sealed` gives the header first, as one piece. */
async function openNatively(
  native: Payloads,
  decrypter: Decrypter,
  header: Uint8Array,
  sealed: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<ReadableStream<Uint8Array>> {
  const fileKey = await decrypter.decryptHeader(header);
  await sealed.next();
  const pieces = pieced(sealed, { first: NONCE_BYTES, size: CHUNK_BYTES + TAG_BYTES });
  const { value: nonce } = await pieces.next();
  if (!nonce || nonce.last) throw new Error('nothing follows the nonce');
  return streamOf(native.open(fileKey, nonce.bytes, pieces));
}

/** Seals bytes that are in memory. */
export async function sealBytes(
  plain: Uint8Array,
  recipients: readonly string[],
  options: StreamOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return collect(await sealStream(plain, recipients, options));
}

/** Opens bytes that are in memory. Gives nothing unless the whole file is as it was sealed. */
export async function openBytes(
  sealed: Uint8Array,
  identities: Identity | readonly Identity[],
  options: OpenOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return collect(await openStream(sealed, identities, options));
}

/** Everything a stream gives, in one piece. */
export async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of iterate(stream)) parts.push(part);
  return concat(parts);
}

function encrypterFor(recipients: readonly string[]): Encrypter {
  const all: Recipient[] = [...new Set(recipients.map(parseRecipient))];
  if (all.length === 0) throw new NoRecipientsError();
  if (all.length > MAX_RECIPIENTS) throw new TooManyRecipientsError(all.length, MAX_RECIPIENTS);
  const encrypter = new Encrypter();
  for (const recipient of all) encrypter.addRecipient(recipient);
  return encrypter;
}

/** One file on its way: what it has come to, and how it is stopped. */
class Run {
  readonly progress: Progress = { plainBytes: 0, sealedBytes: 0 };
  /** The bytes to work on, until the caller aborts or the reader leaves. */
  readonly source: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #signal: AbortSignal;
  readonly #left = new AbortController();
  readonly #onProgress: StreamOptions['onProgress'];

  constructor(source: ByteSource, { signal, onProgress }: StreamOptions) {
    this.#signal = signal ? AbortSignal.any([signal, this.#left.signal]) : this.#left.signal;
    this.#onProgress = onProgress;
    this.source = bytesUntil(source, this.#signal);
  }

  /** Lets go of the source, also one that hangs. */
  async close(reason?: unknown): Promise<void> {
    this.#left.abort(reason);
    await this.source.return();
  }

  /** `source`, with its bytes counted as they are taken. */
  async *count(what: keyof Progress, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      this.progress[what] += chunk.length;
      yield chunk;
    }
  }

  /** `inner` as the caller gets it: counted, stopped by the signal, its failures explained. */
  handOn(
    what: keyof Progress,
    inner: ReadableStream<Uint8Array>,
    explain: (error: unknown) => unknown,
  ): ReadableStream<Uint8Array> {
    const reader = inner.getReader();
    const next = async (): Promise<Uint8Array | undefined> => {
      for (;;) {
        this.#signal.throwIfAborted();
        const { done, value } = await reader.read().catch(async (error: unknown) => {
          // explained first: closing makes the source fail too
          const explained = explain(error);
          await this.close();
          throw explained;
        });
        if (done) return undefined;
        // an empty file is one empty chunk, which is nothing to hand on
        if (value.length > 0) return value;
      }
    };
    return new ReadableStream(
      {
        pull: async (controller) => {
          const chunk = await next();
          this.progress[what] += chunk?.length ?? 0;
          this.#onProgress?.({ ...this.progress });
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        },
        cancel: async (reason) => {
          await this.close(reason);
          // a stream that failed rejects its own cancel, which is no news
          await reader.cancel(reason).catch(() => {});
        },
      },
      { highWaterMark: 0 },
    );
  }
}

/** The bytes of a file whose header was read before, and what became of its source. */
class Feed {
  /** Set when the source failed: nothing that age says afterwards is the reason. */
  failure: { error: unknown } | undefined;
  /** Whether the source gave everything it has. */
  ended = false;
  readonly #head: SplitHeader;
  readonly #source: AsyncGenerator<Uint8Array, void, undefined>;

  constructor(head: SplitHeader, source: AsyncGenerator<Uint8Array, void, undefined>) {
    this.#head = head;
    this.#source = source;
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    yield this.#head.header;
    yield this.#head.rest;
    try {
      yield* this.#source;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
    this.ended = true;
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array, void, undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
}
