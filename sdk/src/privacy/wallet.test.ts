import { hkdfSync } from 'node:crypto';

import { bytesToHex, hashTypedData, hexToBytes, type Hex } from 'viem';
import { privateKeyToAccount, setSignEntropy } from 'viem/accounts';
import { describe, expect, test } from 'vitest';

import { newIdentity } from './identity.ts';
import { openBytes, sealBytes } from './stream.ts';
import { WalletChangedError, WalletNotDeterministicError, WalletRefusedError } from './errors.ts';
import { WALLET_KEY_WARNING, walletIdentity, walletKeyTypedData, type WalletKeyOptions } from './wallet.ts';

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const OPTIONS: WalletKeyOptions = {
  account: account.address,
  chainId: 31_337,
  market: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  index: 0,
  acceptRisks: true,
};
const sign = (data: ReturnType<typeof walletKeyTypedData>): Promise<Hex> => account.signTypedData(data);

/** The other valid form of a signature: s on the other side of the order, and the other recovery bit. */
function twin(signature: Hex): Hex {
  const bytes = hexToBytes(signature);
  const s = ORDER - BigInt(bytesToHex(bytes.subarray(32, 64)));
  bytes.set(hexToBytes(`0x${s.toString(16).padStart(64, '0')}`), 32);
  bytes[64]! ^= 7; // 27 is 0b11011, 28 is 0b11100
  return bytesToHex(bytes);
}

describe('a key made from a wallet', () => {
  test('is the same each time, opens files, and comes with its risks', async () => {
    const { identity, warning } = await walletIdentity(OPTIONS, sign);
    expect((await walletIdentity({ ...OPTIONS, published: identity.recipient }, sign)).identity.secret()).toBe(
      identity.secret(),
    );
    expect(await openBytes(await sealBytes(Uint8Array.of(3), [identity.recipient]), identity)).toEqual(
      Uint8Array.of(3),
    );
    expect(warning).toBe(WALLET_KEY_WARNING);
    expect(warning.risks.map(({ code }) => code)).toEqual(['phishing', 'wallet-change', 'rotation', 'one-secret']);
  });

  test('never changes between versions of this program', async () => {
    expect((await walletIdentity(OPTIONS, sign)).identity.recipient).toBe(
      'age1y835cuw3fydm0qc5ggz7fyjcmwllnxmncmhaphelnf9me25hcveqeysqtj',
    );
  });

  test('is HKDF-SHA256 of r and s with the digest, as node computes it', async () => {
    const typedData = walletKeyTypedData(OPTIONS);
    const rs = hexToBytes(await sign(typedData)).subarray(0, 64);
    const expected = hkdfSync('sha256', rs, hexToBytes(hashTypedData(typedData)), 'dpu/v1/wallet-identity', 32);
    const { identity } = await walletIdentity(OPTIONS, sign);
    expect(Buffer.from(identity.bytes()).equals(Buffer.from(expected))).toBe(true);
  });

  test('shows the wallet who may not have it', () => {
    const { domain, message } = walletKeyTypedData(OPTIONS);
    expect(domain).toEqual({ name: 'DPU Privacy', version: '1', chainId: 31_337, verifyingContract: OPTIONS.market });
    expect(message.purpose).toBe(
      'Make my DPU encryption key. Whoever gets this signature can read my private jobs, so sign it only in an app you trust.',
    );
  });

  test('differs by index, chain, contract and account', async () => {
    const made = await Promise.all([
      walletIdentity(OPTIONS, sign),
      walletIdentity({ ...OPTIONS, index: 1 }, sign),
      walletIdentity({ ...OPTIONS, chainId: 1 }, sign),
      walletIdentity({ ...OPTIONS, market: other.address }, sign),
      walletIdentity({ ...OPTIONS, account: other.address }, (data) => other.signTypedData(data)),
    ]);
    expect(new Set(made.map(({ identity }) => identity.recipient)).size).toBe(5);
  });

  test('does not depend on how a wallet writes one signature', async () => {
    const { identity } = await walletIdentity(OPTIONS, sign);
    const high = await walletIdentity(OPTIONS, async (data) => twin(await sign(data)));
    expect(high.identity.secret()).toBe(identity.secret());
    const low = await walletIdentity(OPTIONS, async (data) => {
      const bytes = hexToBytes(await sign(data));
      bytes[64]! -= 27;
      return bytesToHex(bytes);
    });
    expect(low.identity.secret()).toBe(identity.secret());
  });
});

describe('refused', () => {
  test.each([
    ['a contract wallet', `0x${'ab'.repeat(96)}`, 'its signature has 96 bytes instead of 65, as that of a contract'],
    ['an invalid signature', `0x${'00'.repeat(65)}`, 'its signature is not valid'],
  ] as const)('%s', async (_what, signature, why) => {
    await expect(walletIdentity(OPTIONS, () => Promise.resolve(signature))).rejects.toThrow(
      new WalletRefusedError(why).message,
    );
  });

  test('a signature of another account', async () => {
    await expect(walletIdentity(OPTIONS, (data) => other.signTypedData(data))).rejects.toThrow(
      `No key can be made from this wallet: ${other.address} signed instead of ${account.address}. Make a random key and keep its recovery file.`,
    );
  });

  test('a key other than the published one', async () => {
    const { recipient } = await newIdentity();
    await expect(walletIdentity({ ...OPTIONS, published: recipient }, sign)).rejects.toThrow(WalletChangedError);
  });

  test('a wallet that salts its signatures', async () => {
    // cannot be taken back, so this test stays the last of the file
    setSignEntropy(true);
    await expect(walletIdentity(OPTIONS, sign)).rejects.toThrow(
      new WalletNotDeterministicError(account.address).message,
    );
  });
});
