/** Tokens that are shown once and kept as hashes, and tokens that are derived from the server's key and not kept at all. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Random bytes; tests give their own. */
export type Random = (bytes: number) => Buffer;
export const random: Random = randomBytes;

/** Lower-case letters and digits, as many as `length`, of which each holds 4 bits of chance. */
export const idOf = (make: Random, length = 16): string => make(length / 2).toString('hex');

/** A session's token, 256 bits. */
export const sessionToken = (make: Random): string => `dpus_${make(32).toString('base64url')}`;
/** An API key, 256 bits beside its id. */
export const keyToken = (make: Random, id: string): string => `dpuk_${id}_${make(32).toString('base64url')}`;
/** The id in an API key; undefined for what is none. */
export const keyIdOf = (token: string): string | undefined =>
  /^dpuk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/.exec(token)?.[1];
export const isSessionToken = (token: string): boolean => /^dpus_[A-Za-z0-9_-]{43}$/.test(token);

/** What is kept of a token. It is random already, so one SHA-256 is enough. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Compares without telling by the time taken where two texts differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What the server's key makes: everything has a purpose, so that nothing can be used as something else. */
export class ServerKey {
  readonly #key: Buffer;

  /** @param key 32 bytes of hex */
  constructor(key: string) {
    this.#key = Buffer.from(key, 'hex');
  }

  #mac(purpose: string, text: string): Buffer {
    return createHmac('sha256', this.#key).update(`${purpose}\n${text}`).digest();
  }

  /** A nonce that is good until `expires` (unix ms): 24 digits of chance, 12 of time, 32 of MAC, all hex, as EIP-4361 wants letters and digits alone. */
  nonce(expires: number, make: Random): string {
    const said = make(12).toString('hex') + expires.toString(16).padStart(12, '0');
    return said + this.#mac('nonce', said).toString('hex').slice(0, 32);
  }

  /** When a nonce of ours ends, unix ms; undefined for any other text. */
  expiryOf(nonce: string): number | undefined {
    if (!/^[0-9a-f]{68}$/.test(nonce)) return undefined;
    const said = nonce.slice(0, 36);
    if (!isSame(nonce.slice(36), this.#mac('nonce', said).toString('hex').slice(0, 32))) return undefined;
    return Number.parseInt(said.slice(24), 16);
  }

  /** The secret of a webhook, as Standard Webhooks writes it. */
  webhookSecret(channel: string, version: number): string {
    return `whsec_${this.#mac('webhook', `${channel} ${version}`).toString('base64')}`;
  }

  /** What stands in a link: the channel and a MAC over it, its target and what the link is for. */
  linkToken(purpose: 'confirm' | 'unsubscribe', channel: string, target: string): string {
    return `${channel}.${this.#mac(purpose, `${channel} ${target}`).toString('base64url')}`;
  }

  /** The channel that a link's token names; `isLinkToken` says whether the token is good. */
  static channelOf(token: string): string | undefined {
    return /^([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/.exec(token)?.[1];
  }

  isLinkToken(token: string, purpose: 'confirm' | 'unsubscribe', channel: string, target: string): boolean {
    return isSame(token, this.linkToken(purpose, channel, target));
  }
}
