/**
 * Secret keys: X25519 identities of age. A requester and a node have one each for long; every private job has one of its
 * own. A key is made where it is used and never sent anywhere but inside an envelope.
 */
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Hex } from 'viem';

import { decodeBech32, encodeBech32 } from './bech32.ts';
import { BadIdentityError, NotExportableError } from './errors.ts';
import { parseRecipient, recipientOfBytes, recipientToKey, type Recipient } from './recipient.ts';

const PREFIX = 'age-secret-key-';
const SECRET_BYTES = 32;
/** DER of a PKCS #8 wrapper around an X25519 key (RFC 8410): the only raw form in which WebCrypto imports one. */
const PKCS8_HEAD = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

/** What can open files. The secret is in a private field, so that neither a log nor JSON shows it. */
export interface Identity {
  /** Who this is, as text. */
  readonly recipient: Recipient;
  /** Who this is, as 32 bytes on chain. */
  readonly key: Hex;
  /** What age-encryption opens files with. */
  opener(): CryptoKey | string;
  /**
   * The secret as text, `AGE-SECRET-KEY-1…`.
   * @throws NotExportableError when the key is locked into this device.
   */
  secret(): string;
}

/** A key whose secret is known to this program: a job's key, or a person's on the way to a recovery file. */
export class SecretIdentity implements Identity {
  readonly recipient: Recipient;
  readonly key: Hex;
  readonly #secret: string;

  /** Use `newIdentity` or `parseIdentity`. */
  constructor(secret: string, recipient: Recipient) {
    this.recipient = recipient;
    this.key = recipientToKey(recipient);
    this.#secret = secret;
  }

  opener(): string {
    return this.#secret;
  }

  secret(): string {
    return this.#secret;
  }

  /** The 32 secret bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    return decodeBech32(PREFIX, this.#secret.toLowerCase())!;
  }
}

/** A key that WebCrypto holds and does not give out. `cryptoKey` can be kept in IndexedDB as it is. */
export class LockedIdentity implements Identity {
  readonly recipient: Recipient;
  readonly key: Hex;
  readonly cryptoKey: CryptoKey;

  /** Use `lockIdentity` or `identityOfCryptoKey`. */
  constructor(cryptoKey: CryptoKey, recipient: Recipient) {
    this.recipient = recipient;
    this.key = recipientToKey(recipient);
    this.cryptoKey = cryptoKey;
  }

  opener(): CryptoKey {
    return this.cryptoKey;
  }

  secret(): never {
    throw new NotExportableError(this.recipient);
  }
}

/** Makes a random key in exportable form. */
export async function newIdentity(): Promise<SecretIdentity> {
  return parseIdentity(await generateX25519Identity());
}

/**
 * Reads a secret key, in age's text form.
 * @throws BadIdentityError when the text is no X25519 key.
 */
export async function parseIdentity(text: string): Promise<SecretIdentity> {
  const secret = text.trim();
  // age writes secret keys in capitals; mixed case is what a damaged copy looks like
  if (secret !== secret.toUpperCase()) throw new BadIdentityError('it is not in capital letters');
  const bytes = decodeBech32(PREFIX, secret.toLowerCase());
  if (!bytes) throw new BadIdentityError('its letters do not add up');
  if (bytes.length !== SECRET_BYTES) throw new BadIdentityError(`it has ${bytes.length} bytes instead of 32`);
  return new SecretIdentity(secret, parseRecipient(await identityToRecipient(secret)));
}

/**
 * The key whose 32 secret bytes are kept in some other form.
 * @throws BadIdentityError when they are not 32.
 */
export async function identityOfBytes(secret: Uint8Array): Promise<SecretIdentity> {
  return parseIdentity(encodeBech32(PREFIX, secret).toUpperCase());
}

/**
 * Puts a key where this program can use it but no longer read it: a WebCrypto key that is not extractable. Where the
 * platform has no X25519 the key comes back as it is, so look at what you got before you tell a person that it is locked.
 */
export async function lockIdentity(identity: SecretIdentity): Promise<LockedIdentity | SecretIdentity> {
  const pkcs8 = Uint8Array.from([...PKCS8_HEAD, ...identity.bytes()]);
  try {
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, false, ['deriveBits']);
    return new LockedIdentity(key, identity.recipient);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotSupportedError') return identity;
    throw error;
  } finally {
    pkcs8.fill(0);
  }
}

/**
 * The identity of a WebCrypto key that was kept, for example in IndexedDB.
 * @throws BadIdentityError when it is not a private X25519 key that may derive bits.
 */
export async function identityOfCryptoKey(cryptoKey: CryptoKey): Promise<LockedIdentity> {
  const { type, algorithm, usages } = cryptoKey;
  if (type !== 'private' || algorithm.name !== 'X25519' || !usages.includes('deriveBits')) {
    throw new BadIdentityError(`it is a ${type} key of ${algorithm.name}`);
  }
  return new LockedIdentity(cryptoKey, parseRecipient(await identityToRecipient(cryptoKey)));
}

/** Makes a key that never was outside WebCrypto. There is no recovery: when the browser's data is cleared it is gone. */
export async function newLockedIdentity(): Promise<LockedIdentity> {
  const pair = (await crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveBits'])) as CryptoKeyPair;
  const key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return new LockedIdentity(pair.privateKey, recipientOfBytes(key));
}
