import type { Analysis } from './analyse.ts';
import type { StackShare } from './callGraph.ts';
import { decode, newStep, VALUE, type Step } from './decode.ts';
import {
  emitCanonicalScalar,
  emitCanonicalVector,
  emitCharge,
  emitChargeLocal,
  emitChargeUnchecked,
  emitEnter,
  emitHandOver,
  emitLeave,
  emitTakeBack,
  type Meters,
} from './emit.ts';
import { planNans, type NanPlan } from './nanPlan.ts';
import { OP } from './opcodes.ts';
import type { Body, Module } from './parse.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Function indices of the helpers, and where block types for several results come from. */
export interface Additions {
  readonly meters: Meters;
  readonly chargeBytes: number;
  readonly chargeEntries: number;
  readonly growMemory: number;
  /** By table. */
  readonly growTable: readonly number[];
  readonly typeOf: (params: readonly number[], results: readonly number[]) => number;
}

const EMPTY = 0x40;

/** Hands out one extra local per type, behind the function's own. */
class Scratch {
  readonly #first: number;
  readonly #types: number[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  of(type: number): number {
    let place = this.#types.indexOf(type);
    if (place < 0) place = this.#types.push(type) - 1;
    return this.#first + place;
  }

  get types(): readonly number[] {
    return this.#types;
  }
}

const NO_VECTORS: NanPlan = { unobserved: new Set(), atReads: new Map() };

/** Whether the instruction is a float constant other than NaN. */
function isNumber(bytes: Uint8Array, { op, start }: Step): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (op === OP.f32Const) return !Number.isNaN(view.getFloat32(start + 1, true));
  return op === OP.f64Const && !Number.isNaN(view.getFloat64(start + 1, true));
}

/** Writes one function anew with meters, call depth and canonical NaNs. Returns locals and instructions. */
export function rewrite(module: Module, body: Body, analysis: Analysis, stack: StackShare, add: Additions): Writer {
  const { meters } = add;
  const isLocal = analysis.metering === 'local';
  const type = module.types[body.type]!;
  const reader = new Reader(module.bytes, body.code, body.end);
  const out = new Writer((body.end - body.code) * 2 + 64);
  const scratch = new Scratch(type.params.length + body.localCount);
  const fuel = analysis.metering === 'unchecked' ? -1 : scratch.of(VALUE.i64);
  const step = newStep();
  const { unobserved, atReads } = analysis.simd ? planNans(module, body) : NO_VECTORS;
  let nesting = 1;
  let loops = 0;
  let neverNan = false;

  const charge = (cost: number): void => {
    if (isLocal) emitChargeLocal(out, meters, fuel, cost);
    else emitCharge(out, meters, fuel, cost);
  };
  /** Others charge meanwhile: the global has to be right before, and is read anew after. */
  const handingOver = (call: () => void): void => {
    if (isLocal) emitHandOver(out, meters, fuel);
    call();
    if (isLocal) emitTakeBack(out, meters, fuel);
  };

  if (stack.needed > 0) emitEnter(out, meters, scratch.of(VALUE.i32), stack);
  if (isLocal) emitTakeBack(out, meters, fuel);
  const hasLeave = stack.needed > 0 || isLocal;
  if (hasLeave) {
    // The whole body becomes a block, so that every way out of the function passes the lines that give slots and fuel back.
    out.u8(OP.block);
    if (type.results.length === 0) out.u8(EMPTY);
    else if (type.results.length === 1) out.u8(type.results[0]!);
    else out.signed(add.typeOf([], type.results));
  }
  if (analysis.metering === 'unchecked') emitChargeUnchecked(out, meters, analysis.entryCost);
  else charge(analysis.entryCost);

  const copy = (): void => {
    out.raw(module.bytes.subarray(step.start, step.end));
  };

  for (let ordinal = 0; nesting > 0; ordinal++) {
    decode(reader, step);
    const { canonicalBefore, simdFloat } = step.what;
    if (canonicalBefore !== undefined && !neverNan && !unobserved.has(ordinal)) {
      emitCanonicalScalar(out, canonicalBefore, scratch.of(VALUE[canonicalBefore]));
    }
    neverNan = step.what.neverNan === true || isNumber(module.bytes, step);
    switch (step.op) {
      case OP.loop:
        copy();
        nesting++;
        charge(analysis.loopCosts[loops++]!);
        break;
      case OP.block:
      case OP.if:
        copy();
        nesting++;
        break;
      case OP.end:
        nesting--;
        copy();
        break;
      case OP.return:
        if (hasLeave) out.u8(OP.br).u32(nesting - 1);
        else copy();
        break;
      case OP.call:
      case OP.callIndirect:
        handingOver(copy);
        break;
      case OP.memoryGrow:
        handingOver(() => out.u8(OP.call).u32(add.growMemory));
        break;
      case OP.tableGrow:
        handingOver(() => out.u8(OP.call).u32(add.growTable[step.index]!));
        break;
      case OP.memoryInit:
      case OP.memoryCopy:
      case OP.memoryFill:
        handingOver(() => out.u8(OP.call).u32(add.chargeBytes));
        copy();
        break;
      case OP.tableInit:
      case OP.tableCopy:
      case OP.tableFill:
        handingOver(() => out.u8(OP.call).u32(add.chargeEntries));
        copy();
        break;
      default:
        copy();
    }
    const lanes = unobserved.has(ordinal) ? undefined : (simdFloat?.makes ?? atReads.get(ordinal));
    if (lanes !== undefined) emitCanonicalVector(out, lanes, scratch.of(VALUE.v128));
  }
  if (hasLeave) {
    if (stack.needed > 0) emitLeave(out, meters, scratch.of(VALUE.i32));
    if (isLocal) emitHandOver(out, meters, fuel);
    out.u8(OP.end);
  }

  const function_ = new Writer(out.length + 64);
  function_.u32(body.locals.length + scratch.types.length);
  for (const { count, type: of } of body.locals) function_.u32(count).u8(of);
  for (const of of scratch.types) function_.u32(1).u8(of);
  return function_.raw(out.view());
}
