/**
 * A key made from a wallet's signature: nothing to keep, and therefore weaker than a random key with a recovery file. Only for
 * people who choose it knowing the risks, which come back with the key.
 *
 * ```
 * message = EIP-712 in the domain `DPU Privacy`, version 1, this chain, this contract; purpose, account, index
 * secret  = HKDF-SHA256(ikm = r ‖ low s of the signature, salt = EIP-712 digest, info = "dpu/v1/wallet-identity", 32 bytes)
 * ```
 */
import { bytesToHex, hashTypedData, hexToBytes, isAddressEqual, recoverTypedDataAddress } from 'viem';
import type { Address, Hex } from 'viem';

import { encodeBech32 } from './bech32.ts';
import { WalletChangedError, WalletNotDeterministicError, WalletRefusedError } from './errors.ts';
import { parseIdentity, type SecretIdentity } from './identity.ts';

const INFO = new TextEncoder().encode('dpu/v1/wallet-identity');
/** r, s and the recovery byte. */
const SIGNATURE_BYTES = 65;
/** Order of secp256k1's group (SEC 2, section 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** What the wallet shows. A change here changes everybody's key. */
export const WALLET_PURPOSE =
  'Make my DPU encryption key. Whoever gets this signature can read my private jobs, so sign it only in an app you trust.';

const types = {
  EncryptionKey: [
    { name: 'purpose', type: 'string' },
    { name: 'account', type: 'address' },
    { name: 'index', type: 'uint32' },
  ],
} as const;

/** Which key of which wallet on which market. */
export interface WalletKeyChoice {
  account: Address;
  chainId: number;
  /** The Market contract. */
  market: Address;
  /** 0 for the first key; the next number after a key was exposed. */
  index: number;
}

/** The message to sign, in the shape of viem's `signTypedData`. */
export function walletKeyTypedData({ account, chainId, market, index }: WalletKeyChoice) {
  return {
    domain: { name: 'DPU Privacy', version: '1', chainId, verifyingContract: market },
    types,
    primaryType: 'EncryptionKey',
    message: { purpose: WALLET_PURPOSE, account, index },
  } as const;
}

/** What can go wrong with a key made from a wallet. */
export type WalletRisk = 'phishing' | 'wallet-change' | 'rotation' | 'one-secret';

/** What has to be shown to a person together with such a key. */
export interface WalletKeyWarning {
  code: 'wallet-derived-key';
  risks: readonly { code: WalletRisk; sentence: string }[];
}

/** The risks, in words for people. */
export const WALLET_KEY_WARNING: WalletKeyWarning = {
  code: 'wallet-derived-key',
  risks: [
    {
      code: 'phishing',
      sentence: 'Any app that gets you to sign the same message can read all your private jobs, past and future.',
    },
    {
      code: 'wallet-change',
      sentence:
        'Another wallet app, a firmware update, a shared or a smart-contract wallet may sign differently; then the key is lost.',
    },
    {
      code: 'rotation',
      sentence: 'The key does not change by itself: after an exposure you must choose the next index and remember it.',
    },
    {
      code: 'one-secret',
      sentence: 'Whoever steals the wallet reads your data as well as spending your money.',
    },
  ],
};

/** Options of `walletIdentity`. */
export interface WalletKeyOptions extends WalletKeyChoice {
  /** That the person has read the risks. There is no default. */
  acceptRisks: true;
  /** The recipient that was published for this wallet and index, when there is one: a different key is refused. */
  published?: string | undefined;
}

/**
 * Makes the key of a wallet. Asks for the same signature twice and compares, because a wallet that salts its signatures would
 * never give the key again. A wallet that only remembers its last answer passes this test: keep a recovery file anyway.
 * @param sign Shows the message to the person, e.g. viem's `walletClient.signTypedData`.
 * @throws WalletRefusedError, WalletNotDeterministicError or WalletChangedError.
 */
export async function walletIdentity(
  options: WalletKeyOptions,
  sign: (typedData: ReturnType<typeof walletKeyTypedData>) => Promise<Hex>,
): Promise<{ identity: SecretIdentity; warning: WalletKeyWarning }> {
  const typedData = walletKeyTypedData(options);
  const first = await checked(await sign(typedData), typedData);
  const second = await checked(await sign(typedData), typedData);
  if (bytesToHex(first) !== bytesToHex(second)) throw new WalletNotDeterministicError(options.account);

  const digest = Uint8Array.from(hexToBytes(hashTypedData(typedData)));
  const material = await crypto.subtle.importKey('raw', first, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: digest, info: INFO };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
  const identity = await parseIdentity(encodeBech32('age-secret-key-', secret).toUpperCase());
  if (options.published !== undefined && options.published !== identity.recipient) {
    throw new WalletChangedError(options.published, identity.recipient);
  }
  return { identity, warning: WALLET_KEY_WARNING };
}

/** r and the lower s of a signature that the account itself made. */
async function checked(
  signature: Hex,
  typedData: ReturnType<typeof walletKeyTypedData>,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(hexToBytes(signature));
  if (bytes.length !== SIGNATURE_BYTES) {
    throw new WalletRefusedError(`its signature has ${bytes.length} bytes instead of 65, as that of a contract`);
  }
  const { account } = typedData.message;
  const signer = await recoverTypedDataAddress({ ...typedData, signature }).catch((error: unknown) => {
    throw new WalletRefusedError('its signature is not valid', error);
  });
  if (!isAddressEqual(signer, account)) throw new WalletRefusedError(`${signer} signed instead of ${account}`);

  const s = BigInt(bytesToHex(bytes.subarray(32, 64)));
  const low = s > ORDER / 2n ? ORDER - s : s;
  bytes.set(hexToBytes(`0x${low.toString(16).padStart(64, '0')}`), 32);
  return bytes.slice(0, 64);
}
