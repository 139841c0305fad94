/**
 * What stands behind the header of an age file (age-encryption.org/v1, "Payload"), by Node's own ChaCha20-Poly1305, which is native code. age-encryption
 * brings the cipher as JavaScript, as WebCrypto has none; in a browser that is what there is. Both make and read the same bytes.
 *
 * ```
 * key   = HKDF-SHA256(ikm = file key, salt = nonce, info = "payload", 32 bytes)
 * chunk = ChaCha20-Poly1305(key, nonce = 11-byte counter, big-endian ‖ 1 for the last chunk, else 0; 64 KiB of plaintext, fewer in the last)
 * ```
 */
import type * as NodeCrypto from 'node:crypto';

/** Plaintext bytes that are authenticated together. */
export const CHUNK_BYTES = 64 * 1024;
/** What a chunk grows by. */
export const TAG_BYTES = 16;
/** What stands between header and chunks. */
export const NONCE_BYTES = 16;

const CIPHER = 'chacha20-poly1305';
const COUNTER_BYTES = 11;

/** A piece of a stream, and whether nothing follows it. */
export interface Piece {
  bytes: Uint8Array;
  last: boolean;
}

/** Sealing and opening of payloads. */
export interface Payloads {
  /** Nonce and chunks of plaintext in pieces of {@link CHUNK_BYTES}. */
  seal(
    fileKey: Uint8Array,
    nonce: Uint8Array,
    plain: AsyncIterable<Piece>,
  ): AsyncGenerator<Uint8Array, void, undefined>;
  /** Plaintext of chunks, each authenticated before it is yielded. @throws when something was changed or is missing. */
  open(
    fileKey: Uint8Array,
    nonce: Uint8Array,
    sealed: AsyncIterable<Piece>,
  ): AsyncGenerator<Uint8Array, void, undefined>;
}

/** By Node's cipher; undefined in a browser, and where Node was built without it. */
export const nativePayloads: Payloads | undefined = native();

function native(): Payloads | undefined {
  // Not imported: a browser's bundle must not look for it.
  const here = globalThis as { process?: { getBuiltinModule?: (name: string) => typeof NodeCrypto | undefined } };
  const crypto = here.process?.getBuiltinModule?.('node:crypto');
  if (!crypto?.getCiphers().includes(CIPHER)) return undefined;
  const keyOf = (fileKey: Uint8Array, nonce: Uint8Array): Uint8Array =>
    new Uint8Array(crypto.hkdfSync('sha256', fileKey, nonce, 'payload', 32));
  const options = { authTagLength: TAG_BYTES };
  return {
    async *seal(fileKey, nonce, plain) {
      const key = keyOf(fileKey, nonce);
      yield nonce;
      let index = 0;
      for await (const { bytes, last } of plain) {
        const cipher = crypto.createCipheriv(CIPHER, key, ivOf(index++, last), options);
        const sealed = new Uint8Array(bytes.length + TAG_BYTES);
        sealed.set(cipher.update(bytes));
        cipher.final();
        sealed.set(cipher.getAuthTag(), bytes.length);
        yield sealed;
      }
    },
    async *open(fileKey, nonce, sealed) {
      const key = keyOf(fileKey, nonce);
      let index = 0;
      for await (const { bytes, last } of sealed) {
        const size = bytes.length - TAG_BYTES;
        // An empty file is one empty chunk; behind others an empty one would let the same file be sealed in two ways.
        if (size < 0 || (size === 0 && index > 0)) throw new Error('the last chunk is too short');
        const decipher = crypto.createDecipheriv(CIPHER, key, ivOf(index++, last), options);
        decipher.setAuthTag(bytes.subarray(size));
        const plain = decipher.update(bytes.subarray(0, size));
        decipher.final();
        yield new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
      }
    },
  };
}

/** `source` as one piece of `first` bytes and further ones of `size`. Each is yielded as soon as a byte follows it, for the last one is told apart. */
export async function* pieced(
  source: AsyncIterable<Uint8Array>,
  { first, size }: { first: number; size: number },
): AsyncGenerator<Piece, void, undefined> {
  let piece = new Uint8Array(first);
  let used = 0;
  for await (let chunk of source) {
    while (chunk.length > 0) {
      if (used === piece.length) {
        yield { bytes: piece, last: false };
        piece = new Uint8Array(size);
        used = 0;
      }
      const taken = chunk.subarray(0, piece.length - used);
      piece.set(taken, used);
      used += taken.length;
      chunk = chunk.subarray(taken.length);
    }
  }
  yield { bytes: piece.subarray(0, used), last: true };
}

function ivOf(index: number, last: boolean): Uint8Array {
  const iv = new Uint8Array(COUNTER_BYTES + 1);
  // 2^53 chunks are more than anybody has: the counter's upper bytes stay zero.
  new DataView(iv.buffer).setBigUint64(COUNTER_BYTES - 8, BigInt(index));
  iv[COUNTER_BYTES] = last ? 1 : 0;
  return iv;
}
