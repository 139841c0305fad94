import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';

import { KERNEL_SELF_TEST, KERNEL_SELF_TEST_OUTPUT_SHA256 } from '../../src/runtimes/train/kernelSelfTest.ts';

const REPEATS = 2;
const TURNS = 100;

function scramble(x: number): number {
  const state = (Math.imul(x, 747_796_405) + 2_891_336_453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277_803_737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** a · b / 65536, rounded to the nearest, of 32 bits: with numbers that are as long as they need to be. */
const mul = (a: number, b: number): number => Number(BigInt.asIntN(32, (BigInt(a) * BigInt(b) + 0x8000n) >> 16n));

function train(weight: number): number {
  let at = weight;
  for (let i = 0; i < TURNS; i += 1) {
    const slope = scramble((at + i) >>> 0) | 0;
    const step = Math.trunc(mul(slope, ((at + 128) | 0) >> 8) / (i + 1));
    at = (at - ((step - Math.imul(Math.max(slope, at), 3)) | 0)) | 0;
  }
  return at;
}

test('the known answer is what plain JavaScript computes', () => {
  const bytes = Uint8Array.from(KERNEL_SELF_TEST.inputs[0]!.bytes);
  const numbers = new Int32Array(bytes.buffer);
  for (let repeat = 0; repeat < REPEATS; repeat += 1) numbers.forEach((weight, i) => (numbers[i] = train(weight)));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(KERNEL_SELF_TEST_OUTPUT_SHA256);
});
