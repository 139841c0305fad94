import {
  FOLDER,
  type ChildProgram,
  type ChildSpec,
  type Isolation,
  type NodeSpec,
  type ProgramSpec,
} from './isolation.ts';

export interface CommandOptions {
  readonly isolation: Isolation;
  /** Path of the Node binary. */
  readonly node: string;
  /** Shared objects that this binary loads, absolute paths. */
  readonly libraries: readonly string[];
  /** Descriptor of the child that carries the seccomp filter; absent without one. */
  readonly seccompFd?: number;
}

const NODE_INSIDE = '/dpu/node';
const PROGRAM_INSIDE = '/dpu/program';
const FOLDER_INSIDE = '/dpu/child';
const MOUNTS_INSIDE = '/dpu';
const NOBODY = '65534';
const OPEN_FILES = 64;

const mountsInside = ({ mounts = [] }: NodeSpec): string[] => mounts.map(({ to }) => `${MOUNTS_INSIDE}/${to}`);
const mountsOutside = ({ mounts = [] }: NodeSpec): string[] => mounts.map(({ from }) => from);

/** The command without any wrapping, with the binary, the folder and the mounts where the child sees them. */
function plainCommand(spec: ChildSpec, binary: string, folder: string, inside: boolean): string[] {
  if ('program' in spec) {
    const words = spec.program.args.map((word) => word.replaceAll(FOLDER, folder));
    return [binary, ...words, ...(spec.entry === undefined ? [] : [`${folder}/${spec.entry}`])];
  }
  const entry = `${folder}/${spec.entry}`;
  const mounts = inside ? mountsInside(spec) : mountsOutside(spec);
  const readable = [folder, ...mounts].map((path) => `--allow-fs-read=${path}`);
  const permission = spec.permission
    ? // The database opens files without asking the permission model.
      ['--permission', '--no-experimental-sqlite', ...readable, ...(spec.addons ? ['--allow-addons'] : [])]
    : [];
  return [binary, ...spec.nodeFlags, ...permission, entry, ...mounts];
}

function prlimit({ dataBytes, stackBytes, cpuSeconds, fileBytes = 0 }: ChildSpec['limits']): string[] {
  return [
    'prlimit',
    `--data=${dataBytes}`,
    `--stack=${stackBytes}`,
    `--cpu=${cpuSeconds}`,
    `--nofile=${OPEN_FILES}`,
    `--fsize=${fileBytes}`,
    '--core=0',
    '--',
  ];
}

const readOnly = (from: string, to: string): string[] => ['--ro-bind', from, to];

/** What a program other than Node finds in its root. */
function furnish({ binary, files, devices, proc, environment }: ChildProgram): string[] {
  return [
    ...files.flatMap((file) => readOnly(file, file)),
    ...devices.flatMap((device) => ['--dev-bind', device, device]),
    ...(proc ? ['--proc', '/proc'] : []),
    ...readOnly(binary, PROGRAM_INSIDE),
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

/** What a program may write: single files of its folder, and a place that is gone with it. */
function writable(spec: ChildSpec): string[] {
  if (!('program' in spec)) return [];
  const { folder, writable: files = [], scratchBytes }: ProgramSpec = spec;
  return [
    ...files.flatMap((name) => ['--bind', `${folder}/${name}`, `${FOLDER_INSIDE}/${name}`]),
    ...(scratchBytes === undefined ? [] : ['--size', String(scratchBytes), '--tmpfs', '/tmp']),
  ];
}

function bubblewrap(spec: ChildSpec, { node, libraries, seccompFd }: CommandOptions): string[] {
  return [
    'bwrap',
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...['--cap-drop', 'ALL', '--uid', NOBODY, '--gid', NOBODY, '--hostname', 'dpu'],
    ...('program' in spec
      ? furnish(spec.program)
      : [
          ...[...new Set([...libraries, ...(spec.libraries ?? [])])].flatMap((library) => readOnly(library, library)),
          ...readOnly(node, NODE_INSIDE),
          ...(spec.mounts ?? []).flatMap(({ from, to }) => readOnly(from, `${MOUNTS_INSIDE}/${to}`)),
        ]),
    ...readOnly(spec.folder, FOLDER_INSIDE),
    ...writable(spec),
    ...['--remount-ro', '/', '--chdir', '/'],
    ...(seccompFd === undefined ? [] : ['--seccomp', String(seccompFd)]),
    '--',
  ];
}

/** The command line that starts `spec` in the given class. */
export function childCommand(spec: ChildSpec, options: CommandOptions): string[] {
  const outside = 'program' in spec ? spec.program.binary : options.node;
  const inside = 'program' in spec ? PROGRAM_INSIDE : NODE_INSIDE;
  switch (options.isolation) {
    case 'bubblewrap':
      return [
        ...prlimit(spec.limits),
        ...bubblewrap(spec, options),
        ...plainCommand(spec, inside, FOLDER_INSIDE, true),
      ];
    case 'prlimit':
      return [...prlimit(spec.limits), ...plainCommand(spec, outside, spec.folder, false)];
    case 'process': {
      // Node's own stack limit must not be larger than the system's, or a deep recursion is a crash instead of an error.
      const kib = Math.floor(spec.limits.stackBytes / 1024);
      const limits = `ulimit -c 0; ulimit -s ${kib} && ulimit -t ${spec.limits.cpuSeconds} && exec "$@"`;
      return ['/bin/sh', '-c', limits, 'sh', ...plainCommand(spec, outside, spec.folder, false)];
    }
  }
}
