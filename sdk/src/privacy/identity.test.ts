import { inspect } from 'node:util';

import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';

import { decodeBech32, encodeBech32 } from './bech32.ts';
import { BadIdentityError, BadRecipientError, NotExportableError } from './errors.ts';
import {
  identityOfCryptoKey,
  LockedIdentity,
  lockIdentity,
  newIdentity,
  newLockedIdentity,
  parseIdentity,
} from './identity.ts';
import { isRecipient, keyToRecipient, parseRecipient, recipientToKey } from './recipient.ts';
import { openBytes, sealBytes } from './stream.ts';

describe('bech32', () => {
  test.each([
    ['a', '', 'a12uel5l'],
    ['abcdef', '00443214c74254b635cf84653a56d7c675be77df', 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw'],
  ])('writes the vectors of BIP-173 under %s', (prefix, hex, text) => {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(encodeBech32(prefix, bytes)).toBe(text);
    expect(decodeBech32(prefix, text)).toEqual(bytes);
  });

  test('gives back what it wrote, and refuses it with any letter changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(), fc.nat(), (bytes, at, by) => {
        const text = encodeBech32('age', bytes);
        expect(decodeBech32('age', text)).toEqual(Uint8Array.from(bytes));
        const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
        const place = 4 + (at % (text.length - 4));
        const other = alphabet[(alphabet.indexOf(text[place]!) + 1 + (by % 31)) % 32]!;
        expect(decodeBech32('age', text.slice(0, place) + other + text.slice(place + 1))).toBeUndefined();
      }),
    );
  });

  test.each([
    ['another prefix', 'bge1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnrujsuw'],
    ['capital letters', 'AGE1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNRUJSUW'],
    ['nothing after the prefix', 'age1'],
    ['a letter outside the alphabet', 'age1b'],
    ['bits left over that are not zero', 'age1qpu0j2ex'],
    ['a whole word too many', 'age1qdd35qf'],
  ])('refuses %s', (_what, text) => {
    expect(decodeBech32('age', text)).toBeUndefined();
  });
});

describe('recipients', () => {
  test('are the same text as age-encryption writes, and 32 bytes on chain', async () => {
    for (let round = 0; round < 20; round += 1) {
      const recipient = await identityToRecipient(await generateX25519Identity());
      const key = recipientToKey(recipient);
      expect(key).toMatch(/^0x[0-9a-f]{64}$/);
      expect(keyToRecipient(key)).toBe(recipient);
      expect(parseRecipient(recipient)).toBe(recipient);
    }
  });

  test.each([
    ['a letter less', (recipient: string) => recipient.slice(0, -1)],
    ['a letter changed', (recipient: string) => recipient.slice(0, -1) + (recipient.endsWith('q') ? 'p' : 'q')],
    ['capitals', (recipient: string) => recipient.toUpperCase()],
    ['a space', (recipient: string) => `${recipient} `],
  ])('with %s are refused', async (_what, change) => {
    const { recipient } = await newIdentity();
    expect(isRecipient(change(recipient))).toBe(false);
    expect(() => parseRecipient(change(recipient))).toThrow(BadRecipientError);
    expect(() => recipientToKey(change(recipient))).toThrow(BadRecipientError);
  });

  test('of another kind or length are refused', () => {
    expect(() => parseRecipient(encodeBech32('age', new Uint8Array(31)))).toThrow(BadRecipientError);
    expect(() => parseRecipient(encodeBech32('age1pq', new Uint8Array(32)))).toThrow(BadRecipientError);
  });

  test('are not made of the zero key, which says that a node has none, nor of other lengths', () => {
    expect(() => keyToRecipient(zeroHash)).toThrow(
      `"${zeroHash}" is no recipient: zero says that the node takes no private jobs. Ask its owner for the text that begins with age1.`,
    );
    expect(() => keyToRecipient('0x12')).toThrow(BadRecipientError);
  });
});

describe('identities', () => {
  test('know their recipient, in text and on chain', async () => {
    const identity = await newIdentity();
    expect(identity.recipient).toBe(await identityToRecipient(identity.secret()));
    expect(identity.key).toBe(recipientToKey(identity.recipient));
    expect(identity.bytes()).toHaveLength(32);
    expect((await parseIdentity(`\n${identity.secret()}  `)).recipient).toBe(identity.recipient);
  });

  test('do not show their secret to a log or to JSON', async () => {
    const identity = await newIdentity();
    const secret = identity.secret().slice(16, 40);
    expect(inspect(identity, { showHidden: true, depth: 9 })).not.toContain(secret);
    expect(JSON.stringify(identity)).not.toContain(secret);
    expect(JSON.parse(JSON.stringify(identity))).toEqual({ recipient: identity.recipient, key: identity.key });
  });

  test.each([
    ['a letter changed', (text: string) => text.slice(0, -1) + (text.endsWith('Q') ? 'P' : 'Q')],
    ['lower case', (text: string) => text.toLowerCase()],
    ['nothing', () => ''],
    ['31 bytes', () => encodeBech32('age-secret-key-', new Uint8Array(31)).toUpperCase()],
  ])('with %s are refused without repeating the text', async (_what, change) => {
    const identity = await newIdentity();
    const error = await parseIdentity(change(identity.secret())).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BadIdentityError);
    expect(String(error)).not.toContain(identity.secret().slice(20, 40));
  });
});

describe('locked identities', () => {
  test('open what is for them and show nothing', async () => {
    const identity = await newIdentity();
    const locked = await lockIdentity(identity);
    expect(locked).toBeInstanceOf(LockedIdentity);
    expect(locked.recipient).toBe(identity.recipient);
    const sealed = await sealBytes(Uint8Array.of(1, 2, 3), [identity.recipient]);
    expect(await openBytes(sealed, locked)).toEqual(Uint8Array.of(1, 2, 3));
    expect(() => locked.secret()).toThrow(NotExportableError);
    const { cryptoKey } = locked as LockedIdentity;
    expect(cryptoKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('pkcs8', cryptoKey)).rejects.toThrow();
  });

  test('come back from a kept WebCrypto key', async () => {
    const locked = await newLockedIdentity();
    const kept = await identityOfCryptoKey(structuredClone(locked.cryptoKey));
    expect(kept.recipient).toBe(locked.recipient);
    expect(await openBytes(await sealBytes(Uint8Array.of(7), [locked.recipient]), kept)).toEqual(Uint8Array.of(7));
  });

  test('are not made of a key for something else', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign'])) as CryptoKeyPair;
    await expect(identityOfCryptoKey(pair.privateKey)).rejects.toThrow(
      'This is no secret key: it is a private key of Ed25519. A key is one line that begins with AGE-SECRET-KEY-1.',
    );
  });
});
