/**
 * The zlib format (RFC 1950) and deflate (RFC 1951), read piece by piece. Our own, because what a broken stream does must
 * be the same on every machine: libraries differ in what they forgive at the end of a stream.
 */
import { Huffman } from './huffman.ts';
import { UnreadableImage } from './image.ts';

const WINDOW_BYTES = 32 * 1024;
const MAX_MATCH = 258;
const END_OF_BLOCK = 256;
/** Least and extra bits of the lengths 257 … 285 and the distances 0 … 29 (RFC 1951, section 3.2.5). */
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const LENGTH_BASE = LENGTH_EXTRA.map((_, code) => (code === 28 ? 258 : 3 + below(LENGTH_EXTRA, code)));
const DISTANCE_BASE = DISTANCE_EXTRA.map((_, code) => 1 + below(DISTANCE_EXTRA, code));
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const FIXED = {
  lengths: new Huffman(Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  distances: new Huffman(new Uint8Array(30).fill(5), { isFixed: true }),
};

/** How many values the codes before `code` cover. */
function below(extra: readonly number[], code: number): number {
  return extra.slice(0, code).reduce((sum, bits) => sum + 2 ** bits, 0);
}

const broken = (what: string): UnreadableImage => new UnreadableImage('corrupt', what);

/** A stream's bits, lowest first. */
export class BitReader {
  readonly #parts: readonly Uint8Array[];
  #part = 0;
  #at = 0;
  #bits = 0;
  #count = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  /** The next `count` bits, at most 16. */
  take(count: number): number {
    if (!this.#fill(count)) throw broken('its data end early');
    const value = this.#bits & ((1 << count) - 1);
    this.#drop(count);
    return value;
  }

  /** The next symbol of `code`. */
  symbol(code: Huffman): number {
    this.#fill(15);
    const found = code.decode(this.#bits, this.#count);
    if (found < 0) throw broken('its data hold an unknown code');
    this.#drop(found & 15);
    return found >> 4;
  }

  /** Skips to the next whole byte. */
  align(): void {
    this.#drop(this.#count & 7);
  }

  /** Whether no byte is left after the one that is being read. */
  get isAtEnd(): boolean {
    return this.#count < 8 && this.#next() < 0;
  }

  #drop(count: number): void {
    this.#bits >>>= count;
    this.#count -= count;
  }

  #fill(count: number): boolean {
    while (this.#count < count) {
      const byte = this.#next();
      if (byte < 0) return false;
      this.#at++;
      this.#bits |= byte << this.#count;
      this.#count += 8;
    }
    return true;
  }

  #next(): number {
    for (;;) {
      const part = this.#parts[this.#part];
      if (!part) return -1;
      if (this.#at < part.length) return part[this.#at]!;
      this.#part++;
      this.#at = 0;
    }
  }
}

/** Output with the last 32 KiB before it, which later data may repeat. */
class Output {
  readonly buffer = new Uint8Array(3 * WINDOW_BYTES);
  /** Where fresh bytes begin and end. */
  from = 0;
  to = 0;
  #a = 1;
  #b = 0;

  /** Whether the next symbol may not fit any more. */
  get isFull(): boolean {
    return this.to + MAX_MATCH > this.buffer.length;
  }

  put(byte: number): void {
    this.buffer[this.to++] = byte;
  }

  repeat(distance: number, length: number): void {
    if (distance > this.to || distance > WINDOW_BYTES) throw broken('its data refer to what was before them');
    for (let i = 0; i < length; i++, this.to++) this.buffer[this.to] = this.buffer[this.to - distance]!;
  }

  /** The fresh bytes, valid until `shift`. */
  fresh(): Uint8Array {
    const bytes = this.buffer.subarray(this.from, this.to);
    // 3800 steps without a reduction stay below 2^32 (as in zlib, with a wider margin).
    for (let start = 0; start < bytes.length; start += 3_800) {
      const end = Math.min(bytes.length, start + 3_800);
      for (let i = start; i < end; i++) this.#b += this.#a += bytes[i]!;
      this.#a %= 65_521;
      this.#b %= 65_521;
    }
    return bytes;
  }

  /** Makes room and keeps the window. */
  shift(): void {
    const start = Math.max(0, this.to - WINDOW_BYTES);
    this.buffer.copyWithin(0, start, this.to);
    this.from = this.to -= start;
  }

  /** The checksum of all that `fresh` gave. */
  get adler(): number {
    return this.#b * 65_536 + this.#a;
  }
}

/**
 * Yields the data of a zlib stream that lies in `parts`, in pieces that are valid until the next. Nothing may follow the
 * stream, and its checksum must be right. Holds 96 KiB. Throws {@link UnreadableImage} of reason `corrupt`.
 */
export function* inflate(parts: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  const input = new BitReader(parts);
  const head = input.take(8) * 256 + input.take(8);
  if (head % 31 !== 0 || ((head >> 8) & 15) !== 8 || head >> 12 > 7 || head & 0x20)
    throw broken('its data are no zlib stream');
  const output = new Output();
  for (let isLast = false; !isLast;) {
    isLast = input.take(1) === 1;
    const kind = input.take(2);
    if (kind === 0) yield* stored(input, output);
    else if (kind === 1) yield* compressed(input, output, FIXED);
    else if (kind === 2) yield* compressed(input, output, readCodes(input));
    else throw broken('its data have a block of an unknown kind');
  }
  yield output.fresh();
  input.align();
  let adler = 0;
  for (let i = 0; i < 4; i++) adler = adler * 256 + input.take(8);
  if (adler !== output.adler) throw broken('the checksum of its data is wrong');
  if (!input.isAtEnd) throw broken('something follows its data');
}

function* stored(input: BitReader, output: Output): Generator<Uint8Array, void, undefined> {
  input.align();
  const length = input.take(16);
  if ((input.take(16) ^ 0xffff) !== length) throw broken('a stored block has a wrong length');
  for (let i = 0; i < length; i++) {
    if (output.isFull) {
      yield output.fresh();
      output.shift();
    }
    output.put(input.take(8));
  }
}

interface Codes {
  readonly lengths: Huffman;
  readonly distances: Huffman;
}

function* compressed(
  input: BitReader,
  output: Output,
  { lengths, distances }: Codes,
): Generator<Uint8Array, void, undefined> {
  for (;;) {
    if (output.isFull) {
      yield output.fresh();
      output.shift();
    }
    const symbol = input.symbol(lengths);
    if (symbol < END_OF_BLOCK) {
      output.put(symbol);
      continue;
    }
    if (symbol === END_OF_BLOCK) return;
    const code = symbol - 257;
    if (code >= LENGTH_BASE.length) throw broken('its data hold an unknown length');
    const length = LENGTH_BASE[code]! + input.take(LENGTH_EXTRA[code]!);
    const far = input.symbol(distances);
    output.repeat(DISTANCE_BASE[far]! + input.take(DISTANCE_EXTRA[far]!), length);
  }
}

function readCodes(input: BitReader): Codes {
  const lengthCount = input.take(5) + 257;
  const distanceCount = input.take(5) + 1;
  const orderCount = input.take(4) + 4;
  if (lengthCount > 286 || distanceCount > 30) throw broken('its data have too many codes');
  const order = new Uint8Array(19);
  for (let i = 0; i < orderCount; i++) order[CODE_LENGTH_ORDER[i]!] = input.take(3);
  const code = new Huffman(order, { isComplete: true });

  const all = new Uint8Array(lengthCount + distanceCount);
  for (let at = 0; at < all.length;) {
    const symbol = input.symbol(code);
    if (symbol < 16) {
      all[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) throw broken('its data repeat a code before the first');
    const value = symbol === 16 ? all[at - 1]! : 0;
    const times = symbol === 16 ? 3 + input.take(2) : symbol === 17 ? 3 + input.take(3) : 11 + input.take(7);
    if (at + times > all.length) throw broken('its data have too many codes');
    all.fill(value, at, at + times);
    at += times;
  }
  if (all[END_OF_BLOCK] === 0) throw broken('its data have a block without an end');
  return { lengths: new Huffman(all.subarray(0, lengthCount)), distances: new Huffman(all.subarray(lengthCount)) };
}
