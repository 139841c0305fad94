import { fork, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import { default as fs } from 'node:fs';
import { default as http } from 'node:http';
import { default as inspector } from 'node:inspector';
import { createRequire } from 'node:module';
import { default as net } from 'node:net';
import { default as os } from 'node:os';
import { default as v8 } from 'node:v8';
import { WASI } from 'node:wasi';
import { Worker } from 'node:worker_threads';

/**
 * Stands where the program stands that runs strangers' modules, as if a module had taken it over, and tries to get out in every way of the
 * registry. Says on stdout, a line each, what came of them: `done`, or why not. Nothing here does harm where it works.
 */

type Try = () => unknown;
interface Database {
  loadExtension(path: string): void;
  close(): void;
}
/** Asked for late: where it is switched off the import itself fails. */
const database = (path: string): Database => {
  const { DatabaseSync } = createRequire('/')('node:sqlite') as {
    DatabaseSync: new (path: string, options: object) => Database;
  };
  return new DatabaseSync(path, { allowExtension: true });
};
const open = (path: string, flags: string): Try => {
  return () => fs.closeSync(fs.openSync(path, flags));
};
const opened = (emitter: { once(name: string, listener: (error?: Error) => void): unknown }, good: string) =>
  new Promise((resolve, reject) => {
    emitter.once(good, resolve as () => void);
    emitter.once('error', reject);
  });
const home = (): string => os.homedir();
const own = process.argv[1] ?? '';

const attempts: Record<string, Try> = {
  // Files of the machine
  'read the list of users': () => fs.readFileSync('/etc/passwd'),
  'read the passwords': () => fs.readFileSync('/etc/shadow'),
  'read a home folder': () => fs.readdirSync(home()),
  'read keys of the secure shell': () => fs.readdirSync(`${home()}/.ssh`),
  'list the temporary folder': () => fs.readdirSync('/tmp'),
  'list the devices': () => fs.readdirSync('/dev'),
  'list the kernel’s settings': () => fs.readdirSync('/proc/sys'),
  'list the hardware': () => fs.readdirSync('/sys'),
  'read through the root of another process': () => fs.readdirSync('/proc/1/root'),
  'ask for the size of the disk': () => fs.statfsSync('/tmp'),
  'find the machine’s name in a file': () => fs.readFileSync('/etc/hostname'),
  'watch a folder': () => fs.watch('/tmp').close(),
  'reach out by a system interface': () => new WASI({ version: 'preview1', preopens: { '/': '/tmp' } }),
  'read a database': () => database('/tmp/dpu-escape.sqlite').close(),
  // Writing
  'write to the temporary folder': () => fs.writeFileSync('/tmp/dpu-escape', 'x'),
  'write to the root': () => fs.writeFileSync('/dpu-escape', 'x'),
  'write over its own program': open(own, 'r+'),
  'write beside its own program': () => fs.writeFileSync(`${own}.x`, 'x'),
  'make a folder': () => fs.mkdirSync('/tmp/dpu-escape-folder'),
  'make a symbolic link': () => fs.symlinkSync('/etc', '/tmp/dpu-escape-link'),
  'make a hard link': () => fs.linkSync(own, '/tmp/dpu-escape-hard'),
  'rename its own program': () => fs.renameSync(own, own),
  'change rights of its own program': () => fs.chmodSync(own, 0o444),
  'own its own program': () => fs.chownSync(own, 0, 0),
  'write to shared memory': () => fs.writeFileSync('/dev/shm/dpu-escape', 'x'),
  'write a heap snapshot': () => v8.writeHeapSnapshot('/tmp/dpu-escape.heapsnapshot'),
  'write a report': () => {
    const file = process.report.writeReport('/tmp/dpu-escape.json');
    fs.statSync(file);
  },
  // Secrets
  'see an environment': () => {
    const names = Object.keys(process.env).filter((name) => !['PWD', 'PATH'].includes(name));
    if (names.length === 0) throw new Error('empty');
  },
  'read the environment of the first process': () => fs.readFileSync('/proc/1/environ'),
  'read the environment of its parent': () => fs.readFileSync(`/proc/${process.ppid}/environ`),
  'read the memory of its parent': open(`/proc/${process.ppid}/mem`, 'r'),
  'read the command line of its parent': () => fs.readFileSync(`/proc/${process.ppid}/cmdline`),
  // Processes
  'start a program': () => {
    const { error } = spawnSync('/bin/sh', ['-c', 'true']);
    if (error) throw error;
  },
  'start itself again': () => {
    const { error } = spawnSync(process.execPath, ['--version']);
    if (error) throw error;
  },
  'start a program in the background': () => opened(spawn('/bin/sh', ['-c', 'true']), 'spawn'),
  fork: () => opened(fork(own, ['nothing']), 'spawn'),
  'see the processes of the machine': () => {
    const found = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    if (found.length < 4) throw new Error('alone');
  },
  'signal its parent': () => process.kill(process.ppid || -1, 0),
  'signal any process': () => process.kill(-1, 0),
  'have the pids of the machine': () => {
    if (process.pid < 10) throw new Error('a namespace of its own');
  },
  // Rights
  'be somebody': () => {
    if (process.getuid?.() === 65_534) throw new Error('nobody');
  },
  'become root': () => process.setuid?.(0),
  'join the group of root': () => process.setgid?.(0),
  'join other groups': () => process.setgroups?.([0]),
  'raise its priority': () => os.setPriority(0, -10),
  'load native code': () => process.dlopen({ exports: {} }, '/usr/lib/x86_64-linux-gnu/libz.so.1'),
  'load an extension of the database': () => database(':memory:').loadExtension('/usr/lib/x86_64-linux-gnu/libz.so.1'),
  'open its inspector': () => {
    inspector.open(0);
    if (inspector.url() === undefined) throw new Error('not open');
    inspector.close();
  },
  // The kernel
  'change what the kernel does with core files': open('/proc/sys/kernel/core_pattern', 'r+'),
  'ask the kernel for an action': open('/proc/sysrq-trigger', 'a'),
  'spare itself when memory is short': () => fs.writeFileSync('/proc/self/oom_score_adj', '-1000'),
  'map users of its own': open('/proc/self/uid_map', 'r+'),
  'read the kernel’s log': open('/dev/kmsg', 'r'),
  'open the machine’s memory': open('/dev/mem', 'r'),
  'make a control group': () => fs.mkdirSync('/sys/fs/cgroup/dpu-escape'),
  'open a graphics card': open('/dev/dri/renderD128', 'r+'),
  // Network
  'see a network card': () => {
    if (Object.keys(os.networkInterfaces()).length === 0) throw new Error('none');
  },
  'connect to this machine': () => {
    const server = net.createServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
        socket.once('connect', () => (socket.destroy(), server.close(), resolve(0)));
        socket.once('error', reject);
      });
    });
  },
  'connect elsewhere': () => {
    const socket = net.connect(9, '192.0.2.1');
    // Without a network the answer is at once; with one there is none.
    const patience = new Promise((resolve) => setTimeout(resolve, 300));
    return Promise.race([opened(socket, 'connect'), patience]).finally(() => socket.destroy());
  },
  'listen to the network': () => {
    const server = net.createServer();
    return opened(server.listen(0, '0.0.0.0'), 'listening').finally(() => server.close());
  },
  'listen on a path': () => {
    const server = net.createServer();
    return opened(server.listen('/tmp/dpu-escape.sock'), 'listening').finally(() => server.close());
  },
  'serve pages': () => {
    const server = http.createServer();
    return opened(server.listen(0, '127.0.0.1'), 'listening').finally(() => server.close());
  },
  'send a datagram': () => {
    const socket = createSocket('udp4');
    const bound = opened(socket, 'listening');
    socket.bind(0);
    return bound.finally(() => socket.close());
  },
  'talk to the container daemon': () => opened(net.connect('/var/run/docker.sock'), 'connect'),
  'look a name up': () =>
    new Promise((resolve, reject) => lookup('localhost', (error) => (error ? reject(error) : resolve(0)))),
  // Last, because where memory is limited it ends the process.
  'start a thread of its own kind': () => opened(new Worker('0', { eval: true }), 'online'),
};

const say = (name: string, answer: string): void => void fs.writeSync(1, `${JSON.stringify([name, answer])}\n`);

void (async () => {
  // Where a fork is not kept from it, the copy would try everything too and answer on the same pipe, as a process of another number.
  if (process.argv[2] === 'nothing') return;
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      say(name, 'done');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      say(name, code ?? message);
    }
  }
  process.exit(0);
})();
