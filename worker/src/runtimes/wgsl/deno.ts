/** The Deno that runs kernels: an npm package with a binary in it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ChildProgram } from '../../sandbox/isolation.ts';
import { deviceFiles, deviceFolders, neededBy, withTargets, type Driver } from '../gpu/drivers.ts';

/** Where the binary of the package `deno` is; undefined where there is none for this platform. */
export function findDeno(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const deno = createRequire(import.meta.url).resolve('deno/package.json');
    const platform = createRequire(deno).resolve(`@deno/linux-${process.arch}-glibc/package.json`);
    const binary = join(dirname(platform), 'deno');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** No `--allow-…` anywhere: the script can reach its stdin, its stdout and the GPU. */
const ARGS = [
  'run',
  '--quiet',
  '--no-prompt',
  '--no-config',
  '--no-lock',
  '--no-remote',
  '--no-npm',
  '--no-check',
  '--no-code-cache',
];

/** Deno with one driver and no other. `heapBytes` caps JavaScript's memory, buffers apart. */
export function denoProgram(binary: string, driver: Driver, heapBytes: number): ChildProgram {
  const { manifest, software, libraries, folders } = driver;
  const files = withTargets([manifest, ...libraries, ...neededBy(binary)]);
  return {
    binary,
    args: [...ARGS, `--v8-flags=--max-old-space-size=${Math.ceil(heapBytes / 2 ** 20)}`],
    environment: {
      // A folder that nobody can make: nothing is kept from one shard to the next.
      DENO_DIR: '/dev/null/deno',
      DENO_NO_UPDATE_CHECK: '1',
      DENO_WEBGPU_BACKEND: 'vulkan',
      NO_COLOR: '1',
      VK_DRIVER_FILES: manifest,
      // The same by its older name.
      VK_ICD_FILENAMES: manifest,
      LD_LIBRARY_PATH: folders.join(':'),
    },
    files: [...files, ...(software ? [] : deviceFolders())],
    devices: software ? [] : deviceFiles(),
    proc: !software,
    calls: ['socketpair', 'sendto', 'recvfrom', 'sched_getparam', 'sched_getscheduler', 'sched_setaffinity'],
  };
}
