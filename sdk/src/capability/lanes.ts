/**
 * The benchmark of the capability proof, lane by lane: what a processor needs to check a result without the memory or the speed that it proves.
 * docs/capability.md. The whole of it is in sdk/modules/capability/, for processors and for graphics cards.
 */
import { sha256 } from 'viem';

/** Words of the buffer that follow from each other. */
export const BLOCK_WORDS = 1024;
/** Bytes of a lane's end. */
export const LANE_BYTES = 4;

/** What is computed: a buffer of 2^`wordBits` words of four bytes, and a walk of `steps` steps from each of `lanes` starts. */
export interface Walk {
  wordBits: number;
  lanes: number;
  steps: number;
}

/** A lane whose end is not what the benchmark says. */
export interface WrongLane {
  lane: number;
  shown: number;
  right: number;
}

/** A permutation of 32 bits: "lowbias32" of Chris Wellons' hash prospector (public domain). */
function mix(value: number): number {
  let x = value;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/** The eight words of a seed of 32 bytes, little-endian. */
function wordsOf(seed: Uint8Array): Int32Array {
  if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`);
  const view = new DataView(seed.buffer, seed.byteOffset, seed.length);
  return Int32Array.from({ length: 8 }, (_, i) => view.getInt32(4 * i, true));
}

/** Word `at` of the buffer, from its block's beginning: half a block of work on average, and no memory. */
function wordAt(at: number, seed: Int32Array): number {
  let x = mix((at >>> 10) ^ seed[0]!) ^ seed[1]!;
  const last = at & (BLOCK_WORDS - 1);
  for (let j = 0; j <= last; j++) x = mix(x ^ seed[j & 7]!);
  return x;
}

/** Where lane `lane` ends, as an unsigned number. Takes about half a thousand operations for each step. */
export function laneOf(seed: Uint8Array, { wordBits, steps }: Walk, lane: number): number {
  const words = wordsOf(seed);
  const mask = 2 ** wordBits - 1;
  let x = mix(lane ^ words[2]!) ^ words[3]!;
  for (let k = 0; k < steps; k++) x = (mix(x ^ wordAt(x & mask, words)) + k) | 0;
  return x >>> 0;
}

/**
 * The lanes that are opened of a result: drawn from the result itself, so that nobody can know before it computes which ones will be looked at.
 * `count` of them, none twice, fewer when there are fewer.
 */
export function openedLanes(result: Uint8Array, lanes: number, count: number): number[] {
  const root = sha256(result, 'bytes');
  const opened = new Set<number>();
  const wanted = Math.min(count, lanes);
  for (let i = 0; opened.size < wanted; i++) {
    const draw = new Uint8Array(36);
    draw.set(root);
    new DataView(draw.buffer).setUint32(32, i);
    opened.add(new DataView(sha256(draw, 'bytes').buffer).getUint32(0) % lanes);
  }
  return [...opened];
}

/**
 * Computes `count` random lanes of a result again; answers with those that are wrong. A result that has a share p of its lanes wrong passes with a
 * chance of (1 - p)^count.
 * @throws RangeError when the result does not have one end for each lane
 */
export function checkLanes(seed: Uint8Array, walk: Walk, result: Uint8Array, count: number): WrongLane[] {
  if (result.length !== LANE_BYTES * walk.lanes) {
    throw new RangeError(`the result has ${result.length} bytes instead of ${LANE_BYTES * walk.lanes}`);
  }
  const view = new DataView(result.buffer, result.byteOffset, result.length);
  return openedLanes(result, walk.lanes, count).flatMap((lane): WrongLane[] => {
    const [shown, right] = [view.getUint32(LANE_BYTES * lane, true), laneOf(seed, walk, lane)];
    return shown === right ? [] : [{ lane, shown, right }];
  });
}
