import type { Entry, Files } from './files.ts';
import { BadPointer, GuestMemory } from './guestMemory.ts';
import type { RandomStream } from './random.ts';

/** Error numbers of WASI preview 1. */
export const ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  notdir: 54,
  rofs: 69,
  spipe: 70,
  notcapable: 76,
} as const;

/** Thrown to leave the module when it calls `proc_exit`. */
export class ProcessExit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export interface WasiOptions {
  readonly memory: () => WebAssembly.Memory;
  readonly args: readonly string[];
  readonly files: Files;
  readonly random: RandomStream;
  /** Takes charged operations from the shard's fuel; throws when it is used up. */
  readonly charge: (operations: number) => void;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
}

interface Handle {
  readonly path: string;
  readonly entry: Entry;
  at: number;
}

/** Calling out of the module costs about as much as this many operations. */
const CALL_COST = 1_000;
const COST_PER_VECTOR = 16;
const BYTES_PER_OPERATION = 8;
/** A hash for every 32 bytes. */
const RANDOM_BYTE_COST = 32;
const MAX_VECTORS = 1_024;
const MAX_PATH = 4_096;
const MAX_HANDLES = 1_024;
const ROOT = 3;
const ROOT_NAME = new TextEncoder().encode('/in');
const FILETYPE = { unknown: 0, directory: 3, regular: 4 } as const;
const RIGHT_WRITE = 1n << 6n;
const RIGHTS = {
  /** fd_read, fd_seek, fd_tell, fd_filestat_get */
  file: (1n << 1n) | (1n << 2n) | (1n << 5n) | (1n << 21n),
  /** path_open, fd_readdir, path_filestat_get, fd_filestat_get */
  folder: (1n << 13n) | (1n << 14n) | (1n << 18n) | (1n << 21n),
  output: RIGHT_WRITE,
} as const;
const OFLAGS = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
const CLOCKS = 4;

class Wasi {
  readonly #options: WasiOptions;
  readonly #memory: GuestMemory;
  readonly #args: readonly Uint8Array[];
  /** stdin, stdout, stderr as long as they are open. */
  readonly #standard = new Set([0, 1, 2]);
  readonly #handles = new Map<number, Handle>();

  constructor(options: WasiOptions) {
    this.#options = options;
    this.#memory = new GuestMemory(options.memory);
    this.#args = options.args.map((arg) => new TextEncoder().encode(`${arg}\0`));
    this.#handles.set(ROOT, { path: '', entry: options.files.at('')!, at: 0 });
  }

  #chargeBytes(bytes: number): void {
    this.#options.charge(Math.ceil(bytes / BYTES_PER_OPERATION));
  }

  args_sizes_get(countAt: number, bytesAt: number): number {
    this.#memory.setU32(countAt, this.#args.length);
    this.#memory.setU32(
      bytesAt,
      this.#args.reduce((sum, arg) => sum + arg.length, 0),
    );
    return ERRNO.success;
  }

  args_get(pointersAt: number, bytesAt: number): number {
    let at = bytesAt;
    this.#args.forEach((arg, i) => {
      this.#memory.setU32(pointersAt + 4 * i, at);
      this.#memory.bytes(at, arg.length).set(arg);
      at += arg.length;
    });
    return ERRNO.success;
  }

  environ_sizes_get(countAt: number, bytesAt: number): number {
    this.#memory.setU32(countAt, 0);
    this.#memory.setU32(bytesAt, 0);
    return ERRNO.success;
  }

  environ_get(): number {
    return ERRNO.success;
  }

  clock_time_get(clock: number, _precision: bigint, timeAt: number): number {
    if (clock >= CLOCKS) return ERRNO.inval;
    this.#memory.setU64(timeAt, 0n);
    return ERRNO.success;
  }

  random_get(at: number, length: number): number {
    const target = this.#memory.bytes(at, length);
    this.#options.charge(length * RANDOM_BYTE_COST);
    this.#options.random.fill(target);
    return ERRNO.success;
  }

  sched_yield(): number {
    return ERRNO.success;
  }

  proc_exit(code: number): never {
    throw new ProcessExit(code);
  }

  /** The vectors of a read or write, checked and charged before a byte moves; a number is an error. */
  #vectors(at: number, count: number): Uint8Array[] | number {
    if (count > MAX_VECTORS) return ERRNO.inval;
    this.#options.charge(count * COST_PER_VECTOR);
    return Array.from({ length: count }, (_, i) => {
      const vector = at + 8 * i;
      return this.#memory.bytes(this.#memory.u32(vector), this.#memory.u32(vector + 4));
    });
  }

  fd_write(fd: number, vectorsAt: number, count: number, writtenAt: number): number {
    if (this.#handles.has(fd) || (fd === 0 && this.#standard.has(0))) return ERRNO.notcapable;
    if (!this.#standard.has(fd)) return ERRNO.badf;
    const vectors = this.#vectors(vectorsAt, count);
    if (typeof vectors === 'number') return vectors;
    const total = vectors.reduce((sum, piece) => sum + piece.length, 0);
    this.#memory.setU32(writtenAt, total);
    this.#chargeBytes(total);
    for (const piece of vectors) (fd === 1 ? this.#options.stdout : this.#options.stderr)(piece);
    return ERRNO.success;
  }

  #read(bytes: Uint8Array, from: number, vectorsAt: number, count: number, readAt: number): number | { read: number } {
    const vectors = this.#vectors(vectorsAt, count);
    if (typeof vectors === 'number') return vectors;
    this.#memory.setU32(readAt, 0);
    let at = Math.min(from, bytes.length);
    const first = at;
    for (const target of vectors) {
      const piece = bytes.subarray(at, at + target.length);
      this.#chargeBytes(piece.length);
      target.set(piece);
      at += piece.length;
    }
    this.#memory.setU32(readAt, at - first);
    return { read: at - first };
  }

  fd_read(fd: number, vectorsAt: number, count: number, readAt: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined) {
      if (!this.#standard.has(fd)) return ERRNO.badf;
      if (fd !== 0) return ERRNO.notcapable;
      this.#memory.setU32(readAt, 0);
      return ERRNO.success;
    }
    if (handle.entry.bytes === undefined) return ERRNO.isdir;
    const result = this.#read(handle.entry.bytes, handle.at, vectorsAt, count, readAt);
    if (typeof result === 'number') return result;
    handle.at += result.read;
    return ERRNO.success;
  }

  fd_pread(fd: number, vectorsAt: number, count: number, offset: bigint, readAt: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined) return this.#standard.has(fd) ? ERRNO.spipe : ERRNO.badf;
    const { bytes } = handle.entry;
    if (bytes === undefined) return ERRNO.isdir;
    const from = BigInt.asUintN(64, offset);
    const at = from > BigInt(bytes.length) ? bytes.length : Number(from);
    const result = this.#read(bytes, at, vectorsAt, count, readAt);
    return typeof result === 'number' ? result : ERRNO.success;
  }

  fd_seek(fd: number, offset: bigint, whence: number, positionAt: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined) return this.#standard.has(fd) ? ERRNO.spipe : ERRNO.badf;
    const { bytes } = handle.entry;
    if (bytes === undefined) return ERRNO.isdir;
    const base = [0, handle.at, bytes.length][whence];
    if (base === undefined) return ERRNO.inval;
    const to = BigInt(base) + offset;
    if (to < 0n || to > BigInt(Number.MAX_SAFE_INTEGER)) return ERRNO.inval;
    this.#memory.setU64(positionAt, to);
    handle.at = Number(to);
    return ERRNO.success;
  }

  fd_tell(fd: number, positionAt: number): number {
    return this.fd_seek(fd, 0n, 1, positionAt);
  }

  fd_close(fd: number): number {
    return this.#handles.delete(fd) || this.#standard.delete(fd) ? ERRNO.success : ERRNO.badf;
  }

  fd_fdstat_get(fd: number, at: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined && !this.#standard.has(fd)) return ERRNO.badf;
    const isFolder = handle !== undefined && handle.entry.bytes === undefined;
    const isFile = handle !== undefined && !isFolder;
    const rights = isFolder ? RIGHTS.folder : isFile ? RIGHTS.file : fd === 0 ? RIGHTS.file : RIGHTS.output;
    this.#memory.bytes(at, 24).fill(0);
    this.#memory.setU8(at, isFolder ? FILETYPE.directory : isFile ? FILETYPE.regular : FILETYPE.unknown);
    this.#memory.setU64(at + 8, rights);
    this.#memory.setU64(at + 16, isFolder ? RIGHTS.folder | RIGHTS.file : 0n);
    return ERRNO.success;
  }

  fd_fdstat_set_flags(fd: number): number {
    return this.#handles.has(fd) || this.#standard.has(fd) ? ERRNO.success : ERRNO.badf;
  }

  #filestat(entry: Entry | undefined, at: number): number {
    this.#memory.bytes(at, 64).fill(0);
    if (entry !== undefined) {
      this.#memory.setU64(at + 8, entry.inode);
      this.#memory.setU8(at + 16, entry.bytes === undefined ? FILETYPE.directory : FILETYPE.regular);
      this.#memory.setU64(at + 32, BigInt(entry.bytes?.length ?? 0));
    }
    this.#memory.setU64(at + 24, 1n);
    return ERRNO.success;
  }

  fd_filestat_get(fd: number, at: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined && !this.#standard.has(fd)) return ERRNO.badf;
    return this.#filestat(handle?.entry, at);
  }

  fd_prestat_get(fd: number, at: number): number {
    if (fd !== ROOT || !this.#handles.has(ROOT)) return ERRNO.badf;
    this.#memory.setU32(at, 0);
    this.#memory.setU32(at + 4, ROOT_NAME.length);
    return ERRNO.success;
  }

  fd_prestat_dir_name(fd: number, at: number, length: number): number {
    if (fd !== ROOT || !this.#handles.has(ROOT)) return ERRNO.badf;
    if (length < ROOT_NAME.length) return ERRNO.nametoolong;
    this.#memory.bytes(at, ROOT_NAME.length).set(ROOT_NAME);
    return ERRNO.success;
  }

  #lookUp(fd: number, pathAt: number, length: number): { path: string; entry: Entry } | number {
    const handle = this.#handles.get(fd);
    if (handle === undefined) return this.#standard.has(fd) ? ERRNO.notdir : ERRNO.badf;
    if (handle.entry.bytes !== undefined) return ERRNO.notdir;
    if (length > MAX_PATH) return ERRNO.nametoolong;
    // One character per byte: names are ASCII, so any other byte simply names nothing.
    const path = Buffer.from(this.#memory.bytes(pathAt, length)).toString('latin1');
    if (path === '') return ERRNO.noent;
    const found = this.#options.files.resolve(handle.path, path);
    if (found === 'escape') return ERRNO.notcapable;
    if (found === 'missing') return ERRNO.noent;
    if (found === 'not-folder') return ERRNO.notdir;
    return found;
  }

  path_open(
    fd: number,
    _lookup: number,
    pathAt: number,
    length: number,
    flags: number,
    rights: bigint,
    _inheriting: bigint,
    _fdflags: number,
    openedAt: number,
  ): number {
    if ((flags & (OFLAGS.creat | OFLAGS.excl | OFLAGS.trunc)) !== 0 || (rights & RIGHT_WRITE) !== 0n) return ERRNO.rofs;
    const found = this.#lookUp(fd, pathAt, length);
    if (typeof found === 'number') return found;
    if ((flags & OFLAGS.directory) !== 0 && found.entry.bytes !== undefined) return ERRNO.notdir;
    if (this.#handles.size >= MAX_HANDLES) return ERRNO.mfile;
    let free = ROOT + 1;
    while (this.#handles.has(free)) free++;
    this.#memory.setU32(openedAt, free);
    this.#handles.set(free, { ...found, at: 0 });
    return ERRNO.success;
  }

  path_filestat_get(fd: number, _lookup: number, pathAt: number, length: number, at: number): number {
    const found = this.#lookUp(fd, pathAt, length);
    return typeof found === 'number' ? found : this.#filestat(found.entry, at);
  }

  fd_readdir(fd: number, at: number, length: number, cookie: bigint, usedAt: number): number {
    const handle = this.#handles.get(fd);
    if (handle === undefined || handle.entry.bytes !== undefined) return handle ? ERRNO.notdir : ERRNO.badf;
    const target = this.#memory.bytes(at, length);
    const all = ['.', '..', ...handle.entry.names];
    const from = BigInt.asUintN(64, cookie);
    let used = 0;
    for (let i = from > BigInt(all.length) ? all.length : Number(from); i < all.length && used < length; i++) {
      const record = this.#record(handle, all[i]!, i + 1).subarray(0, length - used);
      this.#chargeBytes(record.length);
      target.set(record, used);
      used += record.length;
    }
    this.#memory.setU32(usedAt, used);
    return ERRNO.success;
  }

  #record(handle: Handle, name: string, next: number): Uint8Array {
    const found = this.#options.files.resolve(handle.path, name);
    // Above the root is the root, for readers who only list.
    const entry = typeof found === 'string' ? handle.entry : found.entry;
    const record = Buffer.alloc(24 + name.length);
    record.writeBigUInt64LE(BigInt(next), 0);
    record.writeBigUInt64LE(entry.inode, 8);
    record.writeUInt32LE(name.length, 16);
    record.writeUInt8(entry.bytes === undefined ? FILETYPE.directory : FILETYPE.regular, 20);
    record.write(name, 24, 'latin1');
    return record;
  }

  /** The method as the module may call it: pointers unsigned, charged, bad pointers answered with `EFAULT`. */
  bind(name: WasiFunction): (...args: (number | bigint)[]) => number {
    const method = this[name] as (...args: (number | bigint)[]) => number;
    const { charge } = this.#options;
    return (...args) => {
      charge(CALL_COST);
      try {
        return method.apply(
          this,
          args.map((arg) => (typeof arg === 'number' ? arg >>> 0 : arg)),
        );
      } catch (error) {
        if (error instanceof BadPointer) return ERRNO.fault;
        throw error;
      }
    };
  }
}

type WasiFunction = Exclude<keyof Wasi, 'bind'>;

/**
 * WASI preview 1 as docs/jobs.md fixes it: no clock, no environment, no machine. Everything here decides what a module
 * computes, so every change is a change of the ABI.
 */
export function createWasi(names: readonly string[], options: WasiOptions): WebAssembly.ModuleImports {
  const wasi = new Wasi(options);
  return Object.fromEntries(names.map((name) => [name, wasi.bind(name as WasiFunction)]));
}
