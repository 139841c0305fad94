import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { childCommand } from './command.ts';
import type { ControlGroups, Group, GroupLimits } from './groups.ts';
import type { ChildSpec, Isolation } from './isolation.ts';
import { seccompFilter, type ExtraCall } from './seccomp.ts';

export interface SandboxOptions {
  readonly isolation: Isolation;
  /** Whether to use the list of allowed system calls; only with `bubblewrap`. */
  readonly seccomp: boolean;
  /** Where each child gets a control group from; it has none when absent. */
  readonly groups?: ControlGroups;
  /** The Node binary for children; the running one by default. */
  readonly node?: string;
  /** Idle children kept ready, 0 by default. A child still runs one thing and is then thrown away. */
  readonly warm?: number;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the process could not be started at all. */
  readonly error?: Error;
  /** The kernel ended it because its control group had no memory left. */
  readonly outOfMemory?: boolean;
}

/** One started child. */
export interface SandboxChild {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended; never rejects. */
  readonly ended: Promise<Ending>;
  /** Ends the process and everything it started, at once. */
  kill(): void;
}

const SECCOMP_FD = 3;
const MIB = 1024 * 1024;
/** What the tools around a child take, and the kernel for it. */
const AROUND_BYTES = 64 * MIB;
/** Threads count too; programs start some for each core. */
const PROCESSES = 512;

/** What everything that a child starts may take together: its own memory, and files that lie in memory. */
function groupLimits(spec: ChildSpec): GroupLimits {
  const { dataBytes, stackBytes, fileBytes = 0 } = spec.limits;
  const { writable = [], scratchBytes = 0 } = 'program' in spec ? spec : {};
  const files = fileBytes * Math.max(1, writable.length) + scratchBytes;
  return { memoryBytes: dataBytes + stackBytes + files + AROUND_BYTES, processes: PROCESSES };
}

/** Shared objects of the running Node; a node binary that is linked statically has none. */
export function loadedLibraries(): string[] {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.filter((path) => path.startsWith('/') && !path.endsWith('.node'));
}

/** A descriptor of a filter's file. Open is enough: a process that is killed leaves nothing behind. */
function makeFilter(extra: readonly ExtraCall[]): number {
  const filter = seccompFilter(process.arch, extra);
  if (filter === undefined) throw new Error(`there is no system call list for ${process.arch}`);
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'dpu-seccomp-'));
  const path = join(folder, 'filter.bpf');
  writeFileSync(path, filter, { mode: 0o400 });
  const descriptor = openSync(path, 'r');
  rmSync(folder, { recursive: true });
  return descriptor;
}

/** What a child finds in its environment; bubblewrap clears it and sets its own. */
function environmentOf(spec: ChildSpec, isolation: Isolation): Record<string, string> {
  // Where the tools that wrap the child are found; in the class without tools not even that.
  const path = isolation === 'process' ? {} : { PATH: '/usr/bin:/bin:/usr/local/bin' };
  if ('program' in spec) return isolation === 'bubblewrap' ? path : { ...path, ...spec.program.environment };
  return spec.permission ? path : { PATH: '/usr/bin:/bin:/usr/local/bin' };
}

function adopt(child: ChildProcess, group: Group | undefined): SandboxChild {
  const { stdin, stdout, stderr } = child as ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  // A child that dies early breaks the pipe; its ending says why, the pipe has nothing to add.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
  let gone = false;
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', (error) => {
      group?.remove();
      resolve({ code: null, signal: null, error });
    });
    child.once('exit', () => (gone = true));
    child.once('close', (code, signal) => {
      const outOfMemory = group?.outOfMemory() ?? false;
      group?.remove();
      resolve({ code, signal, ...(outOfMemory ? { outOfMemory } : {}) });
    });
  });
  const kill = (): void => {
    if (!gone && child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
      // What left its process group has not left the control group.
      group?.kill();
    }
    // Something the child started could hold the pipes open for ever; nobody reads them any more.
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  };
  return { stdin, stdout, stderr, ended, kill };
}

/** Starts children in one isolation class. Call {@link Sandbox.close} at the end: it ends idle children. */
export class Sandbox {
  readonly options: SandboxOptions;
  readonly #idle = new Map<string, SandboxChild[]>();
  /** Descriptors of the filters' files, which have no name any more, by the calls that they allow beside Node's. */
  readonly #filters = new Map<string, number>();
  #libraries: readonly string[] | undefined;
  #closed = false;

  constructor(options: SandboxOptions) {
    this.options = options;
  }

  /** A child for `spec`: an idle one when there is one, else a new one. */
  start(spec: ChildSpec): SandboxChild {
    const key = JSON.stringify(spec);
    const idle = this.#idle.get(key);
    const child = idle?.shift() ?? this.#spawn(spec);
    this.#refill(key, spec);
    return child;
  }

  /** Ends idle children and lets go of the filter's file. Children handed out are their holders' business. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = [...this.#idle.values()].flat();
    this.#idle.clear();
    for (const child of idle) child.kill();
    await Promise.all(idle.map((child) => child.ended));
    for (const filter of this.#filters.values()) closeSync(filter);
    this.#filters.clear();
  }

  #refill(key: string, spec: ChildSpec): void {
    const { warm = 0 } = this.options;
    if (warm === 0 || this.#closed) return;
    // Only the spec used last is kept warm: shards of one job come in a row.
    for (const [other, children] of this.#idle) {
      if (other === key) continue;
      this.#idle.delete(other);
      for (const child of children) child.kill();
    }
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    while (idle.length < warm) {
      const child = this.#spawn(spec);
      idle.push(child);
      void child.ended.then(() => {
        const at = idle.indexOf(child);
        if (at >= 0) idle.splice(at, 1);
      });
    }
  }

  /** A descriptor of the filter for one child; `undefined` without a filter. */
  #openFilter(extra: readonly ExtraCall[]): number | undefined {
    if (!this.options.seccomp || this.options.isolation !== 'bubblewrap') return undefined;
    const key = extra.join(' ');
    const filter = this.#filters.get(key) ?? makeFilter(extra);
    this.#filters.set(key, filter);
    // Opened anew for every child: the offset is shared with the one that reads it.
    return openSync(`/proc/self/fd/${filter}`, 'r');
  }

  #spawn(spec: ChildSpec): SandboxChild {
    const fd = this.#openFilter('program' in spec ? spec.program.calls : []);
    this.#libraries ??= loadedLibraries();
    const command = childCommand(spec, {
      isolation: this.options.isolation,
      node: this.options.node ?? process.execPath,
      libraries: this.#libraries,
      ...(fd === undefined ? {} : { seccompFd: SECCOMP_FD }),
    });
    let group: Group | undefined;
    try {
      group = this.options.groups?.make(groupLimits(spec));
      const [file, ...args] = [...(group?.enter ?? []), ...command] as [string, ...string[]];
      const child = spawn(file, args, {
        cwd: '/',
        env: environmentOf(spec, this.options.isolation),
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])],
      });
      return adopt(child, group);
    } catch (error) {
      group?.remove();
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
