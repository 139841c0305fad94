import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';
import { CALL_SLOTS, STACK_SLOTS } from '../../src/runtimes/wasm/child/limits.ts';
import { Answer } from '../../src/runtimes/answer.ts';
import { requestHeader } from '../../src/runtimes/wasm/request.ts';
import { WasmRuntime, type WasmRuntimeOptions } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { detectIsolation } from '../../src/sandbox/detect.ts';
import { ISOLATIONS } from '../../src/sandbox/isolation.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { stageProgram } from '../../src/sandbox/stage.ts';
import { failure, hello, request } from './shardRequest.ts';
import { command, fixture } from './wat.ts';

const MIB = 1024 * 1024;

const runtimes: WasmRuntime[] = [];
function runtime(options: WasmRuntimeOptions = {}): WasmRuntime {
  const made = new WasmRuntime(options);
  runtimes.push(made);
  return made;
}
afterAll(async () => {
  await Promise.all(runtimes.map((made) => made.close()));
});

const endless = command('(loop $l (br $l))');

const works = new Map<string, boolean>();
for (const only of ISOLATIONS) {
  works.set(
    only,
    await detectIsolation({ only }).then(
      () => true,
      () => false,
    ),
  );
}

describe.each(ISOLATIONS)('%s', (isolation) => {
  const strict = test.skipIf(!works.get(isolation));
  const made = runtime({ isolation });

  strict('its probe computes the known answer', async () => {
    expect(await made.probe()).toMatchObject({ available: true, isolation });
  });

  strict('runs a shard: output, units, log', async () => {
    const heard: string[] = [];
    const { output, units, log } = await made.run(request(hello), { onLog: (text) => heard.push(text) });
    expect([Buffer.from(output).toString(), units, log, heard.join('')]).toEqual(['hello\n', 1, 'hello', 'hello']);
  });

  strict('ends an endless loop by units', async () => {
    expect(await failure(made.run(request(endless)))).toBe(
      'out-of-units (job): The shard needs more than the 1000 units its spec allows.',
    );
  });

  strict('ends a shard by the clock, and the next one runs', async () => {
    const limits = { units: 2n ** 40n, seconds: 0.5 };
    expect(await failure(made.run(request(endless, {}, limits)))).toBe(
      'timeout (machine): The shard was not done after the 0.5 seconds its spec allows.',
    );
    expect((await made.run(request(hello))).units).toBe(1);
  });

  strict('a deep recursion is the same trap at the same depth', async () => {
    const depth = async (locals: number): Promise<number> => {
      const fields = `(func $r ${'(local i64)'.repeat(locals)}
        (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))
        (call $say (i32.const 2) (i32.const 32) (i32.const 0))
        (if (i32.ge_u (i32.load (i32.const 32)) (i32.load (i32.const 36))) (then (return)))
        (call $r))`;
      const deepest = async (from: number, to: number): Promise<number> => {
        if (from === to) return from;
        const middle = Math.ceil((from + to) / 2);
        const start = `(i32.store (i32.const 36) (i32.const ${middle})) (call $r)`;
        const said = await failure(made.run(request(command(start, { fields }))));
        if (said !== 'ok') expect(said).toBe("trap (job): The module's calls nest too deep.");
        return said === 'ok' ? deepest(middle, to) : deepest(from, middle - 1);
      };
      const expected = Math.floor((STACK_SLOTS - CALL_SLOTS - 2) / (CALL_SLOTS + locals + 3));
      return (await deepest(expected - 1, expected + 1)) - expected;
    };
    expect([await depth(0), await depth(4_000)]).toEqual([0, 0]);
  });
});

describe('bombs and escapes', () => {
  const made = runtime();

  test.each<[string, Uint8Array, Partial<ShardRequest['limits']>, string]>([
    [
      'garbage',
      new TextEncoder().encode('MZ this is no module'),
      {},
      'module-rejected (job): Not a WebAssembly module of version 1 (at byte 0).',
    ],
    [
      'half a module',
      fixture('selfTest').subarray(0, 300),
      {},
      'module-rejected (job): The module ends in the middle of something',
    ],
    [
      'an empty module',
      new Uint8Array(0),
      {},
      'module-rejected (job): Not a WebAssembly module of version 1 (at byte 0).',
    ],
    [
      'an exit code',
      command('(call $proc_exit (i32.const 42))'),
      {},
      'exit-code (job): The module ended with exit code 42.',
    ],
    ['a trap', command('unreachable'), {}, 'trap (job): The module trapped: unreachable.'],
    [
      'recursion through a chain of functions',
      command('(call $a)', {
        fields: '(func $a (call $b)) (func $b (local i64 i64) (call $c)) (func $c (call $a))',
      }),
      {},
      "trap (job): The module's calls nest too deep.",
    ],
    [
      'recursion through a table',
      command('(call $a)', {
        fields: `(table 1 funcref) (elem (i32.const 0) $a) (type $t (func))
          (func $a (call $b)) (func $b (local i64 i64) (call_indirect (type $t) (i32.const 0)))`,
      }),
      {},
      "trap (job): The module's calls nest too deep.",
    ],
    [
      'memory over the limit',
      command('(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable'),
      {},
      'out-of-memory (job): The module trapped after it was refused memory over its limit: unreachable.',
    ],
    [
      'four gigabytes at the start',
      command('', { memory: '65536' }),
      {},
      'out-of-memory (job): The module starts with 65536 pages of memory, its spec allows 256.',
    ],
    [
      'clearing memory for ever',
      command('(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br $l))', { memory: '256' }),
      {},
      'out-of-units (job): The shard needs more than the 1000 units its spec allows.',
    ],
    [
      'a flood of output',
      command('(loop $l (call $say (i32.const 1) (i32.const 0) (i32.const 65536)) (br $l))'),
      {},
      'output-limit (job): The shard wrote more than the 1048576 bytes its spec allows.',
    ],
    [
      'a flood of small writes',
      command('(loop $l (call $say (i32.const 1) (i32.const 0) (i32.const 1)) (br $l))'),
      { units: 100 },
      'out-of-units (job): The shard needs more than the 100 units its spec allows.',
    ],
    [
      'a flood of log lines',
      command('(loop $l (call $say (i32.const 2) (i32.const 0) (i32.const 65536)) (br $l))'),
      { units: 100 },
      'out-of-units (job): The shard needs more than the 100 units its spec allows.',
    ],
  ])('%s fails as itself, and the next shard succeeds', async (_what, module, limits, expected) => {
    const said = await failure(made.run(request(module, {}, limits)));
    expect(said.startsWith(expected), said).toBe(true);
    expect(Buffer.from((await made.run(request(hello))).output).toString()).toBe('hello\n');
  });

  test('a shard may use all the memory of its limit, touched', async () => {
    const fill = command('(memory.fill (i32.const 0) (i32.const 1) (i32.const 1073741824))', { memory: '16384' });
    expect(await failure(made.run(request(fill, {}, { memoryBytes: 1024 * MIB })))).toBe('ok');
  });

  test('a node that is asked to stop ends the shard', async () => {
    const stop = new AbortController();
    const flood = command(`(loop $l (call $say (i32.const 2) (i32.const 0) (i32.const 1)) (br $l))`);
    const running = made.run(request(flood, {}, { units: 2n ** 40n }), {
      signal: stop.signal,
      onLog: () => stop.abort(),
    });
    expect(await failure(running)).toBe('killed (machine): The shard was ended because the node asked for it.');
    expect(await failure(made.run(request(hello), { signal: stop.signal }))).toBe(
      'killed (machine): The shard was ended because the node asked for it.',
    );
  });

  test.each<[string, Partial<ShardRequest>, string]>([
    [
      'a name that climbs out',
      { inputs: [{ name: '../x', bytes: new Uint8Array() }] },
      '"../x" is not a name for an input',
    ],
    [
      'an absolute name',
      { inputs: [{ name: '/etc/passwd', bytes: new Uint8Array() }] },
      '"/etc/passwd" is not a name for an input',
    ],
    ['a short seed', { seed: new Uint8Array(31) }, 'its seed has 31 bytes instead of 32'],
    ['a shard beyond the last', { shard: 1, shards: 1 }, 'there is no shard 1 of 1'],
    ['a zero byte in an argument', { args: ['a\0b'] }, 'an argument contains a zero byte'],
  ])('%s is refused before a process starts', async (_what, over, why) => {
    expect(await failure(made.run(request(hello, over)))).toBe(
      `module-rejected (job): The shard cannot be run: ${why}. The spec has to be corrected.`,
    );
  });
});

describe('determinism', () => {
  test('the self-test has one output and one count of units under every compiler and on every run', async () => {
    const seen = new Set<string>();
    for (const v8Flags of [
      ['--no-liftoff'],
      ['--liftoff-only'],
      ['--no-liftoff', '--no-wasm-lazy-compilation'],
      ['--no-liftoff', '--no-enable-avx', '--no-enable-sse4-2'],
    ]) {
      const made = runtime({ v8Flags });
      for (let i = 0; i < 2; i++) {
        const { output, units } = await made.run(
          request(fixture('selfTest'), { inputs: [{ name: 'name', bytes: new TextEncoder().encode('x') }] }),
        );
        seen.add(`${Buffer.from(output).toString('hex')} ${units}`);
      }
    }
    expect(seen.size).toBe(1);
  });

  test('two compilers make the same of two NaNs', async () => {
    const module = command(
      `(f32.store (i32.const 64) (f32.add (f32.const nan:0x200001) (f32.const nan:0x200002)))
       (f64.store (i32.const 72) (f64.mul (f64.const -nan:0x5) (f64.const nan:0x6)))
       (call $say (i32.const 1) (i32.const 64) (i32.const 16))`,
    );
    for (const v8Flags of [['--no-liftoff'], ['--liftoff-only']]) {
      const { output } = await runtime({ v8Flags }).run(request(module));
      expect(Buffer.from(output).toString('hex')).toBe('0000c07f00000000' + '000000000000f87f');
    }
  });
});

describe('a child that was taken over', () => {
  let folder: string;
  let sandbox: Sandbox;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dpu-test-'));
    const { isolation, seccomp } = await detectIsolation();
    sandbox = new Sandbox({ isolation, seccomp });
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true });
  });

  /** Runs JavaScript in the sandbox as if V8 had been broken out of; returns what it wrote. */
  async function hostile(code: string): Promise<{ said: string; ending: string }> {
    await writeFile(join(folder, 'main.mjs'), code);
    const child = sandbox.start({
      folder,
      entry: 'main.mjs',
      nodeFlags: ['--no-warnings'],
      limits: { dataBytes: 1024 * MIB, stackBytes: 8 * MIB, cpuSeconds: 2 },
      permission: false,
    });
    const pieces: Buffer[] = [];
    child.stdin.end();
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    const { code: exit, signal } = await child.ended;
    return { said: Buffer.concat(pieces).toString(), ending: signal ?? `code ${exit}` };
  }

  test.skipIf(!works.get('prlimit'))(
    'a machine without the memory that the spec allows is at fault itself',
    async () => {
      const stage = await stageProgram(
        fileURLToPath(new URL('../../src/runtimes/wasm/child/main.ts', import.meta.url)),
      );
      const grow = command('(drop (memory.grow (i32.const 32767)))');
      const wanted = request(grow, {}, { memoryBytes: 2048 * MIB });
      const child = sandbox.start({
        folder: stage.folder,
        entry: stage.entry,
        nodeFlags: ['--no-warnings', '--no-liftoff'],
        limits: { dataBytes: 1024 * MIB, stackBytes: 8 * MIB, cpuSeconds: 20 },
        permission: true,
      });
      const answer = new Answer(0, {}, true);
      child.stdout.on('data', (piece: Buffer) => answer.push(piece));
      child.stdin.write(requestHeader(wanted, { module: grow, isPrepared: false }));
      child.stdin.end(grow);
      await child.ended;
      await stage.remove();
      expect(answer.outcome).toEqual({
        ok: false,
        reason: 'out-of-memory',
        fault: 'machine',
        message: 'this machine could not give the shard the memory its spec allows',
      });
    },
  );

  const inNamespaces = test.skipIf(!works.get('bubblewrap'));

  inNamespaces('finds no file, process, network or secret of the machine', async () => {
    const { said } = await hostile(`
      import fs from 'node:fs'; import os from 'node:os'; import net from 'node:net';
      import { spawnSync } from 'node:child_process';
      const tried = (f) => { try { return String(f()); } catch (e) { return e.code ?? e.info?.code ?? e.message; } };
      const answer = {
        root: tried(() => fs.readdirSync('/').filter((name) => !['dpu', 'lib', 'lib64', 'usr'].includes(name))),
        passwd: tried(() => fs.readFileSync('/etc/passwd')),
        environ: tried(() => fs.readFileSync('/proc/1/environ')),
        write: tried(() => fs.writeFileSync('/x', 'x')),
        own: tried(() => fs.writeFileSync('/dpu/child/main.mjs', 'x')),
        interfaces: tried(() => os.networkInterfaces()),
        spawn: tried(() => spawnSync('/dpu/node', ['-v']).error.code),
        kill: tried(() => process.kill(1, 'SIGKILL')),
        env: Object.keys(process.env).filter((name) => name !== 'PWD').join(),
      };
      net.connect(80, '127.0.0.1').on('error', (e) => { answer.connect = e.code; fs.writeSync(1, JSON.stringify(answer)); });`);
    expect(JSON.parse(said)).toEqual({
      root: '',
      passwd: 'ENOENT',
      environ: 'ENOENT',
      write: 'EROFS',
      own: 'EROFS',
      interfaces: 'ERR_SYSTEM_ERROR',
      spawn: 'EPERM',
      kill: 'EPERM',
      env: '',
      connect: 'EPERM',
    });
  });

  inNamespaces('does not outlive its processor time, nor take more memory than it may', async () => {
    expect((await hostile('for (;;);')).ending).toMatch(/^(SIGXCPU|SIGKILL|code 137|code 152)$/);
    const { said } = await hostile(`
      import fs from 'node:fs'; let n = 0; const kept = [];
      try { for (;;) { kept.push(Buffer.alloc(64 << 20, 1)); n++; } } catch { fs.writeSync(1, String(n * 64)); }`);
    expect(Number(said)).toBeGreaterThan(256);
    expect(Number(said)).toBeLessThanOrEqual(1024);
  });
});
