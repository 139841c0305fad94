import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WgslSettings } from '@dpu/sdk/runtimes/wgsl';
import { ShardError, type ShardRequest } from '../../src/runtimes/runtime.ts';
import { checkRequest, uniformOf } from '../../src/runtimes/wgsl/request.ts';
import { SELF_TEST, SELF_TEST_OUTPUT_SHA256 } from '../../src/runtimes/wgsl/selfTest.ts';
import { selfTestOutput } from './reference.ts';

const settings = SELF_TEST.settings as WgslSettings;

test('the self-test’s answer is what plain JavaScript computes', () => {
  expect(createHash('sha256').update(selfTestOutput()).digest('hex')).toBe(SELF_TEST_OUTPUT_SHA256);
});

describe('the uniform', () => {
  test('holds shard, shards, seed and arguments as words, and zeros for the counters', () => {
    const words = new Uint32Array(uniformOf(SELF_TEST).buffer);
    expect(words.length).toBe(76);
    expect([...words.subarray(0, 5)]).toEqual([2, 5, 0, 0, 0xcbcac9c8]);
    expect([...words.subarray(11, 15)]).toEqual([0xe7e6e5e4, 70_000, 0xfffffff9, 0]);
  });
});

describe('a request', () => {
  test('becomes what the child is told', () => {
    const { job, units, contents } = checkRequest(SELF_TEST);
    expect(units).toBe(1);
    expect(job).toMatchObject({
      buffers: [
        { bytes: 512, content: 92 },
        { bytes: 512, content: 0 },
      ],
      passes: [{ entry: 'chain', invocations: 128, repeat: 2, swap: [[0, 1]] }],
      rounds: 2,
      output: [0],
      dispatch: true,
    });
    // Shard 2 begins 4 + 2 × 2 bytes into the file.
    expect(contents).toEqual([SELF_TEST.inputs[0]!.bytes.subarray(8)]);
  });

  test('whose units are not paid for is compiled and not dispatched', () => {
    const limits = { ...SELF_TEST.limits, units: 0 };
    expect(checkRequest({ ...SELF_TEST, limits }).job.dispatch).toBe(false);
  });

  test('takes the earlier job’s file of its own number', () => {
    const buffers = [{ name: 'before', bytes: 512, input: { name: 'old/shard' } }, settings.buffers[1]!];
    const inputs = [1, 2].map((i) => ({ name: `old/${i}`, bytes: Uint8Array.of(i) }));
    const { contents } = checkRequest({ ...SELF_TEST, settings: { ...settings, buffers }, inputs });
    expect(contents).toEqual([Uint8Array.of(2)]);
  });

  test.each<[string, Partial<ShardRequest>, string]>([
    [
      'without settings',
      { settings: undefined },
      'module-rejected (job): The shard cannot be run: its settings are not valid: is missing. The spec has to be corrected.',
    ],
    [
      'with an argument of words',
      { args: ['fast'] },
      'module-rejected (job): The shard cannot be run: its argument "fast" is not a whole number of 32 bits. The spec has to be corrected.',
    ],
    [
      'without its input',
      { inputs: [] },
      'module-rejected (job): The shard cannot be run: the buffer before begins with the input words, which is not there. The spec has to be corrected.',
    ],
    [
      'whose shard begins after the file’s end',
      { shard: 49, shards: 50 },
      'module-rejected (job): The shard cannot be run: the buffer before begins at byte 102 of words, which has 100. The spec has to be corrected.',
    ],
    [
      'for another workgroup than the kernel’s',
      { module: new TextEncoder().encode('@compute @workgroup_size(32) fn chain() {}') },
      'module-rejected (job): The shard cannot be run: kernel and settings do not fit: passes[0].size is not what the kernel says: chain has 32, 1, 1. The spec has to be corrected.',
    ],
    [
      'for a shard that is none',
      { shard: 5 },
      'module-rejected (job): The shard cannot be run: there is no shard 5 of 5. The spec has to be corrected.',
    ],
    [
      'with too little memory',
      { limits: { ...SELF_TEST.limits, memoryBytes: 4_195_631 } },
      "out-of-memory (job): The shard's buffers need 4195632 bytes, its spec allows 4195631.",
    ],
    [
      'with too little output',
      { limits: { ...SELF_TEST.limits, outputBytes: 511 } },
      "output-limit (job): The shard's output has 512 bytes, its spec allows 511.",
    ],
  ])('%s is refused', (_what, over, sentence) => {
    let said = 'nothing';
    try {
      checkRequest({ ...SELF_TEST, ...over });
    } catch (error) {
      if (!(error instanceof ShardError)) throw error;
      said = `${error.reason} (${error.fault}): ${error.message}`;
    }
    expect(said).toBe(sentence);
  });
});
