import { describe, expect, test } from 'vitest';
import { analyse } from '../../src/runtimes/wasm/child/analyse.ts';
import { planStack } from '../../src/runtimes/wasm/child/callGraph.ts';
import { instrument } from '../../src/runtimes/wasm/child/instrument.ts';
import { DEPTH_EXPORT, FUEL_EXPORT, STACK_SLOTS } from '../../src/runtimes/wasm/child/limits.ts';
import { parse } from '../../src/runtimes/wasm/child/parse.ts';
import { runWasm, verdict } from './runWasm.ts';
import { command, wat } from './wat.ts';

const FUEL = 1_000_000n;
const module = (fields: string): Uint8Array<ArrayBuffer> => wat(`(module (memory (export "memory") 1) ${fields})`);

/** How each function keeps the meter, and the operations charged by one run of `_start`. */
function metered(fields: string): { metering: string[]; charged: bigint } {
  const parsed = parse(module(fields));
  const compiled = new WebAssembly.Module(instrument(parsed, { maxPages: 1, fuel: FUEL }));
  const { exports } = new WebAssembly.Instance(compiled, {});
  (exports['_start'] as () => void)();
  expect((exports[DEPTH_EXPORT] as WebAssembly.Global<'i32'>).value).toBe(STACK_SLOTS);
  return {
    metering: parsed.bodies.map((body) => analyse(parsed, body).metering),
    charged: FUEL - (exports[FUEL_EXPORT] as WebAssembly.Global<'i64'>).value,
  };
}

describe('where the meter is kept changes no charge', () => {
  // The function: 1 to enter. A turn of the loop: 1, two reads, a constant, a sum, a write, a comparison with a constant, a branch.
  const loop =
    '(loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (i32.const 3))))';

  test('a loop without calls: in a local', () => {
    expect(metered(`(func (export "_start") (local $n i32) ${loop})`)).toEqual({
      metering: ['local'],
      charged: 1n + 3n * 9n,
    });
  });

  test('a loop that calls more than it turns: in the global', () => {
    const two = loop.replace('(loop $l', '(loop $l (call $f) (call $f)');
    expect(metered(`(func $f) (func (export "_start") (local $n i32) ${two})`)).toEqual({
      metering: ['unchecked', 'global'],
      charged: 1n + 3n * (9n + 2n * 4n + 2n * 1n),
    });
  });

  test('a call around loops hands the local over', () => {
    const fields = `(func $f) (func (export "_start") (local $n i32) (call $f) ${loop} (call $f) (memory.fill (i32.const 0) (i32.const 0) (i32.const 80)))`;
    // A call 4, what it enters 1; filling 16 and an operation for eight bytes, three constants.
    expect(metered(fields)).toEqual({
      metering: ['unchecked', 'local'],
      charged: 1n + 2n * 5n + 3n * 9n + 16n + 10n + 3n,
    });
  });

  test.each([
    ['returning from the middle', '(if (i32.const 1) (then (return)))', 3n],
    ['branching out of the function', '(br_if 0 (i32.const 1))', 2n],
  ])('%s hands the local over', (_what, leave, cost) => {
    // The loop behind is not reached; before it the function was charged for all outside of it.
    expect(metered(`(func (export "_start") (local $n i32) ${leave} ${loop})`)).toEqual({
      metering: ['local'],
      charged: 1n + cost,
    });
  });

  test('results pass the hand-over', () => {
    const fields = `(func $two (result i32 i64) (local $n i32) ${loop} (local.get $n) (i64.const 5))
      (func (export "_start") (call $two) (if (i64.ne (i64.const 5)) (then unreachable)) (if (i32.ne (i32.const 3)) (then unreachable)))`;
    expect(metered(fields).metering).toEqual(['local', 'global']);
  });

  test('a loop in a local ends with the units', () => {
    const ran = runWasm(
      command('(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l))'),
    );
    expect(verdict(ran)).toBe('out-of-units (job): the shard needs more than the 1000 units its spec allows');
  });

  test('what a short function charges last is noticed at the end', () => {
    // Filling costs 124,950 each of eight times, entering 1 and calling 4; the short function's 401 go over the million.
    const fields = `(func $short ${'(drop (i32.const 1))'.repeat(200)})`;
    const fill = '(memory.fill (i32.const 0) (i32.const 0) (i32.const 999448))';
    const start = `${fill.repeat(8)} (call $short)`;
    const limited = (units: bigint): string => verdict(runWasm(command(start, { fields, memory: '16' }), { units }));
    expect(limited(1n)).toBe('out-of-units (job): the shard needs more than the 1 units its spec allows');
    expect(limited(2n)).toBe('ok');
  });
});

describe('who counts the stack', () => {
  const planned = (fields: string): string[] => {
    const parsed = parse(module(fields));
    return planStack(
      parsed,
      parsed.bodies.map((body) => analyse(parsed, body)),
    ).map(({ needed, taken }) => `${needed} ${taken}`);
  };
  const START = '(func (export "_start") (call $a))';

  test('the first function counts for a chain that cannot come back to itself', () => {
    // 16 for each call; the last calls nothing, as the first one's operands are none.
    expect(planned(`(func $a (call $b)) (func $b (call $c)) (func $c) ${START}`)).toEqual([
      '0 0',
      '0 0',
      '0 0',
      '48 16',
    ]);
  });

  test('a function that calls itself counts, and those that call each other', () => {
    expect(planned(`(func $a (call $a)) ${START}`)).toEqual(['16 16', '16 16']);
    expect(planned(`(func $a (call $b)) (func $b (call $c)) (func $c (call $a)) ${START}`)).toEqual([
      '16 16',
      '16 16',
      '16 16',
      '16 16',
    ]);
  });

  test('what lies between two that count is taken by the upper one, what does not only needs room', () => {
    const fields = `(func $a (call $on) (call $off)) (func $on (local i64 i64) (call $r)) (func $r (call $r)) (func $off (local i64 i64 i64) (call $leaf)) (func $leaf) ${START}`;
    expect(planned(fields)).toEqual(['0 0', '0 0', '16 16', '0 0', '0 0', '51 50']);
  });

  test('a function in a table counts, and one that calls through a table stays on the stack', () => {
    const fields = `(table 1 funcref) (elem (i32.const 0) $r) (type $t (func))
      (func $r (call $a)) (func $a (call_indirect (type $t) (i32.const 0))) ${START}`;
    expect(planned(fields)).toEqual(['33 33', '0 0', '33 33']);
  });

  test('a function that a variable holds counts', () => {
    expect(planned(`(global funcref (ref.func $a)) (func $a (call $b)) (func $b) ${START}`)).toEqual([
      '16 16',
      '0 0',
      '16 16',
    ]);
  });

  test('a chain of all the functions that fit is planned without recursion', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `(func $f${i} (call $f${i + 1}))`).join('');
    const shares = planned(`${chain} (func $f20000 (call $f0)) (func (export "_start") (call $f0))`);
    expect(new Set(shares)).toEqual(new Set(['16 16']));
  });
});
