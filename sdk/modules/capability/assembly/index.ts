// The benchmark of the capability proof for processors: fills a buffer of the claimed memory from the job's seed, then walks over it from many
// starts, each step at a place that only the step before tells. docs/capability.md; the same in WGSL is capability.wgsl, one lane of it in TypeScript
// sdk/src/capability/lanes.ts.
// Arguments: log2 of the buffer's words, lanes, steps of a lane. Output: the end of each lane, four bytes, little-endian.
import { allocate, Arguments, fail, output } from '../../lib/assembly/wasi';
import { random_get } from '../../lib/assembly/wasi_snapshot_preview1';

/** Where the spec's own arguments begin. */
const OWN_AT = 2;
const SEED_BYTES: i32 = 32;
/** Words that follow from each other: whoever does not keep the buffer computes half a block for each step. */
const BLOCK: u32 = 1024;
const PAGE_BITS: u32 = 16;

/** A permutation of 32 bits, "lowbias32" of Chris Wellons' hash prospector (public domain). */
function mix(x: u32): u32 {
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

/** Fresh memory for `words` words behind everything that is there. */
function buffer(words: u32): usize {
  const start = (<usize>memory.size()) << PAGE_BITS;
  const pages = <i32>(((<u64>words) << 2) >> PAGE_BITS);
  if (memory.grow(pages) < 0) fail('the buffer does not fit into the memory');
  return start;
}

function fill(start: usize, words: u32, seed: usize): void {
  const first = load<u32>(seed);
  const second = load<u32>(seed, 4);
  let at = start;
  for (let block: u32 = 0; block < words / BLOCK; ++block) {
    let x = mix(block ^ first) ^ second;
    for (let j: u32 = 0; j < BLOCK; ++j) {
      x = mix(x ^ load<u32>(seed + ((<usize>(j & 7)) << 2)));
      store<u32>(at, x);
      at += 4;
    }
  }
}

const own = new Arguments();
const bits = <u32>own.integer(OWN_AT, 'log2 of words', 14, 28);
const lanes = <i32>own.integer(OWN_AT + 1, 'lanes', 1, 1 << 22);
const steps = <u32>own.integer(OWN_AT + 2, 'steps', 1, 1 << 24);
const seed = allocate(SEED_BYTES).pointer;
if (random_get(seed, SEED_BYTES) != 0) fail('there is no seed');
const ends = allocate(lanes << 2);
const words: u32 = 1 << bits;
const start = buffer(words);
fill(start, words, seed);

const mask = words - 1;
const third = load<u32>(seed, 8);
const fourth = load<u32>(seed, 12);
for (let lane = 0; lane < lanes; ++lane) {
  let x = mix((<u32>lane) ^ third) ^ fourth;
  for (let k: u32 = 0; k < steps; ++k) {
    x = mix(x ^ load<u32>(start + ((<usize>(x & mask)) << 2))) + k;
  }
  store<u32>(ends.pointer + ((<usize>lane) << 2), x);
}
output(ends);
