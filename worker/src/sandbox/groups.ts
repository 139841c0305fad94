/**
 * Control groups of the kernel: memory and processes of everything that a shard starts, together, which limits of single processes cannot bound. Version 2 where this
 * node has a part of the tree to itself (systemd: `Delegate=yes`), version 1 where it may write to the trees of both controllers.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../errors.ts';

/** What a group may take. */
export interface GroupLimits {
  /** Memory of all its processes, the pages of files that they touch among it, bytes. */
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly processes: number;
}

/** One group, for one child. */
export interface Group {
  /** Words before a command that make it join before it begins. */
  readonly enter: readonly string[];
  /** Whether the kernel ended a process because the group had no memory left. */
  outOfMemory(): boolean;
  /** Ends everything inside. */
  kill(): void;
  /** Gives the group back, once everything inside has ended; what cannot be given back yet is tried again. Never throws. */
  remove(): void;
}

/** Where groups come from. */
export interface ControlGroups {
  readonly version: 1 | 2;
  /** @throws when the kernel refuses. */
  make(limits: GroupLimits): Group;
  /** Gives back what there is; nothing may be made afterwards. */
  close(): void;
}

/** Where the kernel shows its groups, and whose they are; tests give others. */
export interface GroupsPlace {
  readonly mount?: string;
  /** What `/proc/self/cgroup` says. */
  readonly own?: string;
  readonly pid?: number;
  /** Runs a command to its end and answers with what it says. */
  readonly run?: (command: readonly string[]) => string;
}

/** How a version writes what groups may take, and tells what became of them. */
interface Dialect {
  readonly version: 1 | 2;
  /** Where groups lie. */
  readonly bases: readonly string[];
  /** Folders of one group, of which the first counts memory. */
  foldersOf(name: string): string[];
  limitsOf(limits: GroupLimits): (readonly [file: string, value: number | string, needed: boolean])[];
  /** File that tells how often memory ran out. */
  readonly events: string;
}

const JOIN = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"';

const read = (path: string): string => readFileSync(path, 'utf8');
/** A file of a group that ends while it is read answers that there is no such device. */
const isGone = (error: unknown): boolean => ['ENOENT', 'ENODEV'].includes((error as { code?: string }).code ?? '');

/**
 * The control groups that this process may use. Moves this process into a group of its own beside those of its children: the kernel keeps no processes in a
 * group that has limited ones below it.
 * @throws with the reason when there are none.
 */
export function openControlGroups({
  mount = '/sys/fs/cgroup',
  own = read('/proc/self/cgroup'),
  pid = process.pid,
  run = ([file, ...words]) => execFileSync(file!, words, { encoding: 'utf8' }),
}: GroupsPlace = {}): ControlGroups {
  const lines = own
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const pathOf = (controller: string): string | undefined =>
    lines
      .find(([, names = '']) => names.split(',').includes(controller))
      ?.slice(2)
      .join(':');
  const unified = pathOf('');
  const [memory, pids] = [pathOf('memory'), pathOf('pids')];
  if (memory !== undefined && pids !== undefined) {
    const bases = [join(mount, 'memory', memory), join(mount, 'pids', pids)];
    return proven(new Tree(version1(bases, pid)), run);
  }
  if (unified === undefined) throw new Error('this kernel has no control groups of memory and processes');
  return proven(new Tree(version2(join(mount, unified), pid)), run);
}

/** `groups`, once a process has joined one and said so. */
function proven(groups: ControlGroups, run: NonNullable<GroupsPlace['run']>): ControlGroups {
  const group = groups.make({ memoryBytes: 64 * 1024 * 1024, processes: 16 });
  try {
    const name = group.enter
      .find((word) => word.endsWith('cgroup.procs'))!
      .split('/')
      .at(-2)!;
    if (run([...group.enter, 'cat', '/proc/self/cgroup']).includes(name)) return groups;
    throw new Error('a process that joined a control group is not in it');
  } finally {
    group.remove();
  }
}

function version1(bases: string[], pid: number): Dialect {
  return {
    version: 1,
    bases,
    foldersOf: (name) => bases.map((base) => join(base, `dpu-${pid}-${name}`)),
    limitsOf: ({ memoryBytes, processes }) => [
      ['memory.limit_in_bytes', memoryBytes, true],
      // Only where the kernel counts swap, and never below the limit without it.
      ['memory.memsw.limit_in_bytes', memoryBytes, false],
      ['pids.max', processes, true],
    ],
    events: 'memory.oom_control',
  };
}

function version2(base: string, pid: number): Dialect {
  const there = read(join(base, 'cgroup.controllers')).trim().split(/\s+/u);
  for (const controller of ['memory', 'pids']) {
    if (!there.includes(controller)) throw new Error(`the controller ${controller} is not given to ${base}`);
  }
  const node = join(base, `dpu-${pid}`);
  mkdirSync(node);
  try {
    writeFileSync(join(node, 'cgroup.procs'), String(pid));
    writeFileSync(join(base, 'cgroup.subtree_control'), '+memory +pids');
  } catch (error) {
    // Others live in the same group: it is not this node's alone.
    put(join(base, 'cgroup.procs'), pid);
    sweep(base, pid);
    throw new Error(`${base} is not this node's alone: ${messageOf(error)}`, { cause: error });
  }
  return {
    version: 2,
    bases: [base],
    foldersOf: (name) => [join(base, `dpu-${pid}-${name}`)],
    limitsOf: ({ memoryBytes, processes }) => [
      ['memory.max', memoryBytes, true],
      ['memory.swap.max', 0, false],
      // Half a shard is no shard.
      ['memory.oom.group', 1, false],
      ['pids.max', processes, true],
    ],
    events: 'memory.events',
  };
}

class Tree implements ControlGroups {
  readonly #dialect: Dialect;
  #made = 0;
  /** Groups whose processes took longer to go than their parent. */
  #left: string[][] = [];

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    for (const base of dialect.bases) sweep(base);
  }

  get version(): 1 | 2 {
    return this.#dialect.version;
  }

  make(limits: GroupLimits): Group {
    this.#tidy();
    const folders = this.#dialect.foldersOf(String(this.#made));
    this.#made += 1;
    for (const folder of folders) mkdirSync(folder);
    for (const [file, value, needed] of this.#dialect.limitsOf(limits)) {
      const written = folders.some((folder) => put(join(folder, file), value));
      if (!needed || written) continue;
      for (const folder of folders) rmdirSync(folder);
      throw new Error(`the kernel does not take ${file} ${value}`);
    }
    const [memory = ''] = folders;
    return {
      enter: ['/bin/sh', '-c', JOIN, 'sh', ...folders.map((folder) => join(folder, 'cgroup.procs')), '--'],
      outOfMemory: () => /^oom_kill [1-9]/mu.test(said(join(memory, this.#dialect.events))),
      kill: () => folders.forEach(killAll),
      remove: () => void this.#remove(folders),
    };
  }

  close(): void {
    this.#tidy();
  }

  #tidy(): void {
    const left = this.#left;
    this.#left = [];
    for (const folders of left) this.#remove(folders);
  }

  #remove(folders: string[]): void {
    const busy = folders.filter((folder) => {
      try {
        rmdirSync(folder);
      } catch (error) {
        return !isGone(error);
      }
      return false;
    });
    if (busy.length === 0) return;
    busy.forEach(killAll);
    this.#left.push(busy);
  }
}

/**
 * Gives back the empty groups of nodes that were ended before they could, and of node `own`. Ends nothing: a node that cannot be seen from here, in a container
 * beside this one, may be well.
 */
function sweep(base: string, own?: number): void {
  for (const name of readdirSync(base)) {
    const owner = /^dpu-(\d+)(?:-\d+)?$/u.exec(name)?.[1];
    if (owner === undefined || (owner !== String(own) && existsSync(`/proc/${owner}`))) continue;
    try {
      rmdirSync(join(base, name));
    } catch {
      // Something is inside. When it has ended, the next node finds the group empty.
    }
  }
}

/** Writes a limit; false where the kernel has no such file, or refuses. */
function put(path: string, value: number | string): boolean {
  try {
    // The kernel makes these files with their folder: what has to be created is none of them.
    writeFileSync(path, String(value), { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

function said(path: string): string {
  try {
    return read(path);
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

function killAll(folder: string): void {
  if (put(join(folder, 'cgroup.kill'), 1)) return;
  const pids = said(join(folder, 'cgroup.procs')).split('\n').map(Number);
  // Whom this process cannot see is told as 0, and a signal to 0 goes to this node's own process group.
  for (const pid of pids.filter((one) => one > 0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}
