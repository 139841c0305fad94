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

/** A stream around the deflate data that `body` begins with, and what zlib finds in them; or the code of its refusal. */
function byZlib(body: Uint8Array): { stream: Uint8Array; data: Buffer } | string {
  try {
    const { buffer, engine } = inflateRawSync(body, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    const checksum = deflateSync(buffer).subarray(-4);
    return { stream: Buffer.concat([HEAD, body.subarray(0, engine.bytesWritten), checksum]), data: buffer };
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** What zlib takes is taken, and gives the same; what it refuses is refused, and not only later. Tells whether it was taken. */
function expectAsZlib(body: Uint8Array): boolean {
  const found = byZlib(body);
  if (typeof found === 'string') {
    const refusal = inflated(Buffer.concat([HEAD, body]));
    expect(refusal).toBeTypeOf('string');
    if (found === 'Z_DATA_ERROR') expect(refusal).not.toMatch(/checksum|follows|early/);
    return false;
  }
  if (!found.data.equals(inflated(found.stream) as Buffer)) expect(inflated(found.stream)).toEqual(found.data);
  return true;
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
    fc.assert(property, { seed: 3, numRuns: 1_500 });
    expect(taken).toBeGreaterThan(500);
  });

  test('of random codes is taken or refused exactly as zlib does', () => {
    let taken = 0;
    const property = fc.property(fc.integer(), (seed) => {
      if (expectAsZlib(randomBlock(randomOf(seed)))) taken++;
    });
    fc.assert(property, { seed: 4, numRuns: 1_500 });
    expect(taken).toBeGreaterThan(150);
  });

  const some = { lengths: [...Array<number>(256).fill(0), 1, 1], distances: [1, 1] };
  const ended = '0';
  test.each<[what: string, body: Uint8Array, refusal?: string]>([
    ['only an end', dynamicBlock(some, ended)],
    ['a match of what was just written', fixedBlock('10010001' + '0000001' + '00000' + '0000000')],
    [
      'a match of what was before the first byte',
      fixedBlock('10010001' + '0000001' + '00001' + '0000000'),
      'its data refer to what was before them',
    ],
    [
      'a distance of no meaning',
      fixedBlock('10010001' + '0000001' + '11110' + '0000000'),
      'its data hold an unknown code',
    ],
    [
      'a length of no meaning',
      fixedBlock('10010001' + '11000110' + '00000' + '0000000'),
      'its data hold an unknown length',
    ],
    ['286 codes', dynamicBlock({ ...some, lengths: [...some.lengths, ...Array<number>(28).fill(0)] }, ended)],
    [
      '287 codes',
      dynamicBlock({ ...some, lengths: [...some.lengths, ...Array<number>(29).fill(0)] }, ended),
      'its data have too many codes',
    ],
    [
      '31 distances',
      dynamicBlock({ ...some, distances: [1, 1, ...Array<number>(29).fill(0)] }, ended),
      'its data have too many codes',
    ],
    [
      'no end',
      dynamicBlock({ ...some, lengths: [1, 1, ...Array<number>(255).fill(0)] }, ended),
      'its data have a block without an end',
    ],
    ['one symbol of one bit', dynamicBlock({ lengths: some.lengths.with(257, 0), distances: [0] }, ended)],
    [
      'one symbol of two bits',
      dynamicBlock({ lengths: some.lengths.with(257, 0).with(256, 2), distances: [0] }, '00'),
      'its data have a code with missing symbols',
    ],
    [
      'one distance of two bits',
      dynamicBlock({ ...some, distances: [2] }, ended),
      'its data have a code with missing symbols',
    ],
    [
      'three symbols of one bit',
      dynamicBlock({ ...some, lengths: some.lengths.with(0, 1) }, ended),
      'its data have a code with too many symbols',
    ],
    [
      'three distances of one bit',
      dynamicBlock({ ...some, distances: [1, 1, 1] }, ended),
      'its data have a code with too many symbols',
    ],
    // Of the codes of lengths only 16 and 18 occur, as 0 and 1.
    ['a repeat before the first code', bytesOf(REPEATS + '0' + '00'), 'its data repeat a code before the first'],
    ['a repeat past the last code', bytesOf(REPEATS + '11111111'.repeat(2)), 'its data have too many codes'],
  ])('with %s is judged as by zlib', (_what, body, refusal) => {
    expect(expectAsZlib(body)).toBe(refusal === undefined);
    if (refusal) expect(inflated(Buffer.concat([HEAD, body]))).toBe(`The image cannot be read: ${refusal}.`);
  });
});

/** The head of a last block of 257 codes and one distance, up to their lengths. */
const REPEATS = '101' + '00000' + '00000' + '0000' + '100' + '000' + '100' + '000';

/** Bytes of a text of bits, the first bit lowest, and zeros after it. */
function bytesOf(bits: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8) + 1);
  for (let i = 0; i < bits.length; i++) if (bits[i] === '1') bytes[i >> 3]! |= 1 << (i & 7);
  return bytes;
}

const numberBits = (value: number, count: number): string =>
  [...value.toString(2).padStart(count, '0')].reverse().join('');

/** A last block of fixed codes; codes are written first bit first. */
const fixedBlock = (body: string): Uint8Array => bytesOf('110' + body);

/** A last block that says these lengths of codes, each by a code of four bits, and then `body`. */
function dynamicBlock(
  { lengths, distances }: { readonly lengths: readonly number[]; readonly distances: readonly number[] },
  body: string,
): Uint8Array {
  const head = '101' + numberBits(lengths.length - 257, 5) + numberBits(distances.length - 1, 5) + numberBits(15, 4);
  const order = numberBits(0, 3).repeat(3) + numberBits(4, 3).repeat(16);
  const all = [...lengths, ...distances].map((length) => length.toString(2).padStart(4, '0')).join('');
  return bytesOf(head + order + all + body);
}

/** A block of random codes: complete ones, and some with a symbol too many or too few. */
function randomBlock(random: () => number): Uint8Array {
  const codeOf = (most: number): number[] => {
    const leaves = [0];
    const splits = Math.floor(random() * most);
    for (let i = 0; i < splits; i++) {
      const at = Math.floor(random() * leaves.length);
      if (leaves[at]! < 15) leaves.push(++leaves[at]!);
    }
    return leaves;
  };
  const placed = (leaves: readonly number[], room: number): number[] => {
    const places = Array<number>(room).fill(0);
    for (const leaf of leaves) places[Math.floor(random() * room)] = leaf;
    return places;
  };
  // Placed in a row, so that codes stay complete; sometimes at random, where they overwrite each other.
  const [letters, far] = [codeOf(60), codeOf(20)];
  const isMessy = random() < 0.2;
  const start = Math.floor(random() * 200);
  const rest = letters.slice(0, -1);
  const row = [...Array<number>(start).fill(0), ...rest];
  const lengths = isMessy
    ? placed(letters, 257 + Math.floor(random() * 29))
    : [...row, ...Array<number>(Math.max(0, 256 - row.length)).fill(0)].slice(0, 256).concat(letters.at(-1)!, 0, 0);
  const body = Array.from({ length: 400 }, () => (random() < 0.5 ? '0' : '1')).join('');
  return dynamicBlock({ lengths, distances: isMessy ? placed(far, 30) : far }, body);
}

test('the checksum of chunks is the published one', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
  expect(crc32(new TextEncoder().encode('IEND'))).toBe(0xae42_6082);
});
