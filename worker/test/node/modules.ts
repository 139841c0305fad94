import { wat } from '../wasm/wat.ts';

const IMPORTS = `
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)`;

/** Writes its arguments, zero bytes and all, after turning `rounds` million loops. */
export function echoModule(rounds = 0): Uint8Array<ArrayBuffer> {
  return wat(`(module ${IMPORTS}
    (func (export "_start") (local $i i64)
      (loop $spin
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br_if $spin (i64.lt_u (local.get $i) (i64.const ${rounds * 1_000_000}))))
      (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
      (drop (call $args_get (i32.const 64) (i32.const 1024)))
      (i32.store (i32.const 16) (i32.const 1024))
      (i32.store (i32.const 20) (i32.load (i32.const 4)))
      (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))`);
}

/** Ends with exit status 1 whatever it is given, but only after 400 million loops: too late for the trial before a claim. */
export function failingModule(): Uint8Array<ArrayBuffer> {
  return wat(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $i i32)
      (loop $spin
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $spin (i32.lt_u (local.get $i) (i32.const 400000000))))
      (call $exit (i32.const 1))))`);
}

/** Writes the files `/in/parts/0` and `/in/parts/1`, one after the other. */
export function joinModule(): Uint8Array<ArrayBuffer> {
  return wat(`(module ${IMPORTS}
    (data (i32.const 8) "parts/0parts/1")
    (func $copy (param $path i32)
      (drop (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (i32.const 7) (i32.const 0)
        (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 32)))
      (i32.store (i32.const 36) (i32.const 1024))
      (i32.store (i32.const 40) (i32.const 4096))
      (drop (call $fd_read (i32.load (i32.const 32)) (i32.const 36) (i32.const 1) (i32.const 44)))
      (i32.store (i32.const 40) (i32.load (i32.const 44)))
      (drop (call $fd_write (i32.const 1) (i32.const 36) (i32.const 1) (i32.const 44))))
    (func (export "_start") (call $copy (i32.const 8)) (call $copy (i32.const 15))))`);
}
