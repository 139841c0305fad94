/**
 * Every instruction that a module may contain, and all the rest of this folder needs to know about it. What is not here
 * is refused: shared memory, exceptions, tail calls, GC and relaxed SIMD by not being listed.
 */

/** What follows the opcode in the binary. */
export type Immediate =
  | 'none'
  | 'index'
  | 'index2'
  | 'memory'
  | 'memory2'
  | 'data-memory'
  | 'block'
  | 'brTable'
  | 'i32'
  | 'i64'
  | 'bytes4'
  | 'bytes8'
  | 'bytes16'
  | 'memarg'
  | 'memargLane'
  | 'lane'
  | 'refType'
  | 'selectTypes';

export type Lanes = 'f32' | 'f64';

export interface Instruction {
  readonly immediate: Immediate;
  /** Operands popped and pushed; meaningless for control flow and calls, which the analysis treats by name. */
  readonly pops: number;
  readonly pushes: number;
  /** Charged operations; about what it costs compared with an addition. */
  readonly weight: number;
  /** The scalar on top of the stack is about to become observable as bits. */
  readonly canonicalBefore?: Lanes;
  /** Makes a scalar float that is never NaN. */
  readonly neverNan?: boolean;
  /** A SIMD operation whose NaN bits the standard leaves open: lanes it reads, lanes it makes. */
  readonly simdFloat?: { readonly reads: Lanes; readonly makes: Lanes };
}

/** Prefixed opcodes are `prefix << 16 | number`. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  f32Ge: 0x60,
  f64Ge: 0x66,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refFunc: 0xd2,
  memoryInit: 0xfc0008,
  memoryCopy: 0xfc000a,
  memoryFill: 0xfc000b,
  tableInit: 0xfc000c,
  tableCopy: 0xfc000e,
  tableGrow: 0xfc000f,
  tableSize: 0xfc0010,
  tableFill: 0xfc0011,
  v128Const: 0xfd000c,
  f32x4Eq: 0xfd0041,
  f64x2Eq: 0xfd0047,
  v128Bitselect: 0xfd0052,
} as const;

const table = new Map<number, Instruction>();

type Extra = Partial<Pick<Instruction, 'weight' | 'canonicalBefore' | 'neverNan' | 'simdFloat'>>;

function define(
  from: number,
  to: number,
  pops: number,
  pushes: number,
  immediate: Immediate = 'none',
  extra: Extra = {},
): void {
  for (let op = from; op <= to; op++) table.set(op, { immediate, pops, pushes, weight: 1, ...extra });
}

function amend(ops: readonly number[], extra: Extra): void {
  for (const op of ops) table.set(op, { ...table.get(op)!, ...extra });
}

// Control. Blocks and their ends cost nothing; what they contain does.
define(0x00, 0x00, 0, 0);
define(0x01, 0x01, 0, 0, 'none', { weight: 0 });
define(0x02, 0x03, 0, 0, 'block', { weight: 0 });
define(0x04, 0x04, 1, 0, 'block');
define(0x05, 0x05, 0, 0, 'none', { weight: 0 });
define(0x0b, 0x0b, 0, 0, 'none', { weight: 0 });
define(0x0c, 0x0c, 0, 0, 'index');
define(0x0d, 0x0d, 1, 0, 'index');
define(0x0e, 0x0e, 1, 0, 'brTable', { weight: 4 });
define(0x0f, 0x0f, 0, 0);
define(0x10, 0x10, 0, 0, 'index', { weight: 4 });
define(0x11, 0x11, 1, 0, 'index2', { weight: 8 });
// Parametric, variables, tables.
define(0x1a, 0x1a, 1, 0);
define(0x1b, 0x1b, 3, 1);
define(0x1c, 0x1c, 3, 1, 'selectTypes');
define(0x20, 0x20, 0, 1, 'index');
define(0x21, 0x21, 1, 0, 'index');
define(0x22, 0x22, 1, 1, 'index');
define(0x23, 0x23, 0, 1, 'index');
define(0x24, 0x24, 1, 0, 'index');
define(0x25, 0x25, 1, 1, 'index');
define(0x26, 0x26, 2, 0, 'index');
// Memory.
define(0x28, 0x35, 1, 1, 'memarg');
define(0x36, 0x3e, 2, 0, 'memarg');
define(0x3f, 0x3f, 0, 1, 'memory');
define(0x40, 0x40, 1, 1, 'memory', { weight: 1000 });
// Constants and numbers.
define(0x41, 0x41, 0, 1, 'i32');
define(0x42, 0x42, 0, 1, 'i64');
define(0x43, 0x43, 0, 1, 'bytes4');
define(0x44, 0x44, 0, 1, 'bytes8');
define(0x45, 0x45, 1, 1);
define(0x46, 0x4f, 2, 1);
define(0x50, 0x50, 1, 1);
define(0x51, 0x66, 2, 1);
define(0x67, 0x69, 1, 1);
define(0x6a, 0x78, 2, 1);
define(0x79, 0x7b, 1, 1);
define(0x7c, 0x8a, 2, 1);
define(0x8b, 0x91, 1, 1);
define(0x92, 0x98, 2, 1);
define(0x99, 0x9f, 1, 1);
define(0xa0, 0xa6, 2, 1);
define(0xa7, 0xc4, 1, 1);
define(0xd0, 0xd0, 0, 1, 'refType');
define(0xd1, 0xd1, 1, 1);
define(0xd2, 0xd2, 0, 1, 'index');
// Integer division and remainder, float division and square root.
amend([0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3], { weight: 8 });
// Conversions from integers.
amend([0xb2, 0xb3, 0xb4, 0xb5, 0xb7, 0xb8, 0xb9, 0xba], { neverNan: true });
amend([0x38, 0xbc, 0x98], { canonicalBefore: 'f32' });
amend([0x39, 0xbd, 0xa6], { canonicalBefore: 'f64' });

// Saturating truncation, bulk memory, tables.
define(0xfc0000, 0xfc0007, 1, 1);
define(0xfc0008, 0xfc0008, 3, 0, 'data-memory', { weight: 16 });
define(0xfc0009, 0xfc0009, 0, 0, 'index');
define(0xfc000a, 0xfc000a, 3, 0, 'memory2', { weight: 16 });
define(0xfc000b, 0xfc000b, 3, 0, 'memory', { weight: 16 });
define(0xfc000c, 0xfc000c, 3, 0, 'index2', { weight: 16 });
define(0xfc000d, 0xfc000d, 0, 0, 'index');
define(0xfc000e, 0xfc000e, 3, 0, 'index2', { weight: 16 });
define(0xfc000f, 0xfc000f, 2, 1, 'index', { weight: 1000 });
define(0xfc0010, 0xfc0010, 0, 1, 'index');
define(0xfc0011, 0xfc0011, 3, 0, 'index', { weight: 16 });

/** Defines SIMD instructions by their own numbers. */
function simd(
  from: number,
  to: number,
  pops: number,
  pushes: number,
  immediate: Immediate = 'none',
  extra: Extra = {},
): void {
  define(0xfd0000 + from, 0xfd0000 + to, pops, pushes, immediate, extra);
}

simd(0, 10, 1, 1, 'memarg');
simd(11, 11, 2, 0, 'memarg');
simd(12, 12, 0, 1, 'bytes16');
simd(13, 13, 2, 1, 'bytes16');
simd(14, 14, 2, 1);
simd(15, 20, 1, 1);
for (const extract of [21, 22, 24, 25, 27, 29, 31, 33]) simd(extract, extract, 1, 1, 'lane');
for (const replace of [23, 26, 28, 30, 32, 34]) simd(replace, replace, 2, 1, 'lane');
simd(35, 76, 2, 1);
simd(77, 77, 1, 1);
simd(78, 81, 2, 1);
simd(82, 82, 3, 1);
simd(83, 83, 1, 1);
simd(84, 87, 2, 1, 'memargLane');
simd(88, 91, 2, 0, 'memargLane');
simd(92, 93, 1, 1, 'memarg');
simd(94, 100, 1, 1);
simd(101, 102, 2, 1);
simd(103, 106, 1, 1);
simd(107, 115, 2, 1);
simd(116, 117, 1, 1);
simd(118, 121, 2, 1);
simd(122, 122, 1, 1);
simd(123, 123, 2, 1);
simd(124, 129, 1, 1);
simd(130, 130, 2, 1);
simd(131, 132, 1, 1);
simd(133, 134, 2, 1);
simd(135, 138, 1, 1);
simd(139, 147, 2, 1);
simd(148, 148, 1, 1);
simd(149, 153, 2, 1);
simd(155, 159, 2, 1);
simd(160, 161, 1, 1);
simd(163, 164, 1, 1);
simd(167, 170, 1, 1);
simd(171, 174, 2, 1);
simd(177, 177, 2, 1);
simd(181, 186, 2, 1);
simd(188, 191, 2, 1);
simd(192, 193, 1, 1);
simd(195, 196, 1, 1);
simd(199, 202, 1, 1);
simd(203, 206, 2, 1);
simd(209, 209, 2, 1);
simd(213, 223, 2, 1);
simd(224, 225, 1, 1);
simd(227, 227, 1, 1);
simd(228, 235, 2, 1);
simd(236, 237, 1, 1);
simd(239, 239, 1, 1);
simd(240, 247, 2, 1);
simd(248, 255, 1, 1);

const lanes = (reads: Lanes, makes: Lanes, numbers: readonly number[]): void =>
  amend(
    numbers.map((number) => 0xfd0000 + number),
    { simdFloat: { reads, makes } },
  );
// Ceil, floor, trunc, nearest, sqrt and arithmetic; pmin and pmax only pick a side, so they keep canonical lanes canonical.
lanes('f32', 'f32', [103, 104, 105, 106, 227, 228, 229, 230, 231, 232, 233]);
lanes('f64', 'f64', [116, 117, 122, 148, 239, 240, 241, 242, 243, 244, 245]);
lanes('f64', 'f32', [94]);
lanes('f32', 'f64', [95]);
amend([0xfd0000 + 19, 0xfd0000 + 32], { canonicalBefore: 'f32' });
amend([0xfd0000 + 20, 0xfd0000 + 34], { canonicalBefore: 'f64' });
amend(
  [227, 231, 239, 243].map((number) => 0xfd0000 + number),
  { weight: 8 },
);

/** Looks an opcode up; `undefined` means the module is refused. */
export function instruction(op: number): Instruction | undefined {
  return table.get(op);
}
