import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RENDER_COMPARATOR } from '@dpu/sdk/compare/comparator';
import { readPng } from '@dpu/sdk/compare/png';
import type { RenderSettings } from '@dpu/sdk/runtimes/render';
import { builtScene } from '@dpu/sdk/templates/blender';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { singleOutput, type ComparedSpec } from '../../src/runtimes/compareShards.ts';
import { findBlender } from '../../src/runtimes/render/blender.ts';
import { RenderRuntime, sampledShare } from '../../src/runtimes/render/renderRuntime.ts';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';
import { findTool } from '../../src/runtimes/tool/findTool.ts';
import { NativeSandbox } from '../../src/runtimes/tool/nativeSandbox.ts';
import { runTool } from '../../src/runtimes/tool/runTool.ts';
import { makeWorkplace } from '../../src/runtimes/tool/workplace.ts';
import { FOLDER } from '../../src/sandbox/isolation.ts';
import { failure } from '../wasm/shardRequest.ts';

const MIB = 1024 * 1024;
const made = new RenderRuntime();
const probed = await made.probe();
if (!probed.available) console.warn(`No render by Blender is tested on this machine. ${probed.detail}`);
afterAll(() => made.close());
const onBlender = describe.skipIf(!probed.available);
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const SETTINGS: RenderSettings = {
  width: 96,
  height: 64,
  tileWidth: 64,
  tileHeight: 64,
  samples: 4,
  bounces: 2,
  seed: 7,
};
const SCENE = Buffer.from(JSON.stringify(builtScene()));

function request(
  module: Uint8Array,
  over: Partial<ShardRequest> = {},
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return {
    ...{ module, settings: SETTINGS, args: [], shard: 0, shards: 2, inputs: [], seed: new Uint8Array(32) },
    ...over,
    limits: { memoryBytes: 1024 * MIB, units: 100_000, outputBytes: MIB, seconds: 100, ...limits },
  };
}

test.each([
  ['Fra:1 Mem:20M | Sample 3/16', 3 / 16],
  ['Sample 1/4\nSample 4/4\n', 1],
  ['Sample 5/4', undefined],
  ['Sample 0/0', undefined],
  ['Saved: result.png', undefined],
])('of %j is read how far a picture is', (printed, share) => {
  expect(sampledShare(printed)).toBe(share);
});

test('a machine without Blender says what is missing', () => {
  if (probed.available) expect(probed.isolation).toBe('bubblewrap');
  else if (findTool('blender') === undefined)
    expect(probed.detail).toBe('Pictures cannot be made here: Blender is not installed: install the package blender');
});

onBlender('a scene in words', () => {
  test('is rendered again the same within the tolerance, and another seed, tile or sample count is not', async () => {
    const first = await made.run(request(SCENE));
    // 64 × 64 pixels, 4 samples, 5,000 operations each.
    expect(first.units).toBe(82);
    const spec: ComparedSpec = { output: { name: 'tile.png', mediaType: 'image/png' }, comparator: RENDER_COMPARATOR };
    const same = async (other: Uint8Array): Promise<boolean> =>
      (await made.compare(spec, singleOutput(spec, first.output), singleOutput(spec, other))).same;
    expect(await same((await made.run(request(SCENE))).output)).toBe(true);
    const rough = { ...SETTINGS, samples: 1 };
    expect(await same((await made.run(request(SCENE, { settings: rough }))).output)).toBe(false);
    const second = await made.run(request(SCENE, { shard: 1 }));
    expect([second.units, readPng(second.output).width, readPng(second.output).height]).toEqual([41, 32, 64]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['is no scene', Buffer.from('import os'), /its module is neither a .blend file nor a scene in words/],
    ['is not JSON', Buffer.from('{'), /its scene is no JSON/],
    ['lacks a camera', Buffer.from('{}'), /its scene is not valid: camera/],
    [
      'names a material that is not there',
      Buffer.from(JSON.stringify({ ...builtScene(), materials: [{ colour: [1, 1, 1] }] })),
      /must be below 1/,
    ],
  ])('that %s is refused before Blender starts', async (_what, module, expected) => {
    const found = await failure(made.run(request(module)));
    expect(found).toMatch(/^module-rejected \(job\): The shard cannot be run: /);
    expect(found).toMatch(expected);
  });

  test('is held to its limits', async () => {
    const huge = { ...SETTINGS, samples: 60_000 };
    expect(await failure(made.run(request(SCENE, { settings: huge }, { seconds: 4, units: 10_000_000 })))).toBe(
      'timeout (machine): The shard was not done after the 4 seconds its spec allows.',
    );
    expect(await failure(made.run(request(SCENE, {}, { units: 81 })))).toBe(
      'out-of-units (job): The shard needs 82 units, its spec allows 81.',
    );
    expect(await failure(made.run(request(SCENE, {}, { outputBytes: 512 })))).toBe(
      'output-limit (job): The shard wrote more than the 512 bytes its spec allows.',
    );
  });
});

onBlender('a .blend file from a stranger', () => {
  let folder: string;
  let hostile: Uint8Array;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dpu-blend-'));
    const target = join(folder, 'hostile.blend');
    const words = ['--background', '--factory-startup', '-noaudio', '--python', file('hostile.py'), '--', target];
    const { stdout, stderr } = spawnSync('blender', words, { encoding: 'utf8' });
    if (!existsSync(target)) throw new Error(`the file was not made: ${stdout}${stderr}`);
    hostile = new Uint8Array(readFileSync(target));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is rendered without its drivers, scripts, libraries, files and outputs', async () => {
    const { output, log } = await made.run(request(hostile));
    expect(readPng(output).width, 'the spec’s size, not the file’s').toBe(64);
    expect(log).not.toMatch(/ESCAPED/);
    for (const path of ['/tmp/dpu-escape', '/tmp/dpu-escape-result', '/tmp/dpu-escape-result.png'])
      expect(existsSync(path), path).toBe(false);
  });

  test('that is damaged fails by name', async () => {
    expect(await failure(made.run(request(hostile.subarray(0, 9_000))))).toMatch(
      /^(trap \(job\)|killed \(machine\)|sandbox \(machine\))/,
    );
  });
});

test.skipIf(!probed.available)('a Blender that was taken over reaches nothing', async () => {
  const native = new NativeSandbox('Pictures', {}, async () => findBlender());
  const place = await makeWorkplace(
    new Map<string, Uint8Array | string>([
      ['render.py', readFileSync(file('escapes.py'))],
      ['job.json', '{}'],
    ]),
    ['result.png'],
  );
  try {
    const args = ['--background', '--factory-startup', '-noaudio', '--python', `${FOLDER}/render.py`, '--', FOLDER];
    const limits = { dataBytes: 2048 * MIB, stackBytes: 16 * MIB, cpuSeconds: 60, fileBytes: 256 * MIB };
    const program = { ...(await native.program()), args };
    const spec = { folder: place.folder, writable: ['result.png'], scratchBytes: 64 * MIB, limits, program };
    const { said } = await runTool(await native.sandbox(), spec, { seconds: 60 });
    expect(said).toMatch(/TRIED 37 WORKED \[\]/);
  } finally {
    await place.remove();
    await native.close();
  }
});
