// The smallest host for modules of the wasm ABI in docs/jobs.md: files in memory, nothing of the machine to be seen.
// For tests and for rendering by hand. It neither meters nor caps: workers run strangers' modules in their own runtime.

const ERRNO = { success: 0, badf: 8, noent: 44 } as const;
const FIRST_FILE = 4;

/** How a module ended. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** What a module is given: `args` follow the program's name, `files` are the inputs by their path under `/in`. */
export interface Run {
  readonly args: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`proc_exit(${code})`);
    this.code = code;
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Runs one module once.
 * @throws WebAssembly.RuntimeError when the module traps.
 */
export async function runModule(module: WebAssembly.Module, { args, files }: Run): Promise<Outcome> {
  const written: Record<number, Uint8Array[]> = { 1: [], 2: [] };
  const open = new Map<number, { readonly bytes: Uint8Array; at: number }>();
  const argv = ['module', ...args].map((arg) => new TextEncoder().encode(`${arg}\0`));
  let nextFile = FIRST_FILE;

  const memory = (): WebAssembly.Memory => instance.exports['memory'] as WebAssembly.Memory;
  const view = (): DataView => new DataView(memory().buffer);
  const bytes = (at: number, size: number): Uint8Array => new Uint8Array(memory().buffer, at, size);
  /** The buffers of an iovec array. */
  const vectors = (at: number, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) =>
      bytes(view().getUint32(at + 8 * i, true), view().getUint32(at + 8 * i + 4, true)),
    );

  const imports = {
    args_sizes_get(count: number, size: number): number {
      view().setUint32(count, argv.length, true);
      view().setUint32(size, join(argv).length, true);
      return ERRNO.success;
    },
    args_get(pointers: number, buffer: number): number {
      let at = buffer;
      argv.forEach((arg, i) => {
        view().setUint32(pointers + 4 * i, at, true);
        bytes(at, arg.length).set(arg);
        at += arg.length;
      });
      return ERRNO.success;
    },
    path_open(
      _directory: number,
      _lookup: number,
      path: number,
      length: number,
      _flags: number,
      _rights: bigint,
      _inherited: bigint,
      _descriptor: number,
      result: number,
    ): number {
      const file = files.get(new TextDecoder().decode(bytes(path, length)));
      if (file === undefined) return ERRNO.noent;
      open.set(nextFile, { bytes: file, at: 0 });
      view().setUint32(result, nextFile++, true);
      return ERRNO.success;
    },
    fd_filestat_get(file: number, stat: number): number {
      const opened = open.get(file);
      if (opened === undefined) return ERRNO.badf;
      bytes(stat, 64).fill(0);
      view().setBigUint64(stat + 32, BigInt(opened.bytes.length), true);
      return ERRNO.success;
    },
    fd_read(file: number, list: number, count: number, result: number): number {
      const opened = open.get(file);
      if (opened === undefined) return ERRNO.badf;
      let total = 0;
      for (const target of vectors(list, count)) {
        const part = opened.bytes.subarray(opened.at, opened.at + target.length);
        target.set(part);
        opened.at += part.length;
        total += part.length;
      }
      view().setUint32(result, total, true);
      return ERRNO.success;
    },
    fd_write(file: number, list: number, count: number, result: number): number {
      const sink = written[file];
      if (sink === undefined) return ERRNO.badf;
      const parts = vectors(list, count).map((part) => part.slice());
      sink.push(...parts);
      view().setUint32(
        result,
        parts.reduce((sum, part) => sum + part.length, 0),
        true,
      );
      return ERRNO.success;
    },
    fd_close(file: number): number {
      return open.delete(file) ? ERRNO.success : ERRNO.badf;
    },
    proc_exit(code: number): never {
      throw new Exit(code);
    },
  };

  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
  let exitCode = 0;
  try {
    (instance.exports['_start'] as () => void)();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    exitCode = error.code;
  }
  return {
    exitCode,
    stdout: join(written[1] ?? []),
    stderr: new TextDecoder().decode(join(written[2] ?? [])),
  };
}
