import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { concat, iterate } from '../storage/bytes.ts';
import { collect as itemsOf, randomBytes } from '../storage/fixtures.ts';
import { encodeBech32 } from './bech32.ts';
import type { ByteSource } from './byteSource.ts';
import {
  BadRecipientError,
  HeaderTooBigError,
  NoRecipientsError,
  NotAgeFileError,
  NotARecipientError,
  TamperedError,
  TooManyRecipientsError,
  TruncatedError,
} from './errors.ts';
import { headerBytes, MAX_HEADER_BYTES, MAX_RECIPIENTS } from './header.ts';
import { newIdentity, type SecretIdentity } from './identity.ts';
import { CHUNK_BYTES, openBytes, openStream, sealBytes, sealedSize, sealStream } from './stream.ts';
import type { Progress } from './stream.ts';

const SEALED_CHUNK = CHUNK_BYTES + 16;
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 3_000_001, 8_388_608];

let owner: SecretIdentity;
let stranger: SecretIdentity;
beforeAll(async () => {
  [owner, stranger] = [await newIdentity(), await newIdentity()];
});

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** `bytes` in pieces of the given sizes, again and again. */
async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const flipped = (bytes: Uint8Array, at: number, bit = 0): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
};

/** `bytes` cut small, and a promise of the moment at which the source is closed. */
function watched(bytes: Uint8Array): { source: AsyncGenerator<Uint8Array>; closed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* cut(bytes, [1_000]);
    } finally {
      resolve();
    }
  }
  return { source: source(), closed: promise };
}

/** What came out before the end, and the error that ended it. */
async function readUntilError(sealed: Uint8Array): Promise<{ plain: Uint8Array; error: unknown }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of iterate(await openStream(sealed, owner))) parts.push(part);
  } catch (error) {
    return { plain: concat(parts), error };
  }
  return { plain: concat(parts), error: undefined };
}

describe('a round trip', () => {
  test.each(SIZES)('of %i bytes gives the same bytes, at the stated size', async (size) => {
    const plain = randomBytes(size);
    const sealed = await sealBytes(plain, [owner.recipient]);
    expect(sealed).toHaveLength(sealedSize(size, 1));
    expect(same(await openBytes(sealed, owner), plain)).toBe(true);
  });

  test('does not depend on how the bytes are cut', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.nat(200_000), pieces, pieces, async (size, before, after) => {
        const plain = randomBytes(size, size + 1);
        const sealed = concat(await itemsOf(iterate(await sealStream(cut(plain, before), [owner.recipient]))));
        const opened = await itemsOf(iterate(await openStream(cut(sealed, after), owner)));
        expect(same(concat(opened), plain)).toBe(true);
        expect(opened.every(({ length }) => length > 0 && length <= CHUNK_BYTES)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('takes a header byte by byte', async () => {
    const sealed = await sealBytes(Uint8Array.of(1, 2), [owner.recipient]);
    expect(same(concat(await itemsOf(iterate(await openStream(cut(sealed, [1]), owner)))), Uint8Array.of(1, 2))).toBe(
      true,
    );
  });

  test('takes web streams and blobs', async () => {
    const plain = randomBytes(70_000);
    const sealed = await sealStream(new Blob([Uint8Array.from(plain)]).stream(), [owner.recipient]);
    expect(same(concat(await itemsOf(iterate(await openStream(sealed, owner)))), plain)).toBe(true);
    const blob = new Blob([await sealBytes(plain, [owner.recipient])]);
    expect(same(concat(await itemsOf(iterate(await openStream(blob, owner)))), plain)).toBe(true);
  });

  test('never makes the same file twice', async () => {
    const plain = randomBytes(1_000);
    const [one, two] = [await sealBytes(plain, [owner.recipient]), await sealBytes(plain, [owner.recipient])];
    expect(same(one, two)).toBe(false);
  });

  test('of a second key among those tried works', async () => {
    const sealed = await sealBytes(Uint8Array.of(5), [owner.recipient]);
    expect(await openBytes(sealed, [stranger, owner])).toEqual(Uint8Array.of(5));
  });
});

describe('refused', () => {
  test('every flipped bit of a small file', async () => {
    const plain = randomBytes(40);
    const sealed = await sealBytes(plain, [owner.recipient]);
    for (let at = 0; at < sealed.length; at += 1) {
      const error = await openBytes(flipped(sealed, at, at % 8), owner).catch((e: unknown) => e);
      const classes = [TamperedError, NotARecipientError, NotAgeFileError, TruncatedError];
      expect(
        classes.some((one) => error instanceof one),
        `byte ${at}: ${String(error)}`,
      ).toBe(true);
    }
  });

  test('every flipped bit of the payload as tampered, and nothing of its chunk or of what follows is handed out', async () => {
    const plain = randomBytes(3 * CHUNK_BYTES + 100);
    const sealed = await sealBytes(plain, [owner.recipient]);
    const payload = headerBytes(1) + 16;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: payload, max: sealed.length - 1 }), fc.nat(7), async (at, bit) => {
        const { plain: got, error } = await readUntilError(flipped(sealed, at, bit));
        expect(error).toBeInstanceOf(TamperedError);
        const whole = Math.floor((at - payload) / SEALED_CHUNK) * CHUNK_BYTES;
        expect(same(got, plain.subarray(0, whole))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('any truncation, as truncated when the size is known', async () => {
    const sealed = await sealBytes(randomBytes(2 * CHUNK_BYTES + 10), [owner.recipient]);
    const payload = headerBytes(1) + 16;
    const edges = [0, 1, 22, headerBytes(1), payload, payload + 16, payload + SEALED_CHUNK, sealed.length - 1];
    const lengths = fc.oneof(fc.nat(sealed.length - 1), fc.constantFrom(...edges));
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        const error = await openBytes(sealed.subarray(0, length), owner, { sealedBytes: sealed.length }).catch(
          (e: unknown) => e,
        );
        expect(error).toBeInstanceOf(length === 0 ? NotAgeFileError : TruncatedError);
        await expect(openBytes(sealed.subarray(0, length), owner)).rejects.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  test('a change at the known size as tampered, not truncated', async () => {
    const sealed = await sealBytes(randomBytes(100), [owner.recipient]);
    const open = openBytes(flipped(sealed, sealed.length - 1), owner, { sealedBytes: sealed.length });
    await expect(open).rejects.toThrow(new TamperedError('payload', sealed.length).message);
  });

  test('chunks in another order, left out, or added', async () => {
    const sealed = await sealBytes(randomBytes(3 * CHUNK_BYTES), [owner.recipient]);
    const start = headerBytes(1) + 16;
    const head = sealed.subarray(0, start);
    const [a, b, c] = [0, 1, 2].map((i) => sealed.subarray(start + i * SEALED_CHUNK, start + (i + 1) * SEALED_CHUNK));
    for (const chunks of [
      [b!, a!, c!],
      [a!, c!],
      [a!, b!],
      [a!, b!, c!, c!],
      [a!, a!, b!, c!],
    ]) {
      await expect(openBytes(concat([head, ...chunks]), owner)).rejects.toThrow(TamperedError);
    }
  });

  test('a file for somebody else, whoever is among its recipients', async () => {
    const sealed = await sealBytes(Uint8Array.of(1), [owner.recipient]);
    await expect(openBytes(sealed, stranger)).rejects.toThrow(
      `The file is not for ${stranger.recipient}; ask for an envelope for that key, or use the key it was made for.`,
    );
  });

  test.each([
    ['nothing', ''],
    ['a picture', '\x89PNG\r\n\x1a\n and more'],
    ['a later version', 'age-encryption.org/v2\n-> X25519 abc\nabc\n--- abc\n'],
    ['no recipient', `age-encryption.org/v1\n--- ${'A'.repeat(43)}\n`],
    ['a stanza that is no base64', `age-encryption.org/v1\n-> X25519 abc\na!c\n--- ${'A'.repeat(43)}\n`],
    ['a line that is too long', `age-encryption.org/v1\n-> X25519 abc\n${'A'.repeat(65)}\n--- ${'A'.repeat(43)}\n`],
    ['a short code', `age-encryption.org/v1\n-> X25519 abc\nabc\n--- ${'A'.repeat(42)}\n`],
  ])('%s as no age file', async (_what, text) => {
    await expect(openBytes(Buffer.from(text, 'latin1'), owner)).rejects.toThrow(NotAgeFileError);
  });

  test('a header that never ends, without reading on', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('age-encryption.org/v1\n');
      for (;;) {
        given += 1_000;
        yield Buffer.from(`-> X25519 ${'A'.repeat(989)}\n`);
      }
    }
    await expect(openStream(endless(), owner)).rejects.toThrow(HeaderTooBigError);
    expect(given).toBeLessThanOrEqual(MAX_HEADER_BYTES + 1_000);
  });

  test('a key with which no secret can be shared', async () => {
    const small = encodeBech32('age', Uint8Array.of(1, ...new Uint8Array(31)));
    await expect(sealBytes(Uint8Array.of(1), [small])).rejects.toThrow(BadRecipientError);
  });

  test('nobody, and more than a header holds', async () => {
    await expect(sealBytes(Uint8Array.of(1), [])).rejects.toThrow(NoRecipientsError);
    const many = Array.from({ length: MAX_RECIPIENTS + 1 }, (_, i) =>
      encodeBech32(
        'age',
        Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? i + 2 : 9)),
      ),
    );
    await expect(sealBytes(Uint8Array.of(1), many)).rejects.toThrow(TooManyRecipientsError);
    const sealed = await sealBytes(Uint8Array.of(1), [...many.slice(2), owner.recipient]);
    expect(sealed).toHaveLength(sealedSize(1, MAX_RECIPIENTS));
    expect(await openBytes(sealed, owner)).toEqual(Uint8Array.of(1));
  });
});

describe('on the way', () => {
  test('bytes are counted on both sides', async () => {
    const sealing: Progress[] = [];
    const opening: Progress[] = [];
    const plain = randomBytes(2 * CHUNK_BYTES + 1);
    const stream = await sealStream(plain, [owner.recipient], { onProgress: (now) => sealing.push(now) });
    const sealed = concat(await itemsOf(iterate(stream)));
    const end = { plainBytes: plain.length, sealedBytes: sealed.length };
    expect(sealing.at(-1)).toEqual(end);
    await openBytes(sealed, owner, { onProgress: (now) => opening.push(now) });
    expect(opening.at(-1)).toEqual(end);
    expect(opening.map(({ plainBytes }) => plainBytes)).toEqual([
      CHUNK_BYTES,
      2 * CHUNK_BYTES,
      plain.length,
      plain.length,
    ]);
  });

  test('no more than a few chunks are taken ahead of the reader', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      const piece = new Uint8Array(16 * CHUNK_BYTES);
      for (;;) {
        taken += piece.length;
        yield piece;
      }
    }
    const sealed = (await sealStream(endless(), [owner.recipient])).getReader();
    let given = 0;
    for (let i = 0; i < 100; i += 1) given += (await sealed.read()).value!.length;
    expect(taken - given).toBeLessThanOrEqual(20 * CHUNK_BYTES);
    await sealed.cancel();
  });

  test.each(['sealing', 'opening'])('%s ends with the reason of its signal, though the source hangs', async (what) => {
    const stop = new AbortController();
    const sealed = await sealBytes(randomBytes(3 * CHUNK_BYTES), [owner.recipient]);
    let closed = false;
    async function* hanging(): AsyncGenerator<Uint8Array> {
      try {
        yield what === 'sealing' ? randomBytes(2 * CHUNK_BYTES) : sealed.subarray(0, 2 * SEALED_CHUNK);
        await new Promise(() => {});
      } finally {
        closed = true;
      }
    }
    const { signal } = stop;
    const stream = await (what === 'sealing'
      ? sealStream(hanging(), [owner.recipient], { signal })
      : openStream(hanging(), owner, { signal }));
    const reader = stream.getReader();
    await reader.read();
    const reason = new Error('the person left');
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    stop.abort(reason);
    await expect(rest).rejects.toBe(reason);
    expect(closed).toBe(false); // a generator that hangs in a wait cannot be closed; it was let go
  });

  test('a signal that was aborted before ends a stream before anything is read', async () => {
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    await expect(openStream(new Uint8Array(9), owner, { signal })).rejects.toBe(reason);
    const sealed = await sealStream(new Uint8Array(9), [owner.recipient], { signal });
    await expect(sealed.getReader().read()).rejects.toBe(reason);
  });

  test.each(['sealing', 'opening'])('a reader that leaves while %s closes the source', async (what) => {
    const sealed = await sealBytes(randomBytes(9 * CHUNK_BYTES), [owner.recipient]);
    const { source, closed } = watched(what === 'sealing' ? randomBytes(9 * CHUNK_BYTES) : sealed);
    const stream = await (what === 'sealing' ? sealStream(source, [owner.recipient]) : openStream(source, owner));
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    await closed;
  });

  test.each([
    ['sealing', 'an iterable'],
    ['sealing', 'a web stream'],
    ['opening', 'an iterable'],
    ['opening', 'a web stream'],
  ])('a reader that leaves while %s closes %s that hangs', async (what, form) => {
    const sealed = await sealBytes(randomBytes(3 * CHUNK_BYTES), [owner.recipient]);
    const closed = Promise.withResolvers<void>();
    const begin = [what === 'sealing' ? randomBytes(2 * CHUNK_BYTES) : sealed.subarray(0, 2 * SEALED_CHUNK)];
    const next = (): Promise<IteratorResult<Uint8Array>> => {
      const value = begin.pop();
      return value ? Promise.resolve({ done: false, value }) : new Promise(() => {});
    };
    const close = (): Promise<IteratorResult<Uint8Array>> => {
      closed.resolve();
      return Promise.resolve({ done: true, value: undefined });
    };
    const source: ByteSource =
      form === 'an iterable'
        ? { [Symbol.asyncIterator]: () => ({ next, return: close }) }
        : new ReadableStream({
            pull: async (controller) => controller.enqueue((await next()).value),
            cancel: () => void close(),
          });
    const stream = await (what === 'sealing' ? sealStream(source, [owner.recipient]) : openStream(source, owner));
    const reader = stream.getReader();
    await reader.read();
    const pending = [reader.read(), reader.read(), reader.read()];
    await reader.cancel();
    await closed.promise;
    await Promise.allSettled(pending);
  });

  test('a file that is refused closes its source', async () => {
    const sealed = await sealBytes(randomBytes(9 * CHUNK_BYTES), [owner.recipient]);
    const foreign = watched(sealed);
    await expect(openStream(foreign.source, stranger)).rejects.toThrow(NotARecipientError);
    await foreign.closed;
    const text = watched(Buffer.alloc(5_000, 'x\n'));
    await expect(openStream(text.source, owner)).rejects.toThrow(NotAgeFileError);
    await text.closed;
    const changed = watched(flipped(sealed, headerBytes(1) + 50));
    await expect(openStream(changed.source, owner).then((stream) => itemsOf(iterate(stream)))).rejects.toThrow(
      TamperedError,
    );
    await changed.closed;
  });

  test('an error of the source is handed on as it is', async () => {
    const failure = new Error('the gateway went away');
    const sealed = await sealBytes(randomBytes(3 * CHUNK_BYTES), [owner.recipient]);
    async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw failure;
    }
    const opening = async (length: number): Promise<unknown> =>
      itemsOf(iterate(await openStream(failing(sealed.subarray(0, length)), owner)));
    for (const length of [0, 30, headerBytes(1) + 8, 70_000, sealed.length]) {
      await expect(opening(length), `after ${length} bytes`).rejects.toBe(failure);
    }
    await expect(itemsOf(iterate(await sealStream(failing(sealed), [owner.recipient])))).rejects.toBe(failure);
  });
});
