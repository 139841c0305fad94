import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { command, fixture, wat } from './wat.ts';
import { instrument } from '../../src/runtimes/wasm/child/instrument.ts';
import { LIMITS } from '../../src/runtimes/wasm/child/limits.ts';
import { parse } from '../../src/runtimes/wasm/child/parse.ts';
import { ModuleRejected } from '../../src/runtimes/wasm/child/rejection.ts';
import { validate } from '../../src/runtimes/wasm/child/validate.ts';

const check = (bytes: Uint8Array): void => validate(parse(bytes));
const rejection = (bytes: Uint8Array): string => {
  try {
    check(bytes);
    // Instructions are looked at while they are written anew.
    instrument(parse(bytes), { maxPages: 16, fuel: 1n });
  } catch (error) {
    if (error instanceof ModuleRejected) return error.message.replace(/ \(at byte \d+\)$/, '');
    throw error;
  }
  return 'accepted';
};
const module = (fields: string): Uint8Array =>
  wat(`(module (memory (export "memory") 1) (func (export "_start")) ${fields})`);

describe('what a module may be', () => {
  test('accepts a command with SIMD, bulk memory, references and several results', () => {
    const bytes = command(
      '(drop (i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4))) (memory.fill (i32.const 0) (i32.const 0) (i32.const 9))',
      {
        fields: `(table $t 2 10 funcref) (elem (i32.const 0) $pair) (type $both (func (result i32 f64)))
        (func $pair (result i32 f64) (i32.const 1) (f64.const 2))
        (func (drop (table.grow $t (ref.null func) (i32.const 1))))`,
      },
    );
    expect(rejection(bytes)).toBe('accepted');
    expect(rejection(fixture('selfTest'))).toBe('accepted');
  });

  test.each([
    [
      'an import of something else',
      '(import "env" "now" (func))',
      'import "env.now" is not offered; docs/jobs.md lists what is',
    ],
    [
      'an import that WASI has and this ABI has not',
      '(import "wasi_snapshot_preview1" "poll_oneoff" (func (param i32 i32 i32 i32) (result i32)))',
      'import "wasi_snapshot_preview1.poll_oneoff" is not offered; docs/jobs.md lists what is',
    ],
    [
      'an import named like a property of every object',
      '(import "wasi_snapshot_preview1" "constructor" (func))',
      'import "wasi_snapshot_preview1.constructor" is not offered; docs/jobs.md lists what is',
    ],
    [
      'an import of the wrong type',
      '(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))',
      'import wasi_snapshot_preview1.proc_exit has type l:, it must be i:',
    ],
    [
      'an imported global',
      '(import "wasi_snapshot_preview1" "fd_read" (global i32))',
      'import wasi_snapshot_preview1.fd_read is not a function; only functions can be imported',
    ],
  ])('refuses %s', (_what, fields, message) => {
    expect(rejection(wat(`(module ${fields} (memory (export "memory") 1) (func (export "_start")))`))).toBe(message);
  });

  test.each([
    ['a start section', '(func $s) (start $s)', 'a start section is not allowed; export _start instead'],
    [
      'an export that begins with __dpu',
      '(global (export "__dpu_fuel") (mut i64) (i64.const 0))',
      'export "__dpu_fuel": names beginning with __dpu are reserved',
    ],
    [
      'relaxed SIMD',
      '(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))',
      'instruction 0xfd0105 is not allowed',
    ],
    ['a tail call', '(func $f (return_call $f))', 'instruction 0x12 is not allowed'],
    ['an exception tag', '(tag (param i32))', 'section 13 is not allowed'],
    ['an atomic instruction', '(func (drop (i32.atomic.load (i32.const 0))))', 'instruction 0xfe is not allowed'],
    ['a table over the limit', '(table 1000001 funcref)', 'a table of 1000001 entries, at most 1000000 are allowed'],
    [
      'too many locals',
      `(func ${'(local f64)'.repeat(LIMITS.locals + 1)})`,
      `a function with more than ${LIMITS.locals} locals`,
    ],
  ])('refuses %s', (_what, fields, message) => {
    expect(rejection(module(fields))).toBe(message);
  });

  test.each([
    ['shared memory', '(memory (export "memory") 1 2 shared)', 'shared memory is not allowed'],
    ['a 64-bit memory', '(memory (export "memory") i64 1)', 'a 64-bit memory is not allowed'],
    ['two memories', '(memory (export "memory") 1) (memory 1)', 'only one memory is allowed'],
    ['no memory', '', 'the module must have a memory and export it as "memory"'],
    ['a memory that is not exported', '(memory 1)', 'the module must have a memory and export it as "memory"'],
  ])('refuses %s', (_what, memory, message) => {
    expect(rejection(wat(`(module ${memory} (func (export "_start")))`))).toBe(message);
  });

  test.each([
    ['no _start', ''],
    ['a _start with a parameter', '(func (export "_start") (param i32))'],
    ['a _start that is no function', '(global (export "_start") i32 (i32.const 0))'],
  ])('refuses %s', (_what, start) => {
    expect(rejection(wat(`(module (memory (export "memory") 1) ${start})`))).toBe(
      'the module must export a function "_start" without parameters and results',
    );
  });
});

describe('what a file may be', () => {
  const good = fixture('selfTest');

  test('refuses what is not WebAssembly', () => {
    expect(rejection(new Uint8Array(0))).toBe('not a WebAssembly module of version 1');
    expect(rejection(new TextEncoder().encode('#!/bin/sh\necho hello'))).toBe('not a WebAssembly module of version 1');
    expect(rejection(Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]))).toBe('not a WebAssembly module of version 1');
  });

  test('refuses a module cut off anywhere but before its last section, where it is whole again', () => {
    const lengths = Array.from({ length: good.length }, (_, length) => length);
    const dataSection = '\x0b\x0a\x01\x00\x41\x10\x0b\x04name';
    expect(lengths.filter((length) => rejection(good.subarray(0, length)) === 'accepted')).toEqual([
      good.length - dataSection.length,
    ]);
  });

  test('refuses a module over the size limit before it looks inside', () => {
    expect(rejection(new Uint8Array(LIMITS.moduleBytes + 1))).toBe(
      `a module of ${LIMITS.moduleBytes + 1} bytes, at most ${LIMITS.moduleBytes} are allowed`,
    );
  });

  test('a count of four billion locals costs nothing', () => {
    // One function with the body: one group of 2^32 - 1 locals of type i32.
    const code = [0x0a, 0x0a, 0x01, 0x08, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x0b];
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, ...code]);
    expect(rejection(bytes)).toBe(`a function with more than ${LIMITS.locals} locals`);
  });

  test('a count larger than the file costs nothing', () => {
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 2, 0x90, 0x4e]);
    expect(rejection(bytes)).toBe('10000 types do not fit into the module');
  });

  test('10,000 mutations of a good module end in acceptance or a typed refusal', () => {
    const mutation = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    let accepted = 0;
    fc.assert(
      fc.property(mutation, (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const parsed = parse(bytes);
          validate(parsed);
          if (!WebAssembly.validate(bytes)) return;
          accepted++;
          // What V8 and we both accept must still be valid after it was written anew.
          expect(WebAssembly.validate(instrument(parsed, { maxPages: 4, fuel: 1_000n }))).toBe(true);
        } catch (error) {
          if (!(error instanceof ModuleRejected)) throw error;
        }
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('a function body that is not valid is refused by the writer and never crashes it', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(bytes, (body) => {
        const content = [0x00, ...body, 0x0b];
        const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1];
        const module = Uint8Array.from([...head, 0x0a, content.length + 2, 1, content.length, ...content]);
        try {
          instrument(parse(module), { maxPages: 4, fuel: 1n });
        } catch (error) {
          if (!(error instanceof ModuleRejected)) throw error;
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
