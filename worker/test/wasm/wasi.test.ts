import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { runWasm, verdict, type Ran } from './runWasm.ts';
import { command } from './wat.ts';
import { Files, isInputName } from '../../src/runtimes/wasm/child/files.ts';
import { RandomStream } from '../../src/runtimes/wasm/child/random.ts';
import { ERRNO } from '../../src/runtimes/wasm/child/wasi.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const INPUTS = [
  { name: 'scene.obj', bytes: bytes('v 1 2 3\nv 4 5 6\n') },
  { name: 'earlier/0', bytes: bytes('zero') },
  { name: 'earlier/10', bytes: bytes('ten') },
];

/** Runs a body that leaves numbers and bytes at 1024; returns them. */
function world(body: string, length: number, over: Parameters<typeof runWasm>[1] = {}, data = ''): Ran {
  const start = `(local $fd i32) ${body} (call $say (i32.const 1) (i32.const 1024) (i32.const ${length}))`;
  return runWasm(command(start, { fields: data === '' ? '' : `(data (i32.const 128) "${data}")` }), {
    inputs: INPUTS,
    ...over,
  });
}

/** The error number of one call. */
function errno(call: string, data = ''): number {
  const ran = world(`(i32.store (i32.const 1024) ${call})`, 4, {}, data);
  expect(verdict(ran)).toBe('ok');
  return ran.output.readUInt32LE();
}

const open = (path: string, { fd = 3, flags = 0, rights = 2 } = {}): [call: string, data: string] => [
  `(call $path_open (i32.const ${fd}) (i32.const 0) (i32.const 128) (i32.const ${path.length}) (i32.const ${flags})
     (i64.const ${rights}) (i64.const 0) (i32.const 0) (i32.const 64))`,
  path,
];
const opened = (path: string): string =>
  `(if ${open(path)[0]} (then unreachable)) (local.set $fd (i32.load (i32.const 64)))`;
const iov = (at: number, length: number): string =>
  `(i32.store (i32.const 0) (i32.const ${at})) (i32.store (i32.const 4) (i32.const ${length}))`;

describe('files', () => {
  test('an input is read to its end, and then reads nothing', () => {
    const read = '(drop (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 1016)))';
    const ran = world(
      `${opened('scene.obj')} ${iov(1024, 10)} ${read} ${iov(1034, 100)} ${read} (i32.store (i32.const 1100) (i32.load (i32.const 1016)))
       ${read} (i32.store (i32.const 1104) (i32.load (i32.const 1016)))`,
      84,
      {},
      'scene.obj',
    );
    expect(verdict(ran)).toBe('ok');
    expect(ran.output.subarray(0, 16).toString()).toBe('v 1 2 3\nv 4 5 6\n');
    expect([ran.output.readUInt32LE(76), ran.output.readUInt32LE(80)]).toEqual([6, 0]);
  });

  test('seek, tell and pread agree', () => {
    const ran = world(
      `${opened('scene.obj')}
       (drop (call $fd_seek (local.get $fd) (i64.const -2) (i32.const 2) (i32.const 1024)))
       (drop (call $fd_seek (local.get $fd) (i64.const -6) (i32.const 1) (i32.const 1032)))
       (drop (call $fd_tell (local.get $fd) (i32.const 1040)))
       (i64.store (i32.const 1048) (i64.extend_i32_u (call $fd_seek (local.get $fd) (i64.const -1) (i32.const 0) (i32.const 1064))))
       ${iov(1056, 3)} (drop (call $fd_pread (local.get $fd) (i32.const 0) (i32.const 1) (i64.const 2) (i32.const 1072)))`,
      48,
      {},
      'scene.obj',
    );
    expect([0, 8, 16, 24].map((at) => Number(ran.output.readBigUInt64LE(at)))).toEqual([14, 8, 8, ERRNO.inval]);
    expect(ran.output.subarray(32, 35).toString()).toBe('1 2');
  });

  test('a folder lists its names in the order of their bytes', () => {
    const ran = world(
      `(drop (call $fd_readdir (i32.const 3) (i32.const 1028) (i32.const 400) (i64.const 0) (i32.const 1024)))`,
      404,
    );
    const used = ran.output.readUInt32LE();
    const names: [string, number][] = [];
    for (let at = 4; at < 4 + used;) {
      const length = ran.output.readUInt32LE(at + 16);
      names.push([ran.output.subarray(at + 24, at + 24 + length).toString(), ran.output[at + 20]!]);
      at += 24 + length;
    }
    expect(names).toEqual([
      ['.', 3],
      ['..', 3],
      ['earlier', 3],
      ['scene.obj', 4],
    ]);
  });

  test('a file tells its size and no time', () => {
    const ran = world(
      `(if (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 128) (i32.const 10) (i32.const 1024)) (then unreachable))`,
      64,
      {},
      'earlier/10',
    );
    const [device, , kind, links, size, ...times] = [0, 8, 16, 24, 32, 40, 48, 56].map((at) =>
      Number(ran.output.readBigUInt64LE(at)),
    );
    expect({ device, kind, links, size, times }).toEqual({ device: 0, kind: 4, links: 1, size: 3, times: [0, 0, 0] });
  });

  test.each([
    ['a plain name', 'scene.obj', ERRNO.success],
    ['a name in a folder', 'earlier/10', ERRNO.success],
    ['a way that stays inside', 'earlier/../scene.obj', ERRNO.success],
    ['dots and slashes that mean nothing', './/earlier/./0', ERRNO.success],
    ['a name that is not there', 'secret', ERRNO.noent],
    ['a way out', '../etc/passwd', ERRNO.notcapable],
    ['a way out through a folder', 'earlier/../../etc/passwd', ERRNO.notcapable],
    ['an absolute path', '/etc/passwd', ERRNO.notcapable],
    ['the machine through its process folder', '/proc/self/root/etc/passwd', ERRNO.notcapable],
    ['a file as a folder', 'scene.obj/..', ERRNO.notdir],
    ['a file as a folder in the middle', 'scene.obj/../earlier/0', ERRNO.notdir],
    ['a folder that is not there and back', 'nothing/../scene.obj', ERRNO.noent],
    ['the empty path', '', ERRNO.noent],
    ['a name with a zero byte', 'scene.obj\\00', ERRNO.noent],
    ['a name beside ASCII', 'sc\\c3\\a8ne', ERRNO.noent],
  ])('opening %s', (_what, path, expected) => {
    const length = path.replaceAll(/\\[0-9a-f]{2}/g, 'x').length;
    const [call] = open('x'.repeat(length));
    expect(errno(call, path)).toBe(expected);
  });

  test.each([
    ['creating', 1],
    ['creating exclusively', 5],
    ['truncating', 8],
  ])('%s is refused', (_what, flags) => {
    const [call, data] = open('scene.obj', { flags });
    expect(errno(call, data)).toBe(ERRNO.rofs);
  });

  test('writing is refused at opening, and on every descriptor but two', () => {
    const [call, data] = open('scene.obj', { rights: 64 });
    expect(errno(call, data)).toBe(ERRNO.rofs);
    const write = (fd: string): string => `(call $fd_write ${fd} (i32.const 0) (i32.const 0) (i32.const 8))`;
    expect([0, 1, 2, 3, 4].map((fd) => errno(write(`(i32.const ${fd})`)))).toEqual([
      ERRNO.notcapable,
      ERRNO.success,
      ERRNO.success,
      ERRNO.notcapable,
      ERRNO.badf,
    ]);
    const ran = world(
      `${opened('scene.obj')} (i32.store (i32.const 1024) ${write('(local.get $fd)')})`,
      4,
      {},
      'scene.obj',
    );
    expect(ran.output.readUInt32LE()).toBe(ERRNO.notcapable);
  });

  test('a folder wanted is not a file', () => {
    const [call, data] = open('scene.obj', { flags: 2 });
    expect(errno(call, data)).toBe(ERRNO.notdir);
  });

  test('descriptors are given from 4 up, run out at 1024, and the lowest free one comes back', () => {
    const [call] = open('scene.obj');
    const ran = world(
      `(loop $l (i32.store (i32.const 1024) ${call}) (if (i32.eqz (i32.load (i32.const 1024))) (then (i32.store (i32.const 1028) (i32.load (i32.const 64))) (br $l))))
       (drop (call $fd_close (i32.const 7))) (drop ${call}) (i32.store (i32.const 1032) (i32.load (i32.const 64)))`,
      12,
      {},
      'scene.obj',
    );
    expect([0, 4, 8].map((at) => ran.output.readUInt32LE(at))).toEqual([ERRNO.mfile, 1026, 7]);
  });

  test.each([
    [['../x'], 'input name "../x" is not allowed'],
    [['a/b/c'], 'input name "a/b/c" is not allowed'],
    [['a', 'a'], 'input name "a" is given twice'],
    [['a', 'a/0'], 'input name "a" is a file and a folder'],
  ])('a tree cannot be made of %j', (names, message) => {
    expect(() => new Files(names.map((name) => ({ name, bytes: bytes('') })))).toThrow(message);
  });

  test.each(['', '.', '..', 'a/..', './a', '/a', 'a/', 'a//b', 'a b', 'a\\b', 'é', 'x'.repeat(65), 'a\0'])(
    'an input cannot be named %j',
    (name) => expect(isInputName(name)).toBe(false),
  );
});

describe('the rest of the world', () => {
  test('arguments are the name, the shard, the count and the spec’s', () => {
    const ran = world(
      `(drop (call $args_sizes_get (i32.const 1024) (i32.const 1028))) (drop (call $args_get (i32.const 512) (i32.const 1032)))`,
      40,
      { args: ['--width', 'ü'], shard: 5, shards: 12 },
    );
    const length = ran.output.readUInt32LE(4);
    expect(ran.output.readUInt32LE(0)).toBe(5);
    expect(ran.output.subarray(8, 8 + length).toString()).toBe('module\0' + '5\0' + '12\0' + '--width\0' + 'ü\0');
  });

  test('the environment is empty, the clock stands at zero, stdin has nothing', () => {
    const ran = world(
      `(i64.store (i32.const 1024) (i64.const -1)) (i64.store (i32.const 1032) (i64.const -1)) (i32.store (i32.const 1040) (i32.const -1))
       (drop (call $environ_sizes_get (i32.const 1024) (i32.const 1028)))
       (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 1032)))
       ${iov(512, 8)} (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1040)))`,
      20,
    );
    expect(ran.output.toString('hex')).toBe('00'.repeat(20));
  });

  test('the one folder is named /in', () => {
    const ran = world(
      `(drop (call $fd_prestat_get (i32.const 3) (i32.const 1024))) (drop (call $fd_prestat_dir_name (i32.const 3) (i32.const 1032) (i32.const 3)))
       (i32.store (i32.const 1036) (call $fd_prestat_get (i32.const 4) (i32.const 64)))`,
      16,
    );
    expect([ran.output.readUInt32LE(0), ran.output.readUInt32LE(4)]).toEqual([0, 3]);
    expect(ran.output.subarray(8, 11).toString()).toBe('/in');
    expect(ran.output.readUInt32LE(12)).toBe(ERRNO.badf);
  });

  test('random bytes are the documented stream, however they are drawn', () => {
    const seed = new Uint8Array(32).fill(9);
    const block = (i: number): Buffer =>
      createHash('sha256')
        .update(seed)
        .update(Uint8Array.from([0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, i]))
        .digest();
    const expected = Buffer.concat([block(0), block(1)]).toString('hex');
    const ran = world(
      `(drop (call $random_get (i32.const 1024) (i32.const 5))) (drop (call $random_get (i32.const 1029) (i32.const 59)))`,
      64,
      { seed, shard: 5, shards: 6 },
    );
    expect(ran.output.toString('hex')).toBe(expected);
    const other = new Uint8Array(64);
    new RandomStream(seed, 6).fill(other);
    expect(Buffer.from(other).toString('hex')).not.toBe(expected);
  });

  test.each([
    [
      'a vector outside memory',
      `(block (result i32) ${iov(65530, 7)} (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`,
      ERRNO.fault,
    ],
    [
      'vectors outside memory',
      '(call $fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 8))',
      ERRNO.fault,
    ],
    ['a result outside memory', '(call $args_sizes_get (i32.const -4) (i32.const 0))', ERRNO.fault],
    ['too many vectors', '(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1025) (i32.const 8))', ERRNO.inval],
    [
      'a path outside memory',
      '(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 65530) (i32.const 100) (i32.const 64))',
      ERRNO.fault,
    ],
    [
      'a path without an end',
      '(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4097) (i32.const 64))',
      ERRNO.nametoolong,
    ],
    ['seeking stdout', '(call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 64))', ERRNO.spipe],
    ['reading a folder', '(call $fd_read (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 64))', ERRNO.isdir],
    ['closing twice', '(i32.or (call $fd_close (i32.const 2)) (call $fd_close (i32.const 2)))', ERRNO.badf],
    ['an unknown clock', '(call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 64))', ERRNO.inval],
    ['yielding', '(call $sched_yield)', ERRNO.success],
    ['setting flags', '(call $fd_fdstat_set_flags (i32.const 1) (i32.const 4))', ERRNO.success],
    ['setting flags of nothing', '(call $fd_fdstat_set_flags (i32.const 9) (i32.const 4))', ERRNO.badf],
  ])('%s gets its error number', (_what, call, expected) => {
    expect(errno(call)).toBe(expected);
  });

  test('a closed stdout stays closed and does not touch the machine’s', () => {
    const ran = world('(drop (call $fd_close (i32.const 1)))', 4);
    expect(verdict(ran)).toBe('ok');
    expect(ran.output.length).toBe(0);
  });

  test('a call with memory that grew under it sees the new memory', () => {
    const ran = runWasm(
      command(
        `(drop (memory.grow (i32.const 3))) (i32.store8 (i32.const 200000) (i32.const 65)) (call $say (i32.const 1) (i32.const 200000) (i32.const 1))`,
      ),
    );
    expect(ran.output.toString()).toBe('A');
  });

  test('a call out of the module costs a thousand operations', () => {
    const calls = `(local $i i32) (loop $l (drop (call $sched_yield))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 2000))))`;
    // 2,000 calls, and some ten operations a turn beside them.
    expect(runWasm(command(calls)).outcome).toMatchObject({ ok: true, units: 3 });
  });
});
