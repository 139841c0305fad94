/** Who writes to a gateway, signed by a key that the chain knows: single requests by nodes, grants for many uploads by wallets. */
import { bytesToHex, isAddressEqual, recoverTypedDataAddress, sha256, type Address, type Hex } from 'viem';
import { z } from 'zod';
import { UnauthorizedError } from './errors.ts';
import type { StorageDomain } from './receipt.ts';

/** One request, signed: good once, at one gateway, for these very bytes. */
export interface SignedWrite {
  /** Base URL of the gateway, without a slash at the end. */
  readonly gateway: string;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** sha2-256 of the request's body. */
  readonly body: Hex;
  /** Last Unix second at which it is good; at most {@link MAX_WRITE_SECONDS} ahead. */
  readonly expires: number;
  /** 32 random bytes. */
  readonly nonce: Hex;
}

/** Leave to upload, signed once by a wallet and good for many requests at one gateway. */
export interface Grant {
  readonly gateway: string;
  /** Most bytes of uploads under it. */
  readonly bytes: number;
  readonly expires: number;
  readonly nonce: Hex;
}

/** Longest life of a signed request, in seconds; the gateway remembers nonces that long. */
export const MAX_WRITE_SECONDS = 300;
/** Longest life of a grant, in seconds. */
export const MAX_GRANT_SECONDS = 24 * 60 * 60;

const WRITE_TYPES = {
  StorageWrite: [
    { name: 'gateway', type: 'string' },
    { name: 'method', type: 'string' },
    { name: 'path', type: 'string' },
    { name: 'body', type: 'bytes32' },
    { name: 'expires', type: 'uint64' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;
const GRANT_TYPES = {
  UploadGrant: [
    { name: 'gateway', type: 'string' },
    { name: 'bytes', type: 'uint64' },
    { name: 'expires', type: 'uint64' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;

/** What a node's operator signs for one request: pass it to `signTypedData`. */
export function writeTypedData(write: SignedWrite, domain: StorageDomain) {
  const message = { ...write, expires: BigInt(write.expires) };
  return { domain, types: WRITE_TYPES, primaryType: 'StorageWrite', message } as const;
}

/** What a wallet signs for its uploads: pass it to `signTypedData`. */
export function grantTypedData(grant: Grant, domain: StorageDomain) {
  const message = { ...grant, bytes: BigInt(grant.bytes), expires: BigInt(grant.expires) };
  return { domain, types: GRANT_TYPES, primaryType: 'UploadGrant', message } as const;
}

/** Signs one kind of message; what `signTypedData` of viem's accounts and wallet clients does. */
export interface WriteSigner {
  signWrite(data: ReturnType<typeof writeTypedData>): Promise<Hex>;
  /** The contract wallet that signs; absent for a key, whose signature names it. */
  readonly account?: Address;
}

/** A request as its headers are made for it. */
export interface WriteRequest {
  readonly gateway: string;
  readonly method: string;
  readonly path: string;
  readonly body: BodyInit;
}

/** Headers for each request by an operator's key. `nowSeconds`: the time, Unix seconds. */
export function signedWriteHeaders(
  signer: WriteSigner,
  domain: StorageDomain,
  nowSeconds: () => number,
): (request: WriteRequest) => Promise<Record<string, string>> {
  return async ({ gateway, method, path, body }) => {
    const write: SignedWrite = {
      ...{ gateway: baseOf(gateway), method, path, body: sha256(await bytesOf(body)) },
      ...{ expires: nowSeconds() + MAX_WRITE_SECONDS / 2, nonce: randomNonce() },
    };
    const signature = await signer.signWrite(writeTypedData(write, domain));
    const by = signer.account === undefined ? {} : { account: signer.account };
    return { authorization: `${WRITE_SCHEME} ${encode({ ...write, ...by, signature })}` };
  };
}

/**
 * The header of every upload under a grant that a wallet has signed.
 * @param account The wallet. A contract's must be named; a key's signature names it.
 */
export function grantHeaders(grant: Grant, signature: Hex, account?: Address): Record<string, string> {
  const by = account === undefined ? {} : { account };
  return { authorization: `${GRANT_SCHEME} ${encode({ ...grant, ...by, signature })}` };
}

/** A new grant to be signed. */
export function newGrant(gateway: string, bytes: number, expires: number): Grant {
  return { gateway: baseOf(gateway), bytes, expires, nonce: randomNonce() };
}

/** What stands in an Authorization header, its signature checked. Whether the signer may write is not said yet. */
export type Authorization =
  | { readonly kind: 'write'; readonly account: Address; readonly write: SignedWrite }
  | { readonly kind: 'grant'; readonly account: Address; readonly grant: Grant };

const hex = (bytes: number) =>
  z.custom<Hex>((text) => typeof text === 'string' && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(text));
const SECONDS = z
  .int()
  .min(0)
  .max(2 ** 40);
/** Bytes of a signature: a key's has 65, a contract's what its owners need. */
const MAX_SIGNATURE_BYTES = 2048;
const signature = z.custom<Hex>(
  (text) => typeof text === 'string' && /^0x([0-9a-f]{2})+$/.test(text) && text.length <= 2 + 2 * MAX_SIGNATURE_BYTES,
);
const COMMON = {
  ...{ gateway: z.string().max(2048), expires: SECONDS, nonce: hex(32), signature },
  account: z.exactOptional(z.custom<Address>((text) => typeof text === 'string' && /^0x[0-9a-fA-F]{40}$/.test(text))),
};
const WRITE = z.strictObject({ ...COMMON, method: z.string().max(10), path: z.string().max(2048), body: hex(32) });
const GRANT = z.strictObject({ ...COMMON, bytes: z.int().min(1) });

const WRITE_SCHEME = 'DPU-Write';
const GRANT_SCHEME = 'DPU-Grant';
const MAX_HEADER_CHARS = 8192;
const KEY_SIGNATURE_CHARS = 2 + 2 * 65;

/** What is signed at a gateway. */
export type SignedData = ReturnType<typeof writeTypedData> | ReturnType<typeof grantTypedData>;

/** Whether an account that is no key has signed something. */
export type VerifySigned = (account: Address, data: SignedData, signature: Hex) => Promise<boolean>;

/**
 * Reads an Authorization header. Undefined when there is none.
 * @param verify Asks contract wallets; without it only keys can sign.
 * @throws UnauthorizedError when it is none of ours, or not signed by whom it names.
 */
export async function readAuthorization(
  header: string | null,
  domain: StorageDomain,
  verify?: VerifySigned,
): Promise<Authorization | undefined> {
  if (header === null) return undefined;
  const [scheme, token = ''] = header.slice(0, MAX_HEADER_CHARS).split(' ', 2);
  if (scheme === WRITE_SCHEME) {
    const { signature, account, ...write } = decode(token, WRITE);
    const data = writeTypedData(write, domain);
    const by = await signerOf(await recovered({ ...data, signature }), account, () =>
      verify?.(account!, data, signature),
    );
    return { kind: 'write', account: by, write };
  }
  if (scheme === GRANT_SCHEME) {
    const { signature, account, ...grant } = decode(token, GRANT);
    const data = grantTypedData(grant, domain);
    const by = await signerOf(await recovered({ ...data, signature }), account, () =>
      verify?.(account!, data, signature),
    );
    return { kind: 'grant', account: by, grant };
  }
  throw new UnauthorizedError(`the Authorization header is neither ${WRITE_SCHEME} nor ${GRANT_SCHEME}`);
}

/** The key that signed, where it was one. */
async function recovered(
  signed: Parameters<typeof recoverTypedDataAddress>[0] & { signature: Hex },
): Promise<Address | undefined> {
  if (signed.signature.length !== KEY_SIGNATURE_CHARS) return undefined;
  // Bytes that are no point of the curve are a contract's affair, or nobody's.
  return recoverTypedDataAddress(signed).catch(() => undefined);
}

/** Who signed: the key, or the account that is named, if that is the key's or says that it signed. */
async function signerOf(
  key: Address | undefined,
  named: Address | undefined,
  ask: () => Promise<boolean> | undefined,
): Promise<Address> {
  if (named === undefined) {
    if (key) return key;
    throw new UnauthorizedError('the signature does not recover to an account; sign again');
  }
  if (key && isAddressEqual(key, named)) return key;
  const said = await ask();
  if (said) return named;
  throw new UnauthorizedError(
    said === undefined
      ? `the signature is not that of the key of ${named}, and this gateway asks no contract wallets`
      : `${named} has not signed this, or not any more; sign again`,
  );
}

/** A gateway's base URL as it is signed. */
export const baseOf = (gateway: string): string => gateway.replace(/\/+$/, '');

const randomNonce = (): Hex => bytesToHex(crypto.getRandomValues(new Uint8Array(32)));

async function bytesOf(body: BodyInit): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

function encode(value: object): string {
  return btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function decode<T>(token: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(atob(token.replaceAll('-', '+').replaceAll('_', '/'))));
  } catch {
    throw new UnauthorizedError('the Authorization header is damaged; sign again');
  }
}
