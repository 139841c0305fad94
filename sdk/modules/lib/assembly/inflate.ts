// zlib decompression with every count checked: tiles come from strangers.
import { adler32 } from './checksum';
import {
  CODE_LENGTH_ORDER,
  DISTANCES,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  END_OF_BLOCK,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITERALS,
  fixedLength,
} from './tables';
import { Bytes, fail } from './wasi';

let input: usize = 0;
let inputEnd: usize = 0;
let bitBuffer: u32 = 0;
let bitCount: i32 = 0;
let output: usize = 0;
let outputStart: usize = 0;
let outputEnd: usize = 0;
let what: string = '';

const lengths = new StaticArray<u8>(320);

/** A canonical code: how many codes there are of each length, and their symbols in code order. */
class Code {
  counts: StaticArray<u16> = new StaticArray<u16>(16);
  symbols: StaticArray<u16> = new StaticArray<u16>(288);

  /** Takes the code of `lengths[from … from + count)`; an over-full one is an error. */
  build(from: i32, count: i32): void {
    this.counts.fill(0);
    for (let i = 0; i < count; ++i) ++this.counts[lengths[from + i]];
    this.counts[0] = 0;
    let left = 1;
    let start = 0;
    for (let length = 1; length < 16; ++length) {
      left = (left << 1) - this.counts[length];
      if (left < 0) fail(what + ': a Huffman code has too many codes');
      offsets[length] = <u16>start;
      start += this.counts[length];
    }
    for (let i = 0; i < count; ++i) {
      const length = lengths[from + i];
      if (length != 0) this.symbols[offsets[length]++] = <u16>i;
    }
  }

  /** The next symbol of the stream. */
  next(): i32 {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; ++length) {
      code |= <i32>take(1);
      const count = <i32>this.counts[length];
      if (code - first < count) return this.symbols[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    fail(what + ': a Huffman code is not in its table');
    return 0;
  }
}

const offsets = new StaticArray<u16>(16);
const literalCode = new Code();
const distanceCode = new Code();

function take(bits: i32): u32 {
  while (bitCount < bits) {
    if (input >= inputEnd) fail(what + ': the compressed data ends early');
    bitBuffer |= (<u32>load<u8>(input++)) << bitCount;
    bitCount += 8;
  }
  const value = bitBuffer & (((<u32>1) << bits) - 1);
  bitBuffer >>= bits;
  bitCount -= bits;
  return value;
}

function copyStored(): void {
  // Whole bytes may sit in the buffer only as far as `take` read ahead, which is never past the current byte.
  bitBuffer = 0;
  bitCount = 0;
  const size = take(16);
  if (take(16) != (size ^ 0xffff)) fail(what + ": a stored block's length is damaged");
  if (<usize>size > inputEnd - input) fail(what + ': the compressed data ends early');
  if (<usize>size > outputEnd - output) fail(what + ': it holds more data than the image has');
  memory.copy(output, input, <usize>size);
  output += <usize>size;
  input += <usize>size;
}

function readFixedCodes(): void {
  for (let i = 0; i < 288; ++i) lengths[i] = fixedLength(i);
  literalCode.build(0, 288);
  for (let i = 0; i < DISTANCES; ++i) lengths[i] = 5;
  distanceCode.build(0, DISTANCES);
}

function readDynamicCodes(): void {
  const literals = <i32>take(5) + 257;
  const distances = <i32>take(5) + 1;
  const given = <i32>take(4) + 4;
  if (literals > LITERALS || distances > DISTANCES) fail(what + ': a block has more codes than exist');
  for (let i = 0; i < 19; ++i) lengths[CODE_LENGTH_ORDER[i]] = i < given ? <u8>take(3) : 0;
  literalCode.build(0, 19);
  for (let at = 0; at < literals + distances;) {
    const symbol = literalCode.next();
    if (symbol < 16) {
      lengths[at++] = <u8>symbol;
      continue;
    }
    if (symbol == 16 && at == 0) fail(what + ': a block repeats a length before the first');
    const value: u8 = symbol == 16 ? lengths[at - 1] : 0;
    let repeat = symbol == 16 ? 3 + take(2) : symbol == 17 ? 3 + take(3) : 11 + take(7);
    if (at + <i32>repeat > literals + distances) fail(what + ': a block has more lengths than codes');
    for (; repeat > 0; --repeat) lengths[at++] = value;
  }
  if (lengths[END_OF_BLOCK] == 0) fail(what + ': a block has no end');
  distanceCode.build(literals, distances);
  literalCode.build(0, literals);
}

function readBody(): void {
  while (true) {
    const symbol = literalCode.next();
    if (symbol == END_OF_BLOCK) return;
    if (symbol < END_OF_BLOCK) {
      if (output >= outputEnd) fail(what + ': it holds more data than the image has');
      store<u8>(output++, <u8>symbol);
      continue;
    }
    if (symbol >= LITERALS) fail(what + ': a length code does not exist');
    const length = <usize>(<u32>LENGTH_BASE[symbol - 257] + take(LENGTH_EXTRA[symbol - 257]));
    const code = distanceCode.next();
    const distance = <usize>(<u32>DISTANCE_BASE[code] + take(DISTANCE_EXTRA[code]));
    if (distance > output - outputStart) fail(what + ': a match begins before the data');
    if (length > outputEnd - output) fail(what + ': it holds more data than the image has');
    // Byte by byte, because source and target overlap when the distance is shorter than the length.
    for (let i: usize = 0; i < length; ++i) store<u8>(output + i, load<u8>(output + i - distance));
    output += length;
  }
}

/** Unpacks the zlib stream `data` into exactly `target.size` bytes. `name` is for the error message. */
export function decompress(data: Bytes, target: Bytes, name: string): void {
  what = name;
  input = data.pointer;
  inputEnd = data.end;
  bitBuffer = 0;
  bitCount = 0;
  output = target.pointer;
  outputStart = target.pointer;
  outputEnd = target.end;

  const method = take(8);
  const flags = take(8);
  if ((method & 15) != 8 || (flags & 32) != 0 || ((method << 8) | flags) % 31 != 0) fail(what + ': not a zlib stream');
  let last: u32 = 0;
  while (last == 0) {
    last = take(1);
    const kind = take(2);
    if (kind == 0) {
      copyStored();
      continue;
    }
    if (kind == 1) readFixedCodes();
    else if (kind == 2) readDynamicCodes();
    else fail(what + ": a block's type does not exist");
    readBody();
  }
  if (output != outputEnd) fail(what + ': it holds less data than the image has');
  if (inputEnd - input < 4) fail(what + ': the compressed data ends early');
  if (bswap<u32>(load<u32>(input)) != adler32(target.pointer, target.size)) fail(what + ': its Adler-32 is wrong');
}
