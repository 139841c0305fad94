// zlib compression: LZ77 over hash chains with one step of lazy matching, and per block the smallest of
// stored, fixed and dynamic Huffman coding.
import { adler32 } from './checksum';
import { canonicalCodes, codeLengths } from './huffman';
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
import { Bytes } from './wasi';

const WINDOW = 32768;
const HASH_SIZE = 32768;
const MIN_MATCH = 3;
const MAX_MATCH = 258;
/** How many earlier places are tried: more is slower and seldom smaller for rendered pixels. */
const MAX_CHAIN = 48;
/** A match this long is taken at once, without looking for a better one at the next byte. */
const GOOD_MATCH = 32;
const BLOCK_SYMBOLS = 32768;
const FIXED_SYMBOLS = 288;

const head = new StaticArray<i32>(HASH_SIZE);
const previous = new StaticArray<i32>(WINDOW);
/** One symbol each: a literal, or length << 16 | distance. */
const symbols = new StaticArray<u32>(BLOCK_SYMBOLS);
const lengthCodeOf = new StaticArray<u8>(MAX_MATCH + 1);
const literalFrequency = new StaticArray<u32>(FIXED_SYMBOLS);
const distanceFrequency = new StaticArray<u32>(DISTANCES);
const literalLength = new StaticArray<u8>(FIXED_SYMBOLS);
const distanceLength = new StaticArray<u8>(DISTANCES);
const literalCode = new StaticArray<u16>(FIXED_SYMBOLS);
const distanceCode = new StaticArray<u16>(DISTANCES);
const runSymbols = new StaticArray<u16>(LITERALS + DISTANCES);
const runFrequency = new StaticArray<u32>(19);
const runLength = new StaticArray<u8>(19);
const runCode = new StaticArray<u16>(19);

let out: usize = 0;
let bitBuffer: u64 = 0;
let bitCount: u64 = 0;

function put(value: u32, bits: u32): void {
  bitBuffer |= (<u64>value) << bitCount;
  bitCount += bits;
  while (bitCount >= 8) {
    store<u8>(out++, <u8>bitBuffer);
    bitBuffer >>= 8;
    bitCount -= 8;
  }
}

function alignToByte(): void {
  if (bitCount > 0) put(0, <u32>(8 - bitCount));
}

function distanceCodeOf(distance: i32): i32 {
  if (distance <= 4) return distance - 1;
  const top = 31 - clz(distance - 1);
  return 2 * top + (((distance - 1) >> (top - 1)) & 1);
}

function prepareLengthCodes(): void {
  for (let length = MIN_MATCH, code = 0; length <= MAX_MATCH; ++length) {
    while (code < 28 && <i32>LENGTH_BASE[code + 1] <= length) ++code;
    lengthCodeOf[length] = <u8>code;
  }
}

function hashAt(at: usize): i32 {
  const three = load<u8>(at) | ((<u32>load<u8>(at, 1)) << 8) | ((<u32>load<u8>(at, 2)) << 16);
  return <i32>((three * 0x9e3779b1) >>> 17);
}

/** The longest match for offset `at`, as length << 16 | distance, or 0. */
function longestMatch(data: usize, at: i32, size: i32): u32 {
  const most = min(MAX_MATCH, size - at);
  if (most < MIN_MATCH) return 0;
  let best = MIN_MATCH - 1;
  let distance = 0;
  let candidate = head[hashAt(data + <usize>at)];
  for (let tries = MAX_CHAIN; candidate >= 0 && at - candidate < WINDOW && tries > 0; --tries) {
    const here = data + <usize>at;
    const there = data + <usize>candidate;
    if (load<u8>(there + <usize>best) == load<u8>(here + <usize>best)) {
      let length = 0;
      while (length < most && load<u8>(there + <usize>length) == load<u8>(here + <usize>length)) ++length;
      if (length > best) {
        best = length;
        distance = at - candidate;
        if (length == most) break;
      }
    }
    candidate = previous[candidate & (WINDOW - 1)];
  }
  // A far match of three bytes costs more bits than three literals.
  if (distance == 0 || (best == MIN_MATCH && distance > 4096)) return 0;
  return ((<u32>best) << 16) | (<u32>distance);
}

function remember(data: usize, at: i32, size: i32): void {
  if (at + MIN_MATCH > size) return;
  const hash = hashAt(data + <usize>at);
  previous[at & (WINDOW - 1)] = head[hash];
  head[hash] = at;
}

let runs = 0;

function addRun(symbol: i32, extra: i32): void {
  runSymbols[runs++] = <u16>(symbol | (extra << 5));
  ++runFrequency[symbol];
}

function lengthInRow(at: i32, literals: i32): i32 {
  return at < literals ? literalLength[at] : distanceLength[at - literals];
}

/** Run-length codes both length tables, written as one row, into `runSymbols` (extra bits from bit 5 on). */
function codeRuns(literals: i32, distances: i32): void {
  runFrequency.fill(0);
  runs = 0;
  for (let at = 0; at < literals + distances;) {
    const length = lengthInRow(at, literals);
    let run = 1;
    while (at + run < literals + distances && lengthInRow(at + run, literals) == length) ++run;
    at += run;
    if (length == 0) {
      for (; run >= 11; run -= min(run, 138)) addRun(18, min(run, 138) - 11);
      if (run >= 3) {
        addRun(17, run - 3);
        run = 0;
      }
    } else {
      addRun(length, 0);
      for (--run; run >= 3; run -= min(run, 6)) addRun(16, min(run, 6) - 3);
    }
    for (; run > 0; --run) addRun(length, 0);
  }
}

function runExtraBits(symbol: i32): u32 {
  return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

/** Bits that the block's symbols take with the code lengths now in place. */
function bodyBits(): u64 {
  let bits: u64 = 0;
  for (let symbol = 0; symbol < LITERALS; ++symbol) {
    const extra: u32 = symbol > END_OF_BLOCK ? LENGTH_EXTRA[symbol - 257] : 0;
    bits += <u64>literalFrequency[symbol] * (<u32>literalLength[symbol] + extra);
  }
  for (let symbol = 0; symbol < DISTANCES; ++symbol) {
    bits += <u64>distanceFrequency[symbol] * (<u32>distanceLength[symbol] + DISTANCE_EXTRA[symbol]);
  }
  return bits;
}

function putBody(count: i32): void {
  for (let i = 0; i < count; ++i) {
    const symbol = symbols[i];
    if (symbol < 256) {
      put(literalCode[symbol], literalLength[symbol]);
      continue;
    }
    const length = symbol >> 16;
    const distance = symbol & 0xffff;
    const code = lengthCodeOf[length];
    put(literalCode[257 + code], literalLength[257 + code]);
    put(length - LENGTH_BASE[code], LENGTH_EXTRA[code]);
    const far = distanceCodeOf(distance);
    put(distanceCode[far], distanceLength[far]);
    put(distance - DISTANCE_BASE[far], DISTANCE_EXTRA[far]);
  }
  put(literalCode[END_OF_BLOCK], literalLength[END_OF_BLOCK]);
}

function useFixedCodes(): void {
  for (let symbol = 0; symbol < FIXED_SYMBOLS; ++symbol) literalLength[symbol] = fixedLength(symbol);
  distanceLength.fill(5);
}

function putStored(from: usize, size: i32, last: bool): void {
  let at = from;
  let left = size;
  do {
    const part = min(left, 65535);
    left -= part;
    put(last && left == 0 ? 1 : 0, 3);
    alignToByte();
    put(<u32>part, 16);
    put((<u32>part) ^ 0xffff, 16);
    memory.copy(out, at, <usize>part);
    out += <usize>part;
    at += <usize>part;
  } while (left > 0);
}

function putBlock(from: usize, size: i32, count: i32, last: bool): void {
  literalFrequency.fill(0);
  distanceFrequency.fill(0);
  for (let i = 0; i < count; ++i) {
    const symbol = symbols[i];
    if (symbol < 256) {
      ++literalFrequency[symbol];
    } else {
      ++literalFrequency[257 + lengthCodeOf[symbol >> 16]];
      ++distanceFrequency[distanceCodeOf(symbol & 0xffff)];
    }
  }
  ++literalFrequency[END_OF_BLOCK];

  useFixedCodes();
  const fixedBits = 3 + bodyBits();

  codeLengths(literalFrequency, LITERALS, 15, literalLength);
  codeLengths(distanceFrequency, DISTANCES, 15, distanceLength);
  let literals = LITERALS;
  while (literals > 257 && literalLength[literals - 1] == 0) --literals;
  let distances = DISTANCES;
  while (distances > 1 && distanceLength[distances - 1] == 0) --distances;
  codeRuns(literals, distances);
  codeLengths(runFrequency, 19, 7, runLength);
  let lengths = 19;
  while (lengths > 4 && runLength[CODE_LENGTH_ORDER[lengths - 1]] == 0) --lengths;
  let dynamicBits: u64 = 3 + 14 + 3 * lengths + bodyBits();
  for (let i = 0; i < runs; ++i) {
    const symbol = (<i32>runSymbols[i]) & 31;
    dynamicBits += <u64>runLength[symbol] + runExtraBits(symbol);
  }

  const storedBits = <u64>size * 8 + 40 * (<u64>size / 65535 + 1);
  if (storedBits <= fixedBits && storedBits <= dynamicBits) {
    putStored(from, size, last);
    return;
  }
  put(last ? 1 : 0, 1);
  if (fixedBits <= dynamicBits) {
    put(1, 2);
    useFixedCodes();
  } else {
    put(2, 2);
    put(literals - 257, 5);
    put(distances - 1, 5);
    put(lengths - 4, 4);
    for (let i = 0; i < lengths; ++i) put(runLength[CODE_LENGTH_ORDER[i]], 3);
    canonicalCodes(runLength, 19, runCode);
    for (let i = 0; i < runs; ++i) {
      const symbol = (<i32>runSymbols[i]) & 31;
      put(runCode[symbol], runLength[symbol]);
      put(runSymbols[i] >> 5, runExtraBits(symbol));
    }
  }
  canonicalCodes(literalLength, FIXED_SYMBOLS, literalCode);
  canonicalCodes(distanceLength, DISTANCES, distanceCode);
  putBody(count);
}

/** The zlib stream (RFC 1950) of `data`. */
export function compress(data: Bytes): Bytes {
  // No block is larger than stored, so this bounds the whole; the rest is headers and the checksum.
  const start = heap.alloc(<usize>(data.size + (data.size >> 10) + 1024));
  out = start;
  bitBuffer = 0;
  bitCount = 0;
  prepareLengthCodes();
  head.fill(-1);
  put(0x78, 8);
  put(0x9c, 8);

  const size = data.size;
  let blockStart = 0;
  let count = 0;
  let at = 0;
  let match = longestMatch(data.pointer, 0, size);
  while (at < size) {
    remember(data.pointer, at, size);
    const length = <i32>(match >> 16);
    const next = at + 1 < size ? longestMatchAfter(data.pointer, at, size, length) : 0;
    if (length == 0 || <i32>(next >> 16) > length) {
      symbols[count++] = load<u8>(data.pointer + <usize>at);
      ++at;
      match = next;
    } else {
      symbols[count++] = match;
      for (let i = 1; i < length; ++i) remember(data.pointer, at + i, size);
      at += length;
      match = at < size ? longestMatch(data.pointer, at, size) : 0;
    }
    if (count == BLOCK_SYMBOLS && at < size) {
      putBlock(data.pointer + <usize>blockStart, at - blockStart, count, false);
      blockStart = at;
      count = 0;
    }
  }
  putBlock(data.pointer + <usize>blockStart, size - blockStart, count, true);
  alignToByte();
  store<u32>(out, bswap<u32>(adler32(data.pointer, size)));
  return new Bytes(start, <i32>(out + 4 - start));
}

/** The match at the byte after `at`, looked for only where it could beat the one of `length` bytes in hand. */
function longestMatchAfter(data: usize, at: i32, size: i32, length: i32): u32 {
  return length >= GOOD_MATCH ? 0 : longestMatch(data, at + 1, size);
}
