import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { identity } from 'multiformats/hashes/identity';
import { sha512 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';
import {
  cidOfBlock,
  cidToDigest,
  codecOf,
  decodeBlock,
  digestToCid,
  encodeBlock,
  linksOf,
  MAX_BLOCK_BYTES,
  parseCid,
  verifyBlock,
} from './cid.ts';
import {
  BlockTooBigError,
  HashMismatchError,
  InvalidCidError,
  MalformedBlockError,
  UnsupportedCidError,
} from './errors.ts';

const HELLO = new TextEncoder().encode('hello world');
const HELLO_CID = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';
const HELLO_SHA256 = '0xb94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

describe('CIDs and digests', () => {
  test('a digest with its codec is a CID and back', () => {
    expect(digestToCid(HELLO_SHA256, 'raw').toString()).toBe(HELLO_CID);
    expect(cidToDigest(HELLO_CID)).toBe(HELLO_SHA256);
    expect(cidToDigest(digestToCid(HELLO_SHA256.toUpperCase().replace('0X', '0x'), 'dag-cbor'))).toBe(HELLO_SHA256);
  });

  test.each(['raw', 'dag-pb', 'dag-cbor'] as const)('codec %s survives', (codec) => {
    expect(codecOf(digestToCid(HELLO_SHA256, codec))).toBe(codec);
  });

  test.each(['', '0x', HELLO_SHA256.slice(2), `${HELLO_SHA256}00`, HELLO_SHA256.slice(0, -1), `0x${'zz'.repeat(32)}`])(
    'refuses the digest "%s"',
    (digest) => {
      expect(() => digestToCid(digest, 'raw')).toThrow(InvalidCidError);
    },
  );

  test('knows the CID of a block', async () => {
    expect((await cidOfBlock(HELLO, 'raw')).toString()).toBe(HELLO_CID);
  });

  test('refuses other hashes and other codecs', async () => {
    const long = CID.createV1(0x55, await sha512.digest(HELLO));
    const inline = CID.createV1(0x55, await identity.digest(HELLO));
    const json = CID.createV1(0x0129, parseCid(HELLO_CID).multihash);
    for (const cid of [long, inline, json]) expect(() => parseCid(cid)).toThrow(UnsupportedCidError);
    expect(() => parseCid('bafkreinonsense')).toThrow(InvalidCidError);
  });
});

describe('dag-cbor blocks', () => {
  const link = parseCid(HELLO_CID);

  test('one value has one encoding, whatever the order of its keys', async () => {
    const one = await encodeBlock({ version: 1, link, list: [1, 2, { x: new Uint8Array([7]) }] });
    const two = await encodeBlock({ list: [1, 2, { x: new Uint8Array([7]) }], link, version: 1 });
    expect(one.cid.toString()).toBe(two.cid.toString());
    expect(codecOf(one.cid)).toBe('dag-cbor');
    expect(decodeBlock(one.bytes)).toEqual({ version: 1, link, list: [1, 2, { x: new Uint8Array([7]) }] });
  });

  test.each([
    ['undefined', { x: undefined }],
    ['NaN', { x: Number.NaN }],
  ])('has no form for %s', async (_what, value) => {
    await expect(encodeBlock(value)).rejects.toBeInstanceOf(MalformedBlockError);
  });

  test.each([
    ['keys out of order', Uint8Array.of(0xa2, 0x61, 0x62, 1, 0x61, 0x61, 2)],
    ['a number longer than needed', Uint8Array.of(0x18, 5)],
    ['bytes after the value', Uint8Array.of(1, 2)],
    ['a short float', Uint8Array.of(0xf9, 0x3e, 0)],
    ['nothing', new Uint8Array(0)],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeBlock(bytes)).toThrow(MalformedBlockError);
  });

  test('finds links in order, however deep', async () => {
    const other = await cidOfBlock(Uint8Array.of(1), 'raw');
    const { cid, bytes } = await encodeBlock({ a: [{ cid: link }, null, 'text'], b: { c: other }, d: link.bytes });
    expect(linksOf(cid, bytes).map(String)).toEqual([link.toString(), other.toString()]);
    expect(linksOf(link, HELLO)).toEqual([]);
  });

  test('a dag-pb CID over other bytes is a malformed block', async () => {
    const cid = await cidOfBlock(Uint8Array.of(0xff, 0xff), 'dag-pb');
    expect(() => linksOf(cid, Uint8Array.of(0xff, 0xff))).toThrow(MalformedBlockError);
    const cbor = await cidOfBlock(dagCbor.encode(1), 'dag-cbor');
    expect(() => linksOf(cbor, Uint8Array.of(0xff))).toThrow(MalformedBlockError);
  });
});

describe('verifying a block', () => {
  test('takes the right bytes and no others', async () => {
    const cid = parseCid(HELLO_CID);
    await expect(verifyBlock(cid, HELLO)).resolves.toBeUndefined();
    const flipped = HELLO.slice();
    flipped[3]! ^= 1;
    await expect(verifyBlock(cid, flipped)).rejects.toBeInstanceOf(HashMismatchError);
    await expect(verifyBlock(cid, HELLO.subarray(1))).rejects.toBeInstanceOf(HashMismatchError);
  });

  test('takes a block of 2 MiB and refuses one byte more', async () => {
    const bytes = new Uint8Array(MAX_BLOCK_BYTES + 1);
    const most = bytes.subarray(1);
    await expect(verifyBlock(await cidOfBlock(most, 'raw'), most)).resolves.toBeUndefined();
    await expect(verifyBlock(parseCid(HELLO_CID), bytes)).rejects.toEqual(
      new BlockTooBigError(MAX_BLOCK_BYTES + 1, MAX_BLOCK_BYTES),
    );
    await expect(cidOfBlock(bytes, 'raw')).rejects.toBeInstanceOf(BlockTooBigError);
  });
});
