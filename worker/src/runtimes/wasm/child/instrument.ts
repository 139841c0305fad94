import { analyse } from './analyse.ts';
import { planStack } from './callGraph.ts';
import { VALUE } from './decode.ts';
import type { Meters } from './emit.ts';
import { chargeBytes, chargeEntries, growMemory, growTable, type Helper } from './helpers.ts';
import { DEPTH_EXPORT, FAULT_EXPORT, FUEL_EXPORT, LIMITS, STACK_SLOTS } from './limits.ts';
import { OP } from './opcodes.ts';
import { SECTION, type FunctionType, type Module } from './parse.ts';
import { Reader } from './reader.ts';
import { rewrite } from './rewrite.ts';
import { Writer } from './writer.ts';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const MUTABLE = 1;
const GLOBAL_KIND = 3;

/** The module's types, to which more can be added without changing an index. */
class Types {
  readonly list: FunctionType[];

  constructor(module: Module) {
    this.list = [...module.types];
  }

  readonly of = (params: readonly number[], results: readonly number[]): number => {
    const same = (a: readonly number[], b: readonly number[]): boolean =>
      a.length === b.length && a.every((value, i) => value === b[i]);
    const found = this.list.findIndex((type) => same(type.params, params) && same(type.results, results));
    return found >= 0 ? found : this.list.push({ params, results }) - 1;
  };

  write(): Writer {
    const out = new Writer().u32(this.list.length);
    for (const { params, results } of this.list) {
      out.u8(0x60).u32(params.length).raw(params).u32(results.length).raw(results);
    }
    return out;
  }
}

function limitsOf(out: Writer, min: number, max: number): void {
  out.u8(1).u32(min).u32(Math.max(min, max));
}

function writeImports(module: Module): Writer {
  const out = new Writer().u32(module.imports.length);
  for (const wanted of module.imports) out.name(wanted.module).name(wanted.name).u8(0).u32(wanted.type);
  return out;
}

function writeTables(module: Module): Writer {
  const out = new Writer().u32(module.tables.length);
  for (const table of module.tables) {
    limitsOf(out.u8(table.type), table.min, Math.min(table.max ?? LIMITS.tableEntries, LIMITS.tableEntries));
  }
  return out;
}

function writeGlobals(module: Module, fuel: bigint): Writer {
  const out = new Writer().u32(module.globalCount + 3);
  const raw = module.raw.get(SECTION.global);
  if (raw !== undefined) {
    const reader = new Reader(raw);
    reader.u32();
    out.raw(raw.subarray(reader.at));
  }
  out.u8(VALUE.i64).u8(MUTABLE).u8(OP.i64Const).raw(signed64(fuel)).u8(OP.end);
  out.u8(VALUE.i32).u8(MUTABLE).u8(OP.i32Const).signed(STACK_SLOTS).u8(OP.end);
  return out.u8(VALUE.i32).u8(MUTABLE).u8(OP.i32Const).signed(0).u8(OP.end);
}

/** Signed LEB128 of a non-negative 64-bit number. */
function signed64(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x40n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function writeExports(module: Module, meters: Meters): Writer {
  const out = new Writer().u32(module.exports.length + 3);
  for (const { name, kind, index } of module.exports) out.name(name).u8(kind).u32(index);
  out.name(FUEL_EXPORT).u8(GLOBAL_KIND).u32(meters.fuel);
  out.name(DEPTH_EXPORT).u8(GLOBAL_KIND).u32(meters.depth);
  return out.name(FAULT_EXPORT).u8(GLOBAL_KIND).u32(meters.fault);
}

export interface InstrumentOptions {
  /** Pages of linear memory that may exist, 64 KiB each; at least the module's minimum. */
  readonly maxPages: number;
  /** Charged operations at the start; 0 when absent, for a host that sets the exported variable. */
  readonly fuel?: bigint;
}

/**
 * Writes the module anew: the same program, metered, bounded and with canonical NaNs. A pure function of the module and
 * the options, so units agree on every node. Everything is added behind what exists: no index changes.
 */
export function instrument(module: Module, { maxPages, fuel = 0n }: InstrumentOptions): Uint8Array<ArrayBuffer> {
  const types = new Types(module);
  const meters = { fuel: module.globalCount, depth: module.globalCount + 1, fault: module.globalCount + 2 };
  const pages = Math.min(maxPages, module.memory?.max ?? maxPages);
  const helpers: Helper[] = [chargeBytes(meters), chargeEntries(meters), growMemory(meters, pages)];
  module.tables.forEach((table, i) => {
    helpers.push(growTable(meters, i, table.type, table.max ?? LIMITS.tableEntries));
  });
  const firstHelper = module.imports.length + module.functions.length;
  const additions = {
    meters,
    chargeBytes: firstHelper,
    chargeEntries: firstHelper + 1,
    growMemory: firstHelper + 2,
    growTable: module.tables.map((_, i) => firstHelper + 3 + i),
    typeOf: types.of,
  };

  const code = new Writer(module.bytes.length * 2).u32(module.bodies.length + helpers.length);
  const analyses = module.bodies.map((body) => analyse(module, body));
  const stack = planStack(module, analyses);
  module.bodies.forEach((body, i) => code.sized(rewrite(module, body, analyses[i]!, stack[i]!, additions)));
  for (const helper of helpers) code.sized(helper.body);
  const functions = new Writer().u32(module.functions.length + helpers.length);
  for (const type of module.functions) functions.u32(type);
  for (const { params, results } of helpers) functions.u32(types.of(params, results));
  const memory = new Writer().u32(1);
  limitsOf(memory, module.memory?.min ?? 0, pages);

  const out = new Writer(code.length + module.bytes.length).raw(HEADER);
  const section = (id: number, content: Writer): void => {
    out.u8(id).sized(content);
  };
  const copied = (id: number): void => {
    const raw = module.raw.get(id);
    if (raw !== undefined) out.u8(id).u32(raw.length).raw(raw);
  };
  section(SECTION.type, types.write());
  section(SECTION.import, writeImports(module));
  section(SECTION.function, functions);
  section(SECTION.table, writeTables(module));
  section(SECTION.memory, memory);
  section(SECTION.global, writeGlobals(module, fuel));
  section(SECTION.export, writeExports(module, meters));
  copied(SECTION.element);
  copied(SECTION.dataCount);
  section(SECTION.code, code);
  copied(SECTION.data);
  return out.view().slice() as Uint8Array<ArrayBuffer>;
}
