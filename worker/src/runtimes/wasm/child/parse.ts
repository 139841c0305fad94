import { decode, newStep, referenceType, valueType } from './decode.ts';
import { LIMITS, MAX_PAGES } from './limits.ts';
import { OP } from './opcodes.ts';
import { Reader } from './reader.ts';
import { ModuleRejected } from './rejection.ts';

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export interface Export {
  readonly name: string;
  /** 0 function, 1 table, 2 memory, 3 global. */
  readonly kind: number;
  readonly index: number;
}

export interface Table {
  readonly type: number;
  readonly min: number;
  readonly max: number | undefined;
}

export interface Body {
  readonly type: number;
  /** Local declarations as they stand: count and type. */
  readonly locals: readonly { readonly count: number; readonly type: number }[];
  readonly localCount: number;
  /** Where the instructions begin and end in the module. */
  readonly code: number;
  readonly end: number;
}

/** A module taken apart as far as instrumenting needs. Sections not listed are copied as they are. */
export interface Module {
  readonly bytes: Uint8Array;
  readonly types: FunctionType[];
  readonly imports: Import[];
  readonly functions: number[];
  readonly tables: Table[];
  memory: { readonly min: number; readonly max: number | undefined } | undefined;
  readonly exports: Export[];
  readonly bodies: Body[];
  globalCount: number;
  /** Functions that something other than a direct call may call: exported ones, and those a table or variable may hold. */
  readonly referenced: Set<number>;
  /** Content of the sections that are copied, by id. */
  readonly raw: Map<number, Uint8Array>;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The order that the format demands; the data count stands before the code. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11];
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function types(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.types, 'types');
  for (let i = 0; i < count; i++) {
    const at = reader.at;
    const form = reader.u8();
    if (form !== 0x60) throw new ModuleRejected(`type form 0x${form.toString(16)} is not allowed`, at);
    const list = (limit: number, what: string): number[] =>
      Array.from({ length: reader.count(limit, what) }, () => valueType(reader));
    module.types.push({ params: list(LIMITS.params, 'parameters'), results: list(LIMITS.results, 'results') });
  }
}

function typeIndex(reader: Reader, module: Module): number {
  const at = reader.at;
  const index = reader.u32();
  if (index >= module.types.length) throw new ModuleRejected(`there is no type ${index}`, at);
  return index;
}

function imports(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.functions, 'imports');
  for (let i = 0; i < count; i++) {
    const from = reader.name(LIMITS.nameBytes);
    const name = reader.name(LIMITS.nameBytes);
    const at = reader.at;
    if (reader.u8() !== 0) {
      throw new ModuleRejected(`import ${from}.${name} is not a function; only functions can be imported`, at);
    }
    module.imports.push({ module: from, name, type: typeIndex(reader, module) });
  }
}

function functions(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.functions, 'functions');
  for (let i = 0; i < count; i++) module.functions.push(typeIndex(reader, module));
}

/** Minimum and maximum. Any flag but "has a maximum" is shared memory or a 64-bit index. */
function bounds(reader: Reader, what: string): { min: number; max: number | undefined } {
  const at = reader.at;
  const flags = reader.u8();
  if ((flags & 2) !== 0) throw new ModuleRejected(`shared ${what} is not allowed`, at);
  if ((flags & 4) !== 0) throw new ModuleRejected(`a 64-bit ${what} is not allowed`, at);
  if (flags > 1) throw new ModuleRejected(`${what} has unknown flags`, at);
  const min = reader.u32();
  const max = flags === 1 ? reader.u32() : undefined;
  if (max !== undefined && max < min) throw new ModuleRejected(`${what} has a maximum below its minimum`, at);
  return { min, max };
}

function tables(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.tables, 'tables');
  for (let i = 0; i < count; i++) {
    const type = referenceType(reader);
    const at = reader.at;
    const { min, max } = bounds(reader, 'table');
    if (min > LIMITS.tableEntries) {
      throw new ModuleRejected(`a table of ${min} entries, at most ${LIMITS.tableEntries} are allowed`, at);
    }
    module.tables.push({ type, min, max });
  }
}

function memory(reader: Reader, module: Module): void {
  const at = reader.at;
  const count = reader.u32();
  if (count > 1) throw new ModuleRejected('only one memory is allowed', at);
  if (count === 0) return;
  const { min, max } = bounds(reader, 'memory');
  if (min > MAX_PAGES || (max ?? 0) > MAX_PAGES) throw new ModuleRejected('a memory is larger than 4 GiB', at);
  module.memory = { min, max };
}

/** A constant: one instruction without a calculation, then `end`. */
function constant(reader: Reader, module: Module): void {
  const step = newStep();
  decode(reader, step);
  const allowed: readonly number[] = [
    OP.i32Const,
    OP.i64Const,
    OP.f32Const,
    OP.f64Const,
    OP.v128Const,
    OP.globalGet,
    OP.refNull,
    OP.refFunc,
  ];
  if (!allowed.includes(step.op)) throw new ModuleRejected('an initial value is calculated', step.start);
  if (step.op === OP.refFunc) module.referenced.add(step.index);
  if (reader.u8() !== OP.end) throw new ModuleRejected('an initial value is calculated', step.start);
}

function globals(reader: Reader, module: Module): void {
  module.globalCount = reader.count(LIMITS.globals, 'globals');
  for (let i = 0; i < module.globalCount; i++) {
    valueType(reader);
    const at = reader.at;
    if (reader.u8() > 1) throw new ModuleRejected('a global has unknown flags', at);
    constant(reader, module);
  }
}

function exports(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.exports, 'exports');
  for (let i = 0; i < count; i++) {
    const name = reader.name(LIMITS.nameBytes);
    const at = reader.at;
    const kind = reader.u8();
    if (kind > 3) throw new ModuleRejected(`export ${name} is of an unknown kind`, at);
    const index = reader.u32();
    if (kind === 0) module.referenced.add(index);
    module.exports.push({ name, kind, index });
  }
}

/** Looks for initial values that are calculated and for the functions in them; V8 checks the rest. */
function elements(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.segments, 'element segments');
  for (let i = 0; i < count; i++) {
    const at = reader.at;
    const flags = reader.u32();
    if (flags > 7) throw new ModuleRejected('an element segment has unknown flags', at);
    const active = (flags & 1) === 0;
    if (active && (flags & 2) !== 0) reader.u32();
    if (active) constant(reader, module);
    if ((flags & 3) !== 0) {
      if ((flags & 4) !== 0) referenceType(reader);
      else if (reader.u8() !== 0) throw new ModuleRejected('an element segment is of an unknown kind', at);
    }
    const entries = reader.count(LIMITS.tableEntries, 'elements');
    for (let j = 0; j < entries; j++) {
      if ((flags & 4) !== 0) constant(reader, module);
      else module.referenced.add(reader.u32());
    }
  }
}

function data(reader: Reader, module: Module): void {
  const count = reader.count(LIMITS.segments, 'data segments');
  for (let i = 0; i < count; i++) {
    const at = reader.at;
    const flags = reader.u32();
    if (flags > 2) throw new ModuleRejected('a data segment has unknown flags', at);
    if (flags === 2 && reader.u32() !== 0) throw new ModuleRejected('only one memory is allowed', at);
    if (flags !== 1) constant(reader, module);
    reader.skip(reader.u32());
  }
}

function code(reader: Reader, module: Module): void {
  const at = reader.at;
  const count = reader.count(LIMITS.functions, 'functions');
  if (count !== module.functions.length)
    throw new ModuleRejected('declared and defined functions differ in number', at);
  for (let i = 0; i < count; i++) {
    const start = reader.at;
    const size = reader.u32();
    if (size > LIMITS.functionBytes) {
      throw new ModuleRejected(`a function of ${size} bytes, at most ${LIMITS.functionBytes} are allowed`, start);
    }
    const from = reader.at;
    reader.skip(size);
    const body = new Reader(reader.bytes, from, reader.at);
    const locals: { count: number; type: number }[] = [];
    let localCount = 0;
    const groups = body.count(LIMITS.locals, 'local declarations');
    for (let j = 0; j < groups; j++) {
      const of = body.u32();
      localCount += of;
      if (localCount > LIMITS.locals) {
        throw new ModuleRejected(`a function with more than ${LIMITS.locals} locals`, start);
      }
      locals.push({ count: of, type: valueType(body) });
    }
    module.bodies.push({ type: module.functions[i]!, locals, localCount, code: body.at, end: reader.at });
  }
}

function section(id: number, reader: Reader, module: Module): void {
  const keep = (): Map<number, Uint8Array> => module.raw.set(id, reader.bytes.subarray(reader.at, reader.end));
  switch (id) {
    case SECTION.type:
      return types(reader, module);
    case SECTION.import:
      return imports(reader, module);
    case SECTION.function:
      return functions(reader, module);
    case SECTION.table:
      return tables(reader, module);
    case SECTION.memory:
      return memory(reader, module);
    case SECTION.global:
      keep();
      return globals(reader, module);
    case SECTION.export:
      return exports(reader, module);
    case SECTION.element:
      keep();
      return elements(reader, module);
    case SECTION.dataCount:
      keep();
      reader.u32();
      return;
    case SECTION.code:
      return code(reader, module);
    case SECTION.data:
      keep();
      return data(reader, module);
  }
}

/** Takes a module apart. Throws {@link ModuleRejected} for everything that this ABI does not know. */
export function parse(bytes: Uint8Array): Module {
  if (bytes.length > LIMITS.moduleBytes) {
    throw new ModuleRejected(`a module of ${bytes.length} bytes, at most ${LIMITS.moduleBytes} are allowed`);
  }
  const reader = new Reader(bytes);
  const header = reader.take(Math.min(HEADER.length, bytes.length));
  if (HEADER.some((byte, i) => header[i] !== byte))
    throw new ModuleRejected('not a WebAssembly module of version 1', 0);
  const module: Module = {
    bytes,
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memory: undefined,
    exports: [],
    bodies: [],
    globalCount: 0,
    referenced: new Set(),
    raw: new Map(),
  };
  let last = -1;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.u8();
    const size = reader.u32();
    const from = reader.at;
    reader.skip(size);
    if (id === SECTION.custom) continue;
    if (id === SECTION.start) throw new ModuleRejected('a start section is not allowed; export _start instead', at);
    const place = ORDER.indexOf(id);
    if (place < 0) throw new ModuleRejected(`section ${id} is not allowed`, at);
    if (place <= last) throw new ModuleRejected(`section ${id} is out of order`, at);
    last = place;
    const content = new Reader(bytes, from, reader.at);
    section(id, content, module);
    if (!content.done) throw new ModuleRejected(`section ${id} is longer than its content`, content.at);
  }
  if (module.bodies.length !== module.functions.length) {
    throw new ModuleRejected('declared and defined functions differ in number');
  }
  return module;
}
