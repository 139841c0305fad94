/** Who can open a file: an age X25519 recipient as text, and the same 32 bytes as they stand on chain in a node's record. */
import { bytesToHex, hexToBytes, isHex, zeroHash, type Hex } from 'viem';

import { decodeBech32, encodeBech32 } from './bech32.ts';
import { BadRecipientError } from './errors.ts';

/** An X25519 public key as age writes it: `age1` and 58 characters, lower case. */
export type Recipient = `age1${string}`;

const PREFIX = 'age';
const KEY_BYTES = 32;

/** Whether `text` is a recipient: prefix, checksum, 32 bytes. */
export function isRecipient(text: string): text is Recipient {
  return decodeBech32(PREFIX, text)?.length === KEY_BYTES;
}

/**
 * The text of a recipient, checked.
 * @throws BadRecipientError when it is mistyped, or of a kind other than X25519.
 */
export function parseRecipient(text: string): Recipient {
  if (isRecipient(text)) return text;
  throw new BadRecipientError(text, 'its letters do not add up to a key of 32 bytes');
}

/**
 * A recipient as the 32 bytes that stand on chain (`Node.key`).
 * @throws BadRecipientError when the text is no recipient.
 */
export function recipientToKey(recipient: string): Hex {
  return bytesToHex(decodeBech32(PREFIX, parseRecipient(recipient))!);
}

/**
 * The recipient whose 32 bytes stand on chain.
 * @throws BadRecipientError when they are zero, which says that the node has no key, or are not 32 bytes.
 */
export function keyToRecipient(key: Hex): Recipient {
  if (!isHex(key) || key.length !== 66) throw new BadRecipientError(key, 'it is not 32 bytes');
  if (key === zeroHash) throw new BadRecipientError(key, 'zero says that the node takes no private jobs');
  return recipientOfBytes(hexToBytes(key));
}

/** The recipient of a public key of 32 bytes. */
export function recipientOfBytes(key: Uint8Array): Recipient {
  return encodeBech32(PREFIX, key) as Recipient;
}
