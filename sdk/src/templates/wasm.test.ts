import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { expect, test } from 'vitest';

import { encodeSpec } from '../spec.ts';
import type { TemplateContext } from './types.ts';
import { wasm } from './wasm.ts';

const context: TemplateContext = {
  asset: () => Promise.reject(new Error('nothing of ours is needed')),
  addFile: async (bytes) => ({ cid: CID.createV1(0x55, await sha256.digest(bytes)) }),
};
const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const brought = new Map([['module.wasm', module]]);

test('a module becomes one job with its words and caps', async () => {
  const files = new Map([...brought, ['data.bin', Uint8Array.of(7, 8)]]);
  const options = { shards: 3, args: ' --fast  9 ', output: 'rows.csv', memoryMb: 2 };
  const { jobs } = await wasm.prepare(options, files, context);
  expect(jobs).toMatchObject([
    {
      runtime: 'wasm',
      shards: 3,
      args: ['--fast', '9'],
      inputs: [{ name: 'data.bin', size: 2 }],
      output: { name: 'rows.csv', mediaType: 'text/csv' },
      limits: { memoryBytes: 2_097_152, units: 100_000, outputBytes: 67_108_864, seconds: 600 },
    },
  ]);
  expect(encodeSpec(jobs[0]).digest).toMatch(/^0x[0-9a-f]{64}$/);
});

test.each([
  [{}, new Map<string, Uint8Array>(), 'module.wasm: is missing: bring the module that is to run'],
  [{}, new Map([['module.wasm', Uint8Array.of(1, 2, 3, 4)]]), 'does not begin as every module does'],
  [{}, new Map([...brought, ['more.txt', module]]), 'more.txt: is not used: bring module.wasm or data.bin'],
  [{ output: '../x' }, brought, 'output: must be 1 to 64 letters'],
  [{ shards: 0 }, brought, 'shards: must be at least 1'],
])('refuses %j', async (options, files, sentence) => {
  await expect(wasm.prepare(options, files, context)).rejects.toThrow(sentence);
});
