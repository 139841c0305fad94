import { expect, test } from 'vitest';
import { seccompFilter, type ExtraCall } from '../../src/sandbox/seccomp.ts';

const ALLOW = 'allow';
const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;

/** Runs the filter as the kernel does, with the few instructions it may use. */
function decide(
  arch: string,
  call: { number: number; audit: number; argument?: number },
  extra: readonly ExtraCall[] = [],
): string {
  const filter = seccompFilter(arch, extra)!;
  const view = new DataView(filter.buffer);
  const data = new Map([
    [0, call.number],
    [4, call.audit],
    [16, call.argument ?? 0],
  ]);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const value = view.getUint32(at * 8 + 4, true);
    const jump = (holds: boolean): void => void (at += view.getUint8(at * 8 + (holds ? 2 : 3)));
    const code = view.getUint16(at * 8, true);
    if (code === 0x20) accumulator = data.get(value)!;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) {
      if (value === 0x7fff0000) return ALLOW;
      return value === 0x80000000 ? 'kill' : `errno ${value & 0xffff}`;
    } else throw new Error(`instruction ${code}`);
  }
  throw new Error('the filter ends without a decision');
}

const x64 = (number: number, argument?: number): string =>
  decide('x64', { number, audit: X64, ...(argument === undefined ? {} : { argument }) });

test.each([
  ['read', 0, ALLOW],
  ['write', 1, ALLOW],
  ['mmap', 9, ALLOW],
  ['futex', 202, ALLOW],
  ['exit_group', 231, ALLOW],
  ['socket', 41, 'errno 1'],
  ['connect', 42, 'errno 1'],
  ['fork', 57, 'errno 1'],
  ['kill', 62, 'errno 1'],
  ['ptrace', 101, 'errno 1'],
  ['mount', 165, 'errno 1'],
  ['bpf', 321, 'errno 1'],
  ['io_uring_setup', 425, 'errno 1'],
  ['clone3', 435, 'errno 38'],
  ['a call not invented yet', 999, 'errno 1'],
  ['read of the x32 table', 0x40000000, 'kill'],
])('x64: %s', (_name, number, expected) => {
  expect(x64(number)).toBe(expected);
});

test.each([
  ['x64', X64, 53, 41],
  ['arm64', ARM64, 199, 198],
])('%s: a pair of sockets is for those who ask for it, a socket for nobody', (arch, audit, pair, socket) => {
  expect(decide(arch, { number: pair, audit })).toBe('errno 1');
  expect(decide(arch, { number: pair, audit }, ['socketpair'])).toBe(ALLOW);
  expect(decide(arch, { number: socket, audit }, ['socketpair', 'sendto', 'recvfrom'])).toBe('errno 1');
});

test('clone makes threads and nothing else', () => {
  expect(x64(56, 0x003d0f00)).toBe(ALLOW);
  expect(x64(56, 0x01200011)).toBe('errno 1');
  expect(decide('arm64', { number: 220, audit: ARM64, argument: 0x003d0f00 })).toBe(ALLOW);
  expect(decide('arm64', { number: 220, audit: ARM64, argument: 17 })).toBe('errno 1');
});

test('calls of another platform end the process', () => {
  expect(decide('x64', { number: 0, audit: 0x40000003 })).toBe('kill');
  expect(decide('arm64', { number: 63, audit: X64 })).toBe('kill');
});

test('there is no filter for a platform we do not know', () => {
  expect(seccompFilter('riscv64')).toBeUndefined();
});
