// Builds the wasm modules, the default scene, the classifier of digits and the images to learn from into build/. Plain JavaScript, because it runs before anything is built.
// Nothing is done while the sources and what was made of them are unchanged.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import asc from 'assemblyscript/asc';

const here = import.meta.dirname;
const output = join(here, 'build');
const stampFile = join(output, 'stamp.json');
const MODULES = ['pathtracer', 'assemble', 'train', 'average', 'confusion', 'capability'];
/** Kernels for GPUs: every node compiles them for its own device, so they are only copied. */
const KERNELS = ['fractal', 'train', 'capability'];

/** What docs/jobs.md asks of a module: `_start` exported instead of a start section, no import but WASI's. */
const OPTIONS = [
  ['--exportStart', '_start'],
  // A module lives for one shard, so nothing is ever freed.
  ['--runtime', 'stub'],
  ['--maximumMemory', '32768'],
  // Without this a failed assertion calls env.abort; with it, it is a trap.
  ['--use', 'abort='],
  ['--enable', 'simd'],
  ['-O3', '--noAssert', '--noColors'],
].flat();

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Every file that decides what the build makes. */
function sources() {
  const folders = ['lib', ...new Set([...MODULES, ...KERNELS]), 'meshes', 'digits', '../src/onnx'].map((name) =>
    join(here, name),
  );
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.test)\.(ts|wgsl)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return [...files, join(here, 'build.mjs')].sort();
}

function stamp() {
  const hash = createHash('sha256').update(`assemblyscript ${asc.version}\n`);
  for (const file of sources()) hash.update(`${relative(here, file)} ${sha256(readFileSync(file))}\n`);
  return hash.digest('hex');
}

/** What the last build made, if that is still what lies there and was made of these sources. */
function upToDate(wanted) {
  if (!existsSync(stampFile)) return undefined;
  try {
    const { sources: made, outputs } = JSON.parse(readFileSync(stampFile, 'utf8'));
    const same = Object.entries(outputs).every(([name, hash]) => sha256(readFileSync(join(output, name))) === hash);
    return made === wanted && same ? outputs : undefined;
  } catch {
    return undefined; // A damaged stamp or a missing file is a reason to build, not to stop.
  }
}

async function compile(name) {
  const target = join(output, `${name}.wasm`);
  const entry = join(name, 'assembly', 'index.ts');
  const { error, stderr } = await asc.main([entry, '--baseDir', here, '-o', relative(here, target), ...OPTIONS]);
  if (error) throw new Error(`${name} does not compile:\n${stderr.toString()}`);
}

function print(outputs) {
  for (const [name, hash] of Object.entries(outputs)) {
    console.log(
      `${name.padEnd(16)} ${String(readFileSync(join(output, name)).length).padStart(9)} bytes  sha256 ${hash}`,
    );
  }
}

const wanted = stamp();
let outputs = upToDate(wanted);
if (!outputs) {
  mkdirSync(output, { recursive: true });
  for (const name of MODULES) await compile(name);
  const { makeScene } = await import('./meshes/make-mesh.ts');
  const scene = makeScene();
  const { makeDigits } = await import('./digits/make-digits.ts');
  const { makeSets } = await import('./digits/make-sets.ts');
  const digits = makeDigits();
  const files = {
    'scene.obj': scene.obj,
    'scene.mtl': scene.mtl,
    'digits.onnx': digits.model,
    'digits.bin': digits.pixels,
    'digits-labels.bin': digits.labels,
    ...makeSets(),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(output, name), content);
  const kernels = KERNELS.map((name) => `${name}.wgsl`);
  for (const [i, name] of KERNELS.entries()) copyFileSync(join(here, name, kernels[i]), join(output, kernels[i]));
  const names = [...MODULES.map((name) => `${name}.wasm`), ...kernels, ...Object.keys(files)];
  outputs = Object.fromEntries(names.map((name) => [name, sha256(readFileSync(join(output, name)))]));
  writeFileSync(stampFile, `${JSON.stringify({ sources: wanted, outputs }, undefined, 2)}\n`);
}
print(outputs);
