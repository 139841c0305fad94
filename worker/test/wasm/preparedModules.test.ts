import { expect, test } from 'vitest';
import { PreparedModules } from '../../src/runtimes/wasm/preparedModules.ts';

const MIB = 1024 * 1024;
const limits = (memoryBytes: number) => ({ memoryBytes, units: 1, outputBytes: 0, seconds: 1 });
const request = (content: string, memoryBytes = MIB) => ({
  module: new TextEncoder().encode(content),
  limits: limits(memoryBytes),
});

test('is found by the content of the module and the pages that it may have', () => {
  const modules = new PreparedModules();
  const made = Uint8Array.of(1);
  modules.keep(request('a'), made);
  expect(modules.find(request('a'))).toBe(made);
  expect(modules.find(request('a', MIB + 65_535))).toBe(made);
  expect(modules.find(request('a', MIB + 65_536))).toBe(undefined);
  expect(modules.find(request('b'))).toBe(undefined);
});

test('the first one stays: a later child cannot replace it', () => {
  const modules = new PreparedModules();
  const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
  modules.keep(request('a'), first);
  modules.keep(request('a'), second);
  expect(modules.find(request('a'))).toBe(first);
});

test('64 MiB are kept, and what was not used for longest goes', () => {
  const modules = new PreparedModules();
  for (const name of ['a', 'b', 'c', 'd']) modules.keep(request(name), new Uint8Array(16 * MIB));
  modules.find(request('a'));
  modules.keep(request('e'), new Uint8Array(16 * MIB));
  const kept = ['a', 'b', 'c', 'd', 'e'].filter((name) => modules.find(request(name)) !== undefined);
  expect(kept).toEqual(['a', 'c', 'd', 'e']);
});
