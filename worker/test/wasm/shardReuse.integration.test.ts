import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { WasmRuntime, type WasmRuntimeOptions } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { failure, hello, request } from './shardRequest.ts';
import { command, fixture } from './wat.ts';

const runtimes: WasmRuntime[] = [];
function runtime(options: WasmRuntimeOptions = {}): WasmRuntime {
  const made = new WasmRuntime(options);
  runtimes.push(made);
  return made;
}
afterAll(async () => {
  await Promise.all(runtimes.map((made) => made.close()));
});

describe('a module that was rewritten for an earlier shard', () => {
  test('gives the same output, units and failures, and is not rewritten again', async () => {
    const made = runtime();
    const self = request(fixture('selfTest'), { inputs: [{ name: 'name', bytes: new TextEncoder().encode('x') }] });
    const [first, second] = [await made.run(self), await made.run(self)];
    expect(Buffer.from(second.output).equals(first.output)).toBe(true);
    expect(second.units).toBe(first.units);
    expect(first.childMs!.instrument).toBeGreaterThan(0);
    expect(second.childMs!.instrument).toBe(0);
    expect(await failure(made.run({ ...self, limits: { ...self.limits, units: 1 } }))).toBe(
      'out-of-units (job): The shard needs more than the 1 units its spec allows.',
    );
  });

  test('is rewritten anew for another cap of its memory', async () => {
    const made = runtime();
    const grow = command('(drop (memory.grow (i32.const 1))) (call $say (i32.const 1) (i32.const 0) (memory.size))');
    const grown = async (memoryBytes: number): Promise<number> =>
      (await made.run(request(grow, {}, { memoryBytes }))).output.length;
    expect([await grown(65_536), await grown(2 * 65_536), await grown(65_536)]).toEqual([1, 2, 1]);
  });
});

describe('idle children', () => {
  test('serve one shard each, leave nothing behind and end with the runtime', async () => {
    const made = runtime({ warm: 2 });
    const counter = command(
      '(i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1))) (call $say (i32.const 1) (i32.const 64) (i32.const 4))',
    );
    const outputs = [];
    for (let i = 0; i < 6; i++) outputs.push(Buffer.from((await made.run(request(counter))).output).readUInt32LE());
    expect(outputs).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await Promise.all(Array.from({ length: 4 }, () => failure(made.run(request(hello)))))).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    await made.close();
  });

  test('what a node stages lies in its folder, with nothing left of one that was killed or is closed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dpu-test-'));
    // No process has the largest number that can be given.
    await mkdir(join(folder, `dpu-child-${2 ** 31 - 1}-x`));
    const made = runtime({ folder });
    await made.run(request(hello));
    expect((await readdir(folder)).map((name) => name.slice(0, -6))).toEqual([`dpu-child-${process.pid}-`]);
    await made.close();
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
