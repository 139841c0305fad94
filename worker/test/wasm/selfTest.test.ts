import { expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { SELF_TEST, SELF_TEST_OUTPUT_SHA256, SELF_TEST_UNITS } from '../../src/runtimes/wasm/selfTest.ts';
import { runWasm } from './runWasm.ts';
import { fixture } from './wat.ts';

test('the self-test is the module of the fixture', () => {
  expect(Buffer.from(SELF_TEST.module).toString('base64')).toBe(Buffer.from(fixture('selfTest')).toString('base64'));
});

test('the self-test has the answer that the probe expects', () => {
  const { args, shard, shards, inputs, seed, limits } = SELF_TEST;
  const { memoryBytes, outputBytes, units } = limits;
  const ran = runWasm(Uint8Array.from(SELF_TEST.module), {
    ...{ args, shard, shards, inputs, seed, memoryBytes, outputBytes },
    units: BigInt(units),
  });
  expect(ran.outcome).toMatchObject({ ok: true, units: SELF_TEST_UNITS });
  expect(createHash('sha256').update(ran.output).digest('hex')).toBe(SELF_TEST_OUTPUT_SHA256);
});
