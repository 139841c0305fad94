import { describe, expect, test } from 'vitest';

import { entryPoints, exactnessProblem, floatIn, kernelProblems } from './wgslKernel.ts';
import { tokensOf } from './wgslTokens.ts';
import { workgroupBytes } from './wgslWorkgroup.ts';

describe('words of a kernel', () => {
  test('comments are none, nested ones neither', () => {
    const source = 'let a = 1u; // f32\n/* 1.5 /* f16 */ vec3f */ let b = a;\n/* open\nmat2x2f\n*/ c';
    expect(tokensOf(source).map(({ text }) => text)).toEqual('let a = 1u ; let b = a ; c'.split(' '));
    expect(tokensOf(source).at(-1)).toEqual({ text: 'c', line: 5 });
    expect(floatIn(source)).toBeUndefined();
  });

  test.each(
    '1.0 1. .5 1f 1h 1e3 1e-3 0x1p3 0x1.8 f32 f16 vec2f vec4h mat3x3 mat2x4f sqrt(2) unpack4x8unorm(x) pow(2,x)'.split(
      ' ',
    ),
  )('%s is a float', (text) => {
    expect(floatIn(`fn main() {\n  let a = ${text};\n}`)?.line).toBe(2);
  });

  test.each(
    '1 1u 12i 0xff 0xabcf 0x1e3 a.xy a.x f3 vec3u vec4 floor round(x) f32x dot(a,b) abs(x) min(a,b) unpack4xU8(x)'
      .split(' ')
      .filter((text) => text !== 'round(x)'),
  )('%s is none', (text) => {
    expect(floatIn(`let a = ${text};`)).toBeUndefined();
  });

  test('a function of the kernel’s own may have any name', () => {
    expect(floatIn('fn floor(x: u32) -> u32 { return x; }')).toBeUndefined();
  });
});

describe('entry points', () => {
  test('are found with their sizes, however they are written', () => {
    const source = `
      @compute @workgroup_size(8, 4u) fn two() {}
      @workgroup_size( 64, ) @ compute
      fn one(@builtin(global_invocation_id) id: vec3<u32>) { if (id.x > 3) { return; } }
      fn helper() {}
      override N: u32 = 3;
      @compute @workgroup_size(N) fn other() {}
      // @compute @workgroup_size(1) fn hidden() {}
      @compute @workgroup_size(2,3,4) fn three() {}`;
    expect([...entryPoints(source)]).toEqual([
      ['two', [8, 4, 1]],
      ['one', [64, 1, 1]],
      ['other', undefined],
      ['three', [2, 3, 4]],
    ]);
  });

  const pass = (entry: string, size: [number, number, number]) => ({
    entry,
    size,
    groups: [1, 1, 1] as [1, 1, 1],
    bind: [],
  });
  const source = '@compute @workgroup_size(64) fn main() {} const N = 4; @compute @workgroup_size(N) fn sized() {}';

  test.each([
    ['main', [64, 1, 1], []],
    ['main', [32, 1, 1], ['passes[0].size is not what the kernel says: main has 64, 1, 1']],
    ['none', [64, 1, 1], ['passes[0].entry names no @compute function: none']],
    ['sized', [4, 1, 1], ['passes[0].size cannot be told: @workgroup_size of sized must be plain numbers']],
  ])('%s with %j', (entry, size, expected) => {
    const found = kernelProblems(source, { passes: [pass(entry, size as [number, number, number])] });
    expect(found.map(({ path, sentence }) => `${path} ${sentence}`)).toEqual(expected);
  });

  test('a kernel may have 256 KiB and no byte more', () => {
    const padded = (bytes: number): string => source + ' '.repeat(bytes - source.length);
    const passes = [pass('main', [64, 1, 1])];
    expect(kernelProblems(padded(262_144), { passes })).toEqual([]);
    expect(kernelProblems(padded(262_145), { passes })).toEqual([
      { path: 'kernel', sentence: 'has 262145 bytes, the most is 262144' },
    ]);
  });
});

test('floats are compared with a tolerance or not at all', () => {
  const source = '\nfn half(x: f32) -> f32 { return x / 2; }';
  expect(exactnessProblem(source, { kind: 'exact' })).toEqual({
    path: 'kernel',
    sentence:
      'computes with floats (f32, line 2), whose last digits differ between machines: compare with a tolerance, or use whole numbers',
  });
  const tolerant = { kind: 'numeric', type: 'f32', absolutePpb: 0, relativePpb: 1000, outliersPpm: 0 } as const;
  expect(exactnessProblem(source, tolerant)).toBeUndefined();
  expect(exactnessProblem('fn twice(x: u32) -> u32 { return 2u * x; }', { kind: 'exact' })).toBeUndefined();
});

describe('memory that a workgroup shares', () => {
  test.each<[string, number | string]>([
    ['', 0],
    ['var<workgroup> a: u32; var<private> b: array<u32, 99999>;', 4],
    ['const N = 16u; var<workgroup> a: array<i32, N>; var < workgroup > b : array<vec3<u32>, 4,>;', 64 + 64],
    ['var<workgroup> a: array<array<atomic<u32>, 8>, 4>;', 128],
    ['var<workgroup> a: vec4f; var<workgroup> b: vec2<i32>; var<workgroup> c: bool;', 28],
    ['var<workgroup> a: array<mat4x4f, 2>;', 128],
    ['// var<workgroup> a: array<u32, 9>;', 0],
    ['struct S { x: u32 } var<workgroup> a: array<S, 4>;', 'array<S,4>'],
    ['var<workgroup> a: array<u32, 4 * 4>;', 'array<u32,4*4>'],
    ['override N: u32; var<workgroup> a: array<u32, N>;', 'array<u32,N>'],
  ])('%s', (source, bytes) => {
    expect(workgroupBytes(source)).toBe(bytes);
  });

  test('is 16 KiB at most, because devices need not have more', () => {
    const kernel = (words: number): string =>
      `var<workgroup> a: array<u32, ${words}>; @compute @workgroup_size(1) fn main() { a[0] = 1u; }`;
    const passes = [{ entry: 'main', size: [1, 1, 1] as [1, 1, 1], groups: [1, 1, 1] as [1, 1, 1], bind: [] }];
    expect(kernelProblems(kernel(4096), { passes })).toEqual([]);
    expect(kernelProblems(kernel(4097), { passes })).toEqual([
      { path: 'kernel', sentence: 'shares 16388 bytes in a workgroup, the most is 16384' },
    ]);
    expect(kernelProblems(kernel(4096).replace('u32', 'Mine'), { passes })).toEqual([
      { path: 'kernel', sentence: 'shares memory of a size that cannot be told: array<Mine,4096>' },
    ]);
  });
});
