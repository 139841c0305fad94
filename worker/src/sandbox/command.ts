import type { ChildSpec, Isolation } from './isolation.ts';

export interface CommandOptions {
  readonly isolation: Isolation;
  /** Path of the Node binary. */
  readonly node: string;
  /** Shared objects that the binary loads, absolute paths. */
  readonly libraries: readonly string[];
  /** Descriptor of the child that carries the seccomp filter; absent without one. */
  readonly seccompFd?: number;
}

const NODE_INSIDE = '/dpu/node';
const FOLDER_INSIDE = '/dpu/child';
const MOUNTS_INSIDE = '/dpu';
const NOBODY = '65534';
const OPEN_FILES = 64;

function nodeCommand(spec: ChildSpec, node: string, folder: string, mounts: readonly string[]): string[] {
  const readable = [folder, ...mounts].map((path) => `--allow-fs-read=${path}`);
  const permission = spec.permission ? ['--permission', ...readable, ...(spec.addons ? ['--allow-addons'] : [])] : [];
  return [node, ...spec.nodeFlags, ...permission, `${folder}/${spec.entry}`, ...mounts];
}

const mountsInside = ({ mounts = [] }: ChildSpec): string[] => mounts.map(({ to }) => `${MOUNTS_INSIDE}/${to}`);
const mountsOutside = ({ mounts = [] }: ChildSpec): string[] => mounts.map(({ from }) => from);

function prlimit({ dataBytes, stackBytes, cpuSeconds }: ChildSpec['limits']): string[] {
  return [
    'prlimit',
    `--data=${dataBytes}`,
    `--stack=${stackBytes}`,
    `--cpu=${cpuSeconds}`,
    `--nofile=${OPEN_FILES}`,
    '--fsize=0',
    '--core=0',
    '--',
  ];
}

function bubblewrap(spec: ChildSpec, { node, libraries, seccompFd }: CommandOptions): string[] {
  const readOnly = (from: string, to: string): string[] => ['--ro-bind', from, to];
  return [
    'bwrap',
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...['--cap-drop', 'ALL', '--uid', NOBODY, '--gid', NOBODY, '--hostname', 'dpu'],
    ...[...new Set([...libraries, ...(spec.libraries ?? [])])].flatMap((library) => readOnly(library, library)),
    ...readOnly(node, NODE_INSIDE),
    ...readOnly(spec.folder, FOLDER_INSIDE),
    ...(spec.mounts ?? []).flatMap(({ from, to }) => readOnly(from, `${MOUNTS_INSIDE}/${to}`)),
    ...['--remount-ro', '/', '--chdir', '/'],
    ...(seccompFd === undefined ? [] : ['--seccomp', String(seccompFd)]),
    '--',
  ];
}

/** The command line that starts `spec` in the given class. */
export function childCommand(spec: ChildSpec, options: CommandOptions): string[] {
  switch (options.isolation) {
    case 'bubblewrap':
      return [
        ...prlimit(spec.limits),
        ...bubblewrap(spec, options),
        ...nodeCommand(spec, NODE_INSIDE, FOLDER_INSIDE, mountsInside(spec)),
      ];
    case 'prlimit':
      return [...prlimit(spec.limits), ...nodeCommand(spec, options.node, spec.folder, mountsOutside(spec))];
    case 'process': {
      // Node's own stack limit must not be larger than the system's, or a deep recursion is a crash instead of an error.
      const kib = Math.floor(spec.limits.stackBytes / 1024);
      const limits = `ulimit -c 0; ulimit -s ${kib} && ulimit -t ${spec.limits.cpuSeconds} && exec "$@"`;
      return ['/bin/sh', '-c', limits, 'sh', ...nodeCommand(spec, options.node, spec.folder, mountsOutside(spec))];
    }
  }
}
