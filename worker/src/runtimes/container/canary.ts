/** The first container on a machine: it shows what the engine really gave it, whatever the engine was asked for. */
import { buildImage, type BuiltImage } from '@dpu/sdk/machine/imageTar';
import { showFiles } from '@dpu/sdk/machine/programs';
import type { ContainerSettings } from '@dpu/sdk/runtimes/container';
import type { ShardRequest } from '../runtime.ts';

const MIB = 1024 * 1024;
const MEMORY_BYTES = 32 * MIB;
const PROCESSES = 13;
const SCRATCH_BYTES = MIB;
/** What the canary finds at `/in/word`. */
const WORD = 'the canary sings\n';

/** What stands between two files of what it shows: at `/in/cut`. */
const CUT = '\n-- cut --\n';

/** Files in which the kernel says how a process is held. */
const STATUS = '/proc/self/status';
const MOUNTS = '/proc/self/mountinfo';
const NETWORK = '/proc/net/dev';
const MESSAGES = '/proc/sys/kernel/dmesg_restrict';
const MEMORY = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'] as const;
const PIDS = ['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'] as const;

/** Paths that exist in a container only when it has a graphics card. */
export const GPU_FILES: readonly string[] = ['/dev/nvidiactl', '/dev/nvidia0'];

/**
 * Where its program lies: in a folder that its layer does not list. Docker 20.10 without root, or with the storage driver vfs, makes such folders for root alone, so
 * that images fail there which work elsewhere.
 */
const PROGRAM = 'bin/show';

/** An image of a single program of our own that shows files. */
export const canaryImage = (): BuiltImage => buildImage([{ name: PROGRAM, bytes: showFiles(), mode: 0o755 }]);

/** A shard that shows `files`. */
export function canaryRequest({ tar, id }: BuiltImage, files: readonly string[], gpu = false): ShardRequest {
  const settings: ContainerSettings = {
    image: id,
    command: [`/${PROGRAM}`, ...files],
    processes: PROCESSES,
    scratchBytes: SCRATCH_BYTES,
    units: 1,
    ...(gpu ? { gpu } : {}),
  };
  return {
    module: tar,
    settings,
    args: [],
    shard: 0,
    shards: 1,
    inputs: Object.entries({ word: WORD, cut: CUT }).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    seed: new Uint8Array(32),
    limits: { memoryBytes: MEMORY_BYTES, units: 1, outputBytes: MIB, seconds: 60 },
  };
}

/** What the canary looks at. A file that a version of the kernel calls otherwise comes with its other name; the one that is not there is left out. */
const LOOKED_AT = {
  word: ['/in/word'],
  status: [STATUS],
  mounts: [MOUNTS],
  network: [NETWORK],
  messages: [MESSAGES],
  memory: MEMORY,
  pids: PIDS,
} as const;

/** What it saw, by what it looked at; empty where no file could be opened. */
export type Sight = Readonly<Record<keyof typeof LOOKED_AT, string>>;

/** Everything that it looks at in one go, for {@link readSight}. */
export const CANARY_FILES: readonly string[] = Object.values(LOOKED_AT).flatMap((files) => [...files, '/in/cut']);

/** Takes apart what it showed of {@link CANARY_FILES}. */
export function readSight(shown: string): Sight {
  const parts = shown.split(CUT);
  return Object.fromEntries(Object.keys(LOOKED_AT).map((name, index) => [name, parts[index] ?? ''])) as Sight;
}

/** What does not hold in a container here, in words for the operator; undefined when all holds. */
export function canaryProblem(sight: Sight): string | undefined {
  const status = new Map(sight.status.split('\n').map((line) => line.split(/:\s*/, 2) as [string, string]));
  const mounts = sight.mounts
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const mount = (path: string): string[] => mounts.findLast((fields) => fields[4] === path) ?? [];
  const isReadOnly = (path: string): boolean => /(^|,)ro(,|$)/.test(mount(path)[5] ?? '');
  const devices = [...sight.network.matchAll(/^\s*([^\s:]+):/gm)].map(([, name]) => name);
  const promises: readonly [holds: boolean, otherwise: string][] = [
    [sight.word === WORD, 'it does not see its input'],
    [/^65534\s+65534\s+65534\s+65534$/.test(status.get('Uid') ?? ''), 'it is not nobody'],
    [
      ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].every((name) => /^0+$/.test(status.get(name) ?? '')),
      'it has capabilities',
    ],
    [status.get('NoNewPrivs') === '1', 'it could gain privileges'],
    [status.get('Seccomp') === '2', 'no system call list is in force'],
    [devices.every((name) => name === 'lo'), `it sees a network: ${devices.join(', ')}`],
    // The canary cannot ask for them, and Podman's system call list lets others ask.
    [sight.messages.trim() !== '0', 'every user may read the kernel’s messages here: set kernel.dmesg_restrict to 1'],
    [isReadOnly('/'), 'its root can be written'],
    [isReadOnly('/in'), 'its input can be written'],
    [/(^|,)size=1024k(,|$)/.test(mount('/tmp').at(-1) ?? ''), 'its /tmp has no size'],
    [Number(sight.memory) === MEMORY_BYTES, 'its memory has no limit'],
    [Number(sight.pids) === PROCESSES, 'its processes have no limit'],
  ];
  return promises.find(([holds]) => !holds)?.[1];
}
