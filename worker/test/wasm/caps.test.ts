import { describe, expect, test } from 'vitest';

import { LIMITS } from '../../src/runtimes/wasm/child/limits.ts';
import { instrument } from '../../src/runtimes/wasm/child/instrument.ts';
import { parse } from '../../src/runtimes/wasm/child/parse.ts';
import { ModuleRejected } from '../../src/runtimes/wasm/child/rejection.ts';
import { validate } from '../../src/runtimes/wasm/child/validate.ts';
import { runWasm } from './runWasm.ts';
import { command } from './wat.ts';

/** What becomes of a module: the reason for its refusal, or `accepted`. */
function verdict(bytes: Uint8Array): string {
  try {
    validate(parse(bytes));
    instrument(parse(bytes), { maxPages: 16, fuel: 1n });
  } catch (error) {
    if (error instanceof ModuleRejected) return error.message.replace(/ \(at byte \d+\)$/, '');
    throw error;
  }
  return 'accepted';
}

/** A command as bytes, because the compiler of the other tests gives up on modules at the caps. */
interface Raw {
  /** Encoded types; the first one must be that of _start. */
  types?: number[][];
  /** Bodies of functions without parameters, _start's first: declarations of locals, and instructions with the last end. */
  bodies?: number[][];
  tables?: number[][];
  globals?: number;
  exports?: number;
}
const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...leb(Math.floor(value / 128))];
const list = (items: readonly number[][]): number[] => [...leb(items.length), ...items.flat()];
const section = (id: number, content: number[]): number[] => [id, ...leb(content.length), ...content];
const text = (name: string): number[] => [...leb(name.length), ...Buffer.from(name)];
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const EMPTY = [0, 0x0b];
const I32 = 0x7f;

function raw({ types = [[0x60, 0, 0]], bodies = [EMPTY], tables = [], globals = 0, exports = 2 }: Raw): Uint8Array {
  const more = Array.from({ length: exports - 2 }, (_, index) => [...text(`e${index}`), 0, 0]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(3, list(many(bodies.length, [0]))),
    ...(tables.length > 0 ? section(4, list(tables)) : []),
    ...section(5, [1, 0, 1]),
    ...(globals > 0 ? section(6, list(many(globals, [I32, 0, 0x41, 0, 0x0b]))) : []),
    ...section(7, list([[...text('memory'), 2, 0], [...text('_start'), 0, 0], ...more])),
    ...section(10, list(bodies.map((body) => [...leb(body.length), ...body]))),
  ]);
}
const table = (entries: number): number[] => [0x70, 0, ...leb(entries)];
const start = [0x60, 0, 0];

/** Each cap of a module's shape: a module that has exactly `count` of it, and what is said of one more. */
const CAPS: readonly [cap: keyof typeof LIMITS, module: (count: number) => Raw, refusal: string][] = [
  [
    'params',
    (count) => ({ types: [start, [0x60, ...list(many(count, [I32])), 0]] }),
    '256 parameters, at most 255 are allowed',
  ],
  [
    'results',
    (count) => ({ types: [start, [0x60, 0, ...list(many(count, [I32]))]] }),
    '65 results, at most 64 are allowed',
  ],
  ['types', (count) => ({ types: many(count, start) }), '10001 types, at most 10000 are allowed'],
  ['locals', (count) => ({ bodies: [EMPTY, [1, ...leb(count), I32, 0x0b]] }), 'a function with more than 4096 locals'],
  [
    'nesting',
    // The function itself is one.
    (count) => ({ bodies: [[0, ...many(count - 1, [0x02, 0x40]).flat(), ...many(count, 0x0b)]] }),
    'blocks are nested deeper than 1024',
  ],
  [
    'brTable',
    (count) => ({ bodies: [[0, 0x02, 0x40, 0x41, 0, 0x0e, ...list(many(count, [0])), 0, 0x0b, 0x0b]] }),
    '16385 branch targets, at most 16384 are allowed',
  ],
  ['tables', (count) => ({ tables: many(count, table(1)) }), '9 tables, at most 8 are allowed'],
  ['tableEntries', (count) => ({ tables: [table(count)] }), 'a table of 1000001 entries, at most 1000000 are allowed'],
  ['globals', (count) => ({ globals: count }), '10001 globals, at most 10000 are allowed'],
  ['exports', (count) => ({ exports: count }), '10001 exports, at most 10000 are allowed'],
  ['functions', (count) => ({ bodies: many(count, EMPTY) }), '50001 functions, at most 50000 are allowed'],
  [
    'functionBytes',
    (count) => ({ bodies: [EMPTY, [0, ...many(count - 2, 0x01), 0x0b]] }),
    'a function of 524289 bytes, at most 524288 are allowed',
  ],
];

describe('every cap of a module’s shape holds on both sides', () => {
  test.each(CAPS)('%s', (cap, module, refusal) => {
    expect(verdict(raw(module(LIMITS[cap])))).toBe('accepted');
    expect(verdict(raw(module(LIMITS[cap] + 1)))).toBe(refusal);
  });
});

const times = (count: number, words: string): string => words.repeat(count);

describe('bulk memory is charged by size', () => {
  const units = (body: string, fields = ''): number => {
    const { outcome } = runWasm(command(body, { memory: '256', fields }));
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.units;
  };
  const megabyte = (words: string): string => `(data $d "${words.repeat(1_048_576 / words.length)}")`;

  test.each([
    // Bytes cost an eighth of an operation each.
    ['memory.fill', '(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))', 3],
    ['memory.copy', '(memory.copy (i32.const 0) (i32.const 0) (i32.const 16777216))', 3],
    ['memory.init', times(16, '(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1048576))'), 3],
  ])('%s of 16 MiB', (name, body, expected) => {
    expect(units(body, name === 'memory.init' ? megabyte('0123456789abcdef') : '')).toBe(expected);
  });

  test('table.init of a million entries costs as many operations', () => {
    const fields = `(table $t 1000000 funcref) (func $f) (elem $e func ${times(1_000, ' $f')})`;
    const body = times(1_100, '(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1000))');
    expect(units(body, fields)).toBeGreaterThanOrEqual(2);
  });
});
