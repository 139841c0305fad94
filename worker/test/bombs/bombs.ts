import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { oneBuffer, request as kernelRequest } from '../wgsl/kernels.ts';
import { requestFor, small } from '../onnx/models.ts';
import { request } from '../wasm/shardRequest.ts';
import { command, fixture } from '../wasm/wat.ts';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';

const MIB = 1024 * 1024;
const FOREVER = 2n ** 40n;

/** Numbers in [0, 1), by the seed of a bomb. */
export type Draw = () => number;

/** What is thrown at a runtime. */
export interface ShardBomb {
  runtime: 'wasm' | 'train' | 'onnx' | 'wgsl';
  /** How it may end: reasons of a ShardError, or `ok`. */
  ends: readonly string[];
  make: (draw: Draw) => ShardRequest;
}

/** What a program does that was taken over, in the sandbox itself; it is killed after a second unless it ends before. */
export interface ProgramBomb {
  code: string;
}

const between = (draw: Draw, least: number, most: number): number => least + Math.floor(draw() * (most - least + 1));
/** Short enough for a thousand of them, long enough to be noticed if it were not kept. */
const brief = (draw: Draw): { units: bigint; seconds: number } => ({ units: FOREVER, seconds: 0.2 + draw() * 0.3 });
const wasm = (module: Uint8Array, limits: Partial<ShardRequest['limits']> = {}): ShardRequest =>
  request(module, {}, limits);

/** Bytes of a module, some of them changed. */
function broken(module: Uint8Array, draw: Draw): Uint8Array {
  const bytes = Uint8Array.from(module);
  for (let left = between(draw, 1, 8); left > 0; left -= 1) {
    bytes[Math.floor(draw() * bytes.length)] = Math.floor(draw() * 256);
  }
  return bytes;
}

const ANY = ['ok', 'module-rejected', 'trap', 'exit-code', 'out-of-units', 'out-of-memory', 'output-limit', 'timeout'];

/** Bombs of shards by name: memory, processor, depth, floods, lies about sizes, and what is no program at all. */
export const SHARD_BOMBS: Readonly<Record<string, ShardBomb>> = {
  'takes memory page by page': {
    runtime: 'wasm',
    ends: ['out-of-memory'],
    make: (draw) =>
      wasm(
        command(
          `(loop $l (br_if $l (i32.ne (memory.grow (i32.const ${between(draw, 1, 64)})) (i32.const -1)))) unreachable`,
        ),
      ),
  },
  'starts with all memory there is': {
    runtime: 'wasm',
    ends: ['out-of-memory'],
    make: (draw) => wasm(command('', { memory: String(between(draw, 257, 65_536)) })),
  },
  'clears memory for ever': {
    runtime: 'wasm',
    ends: ['out-of-units'],
    make: () =>
      wasm(
        command('(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br $l))', { memory: '256' }),
        { units: 200 },
      ),
  },
  'turns for ever, by its units': {
    runtime: 'wasm',
    ends: ['out-of-units'],
    make: (draw) => wasm(command('(loop $l (br $l))'), { units: between(draw, 1, 100) }),
  },
  'turns for ever, by the clock': {
    runtime: 'wasm',
    ends: ['timeout'],
    make: (draw) => wasm(command('(loop $l (br $l))'), brief(draw)),
  },
  'calls itself for ever': {
    runtime: 'wasm',
    ends: ['trap'],
    make: (draw) => {
      const locals = '(local i64)'.repeat(between(draw, 0, 200));
      return wasm(command('(call $r)', { fields: `(func $r ${locals} (call $r))` }));
    },
  },
  'has a huge table': {
    runtime: 'wasm',
    ends: ['module-rejected'],
    make: (draw) => wasm(command('', { fields: `(table ${between(draw, 1_000_001, 4_000_000_000)} funcref)` })),
  },
  'has many tables': {
    runtime: 'wasm',
    ends: ['module-rejected'],
    make: (draw) => wasm(command('', { fields: '(table 1 funcref)'.repeat(between(draw, 9, 50)) })),
  },
  'has a function of thousands of locals': {
    runtime: 'wasm',
    ends: ['module-rejected'],
    make: (draw) => wasm(command('', { fields: `(func ${'(local i64)'.repeat(between(draw, 4_097, 9_000))})` })),
  },
  'floods its output': {
    runtime: 'wasm',
    ends: ['output-limit'],
    make: (draw) =>
      wasm(
        command(
          `(loop $l (call $say (i32.const 1) (i32.const 0) (i32.const ${between(draw, 8_192, 65_536)})) (br $l))`,
        ),
      ),
  },
  'floods its log': {
    runtime: 'wasm',
    ends: ['out-of-units'],
    make: () =>
      wasm(command('(loop $l (call $say (i32.const 2) (i32.const 0) (i32.const 65536)) (br $l))'), { units: 50 }),
  },
  'opens files for ever': {
    runtime: 'wasm',
    ends: ['out-of-units'],
    make: () =>
      request(
        command(
          `(loop $l
            (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 0)
              (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 600)))
            (br $l))`,
          { fields: '(data (i32.const 512) "x")' },
        ),
        { inputs: [{ name: 'x', bytes: new Uint8Array(1) }] },
        { units: 20 },
      ),
  },
  'asks for chance for ever': {
    runtime: 'wasm',
    ends: ['out-of-units'],
    make: () =>
      wasm(command('(loop $l (drop (call $random_get (i32.const 0) (i32.const 65536))) (br $l))'), { units: 50 }),
  },
  'is a module with wrong bytes': {
    runtime: 'wasm',
    ends: ANY,
    make: (draw) => wasm(broken(fixture('selfTest'), draw), { units: 50, seconds: 2 }),
  },
  'is nothing but chance': {
    runtime: 'wasm',
    ends: ['module-rejected'],
    make: (draw) => wasm(randomBytes(between(draw, 0, 100_000))),
  },
  'has an input that unpacks to a thousand times its size': {
    runtime: 'wasm',
    ends: ['ok'],
    make: (draw) => {
      const bytes = new Uint8Array(gzipSync(new Uint8Array(between(draw, 1, 8) * MIB)));
      return request(command(''), { inputs: [{ name: 'bomb.gz', bytes }] });
    },
  },
  'trains for ever': {
    runtime: 'train',
    ends: ['timeout'],
    make: (draw) => wasm(command('(loop $l (br $l))'), brief(draw)),
  },
  'trains on all memory there is': {
    runtime: 'train',
    ends: ['out-of-memory'],
    make: () => wasm(command('(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable')),
  },
  'is a model with wrong bytes': {
    runtime: 'onnx',
    ends: [...ANY, 'machine'],
    make: (draw) => requestFor(broken(small([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }]), draw), {}),
  },
  'is no model': {
    runtime: 'onnx',
    ends: ['module-rejected'],
    make: (draw) => requestFor(new Uint8Array(gzipSync(new Uint8Array(between(draw, 1, 8) * MIB))), {}),
  },
  'is a kernel without end': {
    runtime: 'wgsl',
    ends: ['timeout', 'device-lost', 'killed'],
    make: (draw) =>
      kernelRequest(
        oneBuffer('loop { data[id.x] += 1u; if (data[id.x] == 4294967295u && id.x > 9999u) { break; } }'),
        {},
        {
          seconds: 1 + draw(),
        },
      ),
  },
  'is no kernel': {
    runtime: 'wgsl',
    ends: ['module-rejected'],
    make: (draw) => kernelRequest({ ...oneBuffer(''), module: randomBytes(between(draw, 1, 10_000)) }),
  },
};

/** Bombs of a program that was taken over, by name. What is endless is killed by the node. */
export const PROGRAM_BOMBS: Readonly<Record<string, ProgramBomb>> = {
  'takes memory': { code: 'const kept = []; for (;;) kept.push(Buffer.alloc(64 << 20, 1));' },
  'turns for ever': { code: 'for (;;);' },
  sleeps: { code: 'setInterval(() => {}, 1e6);' },
  'sleeps and hears no signal': {
    code: "for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) try { process.on(name, () => {}); } catch {} setInterval(() => {}, 1e6);",
  },
  'floods its output': {
    code: "import { writeSync } from 'node:fs'; for (;;) try { writeSync(1, Buffer.alloc(65536)); } catch {}",
  },
  'floods its errors': {
    code: "import { writeSync } from 'node:fs'; for (;;) try { writeSync(2, Buffer.alloc(65536)); } catch {}",
  },
  forks: {
    code: "import { spawn } from 'node:child_process'; for (let i = 0; i < 1000; i++) try { spawn(process.execPath, [process.argv[1]]).on('error', () => {}); } catch {} for (;;);",
  },
  'makes threads': {
    code: "import { Worker } from 'node:worker_threads'; for (let i = 0; i < 100; i++) try { new Worker('for(;;);', { eval: true }).on('error', () => {}); } catch {} for (;;);",
  },
  'makes files': {
    code: "import { writeFileSync } from 'node:fs'; for (let i = 0; ; i++) for (const at of ['/tmp/dpu-bomb', '/dpu/child/', '/', '/dev/shm/dpu-bomb']) try { writeFileSync(at + i, 'x'); } catch {}",
  },
  'fills a file': {
    code: "import { openSync, writeSync } from 'node:fs'; for (;;) try { const f = openSync('/tmp/dpu-bomb', 'w'); for (;;) writeSync(f, Buffer.alloc(1 << 20)); } catch {}",
  },
  'uses up its descriptors': {
    code: "import { openSync } from 'node:fs'; for (;;) try { openSync(process.argv[1], 'r'); } catch {}",
  },
  'unpacks a bomb': {
    code: "import { gzipSync, gunzipSync } from 'node:zlib'; let b = gzipSync(Buffer.alloc(1 << 28)); const kept = []; for (;;) kept.push(gunzipSync(b));",
  },
  'calls itself for ever': { code: 'function f() { f(); } for (;;) try { f(); } catch {}' },
};
