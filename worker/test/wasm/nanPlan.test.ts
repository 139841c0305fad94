import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instrument } from '../../src/runtimes/wasm/child/instrument.ts';
import { planNans } from '../../src/runtimes/wasm/child/nanPlan.ts';
import { parse } from '../../src/runtimes/wasm/child/parse.ts';
import { wat } from './wat.ts';

/**
 * Programs that mix floats, bits and branches over four vectors. Written twice: as they are, for our instrumenter; and
 * with every float made canonical on the spot by the program itself, run as it is. Both must leave the same memory.
 */
type Vector = (eager: boolean) => string;
type FloatLanes = 'f32x4' | 'f64x2';
type Statement = (eager: boolean) => string;

const LOCALS = ['a', 'b', 'c', 'd'];
const VECTORS = [
  '(v128.const i32x4 0x7fc00001 0xffc00002 0x7f800003 0x3f800000)',
  '(v128.const f32x4 inf -inf 0 1)',
  '(v128.const f64x2 nan:0x5 -inf)',
  '(v128.const i64x2 0xfff8123456789abc 1)',
  '(v128.const i64x2 0 0x7ff0000000000005)',
  '(v128.const i32x4 0 0 0 0)',
  '(v128.load (i32.const 1024))',
];
const per = (lanes: 'f32x4' | 'f64x2', names: string): string[] => names.split(' ').map((name) => `${lanes}.${name}`);
const FLOAT2 = [...per('f32x4', 'add sub mul div min max'), ...per('f64x2', 'add sub mul div min max')];
const FLOAT1 = [...per('f32x4', 'sqrt ceil trunc demote_f64x2_zero'), ...per('f64x2', 'sqrt floor promote_low_f32x4')];
const PLAIN2 = [
  ...per('f32x4', 'pmin pmax eq lt'),
  ...per('f64x2', 'pmin pmax ne'),
  'i32x4.add',
  'v128.xor',
  'v128.and',
  'i8x16.swizzle',
];
const PLAIN1 = [
  ...per('f32x4', 'abs neg'),
  ...per('f64x2', 'abs neg'),
  'i32x4.trunc_sat_f32x4_s',
  'f32x4.convert_i32x4_s',
  'v128.not',
];
/** Lanes of 64 bits, of 32 bits, and bytes out of their places. */
const SHUFFLES = [
  '8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15',
  '16 17 18 19 20 21 22 23 0 1 2 3 4 5 6 7',
  '4 5 6 7 0 1 2 3 28 29 30 31 12 13 14 15',
  '0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23',
  '1 2 3 0 4 5 6 7 8 9 10 11 12 13 14 15',
  '0 1 2 3 4 5 6 7 8 9 10 11 12 13 30 31',
  '4 5 6 7 8 9 10 11 20 21 22 23 24 25 26 27',
  '2 3 4 5 6 7 8 9 0 1 2 3 28 29 30 31',
];
const SCALARS = { f32x4: ['inf', '0', '1', 'nan:0x5'], f64x2: ['-inf', '0', '1', 'nan:0x5'] };
const LANES = { f32x4: 4, f64x2: 2 };
const width = (op: string): string => (op.startsWith('f32x4') ? '32' : '64');
const made = (op: string, eager: boolean, code: string): string => (eager ? `(call $v${width(op)} ${code})` : code);
const scalar = (lanes: string, eager: boolean, code: string): string =>
  eager ? `(call $s${lanes === 'f32x4' ? '32' : '64'} ${code})` : code;

const { vector } = fc.letrec<{ vector: Vector; number: (of: FloatLanes) => Vector }>((tie) => {
  const inner = tie('vector');
  const number = tie('number');
  const lanes = fc.constantFrom<FloatLanes[]>('f32x4', 'f64x2');
  const local = fc.constantFrom(...LOCALS);
  return {
    number: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.nat(3).map(
        (i) =>
          (of: FloatLanes): Vector =>
          () =>
            `(${of.slice(0, 3)}.const ${SCALARS[of][i]!})`,
      ),
      fc.tuple(fc.nat(3), inner).map(
        ([lane, a]) =>
          (of: FloatLanes): Vector =>
          (e) =>
            `(${of}.extract_lane ${lane % LANES[of]} ${a(e)})`,
      ),
    ),
    vector: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      local.map(
        (name): Vector =>
          () =>
            `(local.get $${name})`,
      ),
      fc.constantFrom(...VECTORS).map(
        (code): Vector =>
          () =>
            code,
      ),
      fc.tuple(fc.constantFrom(...FLOAT2), inner, inner).map(
        ([op, a, b]): Vector =>
          (e) =>
            made(op, e, `(${op} ${a(e)} ${b(e)})`),
      ),
      fc.tuple(fc.constantFrom(...FLOAT1), inner).map(
        ([op, a]): Vector =>
          (e) =>
            made(op, e, `(${op} ${a(e)})`),
      ),
      fc.tuple(fc.constantFrom(...PLAIN2), inner, inner).map(
        ([op, a, b]): Vector =>
          (e) =>
            `(${op} ${a(e)} ${b(e)})`,
      ),
      fc.tuple(fc.constantFrom(...PLAIN1), inner).map(
        ([op, a]): Vector =>
          (e) =>
            `(${op} ${a(e)})`,
      ),
      fc.tuple(local, inner).map(
        ([name, a]): Vector =>
          (e) =>
            `(local.tee $${name} ${a(e)})`,
      ),
      fc.tuple(inner, inner).map(
        ([a, b]): Vector =>
          (e) =>
            `(select ${a(e)} ${b(e)} (local.get $n))`,
      ),
      fc.tuple(inner, inner).map(
        ([a, b]): Vector =>
          (e) =>
            `(if (result v128) (local.get $n) (then ${a(e)}) (else ${b(e)}))`,
      ),
      fc.tuple(fc.constantFrom(...SHUFFLES), inner, inner).map(
        ([lanes, a, b]): Vector =>
          (e) =>
            `(i8x16.shuffle ${lanes} ${a(e)} ${b(e)})`,
      ),
      fc.tuple(inner).map(
        ([a]): Vector =>
          (e) =>
            `(call $same ${a(e)})`,
      ),
      fc.tuple(lanes, number).map(
        ([of, a]): Vector =>
          (e) =>
            `(${of}.splat ${scalar(of, e, a(of)(e))})`,
      ),
      fc.tuple(lanes, fc.nat(3), inner, number).map(
        ([of, lane, a, b]): Vector =>
          (e) =>
            `(${of}.replace_lane ${lane % LANES[of]} ${a(e)} ${scalar(of, e, b(of)(e))})`,
      ),
    ),
  };
});

const set = fc.tuple(fc.constantFrom(...LOCALS), vector).map(
  ([name, a]): Statement =>
    (e) =>
      `(local.set $${name} ${a(e)})`,
);
const store = vector.map(
  (a): Statement =>
    (e) =>
      `(call $keep ${a(e)})`,
);
const storeLane = fc.tuple(fc.constantFrom('f32', 'f64'), vector).map(([of, a]): Statement => (e) => {
  const lanes = of === 'f32' ? 'f32x4' : 'f64x2';
  return `(${of}.store (i32.const 512) ${scalar(lanes, e, `(${lanes}.extract_lane 0 ${a(e)})`)})`;
});
const simple = fc.oneof(set, set, set, store, storeLane);
const block = fc.array(simple, { minLength: 1, maxLength: 5 });
const join = (statements: readonly Statement[], eager: boolean): string => statements.map((s) => s(eager)).join('\n');
const program = fc.tuple(block, block, block, block).map(
  ([before, loop, branch, after]) =>
    (eager: boolean): string => `${join(before, eager)}
      (loop $l ${join(loop, eager)} (if (i32.eq (local.get $n) (i32.const 1)) (then ${join(branch, eager)}))
        (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (i32.const 3))))
      ${join(after, eager)} ${LOCALS.map((name) => `(call $keep (local.get $${name}))`).join('')}`,
);

function module(body: string): Uint8Array<ArrayBuffer> {
  const canonical = (lanes: string, nan: string): string =>
    `(v128.bitselect (local.get 0) (v128.const ${nan}) (${lanes}.eq (local.get 0) (local.get 0)))`;
  return wat(`(module (memory (export "memory") 1) (global $at (mut i32) (i32.const 2048))
    (data (i32.const 1024) "\\01\\00\\c0\\ff\\00\\00\\80\\7f\\05\\00\\00\\00\\00\\00\\f8\\ff")
    (func $v32 (param v128) (result v128) ${canonical('f32x4', 'i32x4 0x7fc00000 0x7fc00000 0x7fc00000 0x7fc00000')})
    (func $v64 (param v128) (result v128) ${canonical('f64x2', 'i64x2 0x7ff8000000000000 0x7ff8000000000000')})
    (func $s32 (param f32) (result f32) (select (local.get 0) (f32.const nan) (f32.eq (local.get 0) (local.get 0))))
    (func $s64 (param f64) (result f64) (select (local.get 0) (f64.const nan) (f64.eq (local.get 0) (local.get 0))))
    (func $same (param v128) (result v128) (local.get 0))
    (func $keep (param v128)
      (v128.store (global.get $at) (local.get 0)) (global.set $at (i32.add (global.get $at) (i32.const 16))))
    (func (export "_start") (local $n i32) ${LOCALS.map((name) => `(local $${name} v128)`).join(' ')} ${body}))`);
}

function memoryAfter(bytes: Uint8Array<ArrayBuffer>): string {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  (exports['_start'] as () => void)();
  const memory = new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer, 512, 8_192);
  return Buffer.from(memory)
    .toString('hex')
    .replace(/(00)+$/, '');
}

describe('where vectors are made canonical', () => {
  test('leaving it out where nobody looks changes no bit that anybody sees', () => {
    fc.assert(
      fc.property(program, (write) => {
        const metered = instrument(parse(module(write(false))), { maxPages: 1, fuel: 1_000_000n });
        // fast-check tells seed and path; the program itself it would show as a function.
        expect(memoryAfter(metered), write(false)).toBe(memoryAfter(module(write(true))));
      }),
      { numRuns: 250 },
    );
  });

  /** How many float vectors of a body are made canonical at once, and how many reads of locals are. */
  const counted = (body: string): { left: number; atReads: number } => {
    const parsed = parse(module(body));
    const { unobserved, atReads } = planNans(parsed, parsed.bodies.at(-1)!);
    return { left: unobserved.size, atReads: atReads.size };
  };
  const sum = '(local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $b) (local.get $b))))';

  test('a sum kept in a local costs nothing in the loop and is made canonical where it is stored', () => {
    expect(counted(`(loop $l ${sum} (br_if $l (local.get $n))) (call $keep (local.get $a))`)).toEqual({
      left: 2,
      atReads: 1,
    });
  });

  test('a sum stored in the loop itself is made canonical at once', () => {
    expect(counted(`(loop $l ${sum} (call $keep (local.get $a)) (br_if $l (local.get $n)))`)).toEqual({
      left: 1,
      atReads: 0,
    });
  });

  test('a local that also holds integers is made canonical where it is computed', () => {
    const body = `(local.set $a (v128.load (i32.const 0))) (loop $l ${sum} (br_if $l (local.get $n))) (call $keep (local.get $a))`;
    expect(counted(body)).toEqual({ left: 1, atReads: 0 });
  });

  test('lanes of the other width are bits', () => {
    expect(counted('(local.set $a (f64x2.add (f32x4.mul (local.get $b) (local.get $b)) (local.get $c)))')).toEqual({
      left: 1,
      atReads: 0,
    });
  });

  test.each([
    ['whole lanes are passed on', '8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15', 1],
    ['whole lanes of the narrower width too', '4 5 6 7 0 1 2 3 28 29 30 31 12 13 14 15', 1],
    ['pieces of lanes are bits', '1 2 3 0 4 5 6 7 8 9 10 11 12 13 14 15', 0],
  ])('a shuffle: %s', (_what, lanes, left) => {
    const product = '(f32x4.mul (local.get $b) (local.get $b))';
    const body = `(local.set $n (v128.any_true (f32x4.eq (local.get $b) (i8x16.shuffle ${lanes} ${product} (local.get $c)))))`;
    expect(counted(body)).toEqual({ left, atReads: 0 });
  });

  test('halves of wide lanes are bits, whole ones are not', () => {
    const moved = (lanes: string): number =>
      counted(
        `(local.set $n (v128.any_true (f64x2.eq (local.get $b) (i8x16.shuffle ${lanes} (f64x2.mul (local.get $b) (local.get $b)) (local.get $c)))))`,
      ).left;
    expect(moved('8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7')).toBe(1);
    expect(moved('4 5 6 7 0 1 2 3 8 9 10 11 12 13 14 15')).toBe(0);
  });

  test.each([
    ['a narrow lane put into wide ones leaves halves of them', 'f32x4', 'f64x2', 0],
    ['a wide lane put into narrow ones replaces whole ones', 'f64x2', 'f32x4', 1],
    ['a lane put among its like replaces a whole one', 'f64x2', 'f64x2', 2],
  ])('%s', (_what, put, into, left) => {
    const product = `(${into}.mul (local.get $b) (local.get $b))`;
    const replaced = `(${put}.replace_lane 0 ${product} (${put.slice(0, 3)}.const 0))`;
    const body = `(local.set $n (v128.any_true (${into}.eq (local.get $b) ${replaced})))`;
    expect(counted(body)).toEqual({ left, atReads: 0 });
  });

  test('a wide NaN stays one when half of it is replaced', () => {
    // All that makes these bits a NaN lies in the low half. Canonical, it would lie in the high one.
    const halved = '(f32x4.replace_lane 0 (f64x2.splat (f64.const nan:0x5)) (f32.const 0))';
    const body = `(call $keep (f64x2.floor ${halved}))`;
    const memory = memoryAfter(instrument(parse(module(body)), { maxPages: 1, fuel: 1_000n }));
    expect(memory.endsWith('000000000000f87f'.repeat(2))).toBe(true);
  });

  test('a float put beside integers never changes them', () => {
    const put =
      '(local.set $a (f32x4.replace_lane 0 (v128.const i32x4 0 0xffc00001 0x7f800005 0) (f32.const nan:0x200001)))';
    const body = `(loop $l ${put} (br_if $l (local.get $n))) (call $keep (local.get $a))`;
    const memory = memoryAfter(instrument(parse(module(body)), { maxPages: 1, fuel: 1_000n }));
    expect(memory).toContain('0000c07f' + '0100c0ff' + '0500807f');
  });
});
