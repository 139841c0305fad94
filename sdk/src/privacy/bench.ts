/** How fast sealing is here, beside the fastest thing that the platform itself offers, in the same run. Works in a page too. */
import { concat, iterate } from '../storage/bytes.ts';
import { newIdentity } from './identity.ts';
import { CHUNK_BYTES, openStream, sealStream } from './stream.ts';

/** Speeds in MB/s (10^6 bytes), the best of all rounds. */
export interface EncryptionSpeed {
  /** Bytes of plaintext in one round. */
  bytes: number;
  /** age, one recipient, as a stream. */
  seal: number;
  open: number;
  /** WebCrypto AES-256-GCM, one call for each 64 KiB and nothing around it. */
  rawSeal: number;
  rawOpen: number;
}

/** Measures sealing and opening of `bytes` bytes, `rounds` times in turn with the raw cipher. Takes four times the bytes as memory. */
export async function measureEncryption({ bytes = 32e6, rounds = 3 } = {}): Promise<EncryptionSpeed> {
  const identity = await newIdentity();
  const plain = new Uint8Array(bytes);
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const speed: EncryptionSpeed = { bytes, seal: 0, open: 0, rawSeal: 0, rawOpen: 0 };
  const best = async <T>(what: 'seal' | 'open' | 'rawSeal' | 'rawOpen', run: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await run();
    speed[what] = Math.max(speed[what], bytes / 1e3 / (performance.now() - from));
    return result;
  };
  for (let round = 0; round < rounds; round += 1) {
    const parts = await best('seal', async () => gather(await sealStream(plain, [identity.recipient])));
    const sealed = concat(parts);
    await best('open', async () => gather(await openStream(sealed, identity)));
    const raw = await best('rawSeal', () =>
      eachChunk(pieces(plain), (piece, iv) => crypto.subtle.encrypt(iv, key, piece)),
    );
    await best('rawOpen', () => eachChunk(raw, (piece, iv) => crypto.subtle.decrypt(iv, key, piece)));
  }
  return speed;
}

async function gather(stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of iterate(stream)) parts.push(part);
  return parts;
}

function* pieces(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

async function eachChunk(
  source: Iterable<Uint8Array<ArrayBuffer>>,
  apply: (piece: Uint8Array<ArrayBuffer>, parameters: AesGcmParams) => Promise<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const piece of source) {
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setUint32(8, parts.length);
    parts.push(new Uint8Array(await apply(piece, { name: 'AES-GCM', iv })));
  }
  return parts;
}
