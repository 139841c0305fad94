import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeAll, describe, expect, test } from 'vitest';

import { concat } from '../storage/bytes.ts';
import { PrivacyError } from './errors.ts';
import { newIdentity, type SecretIdentity } from './identity.ts';
import { CHUNK_BYTES, nativePayloads, pieced, TAG_BYTES } from './payload.ts';
import { openBytes, sealBytes } from './stream.ts';

const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 77];
const FILE_KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const NONCE = Uint8Array.from({ length: 16 }, (_, index) => 200 + index);

const plainOf = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 8));

/** Bytes as they come from a network, made into pieces. */
function pieces(bytes: Uint8Array, size: number): ReturnType<typeof pieced> {
  async function* cut(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 50_021) yield bytes.subarray(at, at + 50_021);
  }
  return pieced(cut(), { first: size, size });
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return concat(parts);
}

/** The format by the words of its specification, with another library's cipher. */
function specified(plain: Uint8Array, chunks = Math.max(1, Math.ceil(plain.length / CHUNK_BYTES))): Uint8Array {
  const key = hkdf(sha256, FILE_KEY, NONCE, new TextEncoder().encode('payload'), 32);
  const sealed = Array.from({ length: chunks }, (_, index) => {
    const iv = new Uint8Array(12);
    iv[10] = index;
    iv[11] = index === chunks - 1 ? 1 : 0;
    return chacha20poly1305(key, iv).encrypt(plain.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
  });
  return concat([NONCE, ...sealed]);
}

test('Node has the cipher', () => {
  expect(nativePayloads).toBeDefined();
});

describe.each(SIZES)('a payload of %i bytes', (size) => {
  const { seal, open } = nativePayloads!;
  const plain = plainOf(size);

  test('is the same to the byte as the specification says', async () => {
    const sealed = await all(seal(FILE_KEY, NONCE, pieces(plain, CHUNK_BYTES)));
    expect(Buffer.compare(sealed, specified(plain))).toBe(0);
    const opened = await all(open(FILE_KEY, NONCE, pieces(sealed.subarray(16), CHUNK_BYTES + TAG_BYTES)));
    expect(Buffer.compare(opened, plain)).toBe(0);
  });

  test('goes from either code to the other', async () => {
    const me: SecretIdentity = await newIdentity();
    for (const [sealing, opening] of [
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const sealed = await sealBytes(plain, [me.recipient], { portable: sealing });
      const opened = await openBytes(sealed, me, { portable: opening });
      expect(Buffer.compare(opened, plain)).toBe(0);
    }
  });
});

test('a last chunk that is empty does not stand behind a full one, though its maker had the key', async () => {
  const twice = specified(plainOf(CHUNK_BYTES), 2).subarray(16);
  const opening = all(nativePayloads!.open(FILE_KEY, NONCE, pieces(twice, CHUNK_BYTES + TAG_BYTES)));
  await expect(opening).rejects.toThrow('the last chunk is too short');
});

describe.each([true, false])('with portable: %s', (portable) => {
  let me: SecretIdentity;
  let sealed: Uint8Array;
  let payload: number;
  beforeAll(async () => {
    me = await newIdentity();
    sealed = await sealBytes(plainOf(2 * CHUNK_BYTES), [me.recipient], { portable });
    payload = sealed.length - 2 * (CHUNK_BYTES + TAG_BYTES);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['a bit of the nonce was turned', (bytes) => turned(bytes, payload - 1)],
    ['a bit of the first chunk was turned', (bytes) => turned(bytes, payload)],
    ['a bit of the last tag was turned', (bytes) => turned(bytes, bytes.length - 1)],
    ['a whole chunk is missing at the end', (bytes) => bytes.subarray(0, payload + CHUNK_BYTES + TAG_BYTES)],
    ['the chunks were swapped', (bytes) => swapped(bytes)],
    ['something follows', (bytes) => concat([bytes, new Uint8Array(1)])],
    ['an empty chunk follows', (bytes) => concat([bytes, new Uint8Array(TAG_BYTES)])],
    ['a byte of the header was changed', (bytes) => turned(bytes, 30)],
  ])('it does not open when %s', async (_what, change) => {
    await expect(openBytes(change(sealed), me, { portable })).rejects.toBeInstanceOf(PrivacyError);
  });

  function turned(bytes: Uint8Array, at: number): Uint8Array {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 1;
    return changed;
  }

  function swapped(bytes: Uint8Array): Uint8Array {
    const chunk = CHUNK_BYTES + TAG_BYTES;
    const [one, two] = [bytes.subarray(payload, payload + chunk), bytes.subarray(payload + chunk)];
    return concat([bytes.subarray(0, payload), two, one]);
  }
});
