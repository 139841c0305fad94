// Renders a scene on this machine, tile by tile as workers would, and assembles the image.
//   node --no-liftoff sdk/modules/run-local.ts [--obj file] [--mtl file] [--out file.png] [--width 1280] [--height 720]
//     [--tile-width 160] [--tile-height 90] [--samples 32] [--bounces 5] [--seed 1] [--ground ground|none]
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runModule } from './wasiHost.ts';

const here = import.meta.dirname;
const { values } = parseArgs({
  options: {
    obj: { type: 'string', default: join(here, 'build/scene.obj') },
    mtl: { type: 'string' },
    out: { type: 'string', default: 'render.png' },
    width: { type: 'string', default: '1280' },
    height: { type: 'string', default: '720' },
    'tile-width': { type: 'string', default: '160' },
    'tile-height': { type: 'string', default: '90' },
    samples: { type: 'string', default: '32' },
    bounces: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    ground: { type: 'string', default: 'ground' },
  },
});

const load = (name: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(join(here, 'build', name)));
const mtl = values.mtl ?? (values.obj === join(here, 'build/scene.obj') ? join(here, 'build/scene.mtl') : undefined);
const inputs = new Map<string, Uint8Array>([['scene.obj', readFileSync(values.obj)]]);
if (mtl !== undefined) inputs.set('scene.mtl', readFileSync(mtl));

const grid = [values.width, values.height, values['tile-width'], values['tile-height']];
const [width, height, tileWidth, tileHeight] = grid.map(Number) as [number, number, number, number];
const shards = Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
const tracer = load('pathtracer.wasm');
const tiles = new Map<string, Uint8Array>();
const milliseconds: number[] = [];
for (let shard = 0; shard < shards; shard++) {
  const started = process.cpuUsage().user;
  const args = [shard, shards, ...grid, values.samples, values.bounces, values.seed, values.ground].map(String);
  const { exitCode, stdout, stderr } = await runModule(tracer, { args, files: inputs });
  if (exitCode !== 0) {
    console.error(stderr.trim());
    process.exit(exitCode);
  }
  milliseconds.push((process.cpuUsage().user - started) / 1000);
  tiles.set(`tiles/${shard}`, stdout);
  if (shard === 0) console.log(stderr.trim());
}

const started = process.cpuUsage().user;
const whole = await runModule(load('assemble.wasm'), { args: ['0', '1', ...grid], files: tiles });
if (whole.exitCode !== 0) {
  console.error(whole.stderr.trim());
  process.exit(whole.exitCode);
}
writeFileSync(values.out, whole.stdout);

const sorted = milliseconds.toSorted((a, b) => a - b);
const sum = milliseconds.reduce((total, ms) => total + ms, 0);
console.log(
  `${shards} tiles in ${(sum / 1000).toFixed(1)} s of CPU: least ${sorted[0]?.toFixed(0)} ms, ` +
    `median ${sorted[shards >> 1]?.toFixed(0)} ms, most ${sorted.at(-1)?.toFixed(0)} ms; ` +
    `assembled in ${((process.cpuUsage().user - started) / 1000).toFixed(0)} ms`,
);
console.log(
  `${values.out}: ${whole.stdout.length} bytes, sha256 ${createHash('sha256').update(whole.stdout).digest('hex')}`,
);
