import { expect, test } from 'vitest';
import { childCommand } from '../../src/sandbox/command.ts';
import { weakness, type ProbeFacts } from '../../src/sandbox/detect.ts';
import { FOLDER, type ChildSpec, type ProgramSpec } from '../../src/sandbox/isolation.ts';

const SPEC: ChildSpec = {
  folder: '/stage',
  entry: 'main.mjs',
  nodeFlags: ['--no-liftoff'],
  limits: { dataBytes: 1000, stackBytes: 64 * 1024, cpuSeconds: 9 },
  permission: true,
};
const OPTIONS = { node: '/opt/node', libraries: ['/lib/libc.so.6'] };

test('bubblewrap: limits, an empty root with the runtime in it, then node', () => {
  const command = childCommand(SPEC, { ...OPTIONS, isolation: 'bubblewrap', seccompFd: 3 }).join(' ');
  expect(command).toBe(
    'prlimit --data=1000 --stack=65536 --cpu=9 --nofile=64 --fsize=0 --core=0 -- ' +
      'bwrap --unshare-all --die-with-parent --new-session --clearenv --cap-drop ALL --uid 65534 --gid 65534 --hostname dpu ' +
      '--ro-bind /lib/libc.so.6 /lib/libc.so.6 --ro-bind /opt/node /dpu/node --ro-bind /stage /dpu/child ' +
      '--remount-ro / --chdir / --seccomp 3 -- ' +
      '/dpu/node --no-liftoff --permission --no-experimental-sqlite --allow-fs-read=/dpu/child /dpu/child/main.mjs',
  );
});

test('prlimit: the same limits, the folder where it lies', () => {
  expect(childCommand(SPEC, { ...OPTIONS, isolation: 'prlimit' }).join(' ')).toBe(
    'prlimit --data=1000 --stack=65536 --cpu=9 --nofile=64 --fsize=0 --core=0 -- ' +
      '/opt/node --no-liftoff --permission --no-experimental-sqlite --allow-fs-read=/stage /stage/main.mjs',
  );
});

test('folders beside the program are read-only, native libraries lie where they are, and the program is told the paths', () => {
  const spec: ChildSpec = {
    ...SPEC,
    mounts: [{ from: '/opt/modules/native', to: 'modules/native' }],
    libraries: ['/lib/libm.so.6', '/lib/libc.so.6'],
    addons: true,
  };
  const command = childCommand(spec, { ...OPTIONS, isolation: 'bubblewrap' }).join(' ');
  expect(command.slice(command.indexOf('--hostname dpu'))).toBe(
    '--hostname dpu --ro-bind /lib/libc.so.6 /lib/libc.so.6 --ro-bind /lib/libm.so.6 /lib/libm.so.6 --ro-bind /opt/node /dpu/node ' +
      '--ro-bind /opt/modules/native /dpu/modules/native --ro-bind /stage /dpu/child --remount-ro / --chdir / -- ' +
      '/dpu/node --no-liftoff --permission --no-experimental-sqlite --allow-fs-read=/dpu/child --allow-fs-read=/dpu/modules/native --allow-addons ' +
      '/dpu/child/main.mjs /dpu/modules/native',
  );
  expect(
    childCommand(spec, { ...OPTIONS, isolation: 'prlimit' })
      .slice(9)
      .join(' '),
  ).toBe(
    '--no-liftoff --permission --no-experimental-sqlite --allow-fs-read=/stage --allow-fs-read=/opt/modules/native --allow-addons /stage/main.mjs /opt/modules/native',
  );
});

test('process: nothing is put into the shell’s words', () => {
  const command = childCommand({ ...SPEC, folder: '/with space;$(x)' }, { ...OPTIONS, isolation: 'process' });
  expect(command).toEqual([
    '/bin/sh',
    '-c',
    'ulimit -c 0; ulimit -s 64 && ulimit -t 9 && exec "$@"',
    'sh',
    '/opt/node',
    '--no-liftoff',
    '--permission',
    '--no-experimental-sqlite',
    '--allow-fs-read=/with space;$(x)',
    '/with space;$(x)/main.mjs',
  ]);
});

const PROGRAM: ProgramSpec = {
  folder: '/stage',
  entry: 'main.mjs',
  limits: { dataBytes: 1000, stackBytes: 64 * 1024, cpuSeconds: 9, fileBytes: 5 },
  program: {
    binary: '/opt/other',
    args: ['run', '--quiet'],
    environment: { ONE: '1' },
    files: ['/lib/a.so'],
    devices: ['/dev/dri'],
    proc: true,
    calls: [],
  },
};

test('another program finds its own binary, files, devices and environment, and nothing of Node’s', () => {
  expect(childCommand(PROGRAM, { ...OPTIONS, isolation: 'bubblewrap' }).join(' ')).toBe(
    'prlimit --data=1000 --stack=65536 --cpu=9 --nofile=64 --fsize=5 --core=0 -- ' +
      'bwrap --unshare-all --die-with-parent --new-session --clearenv --cap-drop ALL --uid 65534 --gid 65534 --hostname dpu ' +
      '--ro-bind /lib/a.so /lib/a.so --dev-bind /dev/dri /dev/dri --proc /proc --ro-bind /opt/other /dpu/program ' +
      '--setenv ONE 1 --ro-bind /stage /dpu/child --remount-ro / --chdir / -- ' +
      '/dpu/program run --quiet /dpu/child/main.mjs',
  );
  expect(childCommand(PROGRAM, { ...OPTIONS, isolation: 'prlimit' }).slice(-4)).toEqual([
    '/opt/other',
    'run',
    '--quiet',
    '/stage/main.mjs',
  ]);
});

test('a program may write the files that are named, has a place that is gone with it, and finds its folder in its words', () => {
  const { folder, limits } = PROGRAM;
  const program = {
    ...PROGRAM.program,
    files: [],
    devices: [],
    proc: false,
    environment: {},
    args: [`in=${FOLDER}/a`, FOLDER],
  };
  const spec: ProgramSpec = { folder, limits, program, writable: ['result'], scratchBytes: 4096 };
  const command = childCommand(spec, { ...OPTIONS, isolation: 'bubblewrap' }).join(' ');
  expect(command.slice(command.indexOf('--ro-bind /stage'))).toBe(
    '--ro-bind /stage /dpu/child --bind /stage/result /dpu/child/result --size 4096 --tmpfs /tmp --remount-ro / --chdir / -- ' +
      '/dpu/program in=/dpu/child/a /dpu/child',
  );
  expect(childCommand(spec, { ...OPTIONS, isolation: 'prlimit' }).slice(-3)).toEqual([
    '/opt/other',
    'in=/stage/a',
    '/stage',
  ]);
});

const HELD: ProbeFacts = {
  pid: 2,
  uid: 65534,
  environment: 0,
  network: false,
  sockets: false,
  readsHost: false,
  writesFiles: false,
  startsProcesses: false,
};

test.each<[Partial<ProbeFacts>, string | undefined, string | undefined]>([
  [{}, undefined, undefined],
  [{ uid: 0 }, 'the child is not nobody', undefined],
  [{ pid: 4711 }, 'the child sees the pids of the machine', undefined],
  [{ network: true, sockets: true }, 'the child sees a network', undefined],
  [{ readsHost: true }, 'the child can read the files of the machine', 'the child can read the files of the machine'],
  [{ writesFiles: true }, 'the child can write files', 'the child can write files'],
  [{ environment: 1 }, 'the child sees an environment', undefined],
  [{ sockets: true }, 'the system call list is not in force', undefined],
  [{ startsProcesses: true }, 'the child can start processes', 'the child can start processes'],
])('a child with %j is judged', (facts, strong, weak) => {
  expect(weakness({ isolation: 'bubblewrap', seccomp: true }, { ...HELD, ...facts })).toBe(strong);
  expect(weakness({ isolation: 'prlimit', seccomp: false }, { ...HELD, ...facts })).toBe(weak);
});

test('without a system call list, local sockets and processes are no weakness', () => {
  expect(
    weakness({ isolation: 'bubblewrap', seccomp: false }, { ...HELD, sockets: true, startsProcesses: true }),
  ).toBeUndefined();
});
