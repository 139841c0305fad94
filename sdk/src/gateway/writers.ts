import type { Address, Hex } from 'viem';
import { UnauthorizedError, WriterQuotaError } from '../storage/errors.ts';
import type { StorageDomain } from '../storage/receipt.ts';
import { baseOf, MAX_GRANT_SECONDS, MAX_WRITE_SECONDS, readAuthorization } from '../storage/writeAuth.ts';
import type { Grant, SignedWrite, VerifySigned } from '../storage/writeAuth.ts';

/** A write that asks for leave. */
export interface WriteAttempt {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Headers;
}

/** Somebody who may write, and how much. */
export interface Writer {
  /** As pins name it: `node:3`, `wallet:0x…`. */
  readonly by: string;
  /** Most bytes kept for it at once. */
  readonly quotaBytes: number;
  /** How long what it pins is kept, in milliseconds; for ever if absent. */
  readonly keepMs?: number | undefined;
  /** The registered node that writes, and the gateway from which copies are pulled for it. */
  readonly node?: { readonly id: number; readonly endpoint: string } | undefined;
  /** sha2-256 that the request's body must have, where it was signed. */
  readonly bodyHash?: Hex | undefined;
  /** Takes uploaded bytes off what was granted. @throws UnauthorizedError when nothing is left. */
  readonly spend?: ((bytes: number) => void) | undefined;
}

/** Whoever owns a gateway, or everybody where it is open. */
export const OWNER: Writer = { by: 'self', quotaBytes: Number.POSITIVE_INFINITY };

/** Refuses what would take a writer over its quota. `before`: bytes of the same content that are kept for it already. */
export function checkQuota(writer: Writer, usedBytes: number, moreBytes: number, before = 0): void {
  if (usedBytes - before + moreBytes > writer.quotaBytes) {
    throw new WriterQuotaError(writer.by, usedBytes, writer.quotaBytes);
  }
}

/** How signed writes are judged. */
export interface SignedWritesOptions {
  readonly domain: StorageDomain;
  /** Base URLs that this gateway goes by; what is signed for another is refused. Asked late, as a port may be chosen late. */
  readonly gateways: () => readonly string[];
  /**
   * What an account may do with a request; undefined for nothing. `signed`: a request by its own key, not a grant. Typically: operators of
   * registered nodes, and wallets that have something to lose on this chain.
   */
  readonly admit: (account: Address, attempt: WriteAttempt, signed: boolean) => Promise<Writer | undefined>;
  /** Asks contract wallets (`contractWallets`); if absent, only keys can sign. */
  readonly verify?: VerifySigned | undefined;
  /** Unix seconds; the machine's clock if absent. */
  readonly nowSeconds?: (() => number) | undefined;
}

/** Nonces and grants remembered at once; beyond that new ones are refused until some expire. */
const MOST_REMEMBERED = 100_000;

/** Judges writes by their signatures: whose they are, that they are for this gateway, fresh, and not sent a second time. */
export class SignedWrites {
  readonly #options: SignedWritesOptions;
  /** Nonces of requests that were let in, until they expire. */
  readonly #seen = new Map<Hex, number>();
  /** Bytes spent of grants, until they expire. */
  readonly #spent = new Map<string, { bytes: number; expires: number }>();

  constructor(options: SignedWritesOptions) {
    this.#options = options;
  }

  /** Who writes. @throws UnauthorizedError that says what is wrong. */
  async judge(attempt: WriteAttempt): Promise<Writer> {
    const authorization = await readAuthorization(
      attempt.headers.get('authorization'),
      this.#options.domain,
      this.#options.verify,
    );
    if (!authorization) {
      throw new UnauthorizedError(
        'writes are signed here: by a node’s operator, or under a grant that a wallet has signed',
      );
    }
    const { account, kind } = authorization;
    this.#forget();
    if (kind === 'write') this.#checkWrite(authorization.write, attempt);
    else this.#checkGrant(authorization.grant);
    const writer = await this.#options.admit(account, attempt, kind === 'write');
    if (!writer) throw new UnauthorizedError(`the account ${account} may not do this here`);
    if (kind === 'grant') return { ...writer, spend: this.#spender(account, authorization.grant) };
    // remembered only now, so that strangers cannot fill the memory
    const { nonce, expires, body } = authorization.write;
    if (this.#seen.has(nonce)) throw new UnauthorizedError('this request was sent before; sign it again');
    if (this.#seen.size >= MOST_REMEMBERED)
      throw new UnauthorizedError('too many writes at once; try again in a minute');
    this.#seen.set(nonce, expires);
    return { ...writer, bodyHash: body };
  }

  #checkWrite(write: SignedWrite, { method, path }: WriteAttempt): void {
    this.#checkCommon(write, MAX_WRITE_SECONDS);
    if (write.method !== method || write.path !== path) {
      throw new UnauthorizedError(`${write.method} ${write.path} was signed, ${method} ${path} was sent`);
    }
  }

  #checkGrant(grant: Grant): void {
    this.#checkCommon(grant, MAX_GRANT_SECONDS);
  }

  #checkCommon({ gateway, expires }: { gateway: string; expires: number }, longest: number): void {
    const names = this.#options.gateways().map(baseOf);
    if (!names.includes(gateway))
      throw new UnauthorizedError(`it was signed for ${gateway}, this is ${names.join(', ')}`);
    const now = this.#now();
    if (expires < now) throw new UnauthorizedError(`the signature expired ${now - expires} s ago; sign again`);
    if (expires > now + longest) {
      throw new UnauthorizedError(`the signature is good for ${expires - now} s, at most ${longest} s are taken`);
    }
  }

  #spender(account: Address, { nonce, bytes, expires }: Grant): (more: number) => void {
    const key = `${account.toLowerCase()}:${nonce}`;
    return (more) => {
      const spent = this.#spent.get(key)?.bytes ?? 0;
      if (spent + more > bytes) {
        throw new UnauthorizedError(`the grant was for ${bytes} bytes and they are used up; sign a new one`);
      }
      if (this.#spent.size >= MOST_REMEMBERED && !this.#spent.has(key)) {
        throw new UnauthorizedError('too many grants at once; try again later');
      }
      this.#spent.set(key, { bytes: spent + more, expires });
    };
  }

  #forget(): void {
    const now = this.#now();
    for (const [nonce, expires] of this.#seen) if (expires < now) this.#seen.delete(nonce);
    for (const [key, { expires }] of this.#spent) if (expires < now) this.#spent.delete(key);
  }

  #now(): number {
    return this.#options.nowSeconds?.() ?? Math.floor(Date.now() / 1000);
  }
}
