/**
 * A seccomp filter as the kernel takes it: a list of classic BPF instructions, 8 bytes each. It allows the system calls
 * that Node needs to compute and to read and write what is open, and answers every other with EPERM.
 */

/**
 * System calls that not every child makes. None of them reaches anything outside the child: without `socket` the only ends
 * that can be sent to are those of its own pairs.
 */
export type ExtraCall =
  'socketpair' | 'sendto' | 'recvfrom' | 'sched_getparam' | 'sched_getscheduler' | 'sched_setaffinity';

interface Platform {
  /** AUDIT_ARCH_… of the kernel's headers. */
  readonly audit: number;
  readonly extra: Readonly<Record<ExtraCall, number>>;
  readonly allowed: readonly number[];
  readonly clone: number;
}

/** Not a number on any platform we know: threads are made by `clone`, `clone3` hides its flags from filters. */
const CLONE3 = 435;
const CLONE_THREAD = 0x10000;
const EPERM = 1;
const ENOSYS = 38;
const X32_BIT = 0x40000000;

// In the order of the names: read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction
// rt_sigprocmask rt_sigreturn ioctl pread64 readv writev access pipe sched_yield mremap mincore madvise dup dup2
// nanosleep getpid execve exit wait4 uname fcntl getcwd readlink getrlimit getrusage sysinfo getuid getgid geteuid
// getegid getppid sigaltstack prctl arch_prctl gettid futex sched_getaffinity getdents64 set_tid_address
// restart_syscall clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl tgkill openat newfstatat
// readlinkat set_robust_list epoll_pwait eventfd2 epoll_create1 dup3 pipe2 prlimit64 getrandom membarrier
// pkey_mprotect pkey_alloc pkey_free statx rseq faccessat2
const X64: Platform = {
  audit: 0xc000003e,
  clone: 56,
  extra: {
    socketpair: 53,
    sendto: 44,
    recvfrom: 45,
    sched_getparam: 143,
    sched_getscheduler: 145,
    sched_setaffinity: 203,
  },
  allowed: [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 27, 28, 32, 33, 35, 39, 59,
    60, 61, 63, 72, 79, 89, 97, 98, 99, 102, 104, 107, 108, 110, 131, 157, 158, 186, 202, 204, 217, 218, 219, 228, 229,
    230, 231, 232, 233, 234, 257, 262, 267, 273, 281, 290, 291, 292, 293, 302, 318, 324, 329, 330, 331, 332, 334, 439,
  ],
};

// The same without the calls that this platform never had (open, stat, poll, access, pipe, dup2, arch_prctl, …), with
// ppoll and faccessat.
const ARM64: Platform = {
  audit: 0xc00000b7,
  clone: 220,
  extra: {
    socketpair: 199,
    sendto: 206,
    recvfrom: 207,
    sched_getparam: 121,
    sched_getscheduler: 120,
    sched_setaffinity: 122,
  },
  allowed: [
    17, 19, 20, 21, 22, 23, 24, 25, 29, 48, 56, 57, 59, 61, 62, 63, 64, 65, 66, 67, 73, 78, 79, 80, 93, 94, 96, 98, 99,
    101, 113, 114, 115, 123, 124, 128, 131, 132, 134, 135, 139, 160, 163, 165, 167, 172, 173, 174, 175, 176, 177, 178,
    179, 214, 215, 216, 221, 222, 226, 232, 233, 260, 261, 278, 283, 288, 289, 290, 291, 293, 439,
  ],
};

const PLATFORMS: Readonly<Record<string, Platform>> = { x64: X64, arm64: ARM64 };

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ERRNO = 0x00050000;
const AT = { number: 0, arch: 4, argument0: 16 } as const;

/** The filter for `arch` (as in `process.arch`) with `extra` calls, or `undefined` where we have none. */
export function seccompFilter(arch: string, extra: readonly ExtraCall[] = []): Uint8Array | undefined {
  const platform = PLATFORMS[arch];
  if (platform === undefined) return undefined;
  const program: [code: number, whenTrue: number, whenFalse: number, value: number][] = [
    [LOAD, 0, 0, AT.arch],
    [JUMP_EQUAL, 1, 0, platform.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, AT.number],
    [JUMP_AT_LEAST, 0, 1, X32_BIT],
    [RETURN, 0, 0, KILL],
  ];
  for (const number of [...platform.allowed, ...extra.map((name) => platform.extra[name])]) {
    program.push([JUMP_EQUAL, 0, 1, number], [RETURN, 0, 0, ALLOW]);
  }
  program.push(
    [JUMP_EQUAL, 0, 1, CLONE3],
    [RETURN, 0, 0, ERRNO | ENOSYS],
    [JUMP_EQUAL, 0, 3, platform.clone],
    [LOAD, 0, 0, AT.argument0],
    [JUMP_ANY_BIT, 0, 1, CLONE_THREAD],
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERRNO | EPERM],
  );
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, whenTrue, whenFalse, value], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, whenTrue);
    view.setUint8(8 * i + 3, whenFalse);
    view.setUint32(8 * i + 4, value, true);
  });
  return bytes;
}
