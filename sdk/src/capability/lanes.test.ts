import { describe, expect, test } from 'vitest';

import { checkLanes, laneOf, openedLanes, type Walk } from './lanes.ts';

const SEED = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);
const WALK: Walk = { wordBits: 14, lanes: 64, steps: 32 };

/** The whole benchmark with its buffer, as a machine computes it that has the memory. */
function whole({ wordBits, lanes, steps }: Walk): Uint8Array {
  const words = new DataView(SEED.buffer);
  const seed = (i: number): number => words.getUint32(4 * i, true);
  const mix = (value: number): number => {
    let x = BigInt(value);
    x ^= x >> 16n;
    x = (x * 0x7feb352dn) & 0xffffffffn;
    x ^= x >> 15n;
    x = (x * 0x846ca68bn) & 0xffffffffn;
    return Number(x ^ (x >> 16n));
  };
  const buffer = new Uint32Array(2 ** wordBits);
  for (let block = 0; block < buffer.length / 1_024; block++) {
    let x = (mix((block ^ seed(0)) >>> 0) ^ seed(1)) >>> 0;
    for (let j = 0; j < 1_024; j++) buffer[1_024 * block + j] = x = mix((x ^ seed(j & 7)) >>> 0);
  }
  const ends = Array.from({ length: lanes }, (_, lane) => {
    let x = (mix((lane ^ seed(2)) >>> 0) ^ seed(3)) >>> 0;
    for (let k = 0; k < steps; k++) x = (mix((x ^ buffer[x & (buffer.length - 1)]!) >>> 0) + k) >>> 0;
    return x;
  });
  return new Uint8Array(Uint32Array.from(ends).buffer);
}

const result = whole(WALK);

describe('a lane without the buffer', () => {
  test('ends where it ends with the buffer', () => {
    const ends = [...new Uint32Array(result.buffer)];
    expect(Array.from({ length: WALK.lanes }, (_, lane) => laneOf(SEED, WALK, lane))).toEqual(ends);
  });

  test('needs the seed, the steps and the size', () => {
    const right = laneOf(SEED, WALK, 5);
    expect(
      laneOf(
        SEED.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
        WALK,
        5,
      ),
    ).not.toBe(right);
    expect(laneOf(SEED, { ...WALK, steps: 31 }, 5)).not.toBe(right);
    expect(laneOf(SEED, { ...WALK, wordBits: 15 }, 5)).not.toBe(right);
    expect(() => laneOf(new Uint8Array(31), WALK, 5)).toThrow(new RangeError('a seed has 32 bytes, not 31'));
  });
});

describe('opened lanes', () => {
  test('are as many as asked for, none twice, all there when there are few', () => {
    const opened = openedLanes(result, WALK.lanes, 16);
    expect(new Set(opened).size).toBe(16);
    expect(opened.every((lane) => lane >= 0 && lane < WALK.lanes)).toBe(true);
    expect(openedLanes(result, WALK.lanes, 1_000).toSorted((a, b) => a - b)).toEqual([...Array(64).keys()]);
  });

  test('are others for another result', () => {
    const other = result.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    expect(openedLanes(other, WALK.lanes, 8)).not.toEqual(openedLanes(result, WALK.lanes, 8));
  });
});

describe('a check', () => {
  test('of the right result finds nothing', () => {
    expect(checkLanes(SEED, WALK, result, WALK.lanes)).toEqual([]);
  });

  test('names a wrong lane, what it shows and what is right', () => {
    const forged = Uint8Array.from(result);
    new DataView(forged.buffer).setUint32(4 * 9, 0xdeadbeef, true);
    expect(checkLanes(SEED, WALK, forged, WALK.lanes)).toEqual([
      { lane: 9, shown: 0xdeadbeef, right: laneOf(SEED, WALK, 9) },
    ]);
  });

  test('refuses a result of another size', () => {
    expect(() => checkLanes(SEED, WALK, result.subarray(1), 1)).toThrow(
      new RangeError('the result has 255 bytes instead of 256'),
    );
  });
});
