import { command, wat } from '../../worker/test/wasm/wat.ts';

const bare = (imports: string, body: string): Uint8Array<ArrayBuffer> =>
  wat(`(module ${imports} (memory (export "memory") 1) (func (export "_start") ${body}))`);

/** Modules that break a rule of docs/jobs.md, or a cap of their own spec, as soon as they are started. */
export const badModules = {
  'imports a socket': bare(
    '(import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32) (result i32)))',
    '(drop (call $open (i32.const 0) (i32.const 0)))',
  ),
  'imports from another host': bare('(import "env" "exec" (func $exec))', '(call $exec)'),
  'uses relaxed SIMD': bare('', '(drop (i8x16.relaxed_swizzle (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))'),
  'is no wasm at all': Uint8Array.from(Buffer.from('#!/bin/sh\nrm -rf /\n')),
  'takes all memory': command(
    '(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)',
  ),
  'floods its output': command('(loop $more (call $say (i32.const 1) (i32.const 64) (i32.const 60000)) (br $more))'),
};

/** Turns for ever; nobody can see that before the caps of its spec are used up. */
export const endlessModule = (): Uint8Array<ArrayBuffer> => command('(loop $ever (br $ever))');

/** Writes `size` bytes after turning `rounds` million loops: an honest module. */
export const honestModule = (rounds = 0, size = 64): Uint8Array<ArrayBuffer> =>
  command(
    `(local $i i64)
     (loop $spin
       (local.set $i (i64.add (local.get $i) (i64.const 1)))
       (br_if $spin (i64.lt_u (local.get $i) (i64.const ${rounds * 1_000_000}))))
     (call $say (i32.const 1) (i32.const 64) (i32.const ${size}))`,
  );
