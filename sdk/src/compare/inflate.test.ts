import { constants, deflateRawSync, deflateSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from './crc32.ts';
import { UnreadableImage } from './image.ts';
import { inflate } from './inflate.ts';
import { randomOf } from './testing.ts';

/** All the data, or the message of the refusal. Anything else that is thrown goes on. */
function inflated(...parts: Uint8Array[]): Buffer | string {
  try {
    return Buffer.concat(Array.from(inflate(parts), (piece) => piece.slice()));
  } catch (error) {
    if (error instanceof UnreadableImage && error.reason === 'corrupt') return error.message;
    throw error;
  }
}

/** A stream around the deflate data that `body` begins with, and what zlib finds in them; undefined when it refuses. */
function byZlib(body: Uint8Array): { stream: Uint8Array; data: Buffer } | undefined {
  try {
    const { buffer, engine } = inflateRawSync(body, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    const checksum = deflateSync(buffer).subarray(-4);
    return { stream: Buffer.concat([HEAD, body.subarray(0, engine.bytesWritten), checksum]), data: buffer };
  } catch {
    return undefined;
  }
}

/** What zlib takes is taken, and gives the same; what it refuses is refused. Tells whether it was taken. */
function expectAsZlib(body: Uint8Array): boolean {
  const found = byZlib(body);
  if (!found) expect(inflated(Buffer.concat([HEAD, body]))).toBeTypeOf('string');
  else if (!found.data.equals(inflated(found.stream) as Buffer)) expect(inflated(found.stream)).toEqual(found.data);
  return found !== undefined;
}

const HEAD = Uint8Array.of(0x78, 0x9c);
const random = randomOf(5);
const noise = Uint8Array.from({ length: 200_000 }, () => random() * 256);
const text = Uint8Array.from({ length: 300_000 }, (_, i) => (i % 1000 < 900 ? (i * i) % 251 : random() * 8));

describe('a stream', () => {
  test.each([
    ['nothing', new Uint8Array(), {}],
    ['noise', noise, {}],
    ['text at the highest level', text, { level: 9 }],
    ['text with fixed codes', text, { strategy: constants.Z_FIXED }],
    ['text without matches', text, { strategy: constants.Z_HUFFMAN_ONLY }],
    ['stored blocks', text, { level: 0 }],
    ['one byte many times', new Uint8Array(400_000), { level: 9 }],
    ['a small window', text, { windowBits: 9 }],
  ])('of %s comes out whole, also from pieces', (_what, data, options) => {
    const packed = deflateSync(data, options);
    expect(inflated(packed)).toEqual(Buffer.from(data));
    const at = Math.floor(packed.length / 3);
    expect(inflated(packed.subarray(0, at), new Uint8Array(), packed.subarray(at))).toEqual(Buffer.from(data));
  });

  const packed = deflateSync(text);
  test.each<[what: string, bytes: Uint8Array, why: string]>([
    ['without an end', packed.subarray(0, -1), 'its data end early'],
    ['with something after it', Buffer.concat([packed, Uint8Array.of(0)]), 'something follows its data'],
    ['with another checksum', packed.with(-1, packed.at(-1)! ^ 1), 'the checksum of its data is wrong'],
    ['without a head', deflateRawSync(text), 'its data are no zlib stream'],
    ['with a dictionary', deflateSync(text, { dictionary: Buffer.from('x') }), 'its data are no zlib stream'],
    ['of an unknown block', Uint8Array.of(0x78, 0x9c, 7), 'its data have a block of an unknown kind'],
    ['of no bytes', new Uint8Array(), 'its data end early'],
  ])('%s is refused', (_what, bytes, why) => {
    expect(inflated(bytes)).toBe(`The image cannot be read: ${why}.`);
  });

  test('is taken or refused exactly as zlib does, whatever was changed in it', () => {
    const bodies = [{}, { level: 0 }, { strategy: constants.Z_FIXED }, { strategy: constants.Z_HUFFMAN_ONLY }].map(
      (options) => deflateRawSync(text.subarray(0, 700), options),
    );
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    let taken = 0;
    const property = fc.property(fc.constantFrom(...bodies), changes, (body, edits) => {
      const broken = Uint8Array.from(body);
      for (const [at, value] of edits) broken[at % broken.length] = value;
      if (expectAsZlib(broken)) taken++;
    });
    fc.assert(property, { seed: 3, numRuns: 4_000 });
    expect(taken).toBeGreaterThan(1_000);
  });

  test('of random codes is taken or refused exactly as zlib does', () => {
    let taken = 0;
    const property = fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 120 }),
      fc.constantFrom(3, 5),
      (body, start) => {
        // The last block, of fixed or dynamic codes.
        body[0] = (body[0]! & 0xf8) | start;
        if (expectAsZlib(body)) taken++;
      },
    );
    fc.assert(property, { seed: 4, numRuns: 4_000 });
    expect(taken).toBeGreaterThan(50);
  });
});

test('the checksum of chunks is the published one', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
  expect(crc32(new TextEncoder().encode('IEND'))).toBe(0xae42_6082);
});
