// A thin layer over the raw WASI preview 1 functions that docs/jobs.md allows, for modules without an allocator that frees.

import {
  args_get,
  args_sizes_get,
  fd_close,
  fd_filestat_get,
  fd_read,
  fd_write,
  path_open,
  proc_exit,
} from './wasi_snapshot_preview1';

/** The preopened folder `/in`. */
const INPUT_DIRECTORY: i32 = 3;
const STDOUT: i32 = 1;
const STDERR: i32 = 2;
const ERRNO_NOENT: i32 = 44;
const RIGHT_FD_READ: i64 = 1 << 1;
const RIGHT_FD_FILESTAT_GET: i64 = 1 << 21;
/** Exit code for arguments and inputs that no retry can make right. */
const EXIT_BAD_INPUT: i32 = 2;
/** Files above this cannot be held beside what is made of them in a 32-bit memory. */
const MAX_FILE_BYTES: u64 = 1 << 29;

/** Space for one iovec (8 bytes), one result (8) and one filestat (64). */
const scratch: usize = memory.data(80, 16);

/** A run of bytes in linear memory. Nothing is ever freed: a module lives for one shard. */
export class Bytes {
  constructor(
    public pointer: usize,
    public size: i32,
  ) {}

  /** One past the last byte. */
  get end(): usize {
    return this.pointer + <usize>this.size;
  }
}

/** `size` zeroed bytes. */
export function allocate(size: i32): Bytes {
  const pointer = heap.alloc(<usize>size);
  memory.fill(pointer, 0, <usize>size);
  return new Bytes(pointer, size);
}

/** The bytes of `text` in UTF-8. */
export function encode(text: string): Bytes {
  const size = String.UTF8.byteLength(text);
  const pointer = heap.alloc(<usize>max(size, 1));
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, pointer);
  return new Bytes(pointer, size);
}

function writeAll(file: i32, bytes: Bytes): bool {
  let done: usize = 0;
  while (done < <usize>bytes.size) {
    store<u32>(scratch, <u32>(bytes.pointer + done));
    store<u32>(scratch, <u32>(<usize>bytes.size - done), 4);
    if (fd_write(file, scratch, 1, scratch + 8) != 0) return false;
    const written = load<u32>(scratch, 8);
    if (written == 0) return false;
    done += written;
  }
  return true;
}

/** Writes one line for people to stderr. */
export function log(message: string): void {
  writeAll(STDERR, encode(message + '\n'));
}

/** Says why the shard cannot be done and ends it with exit code 2. Does not return. */
export function fail(message: string): void {
  log('error: ' + message);
  proc_exit(EXIT_BAD_INPUT);
  unreachable();
}

/** Adds `bytes` to the shard's output. */
export function output(bytes: Bytes): void {
  if (!writeAll(STDOUT, bytes)) fail('the output could not be written');
}

/** The whole of the input `name`, or null when there is no such input. */
export function readInput(name: string): Bytes | null {
  const path = encode(name);
  const rights = RIGHT_FD_READ | RIGHT_FD_FILESTAT_GET;
  const opened = path_open(INPUT_DIRECTORY, 0, path.pointer, path.size, 0, rights, 0, 0, scratch + 8);
  if (opened == ERRNO_NOENT) return null;
  if (opened != 0) fail('/in/' + name + ' could not be opened, errno ' + opened.toString());
  const file = load<i32>(scratch, 8);

  if (fd_filestat_get(file, scratch + 16) != 0) fail('/in/' + name + ' has no size');
  const size = load<u64>(scratch, 16 + 32);
  if (size > MAX_FILE_BYTES) fail('/in/' + name + ' has ' + size.toString() + ' bytes, more than this module can hold');

  const pointer = heap.alloc(<usize>max<u64>(size, 1));
  let done: usize = 0;
  while (done < <usize>size) {
    store<u32>(scratch, <u32>(pointer + done));
    store<u32>(scratch, <u32>(<usize>size - done), 4);
    if (fd_read(file, scratch, 1, scratch + 8) != 0) fail('/in/' + name + ' could not be read');
    const read = load<u32>(scratch, 8);
    if (read == 0) fail('/in/' + name + ' ends after ' + done.toString() + ' of ' + size.toString() + ' bytes');
    done += read;
  }
  fd_close(file);
  return new Bytes(pointer, <i32>size);
}

/** The arguments after the program's name: `[shard, shards, ...spec.args]`. */
export class Arguments {
  private texts: Array<string> = [];

  constructor() {
    if (args_sizes_get(scratch, scratch + 4) != 0) fail('the arguments could not be read');
    const count = load<u32>(scratch);
    const table = heap.alloc(4 * count + 4);
    const bytes = heap.alloc(load<u32>(scratch, 4) + 1);
    if (args_get(table, bytes) != 0) fail('the arguments could not be read');
    for (let i: u32 = 1; i < count; ++i) {
      const start: usize = load<u32>(table + 4 * i);
      let end = start;
      while (load<u8>(end) != 0) ++end;
      this.texts.push(String.UTF8.decodeUnsafe(start, end - start));
    }
  }

  /** How many there are. */
  get length(): i32 {
    return this.texts.length;
  }

  /** Argument `index` as it was given. */
  text(index: i32, name: string): string {
    if (index >= this.texts.length) fail('argument ' + name + ' is missing');
    return this.texts[index];
  }

  /** Argument `index` as a decimal integer in [least, most]. */
  integer(index: i32, name: string, least: i64, most: i64): i64 {
    const text = this.text(index, name);
    let value: i64 = 0;
    let good = text.length > 0 && text.length <= 12;
    for (let i = 0; good && i < text.length; ++i) {
      const digit = text.charCodeAt(i) - 48;
      good = digit >= 0 && digit <= 9;
      value = value * 10 + digit;
    }
    if (!good || value < least || value > most) {
      fail(
        'argument ' +
          name +
          ' must be an integer from ' +
          least.toString() +
          ' to ' +
          most.toString() +
          ", not '" +
          text +
          "'",
      );
    }
    return value;
  }
}
