// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- ambient types of a global, there is nothing to import
/// <reference path="../../worker/src/runtimes/wasm/webassembly.d.ts" />
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { ShardRequest } from '../../worker/src/runtimes/runtime.ts';
import { Files } from '../../worker/src/runtimes/wasm/child/files.ts';
import { instrument } from '../../worker/src/runtimes/wasm/child/instrument.ts';
import { parse } from '../../worker/src/runtimes/wasm/child/parse.ts';
import { RandomStream } from '../../worker/src/runtimes/wasm/child/random.ts';
import { createWasi, ProcessExit } from '../../worker/src/runtimes/wasm/child/wasi.ts';
import { SELF_TEST } from '../../worker/src/runtimes/wasm/selfTest.ts';
import { WasmRuntime } from '../../worker/src/runtimes/wasm/wasmRuntime.ts';
import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';
import { againstNative } from './node/native.ts';
import { bySlots } from './node/slots.ts';
import { wholeNode } from './node/wholeNode.ts';

/**
 * What metering and the sandbox cost; what a node makes of its slots; what it takes while idle, and how soon it claims. The baseline is the same module, not rewritten, compiled and run in this process by
 * the same compiler and the same WASI. What is compared takes turns, and every number is the median of several runs: other
 * work on the machine disturbs them alike. Processor time is all of the child's from its start on, its compiler threads
 * included. `--json` prints JSON, `--quick` takes fewer samples per pixel and fewer runs.
 */

const quick = process.argv.includes('--quick');
const RUNS = quick ? 3 : 7;
const SAMPLES = quick ? 64 : 256;
const SHORT_RUNS = quick ? 8 : 24;
const PARALLEL = 2;
/** Jobs that a whole node is given. */
const JOBS = quick ? 2 : 8;
/** The metered, sandboxed shard may take this many times as long as the bare one. */
const TARGET_RATIO = 1.1;
const MIB = 1024 * 1024;

const build = new URL('../../sdk/modules/build/', import.meta.url);
if (!existsSync(new URL('pathtracer.wasm', build))) {
  console.error('The render module is not built yet. Run "npm run build:modules" and start this again.');
  process.exit(1);
}
const tracer = readFileSync(new URL('pathtracer.wasm', build));

/** A tile of 128 × 128 pixels. */
const tile = (samples: number): ShardRequest => shardOf(['256', '256', '128', '128', String(samples)], 1, 4);
/** What the render template makes of an image when nothing is chosen, a tile from its middle. */
const TEMPLATE_TILE = shardOf(['1280', '720', '160', '90', '48'], 36, 64);

function shardOf(size: readonly string[], shard: number, shards: number): ShardRequest {
  return {
    module: tracer,
    args: [...size, '5', '1', 'ground'],
    shard,
    shards,
    inputs: [{ name: 'scene.obj', bytes: readFileSync(new URL('scene.obj', build)) }],
    seed: new Uint8Array(32),
    limits: { memoryBytes: 512 * MIB, units: 2n ** 40n, outputBytes: 16 * MIB, seconds: 600 },
  };
}

/** Runs a module as it is, in this process. Returns its output and milliseconds from bytes to the last byte. */
function bare(
  { module, args, shard, shards, inputs, seed }: ShardRequest,
  bytes: Uint8Array,
): { output: Buffer; cpu: number; ms: number } {
  const started = performance.now();
  const before = process.cpuUsage();
  const compiled = new WebAssembly.Module(Uint8Array.from(bytes));
  const pieces: Uint8Array[] = [];
  const wasi = createWasi(
    parse(module).imports.map(({ name }) => name),
    {
      memory: () => instance.exports['memory'] as WebAssembly.Memory,
      args: ['module', String(shard), String(shards), ...args],
      files: new Files(inputs),
      random: new RandomStream(seed, shard),
      charge: () => {},
      stdout: (piece) => pieces.push(piece.slice()),
      stderr: () => {},
    },
  );
  const instance = new WebAssembly.Instance(compiled, { wasi_snapshot_preview1: wasi });
  try {
    (instance.exports['_start'] as () => void)();
  } catch (error) {
    if (!(error instanceof ProcessExit) || error.code !== 0) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  return { output: Buffer.concat(pieces), cpu: (user + system) / 1_000, ms: performance.now() - started };
}

const smallest = (values: readonly number[]): number => Math.min(...values);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

async function plainNode(): Promise<void> {
  await once(spawn(process.execPath, ['--no-liftoff', '-e', '0'], { stdio: 'ignore', env: {} }), 'exit');
}

async function longShard(runtime: WasmRuntime, name: string, request: ShardRequest): Promise<BenchResult[]> {
  const metered = instrument(parse(tracer), { maxPages: 8_192, fuel: 2n ** 62n });
  const cpu = { bare: [] as number[], metered: [] as number[], sandboxed: [] as number[] };
  const wall = { bare: [] as number[], sandboxed: [] as number[] };
  // A node rewrites a module once for all of its shards.
  await runtime.run(request);
  for (let i = 0; i < RUNS; i++) {
    const plain = bare(request, tracer);
    cpu.bare.push(plain.cpu);
    wall.bare.push(plain.ms);
    cpu.metered.push(bare(request, metered).cpu);
    const shard = await runtime.run(request);
    cpu.sandboxed.push(shard.childMs!.cpu);
    wall.sandboxed.push(shard.wallMs);
    if (!plain.output.equals(shard.output)) throw new Error('the rewritten module computes something else');
  }
  const against = (baseline: number) => ({ baseline, target: baseline * TARGET_RATIO, better: 'lower' }) as const;
  const ofCpu = { unit: 'cpu ms', ...against(median(cpu.bare)) };
  return [
    judge({ name: `${name}, metered in this process`, value: median(cpu.metered), ...ofCpu }),
    judge({ name: `${name}, metered and sandboxed`, value: median(cpu.sandboxed), ...ofCpu }),
    judge({
      name: `${name}, metered and sandboxed, by the wall clock`,
      value: median(wall.sandboxed),
      unit: 'ms',
      ...against(median(wall.bare)),
    }),
  ];
}

async function start(runtime: WasmRuntime, warm: WasmRuntime): Promise<BenchResult[]> {
  const times = { node: [] as number[], cold: [] as number[], warm: [] as number[] };
  await warm.run(SELF_TEST);
  for (let i = 0; i < SHORT_RUNS; i++) {
    times.node.push(await timed(plainNode));
    times.cold.push((await runtime.run(SELF_TEST)).wallMs);
    times.warm.push((await warm.run(SELF_TEST)).wallMs);
  }
  const common = { unit: 'ms', baseline: smallest(times.node), better: 'lower' } as const;
  return [
    judge({ name: 'shortest shard, new process (baseline: node -e 0)', value: smallest(times.cold), ...common }),
    judge({ name: 'shortest shard, idle process kept ready', value: smallest(times.warm), ...common }),
  ];
}

async function perMinute(runtime: WasmRuntime, name: string, request: ShardRequest): Promise<BenchResult> {
  let left = SHORT_RUNS;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await runtime.run(request);
  };
  const ms = await timed(() => Promise.all(Array.from({ length: PARALLEL }, lane)));
  return judge({ name, value: (SHORT_RUNS / ms) * 60_000, unit: 'shards/min' });
}

// The children run without V8's baseline compiler; the bare runs must not be slower for having it.
setFlagsFromString('--no-liftoff');
// And every run compiles, as every child has to.
setFlagsFromString('--no-wasm-native-module-cache');
const runtime = new WasmRuntime();
const warm = new WasmRuntime({ warm: PARALLEL });
try {
  const { isolation, seccomp } = await runtime.isolation();
  const results = [
    ...(await longShard(runtime, 'long shard', tile(SAMPLES))),
    ...(await longShard(runtime, "the render template's shard", TEMPLATE_TILE)),
    ...(await start(runtime, warm)),
    await perMinute(runtime, `self-test shards, ${PARALLEL} at a time`, SELF_TEST),
    await perMinute(warm, `self-test shards, ${PARALLEL} at a time, kept ready`, SELF_TEST),
    await perMinute(runtime, `128 x 128 tiles of 4 samples, ${PARALLEL} at a time`, tile(4)),
    await perMinute(warm, `128 x 128 tiles of 4 samples, ${PARALLEL} at a time, kept ready`, tile(4)),
    ...(await bySlots(runtime, tile(4), SHORT_RUNS)),
    ...(await againstNative(runtime, RUNS)),
    ...(await wholeNode(JOBS)),
  ];
  report(`node and wasm runtime, ${isolation}${seccomp ? ' with seccomp' : ''}`, results);
} finally {
  await runtime.close();
  await warm.close();
}
