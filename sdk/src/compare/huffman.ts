/** Canonical prefix codes as deflate has them (RFC 1951, section 3.2.2). */
import { UnreadableImage } from './image.ts';

const MAX_LENGTH = 15;
/** Codes up to this long are found in one step. A larger table would make a stream of tiny blocks expensive. */
const FAST_BITS = 9;

export interface HuffmanOptions {
  /** Refuse a code with unused room even when it has a single symbol. */
  readonly isComplete?: boolean;
  /** The fixed distance code, which has room for two symbols that no stream may use. */
  readonly isFixed?: boolean;
}

/** A code made of the lengths of its symbols, 0 for those that do not occur. Refuses what zlib refuses. */
export class Huffman {
  /** Symbols of each length, and all symbols by length and value. */
  readonly #counts = new Uint16Array(MAX_LENGTH + 1);
  readonly #symbols: Uint16Array;
  /** By the next bits: `symbol · 16 + length`, or 0 where the code is longer or unknown. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);

  constructor(lengths: Uint8Array, { isComplete = false, isFixed = false }: HuffmanOptions = {}) {
    this.#symbols = new Uint16Array(lengths.length);
    for (const length of lengths) this.#counts[length]!++;
    this.#counts[0] = 0;
    const starts = new Uint16Array(MAX_LENGTH + 2);
    const codes = new Uint16Array(MAX_LENGTH + 2);
    let room = 1;
    let longest = 0;
    for (let length = 1; length <= MAX_LENGTH; length++) {
      const count = this.#counts[length]!;
      room = 2 * room - count;
      if (room < 0) throw new UnreadableImage('corrupt', 'its data have a code with too many symbols');
      if (count > 0) longest = length;
      starts[length + 1] = starts[length]! + count;
      codes[length + 1] = (codes[length]! + count) << 1;
    }
    // A single symbol of one bit, or none, is how encoders say that a block has no matches.
    const isAllowed = isFixed || (longest <= 1 && !isComplete);
    if (room > 0 && !isAllowed) throw new UnreadableImage('corrupt', 'its data have a code with missing symbols');

    lengths.forEach((length, symbol) => {
      if (length === 0) return;
      this.#symbols[starts[length]!++] = symbol;
      const code = codes[length]!++;
      if (length > FAST_BITS) return;
      for (let i = reversed(code, length); i < this.#fast.length; i += 1 << length)
        this.#fast[i] = symbol * 16 + length;
    });
  }

  /** `symbol · 16 + length` of the code that the `available` lowest bits of `bits` begin with, or -1. */
  decode(bits: number, available: number): number {
    const fast = this.#fast[bits & (this.#fast.length - 1)]!;
    if (fast !== 0) return (fast & 15) <= available ? fast : -1;
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_LENGTH && length <= available; length++) {
      code |= (bits >>> (length - 1)) & 1;
      const count = this.#counts[length]!;
      if (code - count < first) return this.#symbols[index + code - first]! * 16 + length;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return -1;
  }
}

function reversed(code: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value |= ((code >> i) & 1) << (length - 1 - i);
  return value;
}
