// Length-limited Huffman code lengths and canonical codes, for deflate's dynamic blocks.

const MAX_SYMBOLS = 288;

const sorted = new StaticArray<i32>(MAX_SYMBOLS);
const weight = new StaticArray<u32>(2 * MAX_SYMBOLS);
const parent = new StaticArray<i32>(2 * MAX_SYMBOLS);
const depth = new StaticArray<i32>(2 * MAX_SYMBOLS);
const perLength = new StaticArray<i32>(2 * MAX_SYMBOLS);
const nextCode = new StaticArray<i32>(17);

/** Symbols in use, rarest first, ties by symbol so that the result is the same everywhere. Returns how many. */
function sortByFrequency(frequencies: StaticArray<u32>, count: i32): i32 {
  let used = 0;
  for (let symbol = 0; symbol < count; ++symbol) {
    const frequency = frequencies[symbol];
    if (frequency == 0) continue;
    let at = used++;
    while (at > 0 && frequencies[sorted[at - 1]] > frequency) {
      sorted[at] = sorted[at - 1];
      --at;
    }
    sorted[at] = symbol;
  }
  return used;
}

/**
 * Fills `lengths[0 … count)` with code lengths of at most `limit` bits, optimal but for the limit.
 * At least two symbols get a code, because decoders differ on trees with a single one.
 */
export function codeLengths(frequencies: StaticArray<u32>, count: i32, limit: i32, lengths: StaticArray<u8>): void {
  let used = sortByFrequency(frequencies, count);
  if (used < 2) {
    for (let symbol = 0; used < 2; ++symbol) {
      if (frequencies[symbol] != 0) continue;
      frequencies[symbol] = 1;
      ++used;
    }
    sortByFrequency(frequencies, count);
  }

  // Two queues: the sorted leaves, and the inner nodes, which are made in order of weight.
  for (let i = 0; i < used; ++i) weight[i] = frequencies[sorted[i]];
  let leaf = 0;
  let inner = used;
  for (let made = used; made < 2 * used - 1; ++made) {
    let sum: u32 = 0;
    for (let child = 0; child < 2; ++child) {
      const takeLeaf = leaf < used && (inner >= made || weight[leaf] <= weight[inner]);
      const node = takeLeaf ? leaf++ : inner++;
      parent[node] = made;
      sum += weight[node];
    }
    weight[made] = sum;
  }

  perLength.fill(0);
  depth[2 * used - 2] = 0;
  for (let node = 2 * used - 3; node >= 0; --node) {
    depth[node] = depth[parent[node]] + 1;
    if (node < used) ++perLength[min(depth[node], limit)];
  }
  repairKraft(limit);

  lengths.fill(0);
  let at = 0;
  for (let length = limit; length > 0; --length) {
    for (let n = perLength[length]; n > 0; --n) lengths[sorted[at++]] = <u8>length;
  }
}

/** After lengths were cut to `limit` the code may be over-full: lengthens shorter codes until it is exactly full. */
function repairKraft(limit: i32): void {
  let total: u32 = 0;
  for (let length = 1; length <= limit; ++length) total += (<u32>perLength[length]) << (limit - length);
  for (; total > (<u32>1) << limit; --total) {
    let length = limit - 1;
    while (perLength[length] == 0) --length;
    --perLength[limit];
    --perLength[length];
    perLength[length + 1] += 2;
  }
}

/** Fills `codes` with the canonical codes of `lengths`, bit-reversed as deflate writes them. */
export function canonicalCodes(lengths: StaticArray<u8>, count: i32, codes: StaticArray<u16>): void {
  perLength.fill(0);
  for (let symbol = 0; symbol < count; ++symbol) ++perLength[lengths[symbol]];
  perLength[0] = 0;
  let code = 0;
  for (let length = 1; length <= 15; ++length) {
    code = (code + perLength[length - 1]) << 1;
    nextCode[length] = code;
  }
  for (let symbol = 0; symbol < count; ++symbol) {
    const length = lengths[symbol];
    if (length == 0) continue;
    let forward = nextCode[length]++;
    let reversed = 0;
    for (let bit: u8 = 0; bit < length; ++bit) {
      reversed = (reversed << 1) | (forward & 1);
      forward >>= 1;
    }
    codes[symbol] = <u16>reversed;
  }
}
