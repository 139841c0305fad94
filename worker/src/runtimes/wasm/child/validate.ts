import { VALUE } from './decode.ts';
import { RESERVED_PREFIX } from './limits.ts';
import type { FunctionType, Module } from './parse.ts';
import { ModuleRejected } from './rejection.ts';

const LETTER: Readonly<Record<number, string>> = {
  [VALUE.i32]: 'i',
  [VALUE.i64]: 'l',
  [VALUE.f32]: 'f',
  [VALUE.f64]: 'd',
  [VALUE.v128]: 'v',
  [VALUE.funcref]: 'r',
  [VALUE.externref]: 'x',
};

export const WASI_MODULE = 'wasi_snapshot_preview1';

/** Parameters and result of every function that a module may import: `i` is i32, `l` is i64. */
export const WASI_SIGNATURES: Readonly<Record<string, string>> = {
  args_get: 'ii:i',
  args_sizes_get: 'ii:i',
  environ_get: 'ii:i',
  environ_sizes_get: 'ii:i',
  clock_time_get: 'ili:i',
  random_get: 'ii:i',
  fd_read: 'iiii:i',
  fd_pread: 'iiili:i',
  fd_write: 'iiii:i',
  fd_seek: 'ilii:i',
  fd_tell: 'ii:i',
  fd_close: 'i:i',
  fd_fdstat_get: 'ii:i',
  fd_fdstat_set_flags: 'ii:i',
  fd_filestat_get: 'ii:i',
  fd_prestat_get: 'ii:i',
  fd_prestat_dir_name: 'iii:i',
  path_open: 'iiiiillii:i',
  path_filestat_get: 'iiiii:i',
  fd_readdir: 'iiili:i',
  sched_yield: ':i',
  proc_exit: 'i:',
};

function signature(type: FunctionType): string {
  const letters = (list: readonly number[]): string => list.map((value) => LETTER[value]).join('');
  return `${letters(type.params)}:${letters(type.results)}`;
}

/** Type of any function of the module, imported or its own; `undefined` when there is none. */
export function functionType(module: Module, index: number): FunctionType | undefined {
  const type = module.imports[index]?.type ?? module.functions[index - module.imports.length];
  return type === undefined ? undefined : module.types[type];
}

/** Checks what the module wants from outside and offers to it. Throws {@link ModuleRejected}. */
export function validate(module: Module): void {
  for (const wanted of module.imports) {
    const full = `${wanted.module}.${wanted.name}`;
    const expected = Object.hasOwn(WASI_SIGNATURES, wanted.name) ? WASI_SIGNATURES[wanted.name] : undefined;
    if (wanted.module !== WASI_MODULE || expected === undefined) {
      throw new ModuleRejected(`import ${JSON.stringify(full)} is not offered; docs/jobs.md lists what is`);
    }
    const actual = signature(module.types[wanted.type]!);
    if (actual !== expected) throw new ModuleRejected(`import ${full} has type ${actual}, it must be ${expected}`);
  }
  for (const { name } of module.exports) {
    if (name.startsWith(RESERVED_PREFIX)) {
      throw new ModuleRejected(`export ${JSON.stringify(name)}: names beginning with ${RESERVED_PREFIX} are reserved`);
    }
  }
  const memory = module.exports.find(({ name }) => name === 'memory');
  if (module.memory === undefined || memory?.kind !== 2) {
    throw new ModuleRejected('the module must have a memory and export it as "memory"');
  }
  const start = module.exports.find(({ name }) => name === '_start');
  const type = start?.kind === 0 ? functionType(module, start.index) : undefined;
  if (type === undefined || signature(type) !== ':') {
    throw new ModuleRejected('the module must export a function "_start" without parameters and results');
  }
}
