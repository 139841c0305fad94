import { readFileSync } from 'node:fs';
import loadWabt from 'wabt';

const wabt = await loadWabt();
const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  memory64: true,
  multi_memory: true,
  relaxed_simd: true,
};

/** Compiles WebAssembly text, every proposal on: what must be refused has to be written first. */
export function wat(source: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat('fixture.wat', source, FEATURES);
  try {
    return Uint8Array.from(module.toBinary({ write_debug_names: false }).buffer);
  } finally {
    module.destroy();
  }
}

/** Compiles a file of test/fixtures. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return wat(readFileSync(new URL(`../fixtures/${name}.wat`, import.meta.url), 'utf8'));
}

const IMPORTS = {
  args_get: '(param i32 i32) (result i32)',
  args_sizes_get: '(param i32 i32) (result i32)',
  environ_get: '(param i32 i32) (result i32)',
  environ_sizes_get: '(param i32 i32) (result i32)',
  clock_time_get: '(param i32 i64 i32) (result i32)',
  random_get: '(param i32 i32) (result i32)',
  fd_read: '(param i32 i32 i32 i32) (result i32)',
  fd_pread: '(param i32 i32 i32 i64 i32) (result i32)',
  fd_write: '(param i32 i32 i32 i32) (result i32)',
  fd_seek: '(param i32 i64 i32 i32) (result i32)',
  fd_tell: '(param i32 i32) (result i32)',
  fd_close: '(param i32) (result i32)',
  fd_fdstat_get: '(param i32 i32) (result i32)',
  fd_fdstat_set_flags: '(param i32 i32) (result i32)',
  fd_filestat_get: '(param i32 i32) (result i32)',
  fd_prestat_get: '(param i32 i32) (result i32)',
  fd_prestat_dir_name: '(param i32 i32 i32) (result i32)',
  path_open: '(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)',
  path_filestat_get: '(param i32 i32 i32 i32 i32) (result i32)',
  fd_readdir: '(param i32 i32 i32 i64 i32) (result i32)',
  sched_yield: '(result i32)',
  proc_exit: '(param i32)',
} as const;

export type WasiName = keyof typeof IMPORTS;

/**
 * A command: every WASI function imported under its own name, one page of memory (or `memory`), `fields` beside and
 * `start` as the body of `_start`. `$say` writes `length` bytes at `at` to `fd`; it uses the first 16 bytes of memory.
 */
export function command(
  start: string,
  { fields = '', memory = '1' }: { fields?: string; memory?: string } = {},
): Uint8Array<ArrayBuffer> {
  const imports = Object.entries(IMPORTS).map(
    ([name, type]) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type}))`,
  );
  return wat(`(module
    ${imports.join('\n')}
    (memory (export "memory") ${memory})
    ${fields}
    (func $say (param $fd i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start") ${start}))`);
}
