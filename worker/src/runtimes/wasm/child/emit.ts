import type { StackShare } from './callGraph.ts';
import type { FAULT } from './limits.ts';
import { OP, type Lanes } from './opcodes.ts';
import type { Writer } from './writer.ts';

/** Indices of the globals that are added to a module. */
export interface Meters {
  /** Charged operations left, i64; below zero means out of units. */
  readonly fuel: number;
  /** Stack slots left, i32; below zero means that calls nest too deep. */
  readonly depth: number;
  /** A value of {@link FAULT}, i32. */
  readonly fault: number;
}

const EMPTY = 0x40;
const CANONICAL = {
  f32: [0x00, 0x00, 0xc0, 0x7f],
  f64: [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f],
} as const;

export function emitOp(out: Writer, op: number): Writer {
  if (op <= 0xff) return out.u8(op);
  return out.u8(op >>> 16).u32(op & 0xffff);
}

/** Ends the run when the i64 on the stack is below zero. */
function trapIfNegative(out: Writer): void {
  out.u8(OP.i64Const).u8(0).u8(OP.i64LtS);
  out.u8(OP.if).u8(EMPTY).u8(OP.unreachable).u8(OP.end);
}

/** Takes `cost` from the fuel in the global. `scratch` is an i64 local: cheaper than reading the global a second time. */
export function emitCharge(out: Writer, meters: Meters, scratch: number, cost: number): void {
  out.u8(OP.globalGet).u32(meters.fuel).u8(OP.i64Const).signed(cost).u8(OP.i64Sub);
  out.u8(OP.localTee).u32(scratch).u8(OP.globalSet).u32(meters.fuel);
  out.u8(OP.localGet).u32(scratch);
  trapIfNegative(out);
}

/** The same without looking whether anything is left. */
export function emitChargeUnchecked(out: Writer, meters: Meters, cost: number): void {
  out.u8(OP.globalGet).u32(meters.fuel).u8(OP.i64Const).signed(cost).u8(OP.i64Sub);
  out.u8(OP.globalSet).u32(meters.fuel);
}

/** Takes `cost` from the fuel in the local; the global learns of it when nothing is left. */
export function emitChargeLocal(out: Writer, meters: Meters, local: number, cost: number): void {
  out.u8(OP.localGet).u32(local).u8(OP.i64Const).signed(cost).u8(OP.i64Sub).u8(OP.localTee).u32(local);
  out.u8(OP.i64Const).u8(0).u8(OP.i64LtS).u8(OP.if).u8(EMPTY);
  emitHandOver(out, meters, local);
  out.u8(OP.unreachable).u8(OP.end);
}

/** Writes the fuel from the local into the global, for others to charge. */
export function emitHandOver(out: Writer, meters: Meters, local: number): void {
  out.u8(OP.localGet).u32(local).u8(OP.globalSet).u32(meters.fuel);
}

/** Reads it back. */
export function emitTakeBack(out: Writer, meters: Meters, local: number): void {
  out.u8(OP.globalGet).u32(meters.fuel).u8(OP.localSet).u32(local);
}

/** Takes the i64 on the stack from the fuel. */
export function emitChargeTop(out: Writer, meters: Meters, scratch: number): void {
  out.u8(OP.localSet).u32(scratch);
  out.u8(OP.globalGet).u32(meters.fuel).u8(OP.localGet).u32(scratch).u8(OP.i64Sub);
  out.u8(OP.localTee).u32(scratch).u8(OP.globalSet).u32(meters.fuel);
  out.u8(OP.localGet).u32(scratch);
  trapIfNegative(out);
}

/** Takes a call's slots. `before` is an i32 local that keeps what to give back. */
export function emitEnter(out: Writer, meters: Meters, before: number, { needed, taken }: StackShare): void {
  out.u8(OP.globalGet).u32(meters.depth).u8(OP.localTee).u32(before);
  out.u8(OP.i32Const).signed(needed).u8(OP.i32LtS).u8(OP.if).u8(EMPTY);
  out.u8(OP.i32Const).signed(-1).u8(OP.globalSet).u32(meters.depth);
  out.u8(OP.unreachable).u8(OP.end);
  out.u8(OP.localGet).u32(before).u8(OP.i32Const).signed(taken).u8(OP.i32Sub).u8(OP.globalSet).u32(meters.depth);
}

export function emitLeave(out: Writer, meters: Meters, before: number): void {
  out.u8(OP.localGet).u32(before).u8(OP.globalSet).u32(meters.depth);
}

/** Replaces a NaN on top of the stack by the canonical one. `scratch` is a local of the same type. */
export function emitCanonicalScalar(out: Writer, lanes: Lanes, scratch: number): void {
  out.u8(OP.localTee).u32(scratch);
  out.u8(lanes === 'f32' ? OP.f32Const : OP.f64Const).raw(CANONICAL[lanes]);
  out.u8(OP.localGet).u32(scratch).u8(OP.localGet).u32(scratch);
  // False for NaN alone, as equality is, and one jump less on x64.
  out.u8(lanes === 'f32' ? OP.f32Ge : OP.f64Ge).u8(OP.select);
}

/** Replaces every NaN lane of the vector on top of the stack. `scratch` is a v128 local. */
export function emitCanonicalVector(out: Writer, lanes: Lanes, scratch: number): void {
  out.u8(OP.localTee).u32(scratch);
  emitOp(out, OP.v128Const);
  for (let bytes = 0; bytes < 16; bytes += CANONICAL[lanes].length) out.raw(CANONICAL[lanes]);
  out.u8(OP.localGet).u32(scratch).u8(OP.localGet).u32(scratch);
  emitOp(out, lanes === 'f32' ? OP.f32x4Eq : OP.f64x2Eq);
  emitOp(out, OP.v128Bitselect);
}

export function emitFault(out: Writer, meters: Meters, fault: (typeof FAULT)[keyof typeof FAULT]): void {
  out.u8(OP.i32Const).signed(fault).u8(OP.globalSet).u32(meters.fault);
}
