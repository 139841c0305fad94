import type { Isolation } from '../../src/sandbox/isolation.ts';
import { command, wat } from '../wasm/wat.ts';

/**
 * Every way out of the sandbox that is tried: the registry of the escape suite. In the strongest class all of them are denied; beside each stands
 * which of the weaker classes cannot deny it, and docs/sandbox.md says so to operators.
 */

/** A class as the suite tells them apart: bubblewrap may lack its list of system calls. */
export type SandboxClass = Isolation | 'bubblewrap without a list';
export const CLASSES: readonly SandboxClass[] = ['bubblewrap', 'bubblewrap without a list', 'prlimit', 'process'];

const LISTLESS = 'bubblewrap without a list' as const;
const WEAK = ['prlimit', 'process'] as const;

/**
 * What a program tries that was taken over, by program.ts. In the classes with namespaces Node's permission model is off, as after a flaw in V8;
 * in the two without it is on, and all there is. What a class without a list cannot deny happens inside its own namespaces.
 */
export const PROGRAM_PROBES: Readonly<Record<string, readonly SandboxClass[]>> = {
  // Files of the machine
  'read the list of users': [],
  'read the passwords': [],
  'read a home folder': [],
  'read keys of the secure shell': [],
  'list the temporary folder': [],
  'list the devices': [],
  'list the kernel’s settings': [],
  'list the hardware': [],
  'read through the root of another process': [],
  'ask for the size of the disk': [],
  'find the machine’s name in a file': [],
  'watch a folder': [],
  'reach out by a system interface': [],
  'read a database': [],
  // Writing
  'write to the temporary folder': [],
  'write to the root': [],
  'write over its own program': [],
  'write beside its own program': [],
  'make a folder': [],
  'make a symbolic link': [],
  'make a hard link': [],
  'rename its own program': [],
  'change rights of its own program': [],
  'own its own program': [],
  'write to shared memory': [],
  'write a heap snapshot': [],
  'write a report': [],
  // Secrets
  'see an environment': [],
  'read the environment of the first process': [],
  'read the environment of its parent': [],
  'read the memory of its parent': [],
  'read the command line of its parent': [],
  // Processes
  'start a program': [],
  'start itself again': [LISTLESS],
  'start a program in the background': [],
  fork: [LISTLESS],
  'see the processes of the machine': [],
  'signal its parent': [LISTLESS, ...WEAK],
  'signal any process': [LISTLESS, ...WEAK],
  'have the pids of the machine': WEAK,
  // Rights
  'be somebody': WEAK,
  'become root': WEAK,
  'join the group of root': WEAK,
  'join other groups': WEAK,
  'raise its priority': WEAK,
  'load native code': [],
  'load an extension of the database': [],
  'open its inspector': [LISTLESS],
  // The kernel
  'change what the kernel does with core files': [],
  'ask the kernel for an action': [],
  'spare itself when memory is short': [],
  'map users of its own': [],
  'read the kernel’s log': [],
  'open the machine’s memory': [],
  'make a control group': [],
  'open a graphics card': [],
  // Network
  'see a network card': [LISTLESS, ...WEAK],
  'connect to this machine': [LISTLESS, ...WEAK],
  'connect elsewhere': WEAK,
  'listen to the network': [LISTLESS, ...WEAK],
  'listen on a path': WEAK,
  'serve pages': [LISTLESS, ...WEAK],
  'send a datagram': [LISTLESS, ...WEAK],
  'talk to the container daemon': WEAK,
  'look a name up': WEAK,
  // Last, because where memory is limited it ends the process.
  'start a thread of its own kind': [LISTLESS],
};

/** System calls, by their numbers on x64, that a native program tries. Denied by the list, in the strongest class only. */
export const CALL_PROBES: Readonly<Record<string, number>> = {
  'open a socket': 41,
  'connect a socket': 42,
  'bind a socket': 49,
  'listen on a socket': 50,
  'pair of sockets': 53,
  fork: 57,
  'fork and wait': 58,
  'make a process in the new way': 435,
  'run a program by its descriptor': 322,
  'signal a process': 62,
  'signal a thread': 200,
  'hold a process by a descriptor': 434,
  'trace a process': 101,
  'read the memory of a process': 310,
  'write the memory of a process': 311,
  'compare processes': 312,
  mount: 165,
  unmount: 166,
  'turn the root around': 155,
  'change the root': 161,
  'open a file system': 430,
  'open a tree of mounts': 428,
  'move a mount': 429,
  'leave its namespaces': 272,
  'join namespaces': 308,
  'load a program into the kernel': 321,
  'load a kernel': 246,
  'load a module': 175,
  'load a module from a file': 313,
  'remove a module': 176,
  'read the kernel’s log': 103,
  'ask for keys': 250,
  'add a key': 248,
  'request a key': 249,
  'measure the machine': 298,
  'handle page faults': 323,
  'queue input and output in the kernel': 425,
  'open a file by its handle': 304,
  'name a file by a handle': 303,
  'make a file in memory': 319,
  'make a device': 133,
  'be another user': 105,
  'be another group': 106,
  'be in other groups': 116,
  'hold capabilities': 126,
  'behave like another system': 135,
  'swap to a file': 167,
  'stop the machine': 169,
  'name the machine': 170,
  'touch ports': 172,
  'touch single ports': 173,
  'set the clock': 227,
  'set the time of day': 164,
  'account processes': 163,
  'set quotas': 179,
  'watch the file system': 300,
  'watch files': 294,
  'share memory': 29,
  'share semaphores': 64,
  'share messages': 68,
  'open a queue of messages': 240,
  'change segments': 154,
  'move pages of a process': 279,
  'set a filter of its own': 317,
};

const importing = (name: string, type: string): Uint8Array<ArrayBuffer> =>
  wat(
    `(module (import "wasi_snapshot_preview1" "${name}" (func ${type})) (memory (export "memory") 1) (func (export "_start")))`,
  );
/** A module that ends with the error of a call as its exit code: 44 is "no such file", 8 "no such descriptor". */
const ending = (path: string, call: string): Uint8Array<ArrayBuffer> =>
  command(`(call $proc_exit ${call})`, { fields: `(data (i32.const 512) "${path}")` });
const openPath = (path: string): Uint8Array<ArrayBuffer> =>
  ending(
    path,
    `(call $path_open (i32.const 3) (i32.const 1) (i32.const 512) (i32.const ${path.length}) (i32.const 0)
      (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 600))`,
  );

/** What a module tries that obeys the rules of WebAssembly, and how it fails; the same in every class. */
export const MODULE_PROBES: Readonly<Record<string, readonly [module: () => Uint8Array, failure: RegExp]>> = {
  'open a socket': [() => importing('sock_accept', '(param i32 i32 i32) (result i32)'), /^module-rejected/],
  'send to a socket': [() => importing('sock_send', '(param i32 i32 i32 i32 i32) (result i32)'), /^module-rejected/],
  'raise a signal': [() => importing('proc_raise', '(param i32) (result i32)'), /^module-rejected/],
  'make a folder': [() => importing('path_create_directory', '(param i32 i32 i32) (result i32)'), /^module-rejected/],
  'remove a file': [() => importing('path_unlink_file', '(param i32 i32 i32) (result i32)'), /^module-rejected/],
  'make a link': [() => importing('path_symlink', '(param i32 i32 i32 i32 i32) (result i32)'), /^module-rejected/],
  'call the host': [
    () => wat('(module (import "env" "exec" (func)) (memory (export "memory") 1) (func (export "_start")))'),
    /^module-rejected/,
  ],
  'share the host’s memory': [
    () => wat('(module (import "env" "memory" (memory 1)) (func (export "_start")))'),
    /^module-rejected/,
  ],
  'climb out of its folder': [() => openPath('../../etc/passwd'), /^exit-code .* (44|76|63)\.$/],
  'open an absolute path': [() => openPath('/etc/passwd'), /^exit-code .* (44|76|63)\.$/],
  'write to a descriptor of the process': [
    () => ending('', '(call $fd_write (i32.const 5) (i32.const 512) (i32.const 1) (i32.const 600))'),
    /^exit-code .* 8\.$/,
  ],
  'read beyond its memory': [() => command('(drop (i32.load (i32.const 2147483644)))'), /^trap .*out of bounds/],
  'write before its memory': [
    () => command('(i32.store offset=4294967292 (i32.const 0) (i32.const 1))'),
    /^trap .*out of bounds/,
  ],
  'call beyond its table': [
    () => command('(call_indirect (type $t) (i32.const 7))', { fields: '(type $t (func)) (table 1 funcref)' }),
    /^trap /,
  ],
};

/** What the program tries that stands where ONNX Runtime stands, with the library loaded and without Node's permissions, by modelProgram.ts; native code is run in the strongest class only. */
export const MODEL_PROBES: readonly string[] = [
  'read a file of the machine',
  'read a home folder',
  'list the temporary folder',
  'read its own state',
  'read the environment of another process',
  'see devices',
  'write to the temporary folder',
  'write to the root',
  'write beside its program',
  'write to the library',
  'delete a file of the library',
  'make a folder',
  'make a link',
  'change rights',
  'see a network card',
  'become root',
  'signal the first process',
  'signal any process',
  'raise its priority',
  'start a program',
  'see an environment',
  'load code from outside',
  'connect to this machine',
  'listen',
  'listen on a path',
  'send a datagram',
  'start a child',
  'fork',
];

/** What the script in Deno tries that runs kernels, by kernelProgram.ts; Deno's permissions deny it in every class. */
export const KERNEL_PROBES: readonly string[] = [
  'read a file',
  'list a folder',
  'read its own code',
  'write a file',
  'make a folder',
  'read the environment',
  'start a process',
  'kill its parent',
  'load a library',
  'ask for the host’s name',
  'listen',
  'connect',
  'fetch',
  'ask for more',
];
