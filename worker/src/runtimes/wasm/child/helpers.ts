import { VALUE } from './decode.ts';
import { emitChargeTop, emitFault, emitOp, type Meters } from './emit.ts';
import { FAULT, LIMITS } from './limits.ts';
import { OP } from './opcodes.ts';
import { Writer } from './writer.ts';

/** A function that is added to the module. */
export interface Helper {
  readonly params: readonly number[];
  readonly results: readonly number[];
  /** Local declarations and instructions. */
  readonly body: Writer;
}

const EMPTY = 0x40;
/** Clearing memory costs one operation per eight bytes, a page has 65,536. */
const PAGE_SHIFT = 13;
const BYTES_SHIFT = 3;

/** `(n) -> n`: charges `n` shifted right by `shift`. Put before an instruction whose work is `n`, on top of the stack. */
export function chargeHelper(meters: Meters, shift: number): Helper {
  const body = new Writer(64);
  body.u32(1).u32(1).u8(VALUE.i64);
  body.u8(OP.localGet).u32(0).u8(OP.i64ExtendI32U);
  body.u8(OP.i64Const).signed(shift).u8(OP.i64ShrU);
  emitChargeTop(body, meters, 1);
  body.u8(OP.localGet).u32(0).u8(OP.end);
  return { params: [VALUE.i32], results: [VALUE.i32], body };
}

export const chargeBytes = (meters: Meters): Helper => chargeHelper(meters, BYTES_SHIFT);
export const chargeEntries = (meters: Meters): Helper => chargeHelper(meters, 0);

/**
 * The common part of growing: refuse over `limit` with -1 as the standard says, charge, grow, and end the run when the
 * machine could not although the limit allows it. Otherwise the module would see the machine's state.
 */
function growBody(
  meters: Meters,
  limit: number,
  shift: number,
  at: { delta: number; scratch32: number; scratch64: number },
  size: (out: Writer) => void,
  grow: (out: Writer) => void,
): Writer {
  const body = new Writer(128);
  const refuse = (): void => {
    body.u8(OP.if).u8(EMPTY);
    emitFault(body, meters, FAULT.refusedByLimit);
    body.u8(OP.i32Const).signed(-1).u8(OP.return).u8(OP.end);
  };
  body.u32(2).u32(1).u8(VALUE.i32).u32(1).u8(VALUE.i64);
  body.u8(OP.localGet).u32(at.delta).u8(OP.i32Const).signed(limit).u8(OP.i32GtU);
  refuse();
  size(body);
  body.u8(OP.localGet).u32(at.delta).u8(OP.i32Add).u8(OP.i32Const).signed(limit).u8(OP.i32GtU);
  refuse();
  body.u8(OP.localGet).u32(at.delta).u8(OP.i64ExtendI32U).u8(OP.i64Const).signed(shift).u8(OP.i64Shl);
  emitChargeTop(body, meters, at.scratch64);
  grow(body);
  body.u8(OP.localTee).u32(at.scratch32).u8(OP.i32Const).signed(-1).u8(OP.i32Eq);
  body.u8(OP.if).u8(EMPTY);
  emitFault(body, meters, FAULT.refusedByMachine);
  body.u8(OP.unreachable).u8(OP.end);
  body.u8(OP.localGet).u32(at.scratch32).u8(OP.end);
  return body;
}

/** `(pages) -> previous pages or -1`, in place of `memory.grow`. */
export function growMemory(meters: Meters, maxPages: number): Helper {
  const body = growBody(
    meters,
    maxPages,
    PAGE_SHIFT,
    { delta: 0, scratch32: 1, scratch64: 2 },
    (out) => out.u8(OP.memorySize).u8(0),
    (out) => out.u8(OP.localGet).u32(0).u8(OP.memoryGrow).u8(0),
  );
  return { params: [VALUE.i32], results: [VALUE.i32], body };
}

/** `(value, entries) -> previous entries or -1`, in place of `table.grow` on that table. */
export function growTable(meters: Meters, table: number, type: number, max: number): Helper {
  const body = growBody(
    meters,
    Math.min(max, LIMITS.tableEntries),
    0,
    { delta: 1, scratch32: 2, scratch64: 3 },
    (out) => emitOp(out, OP.tableSize).u32(table),
    (out) => {
      out.u8(OP.localGet).u32(0).u8(OP.localGet).u32(1);
      emitOp(out, OP.tableGrow).u32(table);
    },
  );
  return { params: [type, VALUE.i32], results: [VALUE.i32], body };
}
