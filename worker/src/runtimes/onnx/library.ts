/** Where ONNX Runtime is on this machine. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { addonLibraries } from '../../sandbox/libraries.ts';
import type { ChildMount } from '../../sandbox/isolation.ts';

/** Its packages, and what its native code loads. */
export interface OnnxLibrary {
  /** The one to load comes first. */
  readonly mounts: readonly ChildMount[];
  readonly libraries: readonly string[];
}

const PACKAGE = 'onnxruntime-node';
const COMMON = 'onnxruntime-common';

/**
 * Finds the packages and asks a process what they load.
 * @throws Error when they are not installed, or do not work on this machine.
 */
export async function findOnnxLibrary(node?: string): Promise<OnnxLibrary> {
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const folder = dirname(manifest);
  const main = createRequire(manifest).resolve(COMMON);
  const common = main.slice(0, main.lastIndexOf(COMMON) + COMMON.length);
  const addon = join(folder, 'bin/napi-v6', process.platform, process.arch, 'onnxruntime_binding.node');
  const loaded = await addonLibraries(addon, node);
  return {
    mounts: [
      { from: folder, to: `node_modules/${PACKAGE}` },
      { from: common, to: `node_modules/${COMMON}` },
    ],
    libraries: loaded.filter((path) => !path.startsWith(`${folder}/`)),
  };
}
