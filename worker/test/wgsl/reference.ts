/** The kernels of the tests once more, in plain JavaScript: what a GPU has to agree with bit by bit. */
import { SELF_TEST } from '../../src/runtimes/wgsl/selfTest.ts';

const times = Math.imul;

/** PCG-RXS-M-XS, 32 bits. */
export function scramble(x: number): number {
  const state = (times(x, 747_796_405) + 2_891_336_453) >>> 0;
  const word = times((state >>> ((state >>> 28) + 4)) ^ state, 277_803_737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** What the self-test's kernel makes of its inputs. */
export function selfTestOutput(): Uint8Array {
  const { inputs, seed, shard, shards, args } = SELF_TEST;
  const lanes = 128;
  const start = new Uint8Array(4 * lanes);
  start.set(inputs[0]!.bytes.subarray(4 + 2 * shard));
  const word = new DataView(seed.buffer).getUint32(28, true);
  const [turns, divisor] = args.map(Number) as [number, number];
  let before = new Uint32Array(start.buffer);
  for (const [round, step] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const) {
    const mixed = before.map((value, lane) => {
      let x = (value ^ lane ^ word ^ (shard * shards + 16 * round + step)) >>> 0;
      for (let i = 0; i < (round > 0 ? 9 : turns); i += 1) x = scramble((x + i) >>> 0);
      return x;
    });
    before = mixed.map((value, lane) => value ^ Math.trunc((mixed[(lane & ~63) + 63 - (lane & 63)]! | 0) / divisor));
  }
  return new Uint8Array(before.buffer);
}

/** One step of diffusion on a ring, with 16 bits after the point. */
export function spread(cells: Int32Array, rate: number, step: number): Int32Array {
  const { length } = cells;
  return cells.map((here, i) => {
    const flow = cells[(i + 1) % length]! - 2 * here + cells[(i + length - 1) % length]!;
    return here + (times(flow, rate) >> 16) + (step & 1);
  });
}

/** a · b with 26 bits after the point, cut off towards zero. */
function product(a: number, b: number): number {
  const size = (BigInt(Math.abs(a)) * BigInt(Math.abs(b))) >> 26n;
  const value = Number(size);
  return (a ^ b) < 0 ? -value : value;
}

/** Turns after which the point c leaves the circle of radius 4; `most` when it stays. Coordinates have 26 bits after the point. */
export function turnsOf(cx: number, cy: number, most: number): number {
  let [x, y] = [0, 0];
  for (let turns = 0; turns < most; turns += 1) {
    const next = product(x + y, x - y) + cx;
    y = 2 * product(x, y) + cy;
    x = next;
    const [a, b] = [Math.abs(x) >>> 16, Math.abs(y) >>> 16];
    if (a * a + b * b >= 16 * 2 ** 20) return turns;
  }
  return most;
}
