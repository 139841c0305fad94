import { readdirSync, readFileSync } from 'node:fs';

/** Processor time since the start of the machine and of our processes, in ticks of the kernel's clock. */
export interface CpuTimes {
  /** All cores, all processes. */
  busy: number;
  /** Busy and idle together: what all cores could have done. */
  total: number;
  /** This process and everything that it started, those that have ended included. */
  own: number;
}

/** What is read of one process. */
interface Process {
  parent: number;
  /** Its own time and that of its children that ended. */
  ticks: number;
}

/** Reads one `/proc/<pid>/stat`. The name in brackets may hold spaces and brackets itself. */
export function parseStat(text: string): Process | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const numbers = [1, 11, 12, 13, 14].map((index) => Number(fields[index]));
  if (fields.length < 15 || numbers.some((value) => !Number.isFinite(value))) return undefined;
  const [parent = 0, ...ticks] = numbers;
  return { parent, ticks: ticks.reduce((sum, value) => sum + value, 0) };
}

/** Reads the first line of `/proc/stat`: user, nice, system, idle, waiting for disks, interrupts (two), stolen. Guests are in user already. */
export function parseCpuLine(text: string): Pick<CpuTimes, 'busy' | 'total'> | undefined {
  const [name, ...fields] = (text.split('\n', 1)[0] ?? '').split(/\s+/);
  const times = fields.slice(0, 8).map(Number);
  if (name !== 'cpu' || times.length < 5 || times.some((value) => !Number.isFinite(value))) return undefined;
  const total = times.reduce((sum, value) => sum + value, 0);
  return { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) };
}

/** Ticks of `root` and everything below it. */
export function ticksBelow(root: number, processes: ReadonlyMap<number, Process>): number {
  return [...pidsBelow(root, processes)].reduce((sum, pid) => sum + (processes.get(pid)?.ticks ?? 0), 0);
}

/** `root` and every process that it or its children started. */
export function pidsBelow(root: number, processes: ReadonlyMap<number, Pick<Process, 'parent'>>): Set<number> {
  const children = Map.groupBy(processes.keys(), (pid) => processes.get(pid)?.parent ?? 0);
  const found = new Set([root]);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return found;
}

/** All processes that can be seen. Those that end meanwhile are left out. */
export function readProcesses(folder = '/proc'): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of readdirSync(folder)) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const process = parseStat(readFileSync(`${folder}/${name}/stat`, 'latin1'));
      if (process) found.set(Number(name), process);
    } catch {
      continue;
    }
  }
  return found;
}

/** Times of the machine and of the tree below `pid`; undefined on systems without `/proc`. */
export function readCpuTimes(pid: number, folder = '/proc'): { times: CpuTimes; own: ReadonlySet<number> } | undefined {
  try {
    const line = parseCpuLine(readFileSync(`${folder}/stat`, 'latin1'));
    if (!line) return undefined;
    const processes = readProcesses(folder);
    return { times: { ...line, own: ticksBelow(pid, processes) }, own: pidsBelow(pid, processes) };
  } catch {
    return undefined;
  }
}
