// What the tests of the modules share: built modules, tiny scenes, images.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { runModule, type Outcome } from '../../modules/wasiHost.ts';

/** Pixels of an image, three bytes each. */
export interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Where the modules' sources and their build are. */
const MODULES = join(import.meta.dirname, '../../modules');

const modules = new Map<string, WebAssembly.Module>();

/** Builds what is missing or stale. Takes a few seconds the first time. */
export function buildModules(): void {
  execFileSync(process.execPath, [join(MODULES, 'build.mjs')], { stdio: 'pipe' });
}

/** The bytes of a built file. */
export function built(name: string): Uint8Array {
  return readFileSync(join(MODULES, 'build', name));
}

function moduleNamed(name: string): WebAssembly.Module {
  const known = modules.get(name);
  if (known) return known;
  const compiled = new WebAssembly.Module(built(`${name}.wasm`) as Uint8Array<ArrayBuffer>);
  modules.set(name, compiled);
  return compiled;
}

/** Runs the module `name` on files given as bytes or as text. */
export function run(
  name: 'pathtracer' | 'assemble' | 'train' | 'average',
  args: readonly (string | number)[],
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<Outcome> {
  const bytes = Object.entries(files).map(
    ([path, content]) => [path, typeof content === 'string' ? new TextEncoder().encode(content) : content] as const,
  );
  return runModule(moduleNamed(name), { args: args.map(String), files: new Map(bytes) });
}

/** Reads a PNG with pngjs, a reader that is not ours. */
export function readPng(file: Uint8Array): Rgb {
  const { width, height, data } = PNG.sync.read(Buffer.from(file));
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return { width, height, pixels };
}

/** Writes an RGB PNG with pngjs. `level` 0 makes stored blocks, `strategy` 4 fixed codes; `filter` -1 tries all five. */
export function writePng(
  { width, height, pixels }: Rgb,
  { level = 9, strategy = 0, filter = -1 }: { level?: number; strategy?: number; filter?: number } = {},
): Uint8Array {
  const png = new PNG({ width, height });
  png.data = Buffer.from(pixels);
  return PNG.sync.write(png, {
    width,
    height,
    colorType: 2,
    inputColorType: 2,
    inputHasAlpha: false,
    deflateLevel: level,
    deflateStrategy: strategy,
    filterType: filter,
  });
}
