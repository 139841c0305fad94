/**
 * A second reader and writer of the age format, v1 with X25519 recipients, on node's own primitives and by the letter of the
 * specification (https://age-encryption.org/v1): what the tests hold the library to. Whole files in memory, no limits.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

const CHUNK = 65_536;
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex');

/** Opens an age file with the 32 secret bytes of an X25519 identity. Throws when anything is not as it must be. */
export function ageOpen(file: Uint8Array, secret: Uint8Array): Buffer {
  const all = Buffer.from(file);
  const at = all.indexOf('\n--- ') + 1;
  const end = all.indexOf('\n', at) + 1;
  const [version, ...lines] = all.subarray(0, at).toString('latin1').trimEnd().split('\n');
  if (version !== 'age-encryption.org/v1') throw new Error('version');
  const identity = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, secret]), format: 'der', type: 'pkcs8' });
  const fileKey = unwrap(lines, identity);
  const mac = createHmac('sha256', hkdf(fileKey, Buffer.alloc(0), 'header'))
    .update(all.subarray(0, at + 3))
    .digest();
  if (encode(mac) !== all.subarray(at + 4, end - 1).toString('latin1')) throw new Error('header mac');
  return openPayload(fileKey, all.subarray(end));
}

/** Makes an age file for 32-byte X25519 public keys. */
export function ageSeal(plain: Uint8Array, keys: readonly Uint8Array[]): Buffer {
  const fileKey = randomBytes(16);
  const stanzas = keys.map((key) => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const share = rawOf(publicKey);
    const shared = diffieHellman({ privateKey, publicKey: publicOf(key) });
    const wrapKey = hkdf(shared, Buffer.concat([share, key]), 'age-encryption.org/v1/X25519');
    return `-> X25519 ${encode(share)}\n${encode(aead(wrapKey, Buffer.alloc(12), fileKey, 'seal'))}\n`;
  });
  const head = Buffer.from(`age-encryption.org/v1\n${stanzas.join('')}---`);
  const mac = createHmac('sha256', hkdf(fileKey, Buffer.alloc(0), 'header'))
    .update(head)
    .digest();
  const nonce = randomBytes(16);
  const key = hkdf(fileKey, nonce, 'payload');
  const chunks = Array.from({ length: Math.max(1, Math.ceil(plain.length / CHUNK)) }, (_, i) =>
    Buffer.from(plain.subarray(i * CHUNK, (i + 1) * CHUNK)),
  );
  const sealed = chunks.map((chunk, i) => aead(key, chunkNonce(i, i === chunks.length - 1), chunk, 'seal'));
  return Buffer.concat([head, Buffer.from(` ${encode(mac)}\n`), nonce, ...sealed]);
}

function unwrap(lines: readonly string[], identity: KeyObject): Buffer {
  const own = rawOf(createPublicKey(identity));
  for (let i = 0; i < lines.length; i += 2) {
    const [, type, share] = lines[i]!.split(' ');
    if (type !== 'X25519') continue;
    const theirs = Buffer.from(share!, 'base64');
    const shared = diffieHellman({ privateKey: identity, publicKey: publicOf(theirs) });
    const key = hkdf(shared, Buffer.concat([theirs, own]), 'age-encryption.org/v1/X25519');
    try {
      return aead(key, Buffer.alloc(12), Buffer.from(lines[i + 1]!, 'base64'), 'open');
    } catch {
      continue;
    }
  }
  throw new Error('no stanza is for this key');
}

function openPayload(fileKey: Buffer, payload: Buffer): Buffer {
  const key = hkdf(fileKey, payload.subarray(0, 16), 'payload');
  const sealed = payload.subarray(16);
  const count = Math.max(1, Math.ceil(sealed.length / (CHUNK + 16)));
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      aead(key, chunkNonce(i, i === count - 1), sealed.subarray(i * (CHUNK + 16), (i + 1) * (CHUNK + 16)), 'open'),
    ),
  );
}

/** Eleven bytes of counter, one that says whether the chunk is the last. */
function chunkNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function aead(key: Buffer, nonce: Buffer, data: Buffer, what: 'seal' | 'open'): Buffer {
  if (what === 'seal') {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  }
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(data.subarray(-16));
  return Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]);
}

const hkdf = (key: Buffer, salt: Buffer, info: string): Buffer => Buffer.from(hkdfSync('sha256', key, salt, info, 32));
const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
const rawOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(-32);
const publicOf = (key: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, key]), format: 'der', type: 'spki' });
