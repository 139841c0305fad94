import { describe, expect, test } from 'vitest';
import { runWasm, verdict } from './runWasm.ts';
import { command, wat } from './wat.ts';

const units = (module: Uint8Array<ArrayBuffer>): number => {
  const { outcome } = runWasm(module);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.units;
};

describe('how a run ends', () => {
  const hello = command('(call $say (i32.const 1) (i32.const 64) (i32.const 6))', {
    fields: '(data (i32.const 64) "hello\\n")',
  });

  test('returning is success, and the output is what was written to stdout', () => {
    const ran = runWasm(hello);
    expect(verdict(ran)).toBe('ok');
    expect(ran.output.toString()).toBe('hello\n');
  });

  test('exit code 0 is success and keeps what was written before', () => {
    const ran = runWasm(
      command(
        '(call $say (i32.const 1) (i32.const 64) (i32.const 1)) (call $proc_exit (i32.const 0)) (call $say (i32.const 1) (i32.const 64) (i32.const 1))',
        { fields: '(data (i32.const 64) "x")' },
      ),
    );
    expect(verdict(ran)).toBe('ok');
    expect(ran.output.toString()).toBe('x');
  });

  test.each([
    ['exit code 3', '(call $proc_exit (i32.const 3))', 'exit-code (job): the module ended with exit code 3'],
    ['exit code -1', '(call $proc_exit (i32.const -1))', 'exit-code (job): the module ended with exit code 4294967295'],
    ['unreachable', 'unreachable', 'trap (job): the module trapped: unreachable'],
    [
      'division by zero',
      '(drop (i32.div_u (i32.const 1) (i32.const 0)))',
      'trap (job): the module trapped: divide by zero',
    ],
    [
      'reading outside memory',
      '(drop (i32.load (i32.const 65536)))',
      'trap (job): the module trapped: memory access out of bounds',
    ],
    [
      'an endless loop',
      '(loop $l (br $l))',
      'out-of-units (job): the shard needs more than the 1000 units its spec allows',
    ],
  ])('%s', (_what, start, expected) => {
    expect(verdict(runWasm(command(start)))).toBe(expected);
  });

  test('a data segment outside the memory is a trap', () => {
    const ran = runWasm(command('', { fields: '(data (i32.const 65530) "0123456789")' }));
    expect(verdict(ran)).toMatch(/^trap \(job\): the module trapped: /);
  });

  test('a module that V8 finds invalid is rejected', () => {
    const bytes = command('(drop (i32.const 1))');
    // i32.const 1, drop, end becomes nop, drop: nothing to drop.
    const at = Buffer.from(bytes).lastIndexOf(Buffer.from([0x41, 0x01, 0x1a, 0x0b]));
    bytes.set([0x01, 0x01], at);
    expect(verdict(runWasm(bytes))).toBe('module-rejected (job): the module is not valid WebAssembly');
  });

  test('output is allowed up to the limit and not a byte more', () => {
    expect(runWasm(hello, { outputBytes: 6 }).output.toString()).toBe('hello\n');
    expect(verdict(runWasm(hello, { outputBytes: 5 }))).toBe(
      'output-limit (job): the shard wrote more than the 5 bytes its spec allows',
    );
  });

  test('the log ends silently at 64 KiB', () => {
    const flood = command(
      '(local $i i32) (loop $l (call $say (i32.const 2) (i32.const 64) (i32.const 1000)) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 100))))',
    );
    const ran = runWasm(flood);
    expect(verdict(ran)).toBe('ok');
    expect(ran.log.length).toBe(64 * 1024);
    expect(ran.output.length).toBe(0);
  });
});

describe('bombs', () => {
  const grow = (pages: number): string => `(memory.grow (i32.const ${pages}))`;

  test('memory above the limit at the start is refused', () => {
    expect(verdict(runWasm(command('', { memory: '257' })))).toBe(
      'out-of-memory (job): the module starts with 257 pages of memory, its spec allows 256',
    );
    expect(verdict(runWasm(command('', { memory: '256' })))).toBe('ok');
  });

  test('growing stops at the limit with -1, whatever maximum the module declares', () => {
    const probe = (memory: string): string =>
      verdict(
        runWasm(
          command(
            `(if (i32.ne ${grow(255)} (i32.const 1)) (then unreachable))
             (if (i32.ne ${grow(1)} (i32.const -1)) (then unreachable))
             (if (i32.ne ${grow(-1)} (i32.const -1)) (then unreachable))
             (if (i32.ne (memory.size) (i32.const 256)) (then (call $proc_exit (i32.const 9))))`,
            { memory },
          ),
        ),
      );
    expect(probe('1')).toBe('ok');
    expect(probe('1 65536')).toBe('ok');
    expect(probe('1 256')).toBe('ok');
  });

  test('a lower maximum of the module itself holds', () => {
    const start = `(if (i32.ne ${grow(2)} (i32.const -1)) (then unreachable)) (if (i32.ne ${grow(1)} (i32.const 1)) (then unreachable))`;
    expect(verdict(runWasm(command(start, { memory: '1 2' })))).toBe('ok');
  });

  test('a trap after refused memory says so', () => {
    const start = `(loop $l (br_if $l (i32.ne ${grow(16)} (i32.const -1)))) unreachable`;
    expect(verdict(runWasm(command(start)))).toBe(
      'out-of-memory (job): the module trapped after it was refused memory over its limit: unreachable',
    );
  });

  test('a table grows to its cap with -1 after it', () => {
    const start = `
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 999999)) (i32.const 1)) (then unreachable))
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))`;
    expect(verdict(runWasm(command(start, { fields: '(table $t 1 funcref)' })))).toBe('ok');
  });

  test('clearing memory over and over runs out of units by the bytes, not by the calls', () => {
    const turn = (bytes: number): string =>
      `(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const ${bytes})) (br $l))`;
    const fills = (bytes: number): number => units(command(turn(bytes).replace('(br $l)', '')));
    expect(verdict(runWasm(command(turn(65536)), { units: 10n }))).toBe(
      'out-of-units (job): the shard needs more than the 10 units its spec allows',
    );
    expect(fills(16)).toBe(1);
    const big = command('(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))', { memory: '256' });
    // 16 MiB at eight bytes an operation.
    expect(units(big)).toBe(3);
  });

  test.each([
    ['memory.copy', '(memory.copy (i32.const 0) (i32.const 0) (i32.const 16777216))', ''],
    ['memory.grow', '(drop (memory.grow (i32.const 255)))', ''],
    ['table.fill', '(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))', ''],
    ['table.copy', '(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 1000000))', ''],
    ['random_get', '(drop (call $random_get (i32.const 0) (i32.const 65536)))', ''],
  ])('%s is charged by size', (name, start) => {
    const memory = name === 'memory.grow' ? '1' : '256';
    expect(units(command(start, { memory, fields: '(table $t 1000000 funcref)' }))).toBeGreaterThanOrEqual(2);
  });

  test('a memory.fill that does not fit traps and does not run out of units', () => {
    expect(
      verdict(runWasm(command('(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))'), { units: 1000n })),
    ).toBe('trap (job): the module trapped: memory access out of bounds');
  });

  test('a recursion that V8 ends before our counter does is the fault of this machine', () => {
    // This process has Node's usual stack; a child has one that the counter cannot reach the end of.
    expect(verdict(runWasm(command('(call $r)', { fields: '(func $r (call $r))' })))).toBe(
      'sandbox (machine): the runtime failed: Maximum call stack size exceeded',
    );
  });

  test('returning from anywhere gives the stack back', () => {
    const fields = `
      (func $a (param i32) (result i32)
        (block $out (result i32)
          (drop (br_if $out (i32.const 1) (i32.eq (local.get 0) (i32.const 0))))
          (if (i32.eq (local.get 0) (i32.const 1)) (then (return (i32.const 2))))
          (if (i32.eq (local.get 0) (i32.const 2)) (then (br 1 (i32.const 3))))
          (loop (if (i32.eq (local.get 0) (i32.const 3)) (then (return (call $b)))))
          (i32.const 5)))
      (func $b (result i32) (call $nothing) (i32.const 4))
      (func $nothing)
      (func $two (result i32 i64) (call $nothing) (if (i32.const 1) (then (return (i32.const 6) (i64.const 7)))) (i32.const 0) (i64.const 0))`;
    const turn = [0, 1, 2, 3, 4]
      .map((n) => `(if (i32.ne (call $a (i32.const ${n})) (i32.const ${n + 1})) (then unreachable))`)
      .join('');
    const start = `(local $i i32) (loop $l ${turn} (drop (drop (call $two)))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 200000))))`;
    const module = command(start.replace('(drop (drop (call $two)))', '(call $two) drop drop'), { fields });
    expect(verdict(runWasm(module))).toBe('ok');
  });
});

describe('what the module can tell', () => {
  const bits = (expression: string): string =>
    runWasm(command(`(i64.store (i32.const 64) ${expression}) (call $say (i32.const 1) (i32.const 64) (i32.const 8))`))
      .output.reverse()
      .toString('hex');

  test.each([
    [
      'a stored f64',
      '(block (result i64) (f64.store (i32.const 72) (f64.const -nan:0x123)) (i64.load (i32.const 72)))',
      '7ff8000000000000',
    ],
    [
      'a stored f32',
      '(block (result i64) (f32.store (i32.const 72) (f32.const -nan:0x123)) (i64.load (i32.const 72)))',
      '000000007fc00000',
    ],
    ['a reinterpreted f64', '(i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))', '7ff8000000000000'],
    ['a reinterpreted f32', '(i64.extend_i32_u (i32.reinterpret_f32 (f32.const nan:0x200001)))', '000000007fc00000'],
    [
      'the sign taken from a NaN',
      '(i64.reinterpret_f64 (f64.copysign (f64.const 1) (f64.const -nan)))',
      '3ff0000000000000',
    ],
    [
      'a lane computed from NaN',
      '(i64x2.extract_lane 0 (f64x2.add (f64x2.splat (f64.const -nan:0x5)) (f64x2.splat (f64.const 1))))',
      '7ff8000000000000',
    ],
    ['a lane splat', '(i64x2.extract_lane 0 (f64x2.splat (f64.const -nan:0x5)))', '7ff8000000000000'],
    [
      'a replaced lane',
      '(i64x2.extract_lane 1 (f64x2.replace_lane 1 (v128.const i64x2 0 0) (f64.const -nan:0x5)))',
      '7ff8000000000000',
    ],
    [
      'a chain that ends in sqrt',
      '(i64x2.extract_lane 0 (f32x4.sqrt (f32x4.mul (f32x4.splat (f32.const -1)) (f32x4.splat (f32.const 4)))))',
      '7fc000007fc00000',
    ],
    [
      'a promoted lane',
      '(i64x2.extract_lane 0 (f64x2.promote_low_f32x4 (v128.const i32x4 0xffc12345 0 0 0)))',
      '7ff8000000000000',
    ],
    [
      'a demoted lane',
      '(i64x2.extract_lane 0 (f32x4.demote_f64x2_zero (v128.const i64x2 0xfff8123456789abc 0)))',
      '000000007fc00000',
    ],
    ['numbers that are not NaN', '(i64.reinterpret_f64 (f64.const -0))', '8000000000000000'],
    ['infinity', '(i64.reinterpret_f64 (f64.neg (f64.const inf)))', 'fff0000000000000'],
    [
      'integers that look like NaN',
      '(i64x2.extract_lane 0 (i64x2.add (v128.const i64x2 0xfff8123456789abc 0) (v128.const i64x2 1 0)))',
      'fff8123456789abd',
    ],
  ])('the bits of %s', (_what, expression, expected) => {
    expect(bits(expression)).toBe(expected);
  });

  test('a vector multiplied and then used as integers is made canonical in between', () => {
    const start = `(local $v v128)
      (local.set $v (f32x4.mul (f32x4.splat (f32.const inf)) (f32x4.splat (f32.const 0))))
      (v128.store (i32.const 64) (v128.xor (local.get $v) (f32x4.add (local.get $v) (local.get $v))))
      (call $say (i32.const 1) (i32.const 64) (i32.const 16))`;
    expect(runWasm(command(start)).output.toString('hex')).toBe('00'.repeat(16));
  });

  test('units are counted the same every time, and rounded up to at least one', () => {
    const work = command(
      '(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 1000000))))',
    );
    // A turn: its head, get, const, add, set, get, const, lt_u, br_if.
    expect(units(work)).toBe(10);
    expect(units(work)).toBe(10);
    expect(units(command(''))).toBe(1);
  });

  test('the limit of units is the last unit that is allowed', () => {
    const turns = (count: number): Uint8Array<ArrayBuffer> =>
      wat(`(module (memory (export "memory") 1) (func (export "_start") (local $i i32) (loop $l
        (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const ${count}))))))`);
    // 9 operations a turn and 1 for entering the function: 999,999 · 9 + 1 < 9,000,000 < 1,000,000 · 9 + 1.
    expect(verdict(runWasm(turns(999_999), { units: 9n }))).toBe('ok');
    expect(verdict(runWasm(turns(1_000_000), { units: 9n }))).toBe(
      'out-of-units (job): the shard needs more than the 9 units its spec allows',
    );
  });

  test('a limit of units that is not one is refused', () => {
    expect(verdict(runWasm(command(''), { units: 0n }))).toMatch(/^module-rejected \(job\)/);
    expect(verdict(runWasm(command(''), { units: 1n << 43n }))).toMatch(/^module-rejected \(job\)/);
  });
});
