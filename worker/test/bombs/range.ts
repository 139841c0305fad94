import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ShardError, type Runtime } from '../../src/runtimes/runtime.ts';
import { OnnxRuntime } from '../../src/runtimes/onnx/onnxRuntime.ts';
import { TrainRuntime } from '../../src/runtimes/train/trainRuntime.ts';
import { WasmRuntime } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { WgslRuntime } from '../../src/runtimes/wgsl/wgslRuntime.ts';
import { detectIsolation } from '../../src/sandbox/detect.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { hello, request } from '../wasm/shardRequest.ts';
import { PROGRAM_BOMBS, SHARD_BOMBS, type Draw } from './bombs.ts';

const MIB = 1024 * 1024;
/** A program that does not end by itself is killed after this time. */
const FUSE_MS = 400;
/** Output of a program that is read before it is killed, bytes. */
const MOST_OUTPUT = 4 * MIB;

/** Where bombs go off: runtimes of one node with a folder of their own. */
export class Range {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dpu-bombs-'));
  readonly #runtimes: Record<string, Runtime>;
  readonly #usable = new Set<string>();
  #sandbox: Sandbox | undefined;
  #files: string[] = [];

  constructor() {
    const options = { folder: join(this.#folder, 'sandbox') };
    this.#runtimes = {
      wasm: new WasmRuntime(options),
      train: new TrainRuntime(options),
      onnx: new OnnxRuntime(options),
      wgsl: new WgslRuntime(options),
    };
  }

  /** Finds out which runtimes and which class of sandbox work here. */
  async open(): Promise<void> {
    for (const [name, runtime] of Object.entries(this.#runtimes)) {
      if ((await runtime.probe()).available) this.#usable.add(name);
    }
    const { isolation, seccomp } = await detectIsolation({ folder: this.#folder });
    this.#sandbox = new Sandbox({ isolation, seccomp });
    this.#files = this.#list();
  }

  /** Names of the bombs that can go off here. */
  get bombs(): string[] {
    const shards = Object.entries(SHARD_BOMBS).filter(([, { runtime }]) => this.#usable.has(runtime));
    // In the weaker classes some of them would hit the machine that runs the tests.
    const programs = this.#sandbox?.options.isolation === 'bubblewrap' ? Object.keys(PROGRAM_BOMBS) : [];
    return [
      ...shards.map(([name, { runtime }]) => `${runtime}: ${name}`),
      ...programs.map((name) => `program: ${name}`),
    ];
  }

  /** Sets one off. What is wrong afterwards; empty when nothing is. */
  async explode(bomb: string, draw: Draw): Promise<string[]> {
    const [where = '', name = ''] = bomb.split(/: (.*)/);
    const wrong: string[] = [];
    if (where === 'program') await this.#program(PROGRAM_BOMBS[name]?.code ?? '');
    else {
      const shard = SHARD_BOMBS[name];
      const runtime = this.#runtimes[where];
      if (!shard || !runtime) throw new Error(`no bomb ${bomb}`);
      const end = await runtime.run(shard.make(draw)).then(
        () => 'ok',
        (error: unknown) => (error instanceof ShardError ? error.reason : `no ShardError: ${String(error)}`),
      );
      if (!shard.ends.includes(end)) wrong.push(`it ended with ${end}`);
    }
    const left = childrenOf(process.pid);
    if (left.length > 0) wrong.push(`processes are left: ${left.join('; ')}`);
    const files = this.#list().filter((file) => !this.#files.includes(file));
    if (files.length > 0) wrong.push(`files are left: ${files.join(', ')}`);
    return wrong;
  }

  /** Whether the node still does ordinary work. */
  async isAlive(): Promise<boolean> {
    const { output } = await this.#runtimes['wasm']!.run(request(hello));
    return Buffer.from(output).toString() === 'hello\n';
  }

  async close(): Promise<void> {
    for (const runtime of Object.values(this.#runtimes)) await runtime.close();
    await this.#sandbox?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #program(code: string): Promise<void> {
    const folder = mkdtempSync(join(this.#folder, 'program-'));
    writeFileSync(join(folder, 'main.mjs'), code);
    const child = this.#sandbox!.start({
      ...{ folder, entry: 'main.mjs', nodeFlags: ['--no-warnings'], permission: false },
      limits: { dataBytes: 512 * MIB, stackBytes: 8 * MIB, cpuSeconds: 5 },
    });
    const fuse = setTimeout(() => child.kill(), FUSE_MS);
    let bytes = 0;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > MOST_OUTPUT) child.kill();
      });
    child.stdin.end();
    await child.ended;
    clearTimeout(fuse);
    rmSync(folder, { recursive: true });
  }

  /** Files of this node's folder, and of the places that bombs aim at. */
  #list(): string[] {
    const stray = ['/tmp', '/dev/shm', '/'].flatMap((at) =>
      readdirSync(at).flatMap((name) =>
        name.startsWith('dpu-bomb') && !name.startsWith('dpu-bombs-') ? [join(at, name)] : [],
      ),
    );
    return [...stray, ...readdirSync(this.#folder, { recursive: true }).map(String)];
  }
}

/** Processes whose parent is `pid`, or that a child of it left to the first process, by their command lines. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      if (Number(parent) !== pid || state === 'Z') return [];
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // The compiler of the tests and the like are no shards.
      return /bwrap|prlimit|dpu-/.test(line) ? [line.slice(0, 200)] : [];
    } catch {
      return [];
    }
  });
}
