/**
 * How much slower the same program is as a metered, sandboxed wasm shard than compiled for this very processor. Processor time on both
 * sides, since other work on the machine disturbs the clock on the wall; that of the shard has its process's start and compiling in it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

import { judge, type BenchResult } from '../../../script/bench/lib/report.ts';
import type { WasmRuntime } from '../../../worker/src/runtimes/wasm/wasmRuntime.ts';

const KERNELS = [
  { name: 'path tracer', size: 280 },
  { name: 'matrix product', size: 640 },
  { name: 'compression', size: 20_000_000 },
] as const;
const COMPILERS = ['cc', 'gcc', 'clang'];
/** As operators' distributions build programs; floats as the other side computes them, so that both give the same answer. */
const FLAGS = ['-O2', '-ffp-contract=off', '-fno-strict-aliasing'];

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function compileWasm(kernel: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const text = `const KERNEL: i32 = ${kernel};\nconst SIZE: i32 = ${size};\n${readFileSync(new URL('kernels.as', import.meta.url), 'utf8')}`;
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      'kernel.ts',
      '--outFile',
      'kernel.wasm',
      '--exportStart',
      '_start',
      '--runtime',
      'stub',
      '-O3',
      '--noAssert',
    ].concat(['--use', 'abort=', '--maximumMemory', '4096']),
    {
      readFile: (name) => (name === 'kernel.ts' ? text : null),
      writeFile: (name, contents) => {
        if (name === 'kernel.wasm' && typeof contents !== 'string') binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`the kernel does not compile: ${stderr.toString()}`);
  return Uint8Array.from(binary);
}

/** Runs every program both ways, in turns. Empty, with a line that says so, where there is no C compiler. */
export async function againstNative(runtime: WasmRuntime, runs: number): Promise<BenchResult[]> {
  const compiler = COMPILERS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (compiler === undefined) {
    console.error('Skipped: WASM against native, because there is no C compiler (cc, gcc or clang).');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'dpu-native-'));
  try {
    const program = join(folder, 'kernels');
    execFileSync(compiler, [...FLAGS, new URL('kernels.c', import.meta.url).pathname, '-o', program, '-lm']);
    const results: BenchResult[] = [];
    for (const [index, { name, size }] of KERNELS.entries()) {
      const module = await compileWasm(index, size);
      const times = { native: [] as number[], wasm: [] as number[] };
      for (let run = 0; run < runs; run += 1) {
        const [sum, ms] = execFileSync(program, [String(index), String(size)], { encoding: 'utf8' })
          .trim()
          .split(' ');
        times.native.push(Number(ms));
        const shard = await runtime.run({
          ...{ module, args: [], shard: 0, shards: 1, inputs: [], seed: new Uint8Array(32) },
          limits: { memoryBytes: 256 * 1024 * 1024, units: 2n ** 40n, outputBytes: 64, seconds: 600 },
        });
        times.wasm.push(shard.childMs!.cpu);
        const answer = new DataView(shard.output.buffer, shard.output.byteOffset).getUint32(0, true);
        if (answer !== Number(sum)) throw new Error(`${name}: the shard says ${answer}, the native program ${sum}`);
      }
      const [value, baseline] = [median(times.wasm), median(times.native)];
      results.push(
        judge({
          name: `${name} as a shard (baseline: ${compiler} -O2)`,
          value,
          unit: 'cpu ms',
          baseline,
          better: 'lower',
        }),
      );
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
