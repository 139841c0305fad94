/**
 * Caps on a module's shape. They are part of the ABI: a module over one is refused by every node, and all are far below
 * V8's own, so that V8 never gets to decide.
 */
export const LIMITS = {
  moduleBytes: 32 * 1024 * 1024,
  types: 10_000,
  params: 255,
  results: 64,
  functions: 50_000,
  functionBytes: 512 * 1024,
  locals: 4_096,
  nesting: 1_024,
  brTable: 16_384,
  tables: 8,
  tableEntries: 1_000_000,
  globals: 10_000,
  exports: 10_000,
  segments: 100_000,
  nameBytes: 4_096,
} as const;

export const PAGE_BYTES = 65_536;
export const MAX_PAGES = 65_536;

/**
 * Stack slots that nested calls may hold together; a call costs {@link CALL_SLOTS} plus its locals and operands.
 * V8's stack is made several times larger than this can need, so the counter always speaks first.
 */
export const STACK_SLOTS = 1_000_000;
export const CALL_SLOTS = 16;

/** One unit in charged operations. */
export const OPERATIONS_PER_UNIT = 1_000_000n;
/** More than this would come near the 64-bit counter's end. */
export const MAX_UNITS = 1n << 42n;

/** Prefix of the names the instrumenter adds; a module may not export any. */
export const RESERVED_PREFIX = '__dpu';
export const FUEL_EXPORT = '__dpu_fuel';
export const DEPTH_EXPORT = '__dpu_depth';
export const FAULT_EXPORT = '__dpu_fault';

/** Values of the fault global: why growing a memory or table did not happen. */
export const FAULT = { none: 0, refusedByLimit: 1, refusedByMachine: 2 } as const;

/** Bytes of stderr that are kept. */
export const LOG_BYTES = 64 * 1024;
