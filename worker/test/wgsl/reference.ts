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
