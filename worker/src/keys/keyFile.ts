import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { isHex, type Hex } from 'viem';
import { generatePrivateKey } from 'viem/accounts';
import { z } from 'zod';

import { messageOf, OperatorError } from '../errors.ts';

/** scrypt's cost: about a tenth of a second and 64 MiB, once per start. */
const SCRYPT = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };
const KEY_BYTES = 32;

/** The text of a sealed file. */
export const sealedSchema = z.object({
  version: z.literal(1),
  kdf: z.literal('scrypt'),
  cipher: z.literal('aes-256-gcm'),
  salt: z.base64(),
  iv: z.base64(),
  tag: z.base64(),
  data: z.base64(),
});

/** A private key: 32 bytes of hex. */
function isPrivateKey(text: string): text is Hex {
  return isHex(text) && text.length === 66;
}

/**
 * Writes a new private key to `file`, readable by its owner only; encrypted when a password is given.
 * @throws OperatorError when the file is already there: a key is never overwritten.
 */
export function createKeyFile(file: string, password: string | undefined): Hex {
  const key = generatePrivateKey();
  writeKeyFile(file, key, password);
  return key;
}

/**
 * Writes `key` to a new file, as `createKeyFile` does.
 * @throws OperatorError when the file is already there: a key is never overwritten.
 */
export function writeKeyFile(file: string, key: Hex, password: string | undefined): void {
  const text = password === undefined ? key : seal(Buffer.from(key.slice(2), 'hex'), password);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new OperatorError(`The key file ${file} cannot be written: ${messageOf(error)}.`, { file }, error);
  }
}

/**
 * Reads a private key from a file that only its owner can read.
 * @throws OperatorError that says what is wrong with it.
 */
export function readKeyFile(file: string, password: string | undefined): Hex {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(file, 'utf8').trim();
    mode = statSync(file).mode;
  } catch (error) {
    throw new OperatorError(
      `The key file ${file} cannot be read: ${messageOf(error)}. Run dpu-node init, or correct operatorKeyFile.`,
      { file },
      error,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new OperatorError(`The key file ${file} can be read by others. Run: chmod 600 ${file}`, { file });
  }
  if (isPrivateKey(text)) return text;
  return decrypt(file, text, password);
}

/** Seals bytes with a password: the text of a key file. */
export function seal(bytes: Uint8Array, password: string): string {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', scryptSync(password, salt, KEY_BYTES, SCRYPT), iv);
  const data = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const base64 = (bytes: Buffer): string => bytes.toString('base64');
  return JSON.stringify({
    version: 1,
    kdf: 'scrypt',
    cipher: 'aes-256-gcm',
    salt: base64(salt),
    iv: base64(iv),
    tag: base64(cipher.getAuthTag()),
    data: base64(data),
  });
}

function decrypt(file: string, text: string, password: string | undefined): Hex {
  let parsed;
  try {
    parsed = sealedSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new OperatorError(
      `The key file ${file} holds no private key: 0x and 64 hex digits, or what init wrote.`,
      { file },
      error,
    );
  }
  if (password === undefined) {
    throw new OperatorError(`The key file ${file} is encrypted. Set WORKER_KEY_PASSWORD.`, { file });
  }
  try {
    return `0x${unseal(parsed, password).toString('hex')}`;
  } catch (error) {
    throw new OperatorError(
      `The password does not open the key file ${file}. Correct WORKER_KEY_PASSWORD.`,
      { file },
      error,
    );
  }
}

/** What {@link seal} wrote. */
export type Sealed = z.output<typeof sealedSchema>;

/** Opens what was sealed. @throws when the password is wrong, or a bit was changed. */
export function unseal(parsed: Sealed, password: string): Buffer {
  const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
  const secret = scryptSync(password, bytes(parsed.salt), KEY_BYTES, SCRYPT);
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes(parsed.iv)).setAuthTag(bytes(parsed.tag));
  return Buffer.concat([decipher.update(bytes(parsed.data)), decipher.final()]);
}
