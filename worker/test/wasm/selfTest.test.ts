import { describe, expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { TRAIN_SELF_TEST } from '../../src/runtimes/train/selfTest.ts';
import { WASM_SELF_TEST } from '../../src/runtimes/wasm/selfTest.ts';
import { runWasm } from './runWasm.ts';
import { fixture } from './wat.ts';

describe.each([
  ['wasm', WASM_SELF_TEST, 'selfTest'],
  ['train', TRAIN_SELF_TEST, 'trainSelfTest'],
])('the self-test of %s', (_name, { request, outputSha256, units }, source) => {
  test('is the module of the fixture', () => {
    expect(Buffer.from(request.module).toString('base64')).toBe(Buffer.from(fixture(source)).toString('base64'));
  });

  test('has the answer that the probe expects', () => {
    const { args, shard, shards, inputs, seed, limits } = request;
    const { memoryBytes, outputBytes } = limits;
    const ran = runWasm(Uint8Array.from(request.module), {
      ...{ args, shard, shards, inputs, seed, memoryBytes, outputBytes },
      units: BigInt(limits.units),
    });
    expect(ran.outcome).toMatchObject({ ok: true, units });
    expect(createHash('sha256').update(ran.output).digest('hex')).toBe(outputSha256);
  });
});
