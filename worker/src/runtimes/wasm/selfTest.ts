import type { ShardRequest } from '../runtime.ts';

/** A shard whose answer is known. */
export interface SelfTest {
  readonly request: ShardRequest;
  /** Hex. */
  readonly outputSha256: string;
  readonly units: number;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Made from test/fixtures/selfTest.wat; a test compares the two. */
const MODULE = Buffer.from(
  [
    'AGFzbQEAAAABHwRgBH9/f38Bf2AJf39/f39+fn9/AX9gAn9/AX9gAAACrQEFFndhc2lfc25hcHNob3RfcHJldmlldzEIZmRfd3JpdGUAABZ3YX',
    'NpX3NuYXBzaG90X3ByZXZpZXcxB2ZkX3JlYWQAABZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXBhdGhfb3BlbgABFndhc2lfc25hcHNob3RfcHJl',
    'dmlldzEKcmFuZG9tX2dldAACFndhc2lfc25hcHNob3RfcHJldmlldzEIYXJnc19nZXQAAgMCAQMFBAEBAQQGDQF8AUQAAAAAAAAAAAsHEwIGbW',
    'Vtb3J5AgAGX3N0YXJ0AAUKlwIBlAIDAX8BfgF8QsT0/d3ckdCcASEBA0AgASABQg2GhSEBIAEgAUIHiIUhASABIAFCEYaFIQEgAiABup+gIQIg',
    'AEEBaiEAIABBwJoMSQ0AC0GACCABNwMAQYgIIAI5AwBBkAgjACMAozkDAEGYCP0MAQDAfwIAwP8AAIA/AwCgf/0MBADA/wAAgD8AAABABQDAf/',
    '3kAf0LBABBqAhBAkAANgIAQawIQQJAADYCAEGwCEEoEAMaQYAEQdgIEAQaQYgJQQNBAEEQQQRBAEICQgBBAEEIEAI2AgBBAEGMCTYCAEEEQcAA',
    'NgIAQYgJQQgoAgBBAEEBQQgQATYCAEEAQYAINgIAQQRBzAE2AgBBAUEAQQFBCBAAGgsLCgEAQRALBG5hbWU=',
  ].join(''),
  'base64',
);

/** It touches everything that has to be the same on every machine. */
export const SELF_TEST: ShardRequest = {
  module: MODULE,
  args: ['first', 'second argument'],
  shard: 3,
  shards: 7,
  inputs: [{ name: 'name', bytes: ascii('an input of the self-test') }],
  seed: new Uint8Array(32).fill(7),
  limits: { memoryBytes: 4 * 65_536, units: 100, outputBytes: 1_000, seconds: 20 },
};

export const SELF_TEST_OUTPUT_SHA256 = '03985a13d36b713adb886878546a77c8f080a113e3f66c4332c86558cf84b723';
export const SELF_TEST_UNITS = 9;

/** What the wasm runtime's probe runs. */
export const WASM_SELF_TEST: SelfTest = {
  request: SELF_TEST,
  outputSha256: SELF_TEST_OUTPUT_SHA256,
  units: SELF_TEST_UNITS,
};
