import { availableParallelism, cpus, totalmem } from 'node:os';
import process from 'node:process';

import { nvidiaGpus, type GpuReading, type GpuSource } from './gpus.ts';
import type { Needs } from './needs.ts';
import { readCpuTimes, type CpuTimes } from './processTimes.ts';

/** The machine as it is now. What cannot be told here is undefined. */
export interface MachineReading {
  /** Cores that processes of others keep busy, since the reading before. */
  othersCores: number | undefined;
  /** Memory that could be had without swapping. */
  memoryAvailableBytes: number;
  cpuTemperatureC: number | undefined;
  gpus: GpuReading[];
  /** How busy others keep the busiest GPU, percent: 0 where only this node computes on it. */
  othersGpuPercent: number;
}

/** Reads the machine. */
export interface Machine {
  read(signal?: AbortSignal): Promise<MachineReading>;
}

/** Where the numbers come from; tests pass their own. */
export interface MachineSources {
  /** Cores of the machine. */
  cores: () => number;
  /** Times of the machine and of our processes, and which those are. */
  times: () => { times: CpuTimes; own: ReadonlySet<number> } | undefined;
  memoryAvailable: () => number;
  cpuTemperature: () => Promise<number | undefined>;
  gpus: GpuSource;
}

/** The least time between two readings of processor time that say anything, in ticks of all cores. */
const LEAST_TICKS = 10;

async function cpuTemperature(): Promise<number | undefined> {
  // Only where a limit is set: the library takes memory that most nodes need not spend.
  const { default: system } = await import('systeminformation');
  const { main } = await system.cpuTemperature();
  return typeof main === 'number' && main > 0 ? main : undefined;
}

/** What is read of this machine beside its memory and its GPUs; each costs some milliseconds a time. */
export interface ThisMachineOptions {
  /** What other processes use. */
  withProcesses: boolean;
  /** How warm the processor is. */
  withTemperature: boolean;
}

/** This machine. */
export function thisMachine({ withProcesses, withTemperature }: ThisMachineOptions): Machine {
  return machineOf({
    cores: () => cpus().length,
    times: () => (withProcesses ? readCpuTimes(process.pid) : undefined),
    memoryAvailable: () => process.availableMemory(),
    cpuTemperature: withTemperature ? () => cpuTemperature().catch(() => undefined) : async () => undefined,
    gpus: nvidiaGpus(),
  });
}

/** A machine that is read from `sources`. */
export function machineOf(sources: MachineSources): Machine {
  let before: CpuTimes | undefined;
  let othersCores: number | undefined;
  return {
    async read(signal) {
      const now = sources.times();
      if (now) {
        if (before && now.times.total - before.total >= LEAST_TICKS) {
          othersCores = coresOfOthers(before, now.times, sources.cores());
          before = now.times;
        }
        before ??= now.times;
      }
      const gpus = await sources.gpus(signal);
      return {
        othersCores,
        memoryAvailableBytes: sources.memoryAvailable(),
        cpuTemperatureC: await sources.cpuTemperature(),
        gpus,
        othersGpuPercent: Math.max(0, ...gpus.map((gpu) => percentOfOthers(gpu, now?.own ?? new Set()))),
      };
    },
  };
}

/** Cores that are busy with something that this node did not start. */
export function coresOfOthers(before: CpuTimes, now: CpuTimes, cores: number): number {
  const busy = now.busy - before.busy - (now.own - before.own);
  return Math.max(0, (busy / (now.total - before.total)) * cores);
}

/**
 * How busy others keep a GPU. The driver tells no shares: where only we compute on it, all is ours, otherwise all counts as theirs,
 * because who shares a GPU with a game or a desktop is in its way.
 */
function percentOfOthers({ busyPercent = 0, pids }: GpuReading, own: ReadonlySet<number>): number {
  return pids.length > 0 && pids.every((pid) => own.has(pid)) ? 0 : busyPercent;
}

const MIB = 1024 * 1024;

/** Memory of this machine, or what its container may use of it, bytes. */
export function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/** What a node may use of this machine by default: every core, and memory but for an eighth of it and half a GiB. */
export function shareOfMachine(): { cores: number; memoryMb: number } {
  const memory = Math.floor((memoryOfMachine() * 7) / 8 / MIB);
  return { cores: availableParallelism(), memoryMb: Math.max(256, memory - 512) };
}

/** What is really there for new work: what is not promised, and not more than the machine has left beside what is promised and not yet taken. */
export function roomNow(
  { free, promised, used }: { free: Needs; promised: Needs; used: Needs },
  reading: Pick<MachineReading, 'memoryAvailableBytes' | 'gpus'> | undefined,
): Needs {
  if (!reading) return free;
  const gpu = largestGpu(reading.gpus);
  const left = (there: number, promisedOf: number, usedOf: number): number =>
    Math.max(0, there - Math.max(0, promisedOf - usedOf));
  const memory = left(reading.memoryAvailableBytes, promised.memoryBytes, used.memoryBytes);
  const vram = gpu && left(gpu.vramBytes - gpu.vramUsedBytes, promised.vramBytes, used.vramBytes);
  return {
    ...free,
    memoryBytes: Math.min(free.memoryBytes, memory),
    vramBytes: Math.min(free.vramBytes, vram ?? free.vramBytes),
  };
}

/** The GPU with the most memory: kernels run on one. */
export function largestGpu(gpus: readonly GpuReading[]): GpuReading | undefined {
  return gpus.toSorted((a, b) => b.vramBytes - a.vramBytes)[0];
}
