import { LIMITS } from './limits.ts';
import { instruction, type Instruction } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { ModuleRejected } from './rejection.ts';

/** Value types, by their byte in the binary. */
export const VALUE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;
const values: ReadonlySet<number> = new Set(Object.values(VALUE));
const EMPTY_BLOCK = 0x40;

export function valueType(reader: Reader): number {
  const at = reader.at;
  const type = reader.u8();
  if (!values.has(type)) throw new ModuleRejected(`value type 0x${type.toString(16)} is not allowed`, at);
  return type;
}

export function referenceType(reader: Reader): number {
  const at = reader.at;
  const type = reader.u8();
  if (type !== VALUE.funcref && type !== VALUE.externref) {
    throw new ModuleRejected(`reference type 0x${type.toString(16)} is not allowed`, at);
  }
  return type;
}

/** One instruction as it stands in the binary. The same object is reused for every step. */
export interface Step {
  op: number;
  what: Instruction;
  /** First byte of the opcode and first byte after the immediates. */
  start: number;
  end: number;
  /** The first index immediate: label, local, global, function, type, table. */
  index: number;
  /** For blocks: a type index, or -1 when `valueBlock` tells the one result or none. */
  blockType: number;
  /** For blocks without a type index: whether they have a result. */
  hasResult: boolean;
}

export function newStep(): Step {
  const what: Instruction = { immediate: 'none', pops: 0, pushes: 0, weight: 0 };
  return { op: 0, what, start: 0, end: 0, index: 0, blockType: -1, hasResult: false };
}

function blockType(reader: Reader, step: Step): void {
  const at = reader.at;
  const first = reader.u8();
  step.blockType = -1;
  step.hasResult = first !== EMPTY_BLOCK;
  if (first === EMPTY_BLOCK || values.has(first)) return;
  // A type index is a non-negative signed number: one byte below 0x40, or several.
  if (first < 0x80 && first >= EMPTY_BLOCK) throw new ModuleRejected('a block has an unknown type', at);
  reader.at = at;
  const index = reader.u32();
  const last = reader.bytes[reader.at - 1]!;
  // A last byte with bit 6 set would be a negative signed number, which names no type.
  if (last >= EMPTY_BLOCK) throw new ModuleRejected('a block has an unknown type', at);
  step.blockType = index;
}

function brTable(reader: Reader): void {
  const targets = reader.count(LIMITS.brTable, 'branch targets');
  for (let i = 0; i <= targets; i++) reader.u32();
}

function zero(reader: Reader): void {
  const at = reader.at;
  if (reader.u8() !== 0) throw new ModuleRejected('only one memory is allowed', at);
}

function memarg(reader: Reader): void {
  const at = reader.at;
  // Bit 6 of the alignment announces a memory index.
  if (reader.u32() >= 32) throw new ModuleRejected('an alignment is not allowed, or more than one memory is used', at);
  reader.u32();
}

function immediates(reader: Reader, step: Step): void {
  switch (step.what.immediate) {
    case 'none':
      return;
    case 'index':
      step.index = reader.u32();
      return;
    case 'index2':
      step.index = reader.u32();
      reader.u32();
      return;
    case 'memory':
      return zero(reader);
    case 'memory2':
      zero(reader);
      return zero(reader);
    case 'data-memory':
      step.index = reader.u32();
      return zero(reader);
    case 'block':
      return blockType(reader, step);
    case 'brTable':
      return brTable(reader);
    case 'i32':
      return reader.skipSigned(5);
    case 'i64':
      return reader.skipSigned(10);
    case 'bytes4':
      return reader.skip(4);
    case 'bytes8':
      return reader.skip(8);
    case 'bytes16':
      return reader.skip(16);
    case 'memarg':
      return memarg(reader);
    case 'memargLane':
      memarg(reader);
      return reader.skip(1);
    case 'lane':
      return reader.skip(1);
    case 'refType':
      referenceType(reader);
      return;
    case 'selectTypes':
      if (reader.u32() !== 1) throw new ModuleRejected('a select has more than one type', reader.at);
      valueType(reader);
      return;
  }
}

/** Reads the next instruction into `step`. */
export function decode(reader: Reader, step: Step): void {
  step.start = reader.at;
  let op = reader.u8();
  if (op === 0xfc || op === 0xfd) {
    const number = reader.u32();
    op = number > 0xffff ? -1 : op * 0x10000 + number;
  }
  const what = instruction(op);
  if (what === undefined) {
    const name = op < 0 ? 'with a huge number' : `0x${op.toString(16)}`;
    throw new ModuleRejected(`instruction ${name} is not allowed`, step.start);
  }
  step.op = op;
  step.what = what;
  immediates(reader, step);
  step.end = reader.at;
}
